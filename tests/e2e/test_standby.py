"""A primary and a standby that streams from it: sessions there, their end, and a failover.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import subprocess

import psycopg
import pytest

from harness import DATABASES, IS_ROOT, SERVER_USER, STAGING, Folder, PamService, Postgres, dsn, free_port, postgres_bin, wait_until
from sessionhost import CORTEX_SYNC, WHOAMI, is_ended, one
from test_session_sync import Directory


class Standby(Postgres):
    """A copy of the host's server that follows it, with configuration, PAM services and trail of its own."""

    def __init__(self, host):  # pylint: disable=super-init-not-called
        primary, self.cortex, self.folder = host.postgres, host.cortex, Folder()
        self.bin, self.tls, self.port, self.process = primary.bin, primary.tls, free_port(), None
        self.data, self.log_path = self.folder.path / "data", self.folder.path / "server.log"
        self.sockets = self.folder.make("sockets", owned=True)
        self.conf, self.trail = self.cortex.folder / "standby.conf", self.cortex.audit_folder / "standby.jsonl"
        pam = PamService(self.folder)
        for service in DATABASES:
            pam.write("cortex-" + service, *(line.replace(str(self.cortex.conf), str(self.conf))
                                             for line in self.cortex.pam_lines(service)))
        pam.write("other", "auth required pam_deny.so", "account required pam_deny.so")
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **pam.environment(), **self.cortex.environment()}
        text = self.cortex.conf.read_text(encoding="utf-8").replace(str(self.cortex.trail), str(self.trail))
        self.cortex.write(self.conf, text.replace(f"host={primary.sockets} port={primary.port}",
                                                  f"host={self.sockets} port={self.port}"))
        subprocess.run([str(postgres_bin() / "pg_basebackup"), "-D", str(self.data), "-R", "--checkpoint=fast", "--no-sync",
                        "-d", dsn(primary.conninfo("postgres", "postgres", tls=False))], check=True, timeout=60)
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"port = {self.port}\nunix_socket_directories = '{self.sockets}'\n")
        if IS_ROOT:
            for place, folders, files in os.walk(self.data):
                for name in (".", *folders, *files):
                    os.chown(os.path.join(place, name), SERVER_USER.pw_uid, SERVER_USER.pw_gid, follow_symlinks=False)

    def connect(self, role, token):
        return psycopg.connect(**self.conninfo(role, DATABASES[STAGING]), password=token, autocommit=True)

    def reap(self):
        done = subprocess.run([str(CORTEX_SYNC), "--config", str(self.conf), "--reap"],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def records(self):
        return [json.loads(line) for line in self.trail.read_text(encoding="utf-8").splitlines()]

    def members(self, role):
        return set(self.sql("select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.roleid join pg_roles a "
                            f"on a.oid = m.member where a.rolname = '{role}'").split()) - {"cortex_managed"}


@pytest.fixture
def standby(host):
    hba = host.postgres.data / "pg_hba.conf"
    before = hba.read_text(encoding="utf-8")
    hba.write_text("local replication postgres trust\n" + before, encoding="utf-8")
    host.postgres.reload()
    made = Standby(host)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        made.folder.remove()
        made.trail.unlink(missing_ok=True)
        hba.write_text(before, encoding="utf-8")
        if host.postgres.is_running():
            host.postgres.reload()
        else:
            host.postgres.start()


def test_who_leaves_the_directory_loses_the_session_on_a_standby_too(host, standby):
    """cortex-sync runs on the primary, which does not know of it; sessions of roles that logins made are not meant."""
    directory = Directory(host).names(alice=["engineers"], bob=["engineers"])
    directory.apply()
    host.login("eve").assert_allowed("1")
    wait_until("the replay", lambda: standby.members("eve"))
    with standby.connect("alice", host.token()) as alice, standby.connect("bob", host.token("bob")) as bob, \
            standby.connect("eve", host.token("eve")) as eve:
        assert standby.reap() == ""
        assert directory.names(bob=["engineers"]).apply()["cut"] == ["alice"]
        wait_until("the replay", lambda: not standby.members("alice"))
        assert "ended session of alice" in standby.reap()
        assert (is_ended(alice), is_ended(bob), is_ended(eve)) == (True, False, False)
    assert [r["reason"] for r in standby.records() if r["event"] == "session_ended"] == ["policy_denied"]


def test_cortex_sync_leaves_a_standby_to_its_primary(host, standby):
    """Timers run on both hosts: it is no failure, and whoever is promoted goes on."""
    directory = Directory(host).names(alice=["engineers"])
    conf = standby.conf.read_text(encoding="utf-8")
    host.cortex.write(standby.conf, conf.replace("[sync]\n", f"[sync]\npeople = {directory.file}\n"))

    def apply(*arguments):
        done = subprocess.run([str(CORTEX_SYNC), "--config", str(standby.conf), "--apply", *arguments],
                              capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert apply().startswith("standby: roles are changed on its primary") and apply("--quiet") == ""
    assert json.loads(apply("--json")) == {"applied": False, "standby": True, "exit": 0}
    host.postgres.stop()
    standby.sql("select pg_promote()")
    assert json.loads(apply("--json"))["create_logins"] == ["alice"] and standby.members("alice")


def test_a_login_whose_roles_would_be_made_on_another_server_makes_none(host, standby):
    """One configuration for two servers of a host: the role and its memberships came to be where nobody had logged in."""
    text = standby.conf.read_text(encoding="utf-8")
    host.cortex.write(standby.conf, text.replace(f"host={standby.sockets} port={standby.port}",
                                                 f"host={host.postgres.sockets} port={host.postgres.port}"))
    mark = standby.log_mark()
    with pytest.raises(psycopg.OperationalError):
        standby.connect("eve", host.token("eve"))
    assert standby.log_contains("reason=role_unavailable.*jit_conninfo leads to another server", mark)
    assert host.sql("select count(*) from pg_roles where rolname = 'eve'") == "0"


def test_sessions_on_a_standby_and_after_its_promotion(host, standby):
    host.login().assert_allowed("1")
    with host.connect(mfa=True):
        assert host.members("alice") == {"analytics_read", "analytics_write"}
    wait_until("the replay", lambda: standby.members("alice") == {"analytics_read", "analytics_write"})
    # A role that is there logs in, knows who it is, and ends at its time; one that is not there does not.
    mark = standby.log_mark()
    with pytest.raises(psycopg.OperationalError):
        standby.connect("eve", host.token("eve"))
    assert standby.log_contains("reason=role_unavailable.* role eve is not there .* Log in on the primary first", mark)
    with standby.connect("alice", host.token(mfa=True)) as there, host.connect("bob") as here:
        assert one(there, "select pg_is_in_recovery()") is True
        assert (one(there, WHOAMI), one(here, WHOAMI)) == ("alice", "bob")
        assert standby.sql("select username from cortex.sessions") == "alice"
        assert standby.reap() == "" and host.reap("--check") == ""
        host.cortex.run("revoke", "--config", host.cortex.conf, "--subject", "dev", "alice", check=True)
        assert host.reap("--check") == "" and not is_ended(there)
        assert "ended session of alice" in standby.reap()
        assert is_ended(there) and not is_ended(here)
    assert [r["reason"] for r in standby.records() if r["event"] == "session_ended"] == ["revoked"]
    # The primary is gone before its reaper came: the promoted server takes back what was left over.
    before = standby.trail.read_bytes(), host.cortex.trail.read_bytes()
    host.postgres.stop()
    assert standby.sql("select pg_promote()") == "t"
    assert standby.members("alice") == {"analytics_read", "analytics_write"}
    assert "revoked analytics_write from alice" in standby.reap()
    assert standby.members("alice") == {"analytics_read"} and standby.reap() == ""
    with standby.connect("eve", host.token("eve")) as eve:
        assert one(eve, WHOAMI) == "eve"
    for trail, kept in zip((standby.trail, host.cortex.trail), before):
        assert trail.read_bytes().startswith(kept)
        assert host.cortex.verify_trail(trail).returncode == 0
