# A private server that asks Cortex as the packages installed it; for a system to throw away. Sourced by the tests.
# SPDX-License-Identifier: PostgreSQL
set -eu

[ "$(id -u)" = 0 ] || { echo 'needs root' >&2; exit 2; }
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
work=$(mktemp -d)
chmod 755 "$work"
port=54329
config='/etc/cortex/cortex.conf /etc/cortex/dev.jwks.json /etc/cortex/entities.json /etc/cortex/policies/analytics.cedar
  /etc/pam.d/cortex-analytics'

as_server() { su postgres -s /bin/sh -c "$1"; }
say() { printf '== %s\n' "$*"; }
trusted() { install -o root -g cortex -m 0640 "$1" "$2"; }
token() { cortexctl dev-token "$work/dev" "$@"; }
sql() { as_server "'$bin/psql' -X -q -A -t -v ON_ERROR_STOP=1 -h '$work/data' -p $port -d '$1' -c \"$2\""; }

# enter PERSON TOKEN: what psql says
enter() {
  PGPASSWORD=$2 "$bin/psql" -X -A -t -c 'select (cortex.whoami()).username' \
    "host=localhost hostaddr=127.0.0.1 port=$port dbname=analytics user=$1 sslmode=verify-full sslrootcert=$work/ca.crt"
}

# What the packages did not bring goes again: a purge has to leave nothing behind.
stop() {
  as_server "'$bin/pg_ctl' -D '$work/data' -m fast -s stop" || true
  # shellcheck disable=SC2086
  rm -rf "$work" $config
}

configure() {
  cortexctl dev-issuer --audience analytics "$work/dev" >/dev/null
  trusted "$work/dev/jwks.json" /etc/cortex/dev.jwks.json
  cat >"$work/conf" <<'END'
[oidc "dev"]
issuer = https://dev.cortex.invalid
audience = analytics
jwks_file = /etc/cortex/dev.jwks.json
username_claim = preferred_username
[policy]
path = /etc/cortex/policies
entities = /etc/cortex/entities.json
[audit]
file = /var/log/cortex/audit.jsonl
END
  trusted "$work/conf" /etc/cortex/cortex.conf
  cat >"$work/policy" <<'END'
@id("engineers-read")
permit (principal in Group::"engineers", action == Action::"read", resource == Service::"analytics");
END
  trusted "$work/policy" /etc/cortex/policies/analytics.cedar
  cat >"$work/entities" <<'END'
[{"uid": {"type": "Service", "id": "analytics"},
  "attrs": {"database": "analytics", "environment": "test", "host": "localhost", "port": 5432,
            "grants": {"read": ["analytics_read"]}},
  "parents": [{"type": "Environment", "id": "test"}]},
 {"uid": {"type": "Environment", "id": "test"}, "attrs": {}, "parents": []}]
END
  trusted "$work/entities" /etc/cortex/entities.json
  cortexctl service render analytics | sed -n '1,/^$/p' >/etc/pam.d/cortex-analytics
}

start() {
  trap stop EXIT
  configure
  install -d -o postgres -g postgres -m 0700 "$work/data" "$work/tls"
  as_server "'$bin/initdb' -D '$work/data' -A reject -U postgres --no-sync" >/dev/null
  as_server "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout '$work/tls/key' -out '$work/tls/crt'" 2>/dev/null
  cp "$work/tls/crt" "$work/ca.crt"
  cat >>"$work/data/postgresql.conf" <<END
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = '$work/data'
ssl = on
ssl_cert_file = '$work/tls/crt'
ssl_key_file = '$work/tls/key'
fsync = off
END
  cat >"$work/data/pg_hba.conf" <<'END'
local    all        postgres          peer
hostssl  analytics  all       all     pam pamservice=cortex-analytics
local    all        all               reject
host     all        all       all     reject
END
  as_server "'$bin/pg_ctl' -D '$work/data' -l '$work/data/log' -s -w start"
  sql postgres 'create database analytics'
  sql analytics 'create extension cortex'
  for person in ada ben; do sql postgres "create role $person login in role cortex_managed"; done
}
