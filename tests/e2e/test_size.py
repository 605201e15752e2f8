"""Large tokens arrive whole by every way a client has; too large ones are refused.

SPDX-License-Identifier: PostgreSQL
"""
import uuid

import psycopg
import pytest

from harness import DATABASES, STAGING

# What PostgreSQL 14 and later reads of a password, without the terminating byte.
SERVER_LIMIT = 65530


@pytest.fixture
def large(world):
    """Dana's token of 12 KB: 200 groups, the one that counts in the middle."""
    groups = [str(uuid.UUID(int=number << 64)) for number in range(200)]
    groups[100] = "engineers"
    world.openid.account("dana-4", preferred_username="dana", groups=groups)
    world.make_role("dana")
    token = world.openid.id_token("dana-4")
    assert 10_000 < len(token) < 14_000
    return token


def token_of_size(world, size):
    """A development token of exactly this many bytes, with a claim that fills it up."""
    def token(filler):
        return world.cortex.dev_token("--user", "alice", "--groups", "engineers",
                                      "--alg", "ES256", "--claim", f'filler="{"x" * filler}"')
    guess = (size - len(token(0))) * 3 // 4
    for filler in range(guess - 8, guess + 9):
        if len(made := token(filler)) == size:
            return made
    raise AssertionError(f"no token of {size} bytes")


def test_200_groups_by_pgpassword(world, large):
    world.login("dana", token=large).assert_allowed()


def test_200_groups_by_passfile(world, large, folder):
    path = folder.path / "passfile"
    path.write_text(f"*:*:*:dana:{large}\n", encoding="utf-8")
    path.chmod(0o600)
    login = world.login("dana", passfile=path)
    assert login.result.stdout.strip() == "2", login.result.stderr


def test_200_groups_by_psycopg(world, large):
    conninfo = world.postgres.conninfo("dana", DATABASES[STAGING])
    with psycopg.connect(**conninfo, password=large) as connection:
        assert connection.execute("select session_user").fetchone() == ("dana",)


def test_200_groups_by_psycopg_and_passfile(world, large, folder):
    path = folder.path / "passfile-psycopg"
    path.write_text(f"*:*:*:dana:{large}\n", encoding="utf-8")
    path.chmod(0o600)
    conninfo = world.postgres.conninfo("dana", DATABASES[STAGING])
    with psycopg.connect(**conninfo, passfile=str(path)) as connection:
        assert connection.execute("select session_user").fetchone() == ("dana",)


def test_cut_token_is_refused(world, large):
    """What a terminal (4095 bytes) or an old pooler (2047) leaves of it."""
    for length in (2047, 4095, len(large) - 1):
        login = world.login("dana", token=large[:length])
        assert login.result.returncode == 2
        assert login.reference, login.log


def test_largest_token_that_the_server_reads(world):
    token = token_of_size(world, SERVER_LIMIT)
    login = world.login("alice", token=token)
    assert login.result.returncode == 0 or "reason=too_large" in login.refused_line, login.log


def test_token_past_the_server_s_limit_is_refused_without_the_module(world):
    login = world.login("alice", token="a" * 66_000)
    assert login.result.returncode == 2
    assert "invalid message length" in login.log or "too_large" in login.log
    assert world.postgres.is_running()


@pytest.mark.parametrize("token", ["." * 65_000, "e30." * 16_000, "A" * 65_000 + "..",
                                   "eyJ" + "W1tb" * 16_000 + ".e30.AA"])
def test_large_nonsense_is_refused(world, token):
    login = world.login("alice", token=token)
    assert login.result.returncode == 2
    assert login.reference, login.log
