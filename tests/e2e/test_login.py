"""Who gets in: the policy's yes and no, by the provider's own tokens.

SPDX-License-Identifier: PostgreSQL
"""
import psycopg
import pytest

from harness import DATABASES, PRODUCTION, STAGING
from openid import ALGORITHMS


def test_alice_reads_in_staging(world):
    record = world.login("alice", token=world.openid.id_token("alice-1")).assert_allowed()
    assert record["service"] == STAGING
    assert record["database"] == DATABASES[STAGING]
    assert record["levels"] == ["read"]
    assert record["policies"] == ["engineers-read-analytics-staging"]
    assert record["address"] == "127.0.0.1"


def test_alice_is_denied_in_production(world):
    login = world.login("alice", PRODUCTION, world.openid.id_token("alice-1"))
    record = login.assert_refused("policy_denied")
    assert record["service"] == PRODUCTION
    assert record["username"] == "alice"


def test_bob_of_no_group_is_denied_in_staging(world):
    world.login("bob", token=world.openid.id_token("bob-2")).assert_refused("policy_denied")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_allowed_algorithm_opens(world, algorithm):
    world.login("alice", token=world.openid.id_token("alice-1", algorithm)).assert_allowed()


def test_algorithm_that_the_operator_took_out_is_refused(world):
    world.cortex.configure(op={"algorithms": "ES256"})
    login = world.login("alice", token=world.openid.id_token("alice-1", "RS256"))
    login.assert_refused("algorithm_not_allowed")


def test_access_token_opens(world):
    world.login("alice", token=world.openid.access_token("alice-1")).assert_allowed()


def test_access_token_is_refused_where_id_tokens_are_asked_for(world):
    world.cortex.configure(op={"token_use": "id"})
    login = world.login("alice", token=world.openid.access_token("alice-1"))
    login.assert_refused("token_type_refused")


def test_id_token_is_refused_where_access_tokens_are_asked_for(world):
    world.cortex.configure(op={"token_use": "access"})
    login = world.login("alice", token=world.openid.id_token("alice-1"))
    login.assert_refused("token_type_refused")


def test_program_s_token_without_a_username_is_refused(world):
    login = world.login("alice", token=world.openid.client_token())
    login.assert_refused("missing_username")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_psycopg_logs_in(world, algorithm):
    conninfo = world.postgres.conninfo("alice", DATABASES[STAGING])
    token = world.openid.id_token("alice-1", algorithm)
    with psycopg.connect(**conninfo, password=token) as connection:
        row = connection.execute("select session_user, current_database()").fetchone()
    assert row == ("alice", DATABASES[STAGING])


def test_psycopg_sees_the_neutral_line_only(world):
    conninfo = world.postgres.conninfo("alice", DATABASES[PRODUCTION])
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(**conninfo, password=world.openid.id_token("alice-1"))
    assert 'PAM authentication failed for user "alice"' in str(caught.value)
    assert "policy" not in str(caught.value)


def test_unix_socket_login_has_no_address(world):
    login = world.login("alice", token=world.openid.id_token("alice-1"), tls=False)
    assert not login.assert_allowed().get("address")


def test_token_of_another_person_is_refused(world):
    world.openid.account("carol-3", preferred_username="carol", groups=["engineers"])
    login = world.login("alice", token=world.openid.id_token("carol-3"))
    login.assert_refused("assume_denied")


def test_probe_without_a_password_is_silent(world):
    login = world.login("alice")
    assert login.result.returncode == 2
    assert not login.refused_line
    assert not world.cortex.records()


def test_empty_password_is_refused_silently(world):
    login = world.login("alice", token="")
    assert login.result.returncode == 2
    assert not world.cortex.records()


def test_clear_text_connection_has_no_line(world):
    conninfo = world.postgres.conninfo("alice", DATABASES[STAGING])
    conninfo.update(sslmode="disable")
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(**conninfo, password=world.openid.id_token("alice-1"))
    assert "pg_hba.conf" in str(caught.value)


def test_removed_policy_closes_at_the_next_login(world):
    token = world.openid.id_token("alice-1")
    world.login("alice", token=token).assert_allowed()
    (world.cortex.policies / "analytics.cedar").unlink()
    login = world.login("alice", token=token)
    assert login.result.returncode == 2
    assert "reason=policy_" in login.refused_line


def test_forbid_beats_permit(world):
    world.cortex.write(world.cortex.policies / "z.cedar",
                       '@id("nobody-today") forbid (principal, action, resource);\n')
    record = world.login("alice", token=world.openid.id_token("alice-1")).assert_refused("policy_denied")
    assert record["policies"] == ["nobody-today"]
