"""cortex-sync with its files: policy, services, people; over a private cluster.

SPDX-License-Identifier: PostgreSQL
"""
import json
import subprocess

from harness import BUILD, built, wait_until
from rolehost import RoleHost

CORTEX_SYNC = built.program(BUILD, "cortex-sync")

CONFIG = """
[oidc "corp"]
issuer = https://login.example.com
audience = db
jwks_file = none.json

[policy]
path = policies
entities = entities.json

[audit]
file = {audit}
required = {required}

[sync]
conninfo = "{conninfo}"
people = people.json
{more}
"""

POLICY = """
@id("engineers-read") @reason("engineers look at numbers")
permit (principal in Group::"engineers", action == Action::"read", resource == Service::"analytics");
@id("writers-write")
permit (principal in Group::"writers", action == Action::"write", resource == Service::"analytics");
@id("admins-in-need")
permit (principal in Group::"admins", action == Action::"admin", resource == Service::"analytics")
when { context.mfa };
@id("no-contractors")
forbid (principal in Group::"contractors", action == Action::"write", resource);
"""


def uid(kind, name):
    return {"type": kind, "id": name}


def service(name, grants, port=5432, host="db1"):
    return {"uid": uid("Service", name), "parents": [uid("Environment", "staging")],
            "attrs": {"database": name, "environment": "staging", "host": host, "port": port, "grants": grants}}


ANALYTICS = service("analytics", {"read": ["analytics_read"], "write": ["analytics_write"],
                                  "admin": ["analytics_admin"]})


class SyncHost:
    """One cluster, one configuration."""

    def __init__(self):
        self.host = RoleHost()
        self.folder = self.host.folder.make("cortex")
        (self.folder / "policies").mkdir()
        self.trail = self.folder / "audit.jsonl"
        self.configure()
        self.policy(POLICY)
        self.services(ANALYTICS)
        self.people({})

    def close(self):
        self.host.close()

    def configure(self, user="cortex_runner", required="yes", more="", audit=None):
        text = CONFIG.format(audit=audit or self.trail, required=required, more=more,
                             conninfo=self.host.dsn(user).replace("\\", "\\\\").replace('"', '\\"'))
        (self.folder / "cortex.conf").write_text(text, encoding="utf-8")

    def directories(self, *sections):
        """These instead of the people file."""
        self.configure(more="\n" + "\n".join(sections))
        conf = self.folder / "cortex.conf"
        conf.write_text(conf.read_text(encoding="utf-8").replace("people = people.json\n", ""), encoding="utf-8")

    def policy(self, text):
        (self.folder / "policies" / "main.cedar").write_text(text, encoding="utf-8")

    def services(self, *services, extra=()):
        entities = [*services, *extra]
        (self.folder / "entities.json").write_text(json.dumps(entities), encoding="utf-8")

    def people(self, people, nesting=None):
        """people: name to groups; nesting: group to the groups it is in."""
        entities = [{"uid": uid("User", name), "attrs": {}, "parents": [uid("Group", g) for g in groups]}
                    for name, groups in people.items()]
        entities += [{"uid": uid("Group", name), "attrs": {}, "parents": [uid("Group", g) for g in groups]}
                     for name, groups in (nesting or {}).items()]
        (self.folder / "people.json").write_text(json.dumps(entities), encoding="utf-8")

    def run(self, *arguments, check=None):
        """Runs cortex-sync; with check, its exit code must be that."""
        command = [str(CORTEX_SYNC), "--config", str(self.folder / "cortex.conf"), *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if check is not None:
            assert result.returncode == check, (result.returncode, result.stdout, result.stderr)
        return result

    def apply(self, *arguments, check=0):
        return self.run("--apply", *arguments, check=check)

    def plan(self, *arguments, check=None):
        return json.loads(self.run("--json", *arguments, check=check).stdout)

    def records(self):
        if not self.trail.exists():
            return []
        return [json.loads(line) for line in self.trail.read_text(encoding="utf-8").splitlines()]

    def reset(self):
        """The cluster without any role but the extension's own, files as at the start."""
        host = self.host
        others = "from pg_stat_activity where usename not in ('postgres', 'cortex_jit')"
        host.sql(f"select pg_terminate_backend(pid) {others}")
        wait_until("the test before to be gone", lambda: host.sql(f"select count(*) {others}") == [(0,)])
        left = host.sql("select quote_ident(rolname) from pg_roles "
                        "where rolname !~ '^(pg_|cortex_)' and rolname <> 'postgres'")
        for (name,) in left:
            host.sql(f"drop owned by {name}; drop role {name}")
        host.sql("delete from cortex.role_data; delete from cortex.grant_data; delete from cortex.grant_source; "
                 "delete from cortex.run_data")
        self.trail.unlink(missing_ok=True)
        self.configure()
        self.policy(POLICY)
        self.services(ANALYTICS)
        self.people({})
