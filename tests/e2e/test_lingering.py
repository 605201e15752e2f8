"""cortexctl report lingering: each kind of finding, and that there is none without a cause.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import time

import pytest

from harness import DATABASES, STAGING, wait_until
from sessionhost import GROUPS, POLICY

KNOWN = {"stranger", "analytics_reader"}  # the server's own, whom no test makes


def report(host, *arguments, check=None):
    """(kind, role, granted) of every finding, and the whole answer."""
    done = host.cortex.run("report", "lingering", "--config", host.cortex.conf, "--json", *arguments)
    assert done.returncode in ((0, 1) if check is None else (check,)), done.stderr
    answer = json.loads(done.stdout)
    return {(f["kind"], f["role"], f["granted"]) for f in answer["lingering"] if f["role"] not in KNOWN}, answer


def found(host, *arguments):
    return report(host, *arguments)[0]


def test_nothing_lingers_after_a_login(host):
    host.login().assert_allowed("1")
    host.reap()
    assert found(host) == set()


def test_a_clean_cluster_is_exit_0_and_a_finding_exit_1(host):
    host.sql("alter role stranger nologin")
    try:
        assert report(host, check=0)[1]["lingering"] == []
        plain = host.cortex.run("report", "lingering", "--config", host.cortex.conf)
        assert (plain.returncode, plain.stdout) == (0, "0 lingering\n")
    finally:
        host.sql("alter role stranger login")
    plain = host.cortex.run("report", "lingering", "--config", host.cortex.conf)
    assert plain.returncode == 1
    assert plain.stdout == "unmanaged  stranger: may log in and is not managed by Cortex\n1 lingering\n"


@pytest.mark.parametrize("attributes, kinds", [
    ("login password 'x'", {"password", "unmanaged"}), ("password 'x'", {"password"}), ("login superuser", {"superuser"}),
    ("superuser", {"superuser"}), ("login replication", {"unmanaged"}), ("login", {"unmanaged"}), ("", set())])
def test_roles_that_cortex_did_not_make(host, attributes, kinds):
    host.sql(f"create role eve {attributes}")
    assert found(host) == {(kind, "eve", None) for kind in kinds}


def test_the_password_of_a_managed_role_is_found(host):
    host.login().assert_allowed("1")
    host.sql("alter role alice password 'x'")
    assert found(host) == {("password", "alice", None)}


def test_what_somebody_else_granted_is_explained_by_no_policy(host):
    host.login().assert_allowed("1")
    host.sql("create role eve; create role eve_too; grant eve to alice; grant analytics_read to eve_too; grant eve to eve_too")
    assert found(host) == {("no_policy", "alice", "eve"), ("no_policy", "eve_too", "analytics_read")}


def test_who_is_somebody_by_an_administrator_s_grant_is_found(host):
    """Who holds all that alice does, and what the person gave before an upgrade that forgets who granted it."""
    host.login().assert_allowed("1")
    host.sql("create role eve; grant alice to eve")
    assert found(host) == {("no_policy", "eve", "alice")}


def test_a_membership_without_a_note_has_no_source(host):
    host.login().assert_allowed("1")
    host.sql("delete from cortex.login_grant where member = 'alice'")
    assert found(host) == {("no_source", "alice", "analytics_read")}


def test_what_ended_sessions_leave_is_past_its_end_until_the_reaper_comes(host):
    how = {"groups": ("engineers", "admins"), "mfa": True}
    with host.connect(**how), host.connect("alice/admin", **how):
        assert found(host) == set()
    wait_until("the end", lambda: host.sql("select count(*) from pg_stat_activity where usename ~ '^alice'") == "0")
    assert found(host) == {("past_end", "alice", "analytics_write"), ("past_end", "alice", "analytics_admin"),
                           ("past_end", "alice/admin", "analytics_admin"), ("past_end", "alice/admin", None)}
    host.reap()
    assert found(host) == set()
    assert host.members("alice") == {"analytics_read"} and not host.exists("alice/admin")


def test_a_role_of_one_level_that_was_cut_is_not_past_its_end(host):
    host.login("alice/admin", groups=("admins",), mfa=True).assert_allowed("1")
    host.sql('create table hers (n int); alter table hers owner to "alice/admin"')
    try:
        wait_until("the role to be cut", lambda: "cut alice/admin" in host.reap())
        assert found(host) == set()
    finally:
        host.sql("drop table hers")


def test_a_role_of_one_level_that_the_service_grants_nothing_for(host):
    host.services({"read": "analytics_read"})
    with host.connect("alice/admin", groups=("admins",), mfa=True):
        assert found(host) == set()


def note(host, policy):
    host.sql(f"insert into cortex.grant_source (service, level, policy, reason) values ('{STAGING}', 'read', '{policy}', ''); "
             "insert into cortex.grant_data (role, source, lowest, highest, members) "
             "select r.id, s.id, a.id, a.id, array[a.id] from cortex.role_data r, "
             "cortex.role_data a, cortex.grant_source s where r.name = 'analytics_read' and a.name = 'alice' "
             f"and s.policy = '{policy}'; delete from cortex.login_grant")


def test_a_reason_that_is_gone_from_the_policy(host):
    host.login().assert_allowed("1")
    note(host, "readers")
    assert found(host) == set()
    host.cortex.write(host.cortex.policies / "analytics.cedar", POLICY.replace('"readers"', '"others"'))
    assert found(host) == {("no_policy", "alice", "analytics_read")}
    note(host, "others")
    assert found(host) == set()


@pytest.mark.parametrize("grants", [({**GROUPS, "read": "analytics_write"},), ()], ids=["grant", "service"])
def test_a_service_that_no_longer_grants_the_role(host, grants):
    host.login().assert_allowed("1")
    host.services(*grants, *([{**GROUPS, "read": "production_read"}] if grants else []))
    assert found(host) == {("no_policy", "alice", "analytics_read")}


def test_accounts_without_use_by_the_audit_trail(host):
    host.login().assert_allowed("1")
    host.login("bob").assert_allowed("1")
    time.sleep(2.1)  # the trail is compared by whole seconds
    with host.connect("bob"):
        assert found(host, "--unused", "1") == {("unused", "alice", None)}
    assert found(host, "--unused", "1h") == set()
    host.sql("update cortex.role_data set first_seen = now() - interval '2 days' where name = 'bob'")
    trail = host.cortex.trail.read_text(encoding="utf-8").splitlines()
    host.cortex.write(host.cortex.trail, "".join(line + "\n" for line in trail if '"role":"bob"' not in line))
    findings, answer = report(host, "--unused", "1d")
    assert (findings, answer["unknown_use"]) == (set(), 1)
    time.sleep(2.1)  # the trail is compared by whole seconds
    findings, answer = report(host, "--unused", "1")
    assert findings == {("unused", "alice", None), ("unused", "bob", None)} and answer["unknown_use"] == 0
    host.cortex.write(host.cortex.trail, "\n".join(trail) + "\n")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_trail_that_is_no_file_is_named(host, make):
    kept = f"{host.cortex.trail}.000000000001"
    make(kept)
    try:
        done = host.cortex.run("report", "lingering", "--config", host.cortex.conf)
        assert done.returncode == 3 and f"{kept}: is not a regular file\n" in done.stderr, done.stderr
    finally:
        (os.rmdir if make is os.mkdir else os.unlink)(kept)


def test_without_the_extension_or_the_server_it_is_exit_3(host):
    for name in (host.runner.replace("dbname=postgres", f"dbname={DATABASES[STAGING]}"),
                 host.runner.replace("host=", "host=/nonexistent")):
        host.cortex.configure(sync={"conninfo": name})
        done = host.cortex.run("report", "lingering", "--config", host.cortex.conf, "--json")
        assert done.returncode == 3 and json.loads(done.stdout)["complete"] is False
    host.cortex.configure()
    assert host.cortex.run("report", "lingering", "--config", host.cortex.conf).returncode == 2
