# Every source file says its licence in its first lines.
# SPDX-License-Identifier: PostgreSQL
. "${0%/*}/tap.sh"

find . \( -name node_modules -o -name .git -o -name build -o -name build-aux -o -path './_*' -o -path ./config.h -o -path ./tests/cases \
  -o -path ./tests/fuzz/corpus -o -path './tests/e2e-*' -o -name autom4te.cache -o -name __pycache__ \) -prune -o -type f \
  \( -name '*.[chly]' -o -name '*.def' -o -name '*.py' -o -name '*.sh' -o -name '*.mjs' -o -name '*.m4' -o -name '*.mk' \
  -o -name Makefile.am -o -name configure.ac -o -name '*.map' -o -name '*.[1358]' -o -name bootstrap \) -print |
  sed 's:^\./::' | grep -vE '^(aclocal|m4/(libtool|lt.*))\.m4$' | sort >"$work/files"
# Each of these is one of ours: a folder that yields nothing was not looked at.
for place in libcortexauth pam_cortex tools tests/checks; do
  grep -q "^$place/" "$work/files" || echo "nothing found in $place"
done >"$work/bad"
while read -r file; do
  head -n 15 "$file" | grep -q 'SPDX-License-Identifier: PostgreSQL' || echo "$file"
done <"$work/files" >>"$work/bad"
report 'every source file has its SPDX line'

# One line of purpose before the licence: "/*", " * Purpose.", " * SPDX...".
sources libcortexauth pam_cortex tools tests | while read -r file; do
  head -n 2 "$file" | tail -n 1 | grep -qE '^ \* [^ ]' && head -n 1 "$file" | grep -qx '/\*' || echo "$file"
done >"$work/bad"
report 'every C file begins with its purpose'
finish
