"""What an operator can get wrong in pam.d and pg_hba.conf stays shut.

SPDX-License-Identifier: PostgreSQL
"""
import subprocess
from contextlib import contextmanager

import pytest

from harness import BUILD, IS_ROOT, PRODUCTION, STAGING, Folder
from world import make_world


@contextmanager
def staging_through(world, pam_service):
    world.use_services({STAGING: pam_service})
    world.postgres.reload()
    try:
        yield
    finally:
        world.use_services()
        world.postgres.reload()


def test_stack_of_pam_permit_opens_so_the_stacks_are_reached(world):
    with staging_through(world, "permit"):
        assert world.login("alice", token="x").result.returncode == 0


def test_account_by_another_module_opens_nothing(world):
    with staging_through(world, "account-permit"):
        token = world.cortex.dev_token("--user", "alice")
        world.login("alice", token=token).assert_refused("policy_denied")


def test_account_by_another_module_leaves_auth_in_force(world):
    with staging_through(world, "account-permit"):
        world.login("alice", token=world.openid.id_token("alice-1")).assert_allowed()


def test_auth_by_another_module_opens_nothing(world):
    with staging_through(world, "auth-permit"):
        for token in ("x", world.openid.id_token("alice-1")):
            login = world.login("alice", token=token)
            assert login.result.returncode == 2
            assert "reason=config_invalid" in login.refused_line
            assert "PAM authentication failed" in login.result.stderr
            assert not world.cortex.records()


@pytest.mark.parametrize("pam_service, reason", [
    ("unknown-option", "config_invalid"),
    ("missing-service", "config_invalid"),
    ("missing-config", "config_invalid"),
    ("relative-config", "config_invalid"),
    ("unknown-service", "service_unknown"),
    ("cortex-" + PRODUCTION, "service_mismatch"),
])
def test_wrong_line_is_refused(world, pam_service, reason):
    with staging_through(world, pam_service):
        login = world.login("alice", token=world.openid.id_token("alice-1"))
    assert login.result.returncode == 2, login.log
    assert f"reason={reason}" in login.refused_line, login.log
    assert "PAM authentication failed" in login.result.stderr


def test_service_without_a_file_falls_to_other(world):
    with staging_through(world, "no-such-file"):
        login = world.login("alice", token=world.openid.id_token("alice-1"))
    assert login.result.returncode == 2
    assert not world.cortex.records()


@pytest.mark.skipif(not IS_ROOT, reason="files in /etc/pam.d need root")
def test_the_system_s_libpam(openid):
    """The same login without anything preloaded, by uniquely named files in /etc/pam.d."""
    folder = Folder()
    world = None
    try:
        world = make_world(folder, openid, system=True)
        world.cortex.reset(openid.jwks())
        token = openid.id_token("alice-1")
        world.login("alice", token=token).assert_allowed()
        world.login("alice", PRODUCTION, token).assert_refused("policy_denied")
        forged = world.cortex.dev_token("--user", "alice", "--forge")
        world.login("alice", token=forged).assert_refused("signature_invalid")
        assert not world.login("alice").refused_line
        assert world.cortex.verify_trail().returncode == 0
    finally:
        if world:
            world.postgres.stop()
            world.pam.remove()
        folder.remove()


def exported(path):
    """Names that a program or library defines for others."""
    lines = subprocess.run(["nm", "-D", "--defined-only", str(path)], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1].partition("@")[0] for line in lines.splitlines()}


# What the module does read of the server: pam_cortex/process.c.
WANTED = {"pam_cortex.so": {"MyStartTimestamp", "PgStartTime"}}


def test_the_server_defines_no_call_that_the_library_makes(world):
    """What it exports comes first: a JSON library's json_object would be PostgreSQL's SQL function."""
    taken = exported(world.postgres.bin / "postgres")
    assert "json_object" in taken
    for library in (*(BUILD / "libcortexauth" / ".libs").glob("libcortexauth.so"), BUILD / "pam_cortex/.libs/pam_cortex.so"):
        lines = subprocess.run(["nm", "-D", "--undefined-only", str(library)], check=True, capture_output=True, text=True)
        calls = {line.split()[-1].partition("@")[0] for line in lines.stdout.splitlines()}
        found = {name for name in calls & taken if not name.startswith("_")}
        assert found == WANTED.get(library.name, set()), library
