# Every public header compiles alone, as C11 and as C++, and has a guard of its own.
# SPDX-License-Identifier: PostgreSQL
. "${0%/*}/tap.sh"

folder=libcortexauth/include
flags="-Wall -Wextra -Werror -fsyntax-only -I$folder"

# compiles NAME COMPILER...
compiles() {
  name=$1
  shift
  echo "#include <$header>" | "$@" $flags - 2>"$work/bad" || [ -s "$work/bad" ] || echo failed >"$work/bad"
  report "$header is $name"
}

for header in $(cd "$folder" && echo cortexauth/*.h); do
  compiles C11 ${CC:-cc} -std=c11 -pedantic -x c
  if command -v g++ >/dev/null; then compiles C++ g++ -std=c++17 -x c++; fi
  guard=$(echo "$header" | sed 's:.*/::' | tr 'a-z.' 'A-Z_')
  grep -qE "^#ifndef [A-Z]+_$guard\$" "$folder/$header" || echo "no guard ..._$guard" >"$work/bad"
  report "$header has its guard"
done
finish
