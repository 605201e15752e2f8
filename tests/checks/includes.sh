# Who may include what: HACKING.md, "An arrow means may include".
# SPDX-License-Identifier: PostgreSQL
. "${0%/*}/tap.sh"

# Every include as "FILE:LINE<blank>KIND<blank>NAME", KIND being " for own and < for system headers.
sources libcortexauth pam_cortex tools |
  xargs awk 'match($0, /^[ \t]*#[ \t]*include[ \t]*["<]/) {
    kind = substr($0, RLENGTH, 1); rest = substr($0, RLENGTH + 1); sub(/[">].*/, "", rest)
    print FILENAME ":" FNR, kind, rest }' >"$work/all"

# own FOLDER PATTERN: quoted includes of a folder must match.
own() {
  grep "^$1" "$work/all" | awk '$2 == "\""' | grep -Ev "^[^ ]+ \" ($2)\$" >"$work/bad"
  report "$1 includes its own and no other's headers"
}

# only NAMES FOLDERS: system headers that match are for these folders alone.
only() {
  grep -E "^[^ ]+ < ($1)" "$work/all" | grep -Ev "^($2)" >"$work/bad"
  report "<$1> only in $2"
}

in_cedar='(arena|ast|error|json|limits|schema|store|value|[a-z_]+)\.h'
own libcortexauth/cedar/ "$in_cedar"
own libcortexauth/util/ 'util/.*|cedar/(json|limits|text)\.h'
own libcortexauth/settings/ '(settings|util)/.*'
own libcortexauth/audit/ '(audit|util)/.*'
own libcortexauth/identity/ '(identity|util)/.*|settings/settings\.h'
own libcortexauth/oidc/ '(oidc|util)/.*|(credential/(credential|keyring)|identity/identity|settings/settings)\.h'
own libcortexauth/saml/ '(saml|util)/.*|(credential/(credential|keyring)|identity/identity|settings/settings)\.h'
own libcortexauth/saml-helper/ '[a-z]+\.h|util/.*'
own libcortexauth/credential/ '(credential|util)/.*|(oidc/(oidc|keyset)|saml/saml|identity/identity|settings/settings)\.h'
own libcortexauth/policy/ '(policy|util)/.*|identity/(identity|role)\.h|settings/settings\.h'
own libcortexauth/state/ '(state|util)/.*|(identity/(identity|role)|settings/settings)\.h'
own libcortexauth/session/ '(session|util)/.*|(policy/image|state/folder)\.h|(identity/(identity|role)|settings/settings)\.h'
own libcortexauth/include/ 'none'
own pam_cortex/ '[a-z]+\.h'
own tools/common/ 'common/[a-z_]+\.h'
own tools/ '(common/)?[a-z_]+\.h|config\.h'

# A quoted name without a folder must lie beside the file: it cannot reach a private header.
grep -E '^(pam_cortex|tools|libcortexauth/cedar)/' "$work/all" |
  awk '$2 == "\"" && $3 !~ /\// && $3 != "config.h"' | while read -r place kind name; do
  [ -f "$(dirname "$place")/$name" ] || echo "$place $kind$name"
done >"$work/bad"
report 'a name without folder lies beside its file'

# The Cedar language is text and values in, a decision out.
grep '^libcortexauth/cedar/' "$work/all" | awk '$2 == "<"' |
  grep -Ev ' < (cortexauth/cedar|std(arg|bool|def|int|io|lib)|string|limits|inttypes|math)\.h$' >"$work/bad"
report 'cedar includes only libc without system calls'

only 'cortexauth/cedar' 'libcortexauth/(cedar|policy|include)/|tools/'
only 'security/' 'pam_cortex/'
only 'syslog\.h' 'pam_cortex/|libcortexauth/(audit|settings)/'
only 'openssl' 'libcortexauth/(audit|oidc|saml|saml-helper|util)/|tools/'
only 'jansson' 'tools/'
only 'libpq' 'tools/|libcortexauth/session/jit_call'
only 'curl/' 'tools/'
only '(libxml|xmlsec)' 'libcortexauth/saml-helper/'
only 'pthread' 'tools/'

# The first include of FILE.c is FILE.h where there is one: it proves that the header stands alone.
sources libcortexauth pam_cortex tools | grep '\.c$' | while read -r file; do
  header=$(basename "$file" .c).h
  [ -f "$(dirname "$file")/$header" ] || continue
  first=$(grep -E '^#[ ]*include' "$file" | grep -Fv '<config.h>' | head -n 1 | sed -E 's/.*["<]([^">]*)[">].*/\1/')
  case /$first in */"$header") ;; *) echo "$file begins with $first" ;; esac
done >"$work/bad"
report 'each source file begins with its own header'
finish
