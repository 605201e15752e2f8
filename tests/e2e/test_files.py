"""Every file that Cortex trusts, broken in every way: refused, said where, nothing lost.

SPDX-License-Identifier: PostgreSQL
"""
import os

import pytest

from cortex import own_by_server
from harness import IS_ROOT

OVERSIZED = 64 * 1024 * 1024


def missing(path):
    path.unlink()


def empty(path):
    path.write_bytes(b"")


def binary(path):
    path.write_bytes(bytes(range(256)))


def oversized(path):
    with open(path, "ab") as file:
        file.truncate(OVERSIZED)


def malformed(path):
    path.write_text("[[[ {{{ this is not it\n", encoding="utf-8")


def world_writable(path):
    path.chmod(0o666)


def unreadable(path):
    path.chmod(0o000)


def folder_instead(path):
    path.unlink()
    path.mkdir()


def fifo_instead(path):
    path.unlink()
    os.mkfifo(path)


def dangling_link(path):
    path.unlink()
    path.symlink_to("/nonexistent")


def foreign_owner(path):
    os.chown(path, 65534, 65534)


DAMAGES = [missing, empty, binary, oversized, malformed, world_writable, unreadable,
           folder_instead, fifo_instead, dangling_link] + ([foreign_owner] if IS_ROOT else [])

# File by its name in Cortex, and the reason of a login that needs it.
FILES = [
    ("conf", "config_invalid"),
    ("entities", "policy_unavailable"),
    ("policy", "policy_unavailable"),
    ("jwks", "keys_unavailable"),
]


def damaged(world, name):
    if name == "policy":
        return world.cortex.policies / "analytics.cedar"
    return getattr(world.cortex, name)


@pytest.fixture
def mended(world):
    """Takes away what a test put in a file's place, so that the next set-up can write."""
    yield world
    for path in (world.cortex.conf, world.cortex.entities, world.cortex.jwks):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()


@pytest.mark.parametrize("name, reason", FILES)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_file_refuses(mended, name, reason, damage):
    token = mended.openid.id_token("alice-1")
    damage(damaged(mended, name))
    login = mended.login("alice", token=token)
    if name == "policy" and damage is empty:
        reason = "policy_denied"
    login.assert_refused(reason, recorded=name != "conf")


@pytest.mark.parametrize("name, reason", FILES)
def test_damage_keeps_nobody_out_for_longer_than_it_lasts(mended, name, reason):
    token = mended.openid.id_token("alice-1")
    path = damaged(mended, name)
    text = path.read_text(encoding="utf-8")
    mended.cortex.write(path, "x")
    mended.login("alice", token=token).assert_refused(reason, recorded=name != "conf")
    mended.cortex.write(path, text)
    mended.login("alice", token=token).assert_allowed()


@pytest.mark.parametrize("where, line", [
    ("[nonsense]\nx = 1\n", "unknown section"),
    ('[oidc "op"]\nissuer = https://op.idp.test\n', "audience missing"),
    ('[oidc "op"]\naudience = cortex\n', "issuer missing"),
    ('[oidc "op"]\nissuer = http://op.idp.test\naudience = cortex\n', "plain http"),
    ('[oidc "op"]\nissuer = https://op.idp.test\naudience = cortex\nalgorithms = HS256\n', "HS256"),
    ('[oidc "op"]\nissuer = https://op.idp.test\naudience = cortex\nalgorithm = ES256\n', "misspelt key"),
    ('[oidc "op"]\nissuer = https://op.idp.test\naudience = cortex\naudience = x\n', "twice"),
    ('[oidc "op"]\nissuer = https://op.idp.test\naudience =\n', "empty value"),
    ("[policy]\npath = /tmp\n", "no issuer at all"),
    ("\x00", "NUL"),
])
def test_wrong_configuration_names_its_line(world, where, line):
    world.cortex.write(world.cortex.conf, where)
    token = world.openid.id_token("alice-1")
    login = world.login("alice", token=token)
    assert login.result.returncode == 2
    assert "reason=config_invalid" in login.refused_line, line
    assert f"{world.cortex.conf}:" in login.refused_line, line
    checked = world.cortex.run("check", "--config", world.cortex.conf)
    assert checked.returncode == 2, line
    assert f"{world.cortex.conf}:" in checked.stderr, line


def test_policy_that_does_not_parse_names_its_place(world):
    path = world.cortex.policies / "analytics.cedar"
    world.cortex.write(path, "permit (principal, action, resource)\nwhen { resource. };\n")
    login = world.login("alice", token=world.openid.id_token("alice-1"))
    login.assert_refused("policy_unavailable")
    assert f"{path}:2:" in login.refused_line


def test_one_bad_policy_beside_a_good_one_closes_all(world):
    world.cortex.write(world.cortex.policies / "bad.cedar", "permit (principal, action, resource")
    login = world.login("alice", token=world.openid.id_token("alice-1"))
    login.assert_refused("policy_unavailable")


def test_policy_that_the_schema_does_not_know_closes_all(world):
    world.cortex.write(world.cortex.policies / "bad.cedar",
                       'permit (principal, action == Action::"reed", resource);\n')
    login = world.login("alice", token=world.openid.id_token("alice-1"))
    login.assert_refused("policy_unavailable")


def test_key_set_of_another_issuer_opens_nothing(world):
    world.cortex.configure(op={"jwks_file": world.cortex.issuer / "jwks.json"})
    login = world.login("alice", token=world.openid.id_token("alice-1"))
    login.assert_refused("unknown_kid")


def test_two_issuers_with_one_namespace_are_refused(world):
    world.cortex.configure(op={"shared_names": "no"})
    login = world.login("alice", token=world.openid.id_token("alice-1"))
    assert login.result.returncode == 2
    assert login.refused_line


def test_key_file_of_the_server_s_own_user_is_trusted(world):
    own_by_server(world.cortex.jwks)
    world.login("alice", token=world.openid.id_token("alice-1")).assert_allowed()


def test_links_to_trusted_files_are_followed(world):
    for path in (world.cortex.conf, world.cortex.entities, world.cortex.jwks):
        target = path.with_name("target-" + path.name)
        path.rename(target)
        path.symlink_to(target)
    try:
        world.login("alice", token=world.openid.id_token("alice-1")).assert_allowed()
    finally:
        for path in world.cortex.folder.glob("target-*"):
            path.unlink()
