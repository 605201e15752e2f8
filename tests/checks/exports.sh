# Each shared object exports exactly what its version map names, and needs no other library.
# SPDX-License-Identifier: PostgreSQL
. "${0%/*}/tap.sh"

# exports OBJECT MAP
exports() {
  mapped "$2" >"$work/map"
  grep '[*?]' "$work/map" | sed "s|^|wildcard in $2: |" >"$work/bad"
  report "$2 names each function"
  nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/object"
  comm -23 "$work/map" "$work/object" | sed 's/^/mapped, not exported: /' >>"$work/bad"
  comm -13 "$work/map" "$work/object" | sed 's/^/exported, not mapped: /' >>"$work/bad"
  report "$(basename "$1") exports its map"
}

# needs OBJECT PATTERN: every DT_NEEDED matches; the sanitizers' libraries are not counted.
needs() {
  readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -Ev "^($2|libc|ld-linux.*|libasan|libubsan)\.so" >"$work/bad"
  report "$(basename "$1") needs only ${2:-libc}"
}

# declared PREFIX: what the public headers offer under a prefix is what the map lets out.
declared() {
  cat libcortexauth/include/cortexauth/*.h | tr '\n' ' ' | grep -oE '(CORTEX|CEDAR)_API[^;]*;' |
    grep -oE "\\<$1_[a-z_0-9]+\\(" | tr -d '(' | sort -u >"$work/declared"
  mapped libcortexauth/libcortexauth.map | grep "^$1_" >"$work/map"
  comm -23 "$work/declared" "$work/map" | sed 's/^/declared, not exported: /' >"$work/bad"
  comm -13 "$work/declared" "$work/map" | sed 's/^/exported, not declared: /' >>"$work/bad"
  report "public headers declare each $1_ call that is exported, and no other"
}

library=$top_builddir/libcortexauth/.libs/libcortexauth.so
module=$top_builddir/pam_cortex/.libs/pam_cortex.so
exports "$library" libcortexauth/libcortexauth.map
exports "$module" pam_cortex/pam_cortex.map
needs "$library" 'libcrypto'
needs "$module" 'libcortexauth|libpam'
declared cortex
declared cedar
finish
