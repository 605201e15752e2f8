"""The database is read from PostgreSQL's process title, in every form it has.

SPDX-License-Identifier: PostgreSQL
"""
from contextlib import contextmanager

import psycopg
import pytest

from harness import DATABASES, PRODUCTION, STAGING


@contextmanager
def restarted_with(world, **values):
    """The server under other settings; pam_use_hostname is an option of the pg_hba lines."""
    for name, value in values.items():
        world.postgres.sql(f"alter system set {name} = '{value}'")
    world.postgres.stop()
    world.postgres.start()
    try:
        yield
    finally:
        world.postgres.sql("alter system reset all")
        world.postgres.stop()
        world.postgres.start()


def hba(world, options, keyword=None):
    names = {service: world.pam.name("cortex-" + service) for service in DATABASES}
    world.postgres.write_hba(*(
        f"hostssl {keyword or database} all 127.0.0.1/32 pam pamservice={names[service]} {options}"
        for service, database in DATABASES.items()))
    world.postgres.reload()


@pytest.mark.parametrize("settings", [
    {"update_process_title": "off"},
    {"cluster_name": "main"},
    {"cluster_name": "15/main: east", "update_process_title": "off"},
    {"cluster_name": "walsender"},
    {"log_hostname": "on"},
], ids=str)
def test_database_is_compared_under_every_setting(world, settings):
    token = world.openid.id_token("alice-1")
    with restarted_with(world, **settings):
        world.login("alice", token=token).assert_allowed()
        world.login("alice", token=token, tls=False).assert_allowed()
        world.login("alice", STAGING, token, database=DATABASES[PRODUCTION]).assert_refused(
            "policy_denied")
        world.use_services({PRODUCTION: "cortex-" + STAGING})
        world.postgres.reload()
        try:
            world.login("alice", PRODUCTION, token).assert_refused("service_mismatch")
        finally:
            world.use_services()
            world.postgres.reload()


def test_cluster_name_that_hides_the_user_is_refused(world):
    with restarted_with(world, cluster_name="alice x: alice"):
        token = world.openid.id_token("alice-1")
        world.login("alice", token=token).assert_refused("service_mismatch")


def test_client_s_name_gives_way_to_its_address(world):
    hba(world, "pam_use_hostname=1")
    try:
        record = world.login("alice", token=world.openid.id_token("alice-1")).assert_allowed()
        assert record["address"] == "127.0.0.1"
    finally:
        world.use_services()
        world.postgres.reload()


def test_client_s_name_without_an_address_is_refused(world):
    with restarted_with(world, log_hostname="on"):
        hba(world, "pam_use_hostname=1")
        try:
            login = world.login("alice", token=world.openid.id_token("alice-1"))
            assert login.result.returncode == 2
            assert "reason=config_invalid" in login.refused_line
            assert "pam_use_hostname" in login.refused_line
        finally:
            world.use_services()
            world.postgres.reload()


@pytest.mark.parametrize("replication", ["true", "database"])
def test_replication_is_refused(world, replication):
    """Even where pg_hba.conf lets it come as far as the module."""
    token = world.openid.id_token("alice-1")
    hba(world, "", "replication,all" if replication == "true" else None)
    mark = world.postgres.log_mark()
    try:
        with pytest.raises(psycopg.OperationalError, match="PAM authentication failed"):
            psycopg.connect(**world.postgres.conninfo("alice", DATABASES[STAGING]), password=token,
                            replication=replication)
        assert world.postgres.log_contains("reason=service_mismatch .*cannot be told: replication", mark)
    finally:
        world.use_services()
        world.postgres.reload()
