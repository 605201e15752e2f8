# The module and the real library in a process that behaves like a PostgreSQL backend:
# each answer, and nothing left behind (fake_backend exits 3 then).
# SPDX-License-Identifier: PostgreSQL
set -u
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
count=0
module=$top_builddir/pam_cortex/.libs/pam_cortex.so
cortexctl=$top_builddir/tools/cortexctl/cortexctl
here=$top_srcdir/tests/retval

cp "$here/backend.conf" "$work/cortex.conf"
cp "$here/backend.json" "$work/entities.json"
mkdir "$work/policies" "$work/pam" "$work/state"
(cd "$work/state" && mkdir bindings replay requests revoked sessions)
cp "$here/backend.cedar" "$work/policies"
chmod -R u+w,go-w "$work"
"$cortexctl" dev-issuer --audience backend "$work/issuer" >"$work/log" 2>&1 || { cat "$work/log"; exit 99; }

# service NAME ARGUMENTS: both lines of a PAM service
service() {
  printf '%s required %s %s\n' auth "$module" "$2" account "$module" "$2" >"$work/pam/$1"
}
service app "service=app config=$work/cortex.conf"
service debug "service=app config=$work/cortex.conf debug"
service nowhere "service=app config=$work/missing.conf"
service unknown "service=other config=$work/cortex.conf"
printf 'auth required %s service=app config=%s\naccount required pam_permit.so\n' \
  "$module" "$work/cortex.conf" >"$work/pam/account-permit"
printf 'auth required pam_permit.so\naccount required %s service=app config=%s\n' \
  "$module" "$work/cortex.conf" >"$work/pam/auth-permit"
: >"$work/pam/other"

token() { "$cortexctl" dev-token "$work/issuer" "$@" >"$work/token"; }

# expect CODE TEXT NAME ARGUMENT...: fake_backend's exit code, and what its log holds
# ("-": nothing at all)
expect() {
  code=$1 text=$2 name=$3
  shift 3
  count=$((count + 1))
  "$top_builddir/tests/support/fake_backend" --confdir "$work/pam" --service app --user alice \
    --database appdb "$@" >"$work/log" 2>&1
  got=$?
  if [ "$got" = "$code" ] &&
    if [ "$text" = - ]; then [ ! -s "$work/log" ]; else grep -q -e "$text" "$work/log"; fi &&
    ! grep -qF "$(cut -c 1-40 "$work/token")" "$work/log"; then
    echo "ok $count - $name"
  else
    echo "not ok $count - $name"
    echo "#   exit code $got, not $code, or not \"$text\" in:"
    sed 's/^/#   /' "$work/log"
  fi
}
with_token="--token-file $work/token"

token --user alice --groups engineers
# shellcheck disable=SC2086
{
  expect 0 - 'an allowed login' $with_token --rhost 192.0.2.7
  expect 0 - 'by a Unix socket' $with_token
  expect 0 - 'many logins' $with_token --repeat 20
  expect 0 'cortex: allowed reference=.*levels=read' 'debug tells the login' $with_token --service debug
  expect 1 - 'no password' --rhost 192.0.2.7
  expect 1 - 'no password and no configuration' --service nowhere
  expect 1 'reason=config_invalid' 'no configuration' $with_token --service nowhere
  expect 1 'reason=service_unknown' 'a service that is not described' $with_token --service unknown
  expect 1 'reason=service_mismatch' 'another database' $with_token --database postgres
  expect 1 'reason=service_mismatch' 'a title that reads in two ways' $with_token \
    --database 'x: alice appdb'
  expect 1 'reason=assume_denied' 'another role' $with_token --user bob
  expect 1 'role="a\\x0ab"' 'a role with a newline' $with_token --user 'a
b'
  expect 1 'reason=config_invalid.*pam_use_hostname' 'a host name' $with_token --rhost client.example
  expect 1 'reason=config_invalid' 'auth by pam_permit' $with_token --service auth-permit
  expect 0 - 'account by pam_permit after an allowed login' $with_token --service account-permit
  token --user alice
  expect 1 'reason=policy_denied reference=' 'no group' $with_token
  expect 1 'reason=policy_denied' 'account by pam_permit after a refusal' $with_token --service account-permit
  token --user alice --groups engineers --forge
  expect 1 'reason=signature_invalid' 'a forged token' $with_token --repeat 3
  token --user alice --groups engineers --expires=-1h
  expect 1 'reason=token_expired' 'an expired token' $with_token
  head -c 65535 /dev/zero | tr '\0' a >"$work/token"
  expect 1 'reason=' 'a password of the largest size' $with_token
  printf aa >>"$work/token"
  expect 1 'reason=too_large' 'a larger password' $with_token
  printf '~' >"$work/token"
  expect 1 'reason=' 'a password of one byte' $with_token
  printf '' >"$work/token"
  expect 1 - 'an empty password' $with_token
}

# Every credential that met a configuration has its record, and nothing else has.
count=$((count + 1))
allowed=$(grep -c '"decision":"allow"' "$work/audit.jsonl")
denied=$(grep -c '"decision":"deny"' "$work/audit.jsonl")
if "$cortexctl" audit verify "$work/audit.jsonl" >"$work/log" 2>&1 &&
  [ "$allowed $denied" = '24 14' ]; then
  echo "ok $count - the trail is whole and has every login once"
else
  echo "not ok $count - the trail is whole and has every login once"
  echo "#   $allowed allowed, $denied denied"
  sed 's/^/#   /' "$work/log"
fi
echo "1..$count"
