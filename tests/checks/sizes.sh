# Functions of at most 100 lines, files of at most 600; prints the longest ten of each.
# SPDX-License-Identifier: PostgreSQL
. "${0%/*}/tap.sh"
ctags --version 2>/dev/null | grep -q 'Universal Ctags' || skip_all 'universal-ctags is not installed'

sources libcortexauth pam_cortex tools tests extension 2>/dev/null >"$work/files"
ctags -L "$work/files" --languages=C --map-C=+.h --kinds-C=f --fields=+ne -f - 2>/dev/null |
  awk -F '\t' '{
    line = end = 0
    for (i = 4; i <= NF; i++) {
      if ($i ~ /^line:/) line = substr($i, 6)
      if ($i ~ /^end:/) end = substr($i, 5)
    }
    if (end) print end - line + 1, $2 ":" line, $1 }' | sort -rn >"$work/functions"
# In public headers the contracts above the prototypes are not counted.
xargs awk 'FILENAME ~ /\/include\// && /^ *(\/\*| \*)/ { next } { n[FILENAME]++ }
  END { for (file in n) print n[file], file }' <"$work/files" | sort -rn >"$work/lengths"

[ -s "$work/functions" ] || echo 'ctags found no function' >"$work/bad"
awk '$1 > 100' "$work/functions" >>"$work/bad"
report 'no function has more than 100 lines'
awk '$1 > 600' "$work/lengths" >"$work/bad"
report 'no file has more than 600 lines'
sources libcortexauth pam_cortex tools | xargs awk 'length($0) > 120 { print FILENAME ":" FNR ": " length($0) " columns" }' |
  grep -vE '\.def|fault_list\.h' >"$work/bad"
report 'no line has more than 120 columns'

echo '# the longest functions'
head -n 10 "$work/functions" | sed 's/^/#   /'
echo '# the longest files'
head -n 10 "$work/lengths" | sed 's/^/#   /'
awk '{ over += $1 > 40 } END { printf "# %d functions, %d of them over 40 lines\n", NR, over }' "$work/functions"
finish
