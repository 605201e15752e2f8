"""The operator's guide: every command in it is run as it stands, in order, and then looked at.

Paths and names of the guide's host become those of a private one; what only a whole system has (runuser,
systemctl) is played. A block without a look is an error: somebody must say what it is to achieve.
SPDX-License-Identifier: PostgreSQL
"""
import functools
import http.server
import json
import os
import re
import subprocess
import threading

import psycopg
import pytest

from cortex import CORTEXCTL, make_state, share_with_server
from harness import BUILD, HERE, IS_ROOT, Folder, PamService, Postgres, built
from pgtree import private_tree
from sessionhost import CORTEX_SYNC, is_ended, one

GUIDE = HERE.parents[1] / "docs" / "guide.md"
BLOCK = re.compile(r"^## ([^\n]*)$|^```sh\n(.*?)^```$", re.M | re.S)
SUBJECTS = {"corp": "1e5d9c40", "corp2": "7c0b2f5e"}
UNITS = HERE.parents[1] / "packaging" / "systemd"
CONFIG = """\
[oidc "keycloak"]
issuer = {provider.url}/realms/corp
audience = postgres
username_claim = preferred_username
[policy]
path = {etc}/policies
entities = {etc}/entities.json
[audit]
file = {log}/audit.jsonl
[state]
path = {state}
[cache]
path = {cache}
"""
POLICY = 'permit (principal in Group::"engineers", action == Action::"read", resource);\n'
ENTITY = {"uid": {"type": "Service", "id": "analytics"}, "parents": [{"type": "Environment", "id": "production"}],
          "attrs": {"database": "analytics", "environment": "production", "host": "localhost", "port": 5432,
                    "grants": {"read": ["analytics_read"]}}}
RUNUSER = 'while [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'
# The server stands aside of the system's place, and so does what PAM loads.
CORTEXCTL_SHIM = """\
case "$1" in
  codes) exec {program} "$@" ;;
  service) {program} "$@" --config {conf} | sed 's|pam_cortex.so|{module}|' ;;
  check) exec {program} "$@" --config {conf} --pam-folder {pam} ;;
  doctor) exec {program} "$@" --config {conf} --pam-folder {pam} --pooler {pooler} --database "dbname=postgres" ;;
  *) exec {program} "$@" --config {conf} ;;
esac
"""


class Files(http.server.SimpleHTTPRequestHandler):
    """Without a word for each request."""

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class Provider(http.server.ThreadingHTTPServer):
    """Discovery and keys of the realms, each a development issuer of its own."""

    def __init__(self, place):
        super().__init__(("127.0.0.1", 0), functools.partial(Files, directory=place))
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.place = place
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def add(self, realm, keys):
        issuer = f"{self.url}/realms/{realm}"
        subprocess.run([CORTEXCTL, "dev-issuer", "--issuer", issuer, "--audience", "postgres", keys],
                       check=True, capture_output=True, env={**os.environ, **built.environment(BUILD)})
        (self.place / "realms" / realm / ".well-known").mkdir(parents=True)
        (self.place / "realms" / realm / "certs").write_bytes((keys / "jwks.json").read_bytes())
        (self.place / "realms" / realm / ".well-known" / "openid-configuration").write_text(
            json.dumps({"issuer": issuer, "jwks_uri": issuer + "/certs"}), encoding="utf-8")


class GuideHost:
    """The host of the guide after the first set-up."""

    def __init__(self):
        self.folder = Folder()
        make = self.folder.make
        self.keys, self.shims, self.etc = make("keys", mode=0o700), make("bin"), make("etc")
        self.log, self.state, self.cache = make("log", owned=True), self.folder.path / "state", make("cache")
        self.pam, self.modules = PamService(self.folder), make("lib")
        self.pooler = self.folder.path / "pgbouncer.ini"
        share_with_server(self.cache)
        make_state(self.state)
        (self.etc / "policies").mkdir()
        self.provider = Provider(make("web"))
        for realm in ("corp", "corp2"):
            self.provider.add(realm, self.keys / realm)
        for library in (*BUILD.glob("libcortexauth/.libs/libcortexauth*.so*"), BUILD / "pam_cortex/.libs/pam_cortex.so"):
            (self.modules / library.name).write_bytes(library.read_bytes())
        self.pam.write("other", "auth required pam_deny.so", "account required pam_deny.so")
        self.postgres = Postgres(self.folder, {**self.pam.environment(), "LD_LIBRARY_PATH": str(self.modules)},
                                 private_tree(make("postgresql")))
        self.set_up()
        self.start_server()

    def write_shim(self, name, text):
        (self.shims / name).write_text("#!/bin/sh\nset -e\n" + text, encoding="utf-8")
        (self.shims / name).chmod(0o755)

    def set_up(self):
        (self.etc / "cortex.conf").write_text(CONFIG.format(**vars(self)), encoding="utf-8")
        (self.etc / "policies" / "analytics.cedar").write_text(POLICY, encoding="utf-8")
        (self.etc / "entities.json").write_text(json.dumps([ENTITY]), encoding="utf-8")
        self.write_shim("runuser", RUNUSER)
        self.write_shim("psql", f'exec {self.postgres.bin}/psql -X "$@"\n')
        self.write_shim("cortex-sync", f'exec {CORTEX_SYNC} --config {self.etc}/cortex.conf "$@"\n')
        self.write_shim("cortexctl", CORTEXCTL_SHIM.format(
            program=CORTEXCTL, conf=self.etc / "cortex.conf", pam=self.pam.folder, pooler=self.pooler,
            module=self.modules / "pam_cortex.so"))
        self.run("cortexctl refresh; cortexctl service render analytics | sed '/^$/,$d' >/etc/pam.d/cortex-analytics")

    def start_server(self):
        with open(self.postgres.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"ssl_ca_file = '{self.postgres.tls.ca}'\n")
        self.postgres.write_hba("hostssl analytics +cortex_managed all pam pamservice=cortex-analytics", "local all all reject")
        self.postgres.start()
        for database in ("analytics", "reports"):
            self.postgres.sql(f"create database {database}")
        self.postgres.sql("create extension cortex; "
                          f"insert into cortex.option values ('sessions', '{self.state / 'sessions'}')", "analytics")
        self.postgres.sql("create role analytics_read in role cortex_groups, pg_read_all_data; "
                          "create role alice login in role cortex_managed, analytics_read; "
                          "create role carol login in role cortex_managed")

    def close(self):
        self.postgres.stop()
        self.provider.shutdown()
        self.folder.remove()

    def token(self, user="alice", groups="engineers", realm="corp"):
        done = subprocess.run([CORTEXCTL, "dev-token", self.keys / realm, "--user", user, "--groups", groups,
                               "--subject", f"{SUBJECTS[realm]}-{user}"], check=True,
                              capture_output=True, text=True, env={**os.environ, **built.environment(BUILD)})
        return done.stdout.strip()

    def here(self, text):
        for there, path in (("/etc/cortex", self.etc), ("/etc/pam.d", self.pam.folder), ("/var/log/cortex", self.log),
                            ("/etc/pgbouncer/pgbouncer.ini", self.pooler), ("db1.example.com", "localhost"),
                            ("cortex cortex cortex_runner", "cortex root cortex_runner"),
                            ("host=/var/run/postgresql port=5432", f"host={self.postgres.sockets} port={self.postgres.port}"),
                            ("https://login.example.com", self.provider.url)):
            text = text.replace(there, str(path))
        return text

    def run(self, text):
        """As a shell runs it that ends at the first failure; gives what was said."""
        environment = {"PATH": f"{self.shims}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
                       "TOKEN": self.token(), **built.environment(BUILD)}
        if hasattr(self, "postgres"):
            environment.update(PGHOST=str(self.postgres.sockets), PGPORT=str(self.postgres.port), PGUSER="postgres",
                               PGDATABASE="postgres", PGSSLROOTCERT=str(self.postgres.tls.ca))
        done = subprocess.run(["sh", "-eux", "-c", self.here(text)], env=environment, cwd=self.keys, capture_output=True,
                              text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def run_block(self, block):
        """In place of systemd's unit the tests' own server is told; timers are there to be enabled."""
        said = ""
        for part in re.split(r"^(systemctl (?:reload postgresql|enable --now .*))\n", block, flags=re.M):
            if part.startswith("systemctl enable"):
                assert all((UNITS / unit).exists() for unit in part.split()[3:]), part
            elif part.startswith("systemctl"):
                self.postgres.reload()
            elif part:
                assert "systemctl" not in part, part
                said += self.run(part)
        return said

    def enters(self, person="alice", database="analytics", **how):
        return self.postgres.psql(person, database, password=self.token(person, **how)).returncode == 0

    def session(self, person, **how):
        return psycopg.connect(**self.postgres.conninfo(person, "analytics"), password=self.token(person, **how),
                               autocommit=True)

    def hba(self):
        return (self.postgres.data / "pg_hba.conf").read_text(encoding="utf-8")


# --- what each block is to achieve, after it ran; or, as a generator, before and after ---

def explained(_host, said):
    assert "allow" in said and "0 errors" in said, said


def walked(_host, said):
    assert re.search("ok +policy", said) and "STOP" not in said, said


def alice_is_in(_host, said):
    assert said.split("\n")[2].strip() == "alice", said


def sync_says_what_it_would_do(host, said):
    assert "create   bob" in said and "grant    analytics_read to alice" in said and "rejected: 0" in said, said
    assert not host.enters("bob")


def roles_follow_the_policy(host, said):
    assert "1 to create" in said and "rejected: 0" in said, said
    with host.session("bob") as session:
        assert one(session, "select pg_has_role('pg_read_all_data', 'usage')")
    assert "in sync" in host.run("cortex-sync --check")


def dave_needs_no_role(host):
    conf = host.etc / "cortex.conf"
    kept, hba = conf.read_text(encoding="utf-8"), host.hba()
    assert not host.enters("dave")
    said = yield
    assert "0 errors" in said, said
    with host.session("dave") as session:
        assert one(session, "select pg_has_role('pg_read_all_data', 'usage')")
    conf.write_text(kept, encoding="utf-8")  # the recipes after this one are of roles that others make
    (host.postgres.data / "pg_hba.conf").write_text(hba, encoding="utf-8")
    host.postgres.reload()


def analysts_read(host):
    assert not host.enters("carol", groups="analysts")
    said = yield
    assert "3 passed" in said, said
    host.run("cortex-sync --apply")
    assert host.enters("carol", groups="analysts")


def nobody_entered(host, said):
    assert "nobody enters" in said and host.enters(), said


def carol_has_hours(host, said):
    assert "long-jobs" in said and "0 errors" in said, said
    with host.session("carol", groups="long-jobs") as session, host.session("alice") as other:
        hours = [one(connection, "select extract(epoch from (cortex.whoami()).session_until - now()) / 3600")
                 for connection in (session, other)]
    assert 7.9 < hours[0] <= 8 and hours[1] < 1, hours
    (host.etc / "policies" / "long-jobs.cedar").unlink()


def reports_is_served(host, said):
    assert "0 errors" in said and "pamservice=cortex-reports" in host.hba(), said


def reports_is_entered(_host, said):
    assert "reports" in said, said


def pool_has_its_line(host, said):
    assert "error pooler_forwards" in said and said.count("pooler_forwards") == 2, said
    assert host.hba().index("clientcert") < host.hba().index("pamservice")


def pool_is_gone(host, _said):
    assert "clientcert" not in host.hba() and not host.pooler.exists()


def keys_are_fetched(host, said):
    assert "keycloak" in said and host.enters(), said


def both_are_trusted(host, said):
    assert "keycloak2" in said and not host.enters(realm="corp2"), said


def the_new_one_is_alice(host, said):
    assert "alice" in said and host.enters(realm="corp2") and not host.enters()


def refusal_is_explained(_host, said):
    assert '"reason":"subject_mismatch"' in said and "policy_denied" in said, said


def trail_is_kept(host, said):
    assert "intact" in said and len(list(host.log.glob("audit.jsonl*"))) > 1, said


def logins_are_found(host):
    # Beside the trail there is now a file of another kind, which counts refusals.
    assert host.postgres.psql("alice", "analytics", password="no token").returncode != 0
    assert (host.log / "audit.jsonl.refusals").exists()
    said = yield
    assert said.count('"username":"alice"') > 2, said


def door_is_shut(host):
    host.run("cortexctl binding rebind --issuer keycloak --subject 1e5d9c40-alice alice")
    session = host.session("alice")
    said = yield
    assert "alice" in said and is_ended(session) and not host.enters(), said


def door_is_open(host, _said):
    assert host.enters()


def name_is_free(host, _said):
    assert not host.enters() and host.postgres.sql("select rolcanlogin from pg_roles where rolname = 'alice'") == "f"
    assert "alice" not in host.run("cortexctl binding list")


def nothing_is_wrong(_host, said):
    assert "0 errors" in said, said


LOOKS = {
    "Protect one database": (explained, walked, alice_is_in),
    "Roles that follow the policy": (sync_says_what_it_would_do, roles_follow_the_policy),
    "Roles made by the login": (dave_needs_no_role,),
    "Change who may do what": (analysts_read, nobody_entered),
    "A session that must last": (carol_has_hours,),
    "Add a service like another": (reports_is_served, reports_is_entered),
    "A pool in front": (pool_has_its_line, pool_is_gone),
    "Rotate an issuer": (keys_are_fetched, both_are_trusted, the_new_one_is_alice),
    "A login that is refused": (refusal_is_explained,),
    "Investigate an incident": (trail_is_kept, logins_are_found, door_is_shut, door_is_open),
    "A person leaves": (name_is_free,),
    "Upgrade": (nothing_is_wrong,),
}


def read_guide():
    """Its blocks by heading, in order."""
    blocks, heading = {}, None
    for title, block in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        if title:
            heading = title
        else:
            blocks.setdefault(heading, []).append(block)
    return blocks


def test_each_block_of_the_guide_has_a_look():
    assert {title: len(blocks) for title, blocks in read_guide().items()} == {
        title: len(looks) for title, looks in LOOKS.items()}


def test_links_of_the_guide_lead_somewhere():
    text = GUIDE.read_text(encoding="utf-8")
    anchors = {title.lower().replace(" ", "-") for title in re.findall(r"^## (.*)$", text, re.M)}
    for target in re.findall(r"\]\(([^)]*)\)", text):
        assert target[1:] in anchors if target.startswith("#") else (GUIDE.parent / target).is_file(), target


@pytest.fixture(scope="module")
def guide_host():
    made = GuideHost()
    yield made
    made.close()


@pytest.mark.skipif(not IS_ROOT, reason="the owners of a host's files need root")
@pytest.mark.parametrize("title", LOOKS)
def test_recipe(guide_host, title):
    for block, look in zip(read_guide()[title], LOOKS[title]):
        around = look(guide_host) if look.__code__.co_argcount == 1 else None
        if around:
            next(around)
        said = guide_host.run_block(block)
        if around:
            with pytest.raises(StopIteration):
                around.send(said)
        else:
            look(guide_host, said)
