"""What outlives a login: revocations, names that belong to somebody, credentials of one use.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import DATABASES, IS_ROOT, SERVER_USER, STAGING

ENGINEER = ("--groups", "engineers")


def claims(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def operate(world, *arguments, code=0):
    """The operator's command, which must end with this code."""
    verb = 2 if arguments[0] == "binding" else 1
    done = world.cortex.run(*arguments[:verb], "--config", world.cortex.conf, *arguments[verb:])
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout


# --- one use ---

def test_token_of_one_use_opens_once(world):
    world.cortex.configure(op={"one_use": "yes"})
    token = world.openid.id_token("alice-1")
    world.login("alice", token=token).assert_allowed()
    world.login("alice", token=token).assert_refused("replayed")
    world.login("alice", token=world.openid.id_token("alice-1")).assert_allowed()


def test_refused_login_does_not_use_the_token_up(world):
    world.cortex.configure(op={"one_use": "yes"})
    token = world.openid.id_token("alice-1")
    world.login("alice", "analytics-production", token).assert_refused("policy_denied")
    world.login("alice", token=token).assert_allowed()


def test_within_the_window_psql_comes_twice_from_one_place_only(world):
    world.cortex.configure(op={"one_use": "yes", "reuse_window": "10m"})
    token = world.openid.id_token("alice-1")
    world.login("alice", token=token).assert_allowed()
    world.login("alice", token=token).assert_allowed()
    world.login("alice", token=token, tls=False).assert_refused("replayed")


def test_of_several_clients_at_once_one_gets_in(world):
    world.cortex.configure(op={"one_use": "yes"})
    token = world.openid.id_token("alice-1")
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: world.postgres.psql(
            "alice", DATABASES[STAGING], password=token), range(8)))
    assert sorted(d.returncode for d in done) == [0] + [2] * 7
    reasons = sorted(r["reason"] for r in world.cortex.records())
    assert reasons == ["ok"] + ["replayed"] * 7


def test_damaged_memory_refuses(world):
    world.cortex.configure(op={"one_use": "yes"})
    world.login("alice", token=world.openid.id_token("alice-1")).assert_allowed()
    with open(world.cortex.state / "replay" / "used", "r+b") as file:
        file.truncate(4096)
    world.login("alice", token=world.openid.id_token("alice-1")).assert_refused("state_unavailable")


# --- revocation ---

def test_revoked_subject_is_out_at_the_next_login_until_restored(world):
    token = world.openid.id_token("alice-1")
    world.login("alice", token=token).assert_allowed()
    operate(world, "revoke", "--subject", "op", "alice-1")
    world.login("alice", token=token).assert_refused("revoked")
    world.login("alice", token=world.openid.access_token("alice-1")).assert_refused("revoked")
    operate(world, "revoke", "--subject", "op", "alice-1", "--undo")
    world.login("alice", token=token).assert_allowed()


def test_revoked_token_is_out_and_no_other(world, folder):
    token, other = (world.openid.access_token("alice-1") for _ in range(2))
    path = folder.path / "revoked-token"
    path.write_text(token + "\n", encoding="utf-8")
    world.login("alice", token=other).assert_allowed()  # the trail is the server's then, not the operator's
    operate(world, "revoke", "--token", path)
    world.login("alice", token=token).assert_refused("revoked")
    world.login("alice", token=other).assert_allowed()


def test_revoked_session_is_out(world):
    token = world.cortex.dev_token("--user", "alice", *ENGINEER, "--claim", 'sid="s-1"')
    other = world.cortex.dev_token("--user", "alice", *ENGINEER, "--claim", 'sid="s-2"')
    record = world.login("alice", token=token).assert_allowed()
    assert record["sid"] == "s-1"
    operate(world, "revoke", "--sid", "dev", record["sid"])
    world.login("alice", token=token).assert_refused("revoked")
    world.login("alice", token=other).assert_allowed()


@pytest.mark.parametrize("part", ["revoked", "bindings"])
def test_lost_state_refuses(world, part):
    token = world.openid.id_token("alice-1")
    world.login("alice", token=token).assert_allowed()
    shutil.rmtree(world.cortex.state / part)
    world.login("alice", token=token).assert_refused("state_unavailable")


@pytest.mark.skipif(not IS_ROOT, reason="only root can take a folder from the server's user")
def test_state_that_the_server_cannot_read_or_trust_refuses(world):
    token = world.openid.id_token("alice-1")
    revoked = world.cortex.state / "revoked"
    for mode in (0o700, 0o777):
        revoked.chmod(mode)
        world.login("alice", token=token).assert_refused("state_unavailable")
    revoked.chmod(0o750)
    shutil.chown(revoked, group=SERVER_USER.pw_gid)
    world.login("alice", token=token).assert_allowed()


# --- whose name it is ---

def test_first_subject_owns_the_name_until_an_operator_rebinds_it(world):
    first, second = (world.cortex.dev_token("--user", "alice", "--subject", subject, *ENGINEER)
                     for subject in ("a-1", "a-2"))
    record = world.login("alice", token=first).assert_allowed()
    assert "belongs to this subject" in record["detail"]
    assert "detail" not in world.login("alice", token=first).assert_allowed()
    world.login("alice", token=second).assert_refused("subject_mismatch")
    assert "a-1" in operate(world, "binding", "show", "alice")
    operate(world, "binding", "rebind", "alice", "--issuer", "dev", "--subject", "a-2")
    world.login("alice", token=second).assert_allowed()
    world.login("alice", token=first).assert_refused("subject_mismatch")
    operate(world, "binding", "release", "alice")
    world.login("alice", token=first).assert_allowed()


def test_same_name_of_another_issuer_is_another_person(world):
    world.login("alice", token=world.openid.id_token("alice-1")).assert_allowed()
    other = world.cortex.dev_token("--user", "alice", "--subject", "alice-1", *ENGINEER)
    world.login("alice", token=other).assert_refused("subject_mismatch")


@pytest.mark.parametrize("naming, names", [
    ({"username_case": "lower"}, ("alice", "Alice")),
    ({"username_map": "/([a-z]+)@(a|b)[.]example/\\1/"}, ("alice@a.example", "alice@b.example")),
])
def test_names_that_become_one_stay_the_first_one_s(world, naming, names):
    world.cortex.configure(dev=naming)
    first, second = (world.cortex.dev_token("--user", name, "--subject", name, *ENGINEER)
                     for name in names)
    world.login("alice", token=first).assert_allowed()
    world.login("alice", token=second).assert_refused("subject_mismatch")


def test_denied_login_takes_no_name(world):
    nobody = world.cortex.dev_token("--user", "alice", "--subject", "a-1", "--groups", "visitors")
    world.login("alice", token=nobody).assert_refused("policy_denied")
    token = world.cortex.dev_token("--user", "alice", "--subject", "a-2", *ENGINEER)
    world.login("alice", token=token).assert_allowed()


def test_shared_role_belongs_to_nobody_and_a_name_is_no_way_to_it(world):
    """bob's name opens a shared role; another bob must not get there by it."""
    world.cortex.configure(roles={"assume": "yes"})
    world.cortex.write(world.cortex.policies / "assume.cedar", 'permit (principal in '
                       'Group::"engineers", action == Action::"assume", resource);\n')
    world.make_role("shared")
    for name in ("bob", "carol"):
        token = world.cortex.dev_token("--user", name, *ENGINEER)
        world.login("shared", token=token).assert_allowed()
    other = world.cortex.dev_token("--user", "bob", "--subject", "b-2", *ENGINEER)
    world.login("shared", token=other).assert_refused("subject_mismatch")
    assert operate(world, "binding", "show", "shared", code=1) == ""


def test_role_of_a_person_is_assumed_by_nobody_else(world):
    """The policy permits every role, and dana's is hers all the same."""
    world.cortex.configure(roles={"assume": "yes"})
    world.cortex.write(world.cortex.policies / "assume.cedar", 'permit (principal in '
                       'Group::"engineers", action == Action::"assume", resource);\n')
    world.make_role("dana")
    dana, bob = (world.cortex.dev_token("--user", name, *ENGINEER) for name in ("dana", "bob"))
    world.login("dana", token=dana).assert_allowed()
    world.login("dana", token=bob).assert_refused("subject_mismatch")
    assert operate(world, "binding", "show", "bob", code=1) == ""
    operate(world, "binding", "release", "dana")
    world.login("dana", token=bob).assert_allowed()
