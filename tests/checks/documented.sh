# What users can meet is in a manual: reason codes, options, arguments, commands; and the pages are well made.
# SPDX-License-Identifier: PostgreSQL
. "${0%/*}/tap.sh"

pages=$(find libcortexauth pam_cortex tools -name '*.[1-8]' -type f | sort)

# listed WORDS PAGE...: each word of the file has an .It of its own
listed() {
  words=$1
  shift
  while read -r word; do
    grep -qE "^\.It (Cm|Sy|Li|Ic|Fl|Dv|Va|Ar)? ?\"?$word\"?( |\$)" "$@" || echo "$word"
  done <"$words"
}

sed -nE 's/^REASON\([A-Z_]+, ([a-z_]+),.*/\1/p' libcortexauth/include/cortexauth/reason.def |
  grep -vx ok >"$work/reasons"
[ "$(wc -l <"$work/reasons")" -gt 50 ] || echo 'reason.def was not understood' >"$work/bad"
manual=$(awk '/codes are listed in/ { getline; print $2 "." $3 }' libcortexauth/man/libcortexauth.3)
listed "$work/reasons" $(printf '%s\n' $pages | grep "/$manual\$") </dev/null >>"$work/bad"
report 'every reason code has its line in the manual that libcortexauth.3 names'

sed -nE 's/^FAULT\([A-Z_]+, ([a-z_]+),.*/\1/p' tools/cortexctl/fault_list.h >"$work/faults"
[ "$(wc -l <"$work/faults")" -gt 50 ] || echo 'fault_list.h was not understood' >"$work/bad"
listed "$work/faults" tools/cortexctl/cortexctl.8 >>"$work/bad"
report 'every finding of doctor is in cortexctl.8'

for header in libcortexauth/include/cortexauth/*.h; do
  grep -q "^\.In cortexauth/${header##*/}\$" libcortexauth/man/libcortexauth.3 ||
    grep -q "^\.It In cortexauth/${header##*/}\$" libcortexauth/man/libcortexauth.3 || echo "$header" >>"$work/bad"
done
report 'every public header is in libcortexauth.3'

"$top_builddir/tests/checks/list_options" >"$work/options" || echo 'list_options failed' >"$work/bad"
for section in $(cut -d' ' -f1 "$work/options" | sort -u); do
  sed -n "s/^$section //p" "$work/options" >"$work/keys"
  awk -v section="$section" '/^\.S[hs] / { on = index($0, "[" section) || index($0, "[ " section) } on' \
    libcortexauth/man/cortex.conf.5 >"$work/part"
  [ -s "$work/part" ] || echo "no section [$section]" >>"$work/bad"
  listed "$work/keys" "$work/part" | sed "s/^/[$section] /" >>"$work/bad"
done
report 'every option is in its section of cortex.conf.5'

sed -nE 's/^    \{"([a-z_]+)",.*/\1/p' pam_cortex/args.c >"$work/arguments"
[ -s "$work/arguments" ] || echo 'args.c was not understood' >"$work/bad"
listed "$work/arguments" pam_cortex/pam_cortex.8 >>"$work/bad"
report 'every argument of the module is in pam_cortex.8'

# commands NAME PAGE: every command of "NAME --help" has its subsection, and there its options.
commands() {
  program=$top_builddir/tools/$1/$1
  page=tools/$1/$2
  "$program" --help | sed -nE 's/^  ([a-z-]+( [a-z-]+)?)  +.*/\1/p' >"$work/verbs"
  [ -s "$work/verbs" ] || echo "$1 --help was not understood" >"$work/bad"
  while read -r verb; do
    awk -v verb="$verb" '/^\.S[hs] / { on = $0 == ".Ss " verb } on' "$page" >"$work/part"
    [ -s "$work/part" ] || echo "no subsection: $verb" >>"$work/bad"
    # shellcheck disable=SC2086
    "$program" $verb --help | sed -nE 's/^  --([a-z-]+).*/\1/p' | grep -vxE 'help|version' |
      while read -r option; do
        grep -qE "^\.It Fl Fl $option( |\$)" "$work/part" || echo "$verb --$option"
      done >>"$work/bad"
  done <"$work/verbs"
  report "every command and option is in $2"
}
commands cortexctl cortexctl.8
commands cortex-login cortex-login.1

sed -nE 's/^OPTION\(([a-z_]+),.*/\1/p' tools/cortex-login/option_list.h >"$work/keys"
[ "$(wc -l <"$work/keys")" -gt 20 ] || echo 'option_list.h was not understood' >"$work/bad"
while read -r key; do
  grep -qE "^\.It (Cm [a-z_]+ , )*Cm $key( |\$)" tools/cortex-login/cortex-login.1 || echo "$key"
done <"$work/keys" >>"$work/bad"
report 'every key of a profile is in cortex-login.1'

"$top_builddir/tools/cortex-sync/cortex-sync" --help | sed -nE 's/^  --([a-z-]+).*/\1/p' >"$work/options"
[ -s "$work/options" ] || echo 'cortex-sync --help was not understood' >"$work/bad"
while read -r option; do
  grep -qE "^\.It Fl Fl $option( |\$)" tools/cortex-sync/cortex-sync.8 || echo "--$option"
done <"$work/options" >>"$work/bad"
report 'every option is in cortex-sync.8'

file=$("$top_builddir/tools/cortexctl/cortexctl" check --help | sed -nE 's/.*the configuration \((.*)\)$/\1/p')
"$top_builddir/tools/cortex-sync/cortex-sync" --help | grep -F "configuration ($file)" >"$work/said" ||
  echo 'cortex-sync --help' >"$work/bad"
for unit in cortex-reap.service cortex-sync.service; do
  grep -qx "ConditionPathExists=$file" "$top_builddir/packaging/systemd/$unit" || echo "$unit"
done >>"$work/bad"
report "programs and units go by $file"

# mandoc lays out any; groff, which man runs on Debian, breaks the cells of a list that is too wide
# and puts them below wrong columns.
# shellcheck disable=SC2086
awk '/^\.Bl -column/ {
  width = 5
  for (n = split($0, part, "\""); n > 1; n--) if (n % 2 == 0) width += length(part[n]) + 4
  if (width > 78) print FILENAME ":" FNR ": " width " columns"
}' $pages >"$work/bad"
report 'every list in columns fits a terminal'

if command -v mandoc >/dev/null; then
  for page in $pages; do mandoc -T lint -W warning "$page"; done >"$work/bad" 2>&1
  report 'mandoc finds nothing wrong in any page'
else
  count=$((count + 1))
  echo "ok $count # SKIP mandoc is not installed"
fi
finish
