# A text in an array of its own keeps its NUL: where it just fits, C leaves it out and says nothing.
# SPDX-License-Identifier: PostgreSQL
. "${0%/*}/tap.sh"

# said FILE...: where gcc says so, whatever builds the rest; before 15 it does among what C++ takes otherwise.
said() {
  gcc -fsyntax-only -Wc++-compat -DSAML_HELPER='""' -I"$top_builddir" -Ilibcortexauth \
    -Ilibcortexauth/include -x c "$@" 2>&1 | grep initializer-string
}

echo 'char text[1] = "a";' | said - >/dev/null || skip_all 'no gcc that tells'
said $(sources libcortexauth pam_cortex | grep '\.c$') >"$work/bad"
report 'no text just fills its array'
finish
