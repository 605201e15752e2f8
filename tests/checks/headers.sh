# Every public header compiles alone, as C11 and as C++, and has a guard of its own; a C++ program
# finds what the library exports.
# SPDX-License-Identifier: PostgreSQL
. "${0%/*}/tap.sh"

folder=libcortexauth/include
flags="-Wall -Wextra -Werror -I$folder"
cxx=$(command -v g++ || command -v clang || :)

# compiles NAME COMPILER...
compiles() {
  name=$1
  shift
  echo "#include <$header>" | "$@" $flags -fsyntax-only - 2>"$work/bad" || [ -s "$work/bad" ] || echo failed >"$work/bad"
  report "$header is $name"
}

for header in $(cd "$folder" && echo cortexauth/*.h); do
  compiles C11 ${CC:-cc} -std=c11 -pedantic -x c
  [ -z "$cxx" ] || compiles C++ "$cxx" -std=c++17 -x c++
  guard=$(echo "$header" | sed 's:.*/::' | tr 'a-z.' 'A-Z_')
  grep -qE "^#ifndef [A-Z]+_$guard\$" "$folder/$header" || echo "no guard ..._$guard" >"$work/bad"
  report "$header has its guard"
done

# The addresses of all calls, as C++ writes their names into an object.
all_calls() {
  printf '#include <%s>\n' cortexauth/cortexauth.h cortexauth/cedar.h
  mapped libcortexauth/libcortexauth.map | awk '
    BEGIN { print "const void *calls[] = {" } { print "(const void *)&" $0 "," } END { print "};" }'
}

name='C++ calls what the library exports'
if [ -n "$cxx" ]; then
  all_calls | "$cxx" -std=c++17 -x c++ $flags -c -o "$work/calls.o" - 2>"$work/bad" &&
    nm -u "$work/calls.o" | awk '{ print $2 }' | sort >"$work/called"
  mapped libcortexauth/libcortexauth.map | comm -23 - "$work/called" >>"$work/bad"
  report "$name"
else
  report "$name # SKIP neither g++ nor clang"
fi
finish
