"""Role names, as a client may send any bytes and a token may name anybody.

SPDX-License-Identifier: PostgreSQL
"""
import pytest

from harness import DATABASES, STAGING


def token_for(world, name):
    return world.cortex.dev_token("--user", name, "--subject", "s-1", "--groups", "engineers")


@pytest.mark.parametrize("name", [
    'we"ird', "o'brien", "alice smith", "\u00fcml\u00e4ut", "x" * 63, "back\\slash", "dave@example.com",
    "Select", "a=b", "semi;colon", "per%cent", "-dash", "$(id)", "emoji\U0001f600",
])
def test_odd_name_that_is_the_token_s_own_opens(world, name):
    world.make_role(name)
    world.login(name, token=token_for(world, name)).assert_allowed()


@pytest.mark.parametrize("name", [
    "postgres", "pg_monitor", "pg_execute_server_program", "cortex_managed", "cortex_jit",
    "public", "none",
])
def test_protected_name_is_refused_whatever_the_token_says(world, name):
    world.login(name, token=token_for(world, name)).assert_refused("protected_role")


def test_name_that_the_operator_protects_is_refused(world):
    world.cortex.configure(roles={"protected": "alice, deploy"})
    login = world.login("alice", token=world.openid.id_token("alice-1"))
    login.assert_refused("protected_role")


@pytest.mark.parametrize("name", ["alice/admin", "/", "a/b/c"])
def test_name_with_a_slash_is_refused(world, name):
    login = world.login(name, token=token_for(world, name))
    assert login.result.returncode == 2
    assert login.reference


@pytest.mark.parametrize("name", ["Alice", "ALICE", "alice ", " alice", "alic\u0435", "alice.", "alice@x"])
def test_name_that_only_resembles_the_token_s_is_refused(world, name):
    world.make_role(name)
    login = world.login(name, token=world.openid.id_token("alice-1"))
    login.assert_refused("assume_denied")


@pytest.mark.parametrize("name", ["x" * 64, "x" * 63 + "\u00fc", "y" * 200])
def test_name_that_postgresql_would_cut_is_refused(world, name):
    """The server cuts at 63 bytes: the token names somebody else then."""
    world.make_role(name[:63])
    login = world.login(name, token=token_for(world, name))
    assert login.result.returncode == 2
    assert login.reference


@pytest.mark.parametrize("name", [
    "ali\nce", "alice\n", "alice\r", "al\tice", "al\x1b[31mice", "alice\x7f", "al\u0085ice",
    "alice\nLOG:  cortex: allowed",
])
def test_control_character_is_refused_and_escaped(world, name):
    """For the name in the request and in the token alike."""
    for token in (token_for(world, name), world.openid.id_token("alice-1")):
        login = world.login(name, token=token)
        assert login.result.returncode == 2
        assert login.reference
        assert all(" " <= sign <= "~" for sign in login.refused_line)
        record = world.cortex.record(login.reference)
        assert record["decision"] == "deny"


@pytest.mark.parametrize("name", [
    "alice analytics_staging", "walsender", "walsender alice", "x: alice", "alice 127.0.0.1(1)",
    "alice authentication",
])
def test_name_that_imitates_the_process_title_never_moves_the_database(world, name):
    """Production asks through the staging service: the database is what it is."""
    world.make_role(name)
    world.use_services({"analytics-production": "cortex-" + STAGING})
    world.postgres.reload()
    try:
        login = world.login(name, "analytics-production", token_for(world, name))
    finally:
        world.use_services()
        world.postgres.reload()
    assert login.result.returncode == 2
    login.assert_refused("service_mismatch")


def test_role_that_does_not_exist_is_the_server_s_to_refuse(world):
    login = world.login("erin", token=token_for(world, "erin"))
    assert login.result.returncode == 2
    assert 'role "erin" does not exist' in login.result.stderr
    assert world.cortex.records()[-1]["decision"] == "allow"


def test_database_that_does_not_exist_is_the_server_s_to_refuse(world):
    login = world.login("alice", token=world.openid.id_token("alice-1"), database="nowhere")
    assert login.result.returncode == 2
    assert DATABASES[STAGING] not in login.result.stderr
