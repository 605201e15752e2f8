"""Logins through PgBouncer, which asks PAM from a thread of its own.

By hand, as Debian's package starts a server: CORTEX_PGBOUNCER names the program,
Debian's (apt-get download, dpkg -x) or a build of a later one with PAM.
SPDX-License-Identifier: PostgreSQL
"""
import os
import shutil
import subprocess

import pytest

from harness import DATABASES, IS_ROOT, SERVER_USER, STAGING, Folder, PamService, dsn, free_port, wait_until
from saml import ACS, entity_id
from test_saml import require_helper

DATABASE = DATABASES[STAGING]


class Pooler:
    """PgBouncer with auth_type = pam in front of the world's server, which takes its word."""

    def __init__(self, world, **settings):
        self.world, self.folder, self.port = world, Folder(), free_port()
        pam = PamService(self.folder)
        pam.write("pgbouncer", *world.cortex.pam_lines(STAGING))
        pam.write("other", "auth required pam_deny.so", "account required pam_deny.so")
        self.log_path = self.folder.make("log", owned=True) / "pgbouncer.log"
        every = {"listen_addr": "127.0.0.1", "listen_port": self.port, "auth_type": "pam", "unix_socket_dir": "",
                 "logfile": self.log_path, **settings}
        ini = self.folder.path / "pgbouncer.ini"
        ini.write_text(f"[databases]\n{DATABASE} = host={world.postgres.sockets} port={world.postgres.port}\n"
                       "[pgbouncer]\n" + "".join(f"{key} = {value}\n" for key, value in every.items()), encoding="utf-8")
        program = shutil.copy(os.environ["CORTEX_PGBOUNCER"], self.folder.path / "pgbouncer")
        identity = {"user": SERVER_USER.pw_uid, "group": SERVER_USER.pw_gid, "extra_groups": []} if IS_ROOT else {}
        self.process = subprocess.Popen(
            [program, "-q", ini], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
            env={"PATH": "/usr/bin:/bin", **pam.environment(), **world.cortex.environment()}, **identity)
        wait_until("PgBouncer", lambda: "process up" in self.log() or self.process.poll() is not None)

    def log(self):
        return self.log_path.read_text(encoding="utf-8") if self.log_path.exists() else ""

    def start(self, user, password):
        info = {"user": user, "dbname": DATABASE, "host": "127.0.0.1", "port": str(self.port), "sslmode": "disable",
                "connect_timeout": "20"}
        return subprocess.Popen(
            [self.world.postgres.bin / "psql", "-X", "-q", "-A", "-t", "-w", "-c", "select count(*) from orders", "-d", dsn(info)],
            env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "PGPASSWORD": password},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def opens(self, user, password):
        """Whether it does; a refusal is neutral."""
        client = self.start(user, password)
        said, complaint = client.communicate(timeout=30)
        assert (client.returncode, said.strip()) == (0, "2") or \
            "PAM authentication failed" in complaint or "partial pkt" in complaint, complaint
        return client.returncode == 0

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.folder.remove()


@pytest.fixture
def pool(world, request):
    """Where the pooler comes in by a line of its own."""
    world.postgres.write_hba(f"local {DATABASE} all trust")
    world.postgres.reload()
    pooler = Pooler(world, **getattr(request, "param", {}))
    assert pooler.process.poll() is None, pooler.log()
    yield pooler
    pooler.stop()
    world.use_services()
    world.postgres.reload()


def reasons(world):
    return [record["reason"] for record in world.cortex.records()] if world.cortex.trail.exists() else []


def test_tokens_open_and_are_refused_as_without_it(world, pool):
    token = world.openid.id_token("alice-1")
    assert pool.opens("alice", token) and pool.opens("alice", token)
    assert not pool.opens("bob", world.openid.id_token("bob-2"))
    assert not pool.opens("bob", token)
    assert reasons(world) == ["ok", "ok", "policy_denied", "assume_denied"]
    assert token.split(".")[2] not in pool.log()


def test_many_at_a_time(world, pool):
    token = world.openid.id_token("alice-1")
    clients = [pool.start("alice", token) for _ in range(16)]
    assert [client.communicate(timeout=60)[0].strip() for client in clients] == ["2"] * 16
    assert reasons(world) == ["ok"] * 16


@pytest.mark.parametrize("pool", [{}, {"pkt_buf": 16384}], indirect=True)
def test_response_opens_where_the_pooler_hands_it_over_whole(world, saml, pool):
    """Before 1.26 it does not: what is longer than pkt_buf it refuses itself, of the rest PAM gets 2047 letters."""
    require_helper()
    metadata = world.cortex.folder / "simplesaml.xml"
    world.cortex.write(metadata, saml.simplesaml.metadata())
    world.cortex.configure(**{'saml "simplesaml"': {
        "metadata_file": metadata, "sp_entity_id": entity_id("assertion"), "acs_url": ACS, "groups_attribute": "groups",
        "shared_names": "yes"}})
    answer = saml.simplesaml.answer("alice")
    opened = pool.opens("alice", answer)
    if "string truncated" in pool.log():
        assert not opened and reasons(world) == ["bad_encoding"]
    elif "partial pkt" in pool.log():
        assert not opened and reasons(world) == []
    else:
        assert opened and reasons(world) == ["ok"]
        assert not pool.opens("alice", answer)
        assert reasons(world)[1:] == ["replayed"]
