"""The extension `cortex`: what its calls do, refuse and survive.

SPDX-License-Identifier: PostgreSQL
"""
import json
import random
import subprocess

import psycopg
import pytest
from psycopg import errors

from harness import wait_until
from rolehost import HOME, RoleHost, quote

HOSTILE = ['x" SUPERUSER; CREATE ROLE "pwned', "o'brien", 'o"brien', "a b", "semi;colon", "%I%s",
           "back\\slash", "comma,name", "{brace}", "ünïcode", "NULL", "select", "UPPER", "$f$",
           "dash--dash", "/*", "n" * 63, "é" * 31]
REFUSED = ["", "pg_read_all_data", "pg_x", "PG_x", "cortex_runner", "cortex_x", "postgres", "public",
           "none", "Public", "tab\tname", "line\nname", "del\x7f", "n" * 64, "é" * 32]
PROTECTED = {"superuser": "superuser", "createrole": "createrole", "replication": "replication",
             "bypassrls": "bypassrls"}


@pytest.fixture(scope="module")
def shared():
    made = RoleHost()
    yield made
    made.close()


@pytest.fixture
def host(shared):
    """The shared cluster without any role that is not the extension's own."""
    yield shared
    for (name,) in shared.sql("select datname from pg_database where datname ~ '^t_'"):
        shared.sql(f"drop database {quote(name)} (force)")
    left = shared.sql("select rolname from pg_roles where rolname !~ '^(pg_|cortex_)' and rolname <> 'postgres'")
    for (name,) in left:
        shared.sql(f"drop owned by {quote(name)}; drop role {quote(name)}")
    shared.sql("delete from cortex.role_data; delete from cortex.grant_data; delete from cortex.run_data")


def logins(host, *names):
    return host.call("create_logins", list(names), list(names), "", "corp")


def groups(host, *names):
    return host.call("create_groups", list(names))


def grant(host, role, *members, call="grant_members"):
    return host.call(call, [role], list(members), [1] * len(members),
                     list(range(1, len(members) + 1)))


def note(host, role, *members, call="note_grants", policy="p"):
    count = len(members)
    return host.call(call, [role], list(members), [1] * count, list(range(1, count + 1)),
                     [1] * count, ["analytics"], ["read"], [policy], ["why"])


def marked(host, marker):
    return {member for role, member, _, _ in host.memberships() if role == marker}


# --- what the calls do ---

def test_logins_are_direct_members_of_the_marker_and_have_no_password(host):
    assert logins(host, "alice", "bob") == 2
    assert marked(host, "cortex_managed") == {"alice", "bob"}
    assert host.sql("select rolpassword, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb from pg_authid "
                    "where rolname = 'alice'") == [(None, True, False, False, False)]


def test_groups_carry_another_marker_and_cannot_log_in(host):
    assert groups(host, "readers") == 1
    assert marked(host, "cortex_groups") == {"readers"}
    assert "readers" not in marked(host, "cortex_managed")
    assert host.can_login("readers") is False


def test_creating_again_changes_nothing(host):
    logins(host, "alice")
    before = host.memberships()
    assert logins(host, "alice") == 0
    assert host.memberships() == before


def test_grant_names_cortex_as_grantor(host):
    logins(host, "alice")
    groups(host, "readers")
    assert grant(host, "readers", "alice") == 1
    assert ("readers", "alice", "cortex_grantor", False) in host.memberships()


def test_member_has_what_the_group_has_but_not_the_marker(host):
    logins(host, "alice")
    groups(host, "readers")
    host.sql("create table t_data (n int); grant select on t_data to readers")
    with pytest.raises(errors.InsufficientPrivilege):
        host.sql("select * from t_data", user="alice")
    grant(host, "readers", "alice")
    assert host.sql("select * from t_data", user="alice") == []
    host.sql("drop table t_data")


def test_cut_takes_login_and_memberships_and_leaves_the_marker(host):
    logins(host, "alice", "bob")
    groups(host, "readers")
    grant(host, "readers", "alice", "bob")
    note(host, "readers", "alice", "bob")
    assert host.call("cut_logins", ["alice"]) == 1
    assert host.can_login("alice") is False
    assert host.members("readers") == {"bob"}
    assert "alice" in marked(host, "cortex_managed")
    assert host.sql("select member from cortex.grants") == [("bob",)]
    assert host.sql("select cut_at is not null from cortex.roles where name = 'alice'") == [(True,)]


def test_restore_gives_login_back_but_no_membership(host):
    logins(host, "alice")
    groups(host, "readers")
    grant(host, "readers", "alice")
    host.call("cut_logins", ["alice"])
    assert host.call("restore_logins", ["alice"]) == 1
    assert host.can_login("alice") is True
    assert host.members("readers") == set()


def test_login_that_a_dba_unlocked_or_locked_is_no_leaver(host):
    logins(host, "alice", "bob", "eve")
    assert host.call("cut_logins", ["alice", "eve"]) == 2
    host.sql("alter role alice login; alter role bob nologin")
    assert host.sql("select name from cortex.sync_leavers('0 s')") == [("eve",)]
    for name in ("alice", "bob"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            host.sql(f"select cortex.drop_leavers('{{{name}}}')")
    assert host.sql("select cortex.drop_leavers('{eve}')") == [("eve",)]


def test_login_that_a_dba_locked_is_not_restored(host):
    logins(host, "alice")
    host.sql("alter role alice nologin")
    assert host.call("cut_logins", ["alice"]) == 0
    assert host.call("restore_logins", ["alice"]) == 0
    assert host.can_login("alice") is False


def test_revoke_takes_our_membership_only_from_those_named(host):
    logins(host, "alice", "bob")
    groups(host, "readers")
    grant(host, "readers", "alice", "bob")
    assert grant(host, "readers", "alice", call="revoke_members") == 1
    assert host.members("readers") == {"bob"}


def test_sets_of_pairs_reach_the_right_members(host):
    logins(host, "a", "b", "c")
    groups(host, "g1", "g2")
    assert host.call("grant_members", ["g1", "g2"], ["a", "b", "c"], [1, 1, 2], [1, 3, 2]) == 3
    assert (host.members("g1"), host.members("g2")) == ({"a", "c"}, {"b"})


@pytest.mark.parametrize("pairs", [([0], [1]), ([2], [1]), ([1], [0]), ([1], [9]), ([1, 1], [1])])
def test_pair_outside_the_lists_is_refused(host, pairs):
    logins(host, "alice")
    groups(host, "readers")
    with pytest.raises(errors.ArraySubscriptError):
        host.call("grant_members", ["readers"], ["alice"], *pairs)
    assert host.members("readers") == set()


def test_sessions_of_the_named_end_and_no_others(host):
    logins(host, "alice", "bob")
    with host.session("alice") as first, host.session("alice") as second, host.session("bob") as other:
        rows = host.sql("select name, pid, started from cortex.end_sessions('{alice}')", user="cortex_runner")
        assert {(name, pid) for name, pid, _ in rows} == {
            ("alice", first.info.backend_pid), ("alice", second.info.backend_pid)}
        assert all(started > 1_600_000_000_000_000 for _, _, started in rows)
        for ended in (first, second):
            with pytest.raises(psycopg.OperationalError):
                ended.execute("select pg_sleep(5)")
        assert other.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("setup", ["create role other login superuser; grant cortex_managed to other",
                                   "create role other login", "create role other login; grant cortex_groups to other"])
def test_sessions_of_others_do_not_end_and_then_nobody_s_does(host, setup):
    logins(host, "alice")
    host.sql(setup)
    with host.session("alice") as alice, host.session("other") as other:
        with pytest.raises(errors.InsufficientPrivilege, match="other"):
            host.call("end_sessions", ["alice", "other"])
        assert [session.execute("select 1").fetchone() for session in (alice, other)] == [(1,), (1,)]


def test_notes_say_why_and_are_forgotten(host):
    logins(host, "alice", "bob")
    groups(host, "readers")
    grant(host, "readers", "alice", "bob")
    note(host, "readers", "alice", "bob")
    note(host, "readers", "alice", policy="other")
    row = host.sql("select member, role, service, level, policy, reason from cortex.grants "
                   "where policy = 'p' order by 1")
    assert row == [("alice", "readers", "analytics", "read", "p", "why"),
                   ("bob", "readers", "analytics", "read", "p", "why")]
    note(host, "readers", "alice", call="forget_grants")
    assert host.sql("select member, policy from cortex.grants order by 1") == [
        ("alice", "other"), ("bob", "p")]


def test_note_of_a_person_has_the_issuer_that_its_subject_is_of(host):
    host.call("create_logins", ["alice"], ["1"], "https://login.example.com", "login")
    groups(host, "readers")
    said = "select issuer, subject, source from cortex.role_data where name = 'alice'"
    host.call("note_people", ["alice", "readers"], ["", "g"], ["corp", "corp"])
    assert host.sql(said) == [("https://login.example.com", "1", "corp")]
    host.call("note_people", ["alice"], ["2"], ["corp"])
    assert host.sql(said) == [("", "2", "corp")]
    assert host.sql("select subject, source from cortex.role_data where name = 'readers'") == [("", "")]


def test_many_are_forgotten_at_once_and_the_others_stay(host):
    """Notes are kept in rows of at most 128 members, whatever order they come in."""
    rnd = random.Random(7)
    names = [f"u{number:04}" for number in range(3000)]
    logins(host, *names)
    groups(host, "readers")
    rnd.shuffle(names)
    note(host, "readers", *names)
    kept = set(names)
    for gone in (names[:1], names[1:500], names[1000:3000]):
        note(host, "readers", *gone, call="forget_grants")
        kept -= set(gone)
        assert {row[0] for row in host.sql("select member from cortex.grants")} == kept
        assert host.sql("select count(*) from cortex.grant_data, unnest(members) as e(member) "
                        "where cardinality(members) not between 1 and 128 or member not between lowest and highest") == [(0,)]
    for gone in (sorted(kept)[:7], sorted(kept)[7:200]):
        host.call("cut_logins", gone)
        kept -= set(gone)
        assert {row[0] for row in host.sql("select member from cortex.grants")} == kept
    note(host, "readers", *sorted(kept)[:7], call="forget_grants")
    host.call("cut_logins", sorted(kept)[7:])
    assert host.sql("select count(*) from cortex.grant_data") == [(0,)]


def test_long_lists_are_checked_like_short_ones(host):
    names = [f"u{number:04}" for number in range(4100)]
    assert logins(host, *names) == 4100
    groups(host, "readers")
    assert grant(host, "readers", *names) == 4100
    assert host.members("readers") == set(names)
    host.sql("create role somebody login")
    before = host.memberships()
    with pytest.raises(errors.InsufficientPrivilege, match="somebody"):
        grant(host, "readers", *names, "somebody")
    host.sql("revoke readers from u0007 granted by cortex_grantor")
    with pytest.raises(errors.InsufficientPrivilege, match="u0007 is no member of readers"):
        grant(host, "readers", *names, call="revoke_members")
    assert host.memberships() == before - {("readers", "u0007", "cortex_grantor", False)}


def test_grant_that_does_not_come_to_be_is_an_error(host):
    """Before 16 a membership is one row, whoever gave it; after, there is one for each grantor."""
    logins(host, "alice")
    groups(host, "readers")
    host.sql("grant readers to alice")
    if host.sql("select current_setting('server_version_num')::int >= 160000") == [(True,)]:
        assert grant(host, "readers", "alice") == 1
        return
    with pytest.raises(errors.ObjectInUse, match="alice did not become a member of readers"):
        grant(host, "readers", "alice")
    host.sql("revoke readers from alice")
    grant(host, "readers", "alice")
    host.sql("update pg_auth_members set admin_option = true where member = 'alice'::regrole and roleid = 'readers'::regrole")
    with pytest.raises(errors.ObjectInUse):
        grant(host, "readers", "alice")


def test_attribute_that_does_not_come_to_be_is_an_error(host):
    logins(host, "alice")
    host.call("change_attributes", ["alice"], ["connection_limit"], ["5"])
    with pytest.raises(errors.ObjectInUse, match="connection_limit of role alice is not as it was set"):
        host.call("change_attributes", ["alice"], ["connection_limit"], ["-1"])


def test_reading_tells_whose_each_role_and_membership_is(host):
    logins(host, "alice", "bob")
    groups(host, "readers")
    host.sql("create role dba_role; create role double; grant cortex_managed, cortex_groups to double; "
             "grant readers to bob")
    grant(host, "readers", "alice")
    kinds = {row[1]: row[2] for row in host.sql("select * from cortex.sync_roles(false)", user="cortex_runner")}
    assert {name: kinds[name] for name in ("alice", "readers", "dba_role", "double", "postgres", "cortex_runner")} == {
        "alice": "l", "readers": "g", "dba_role": "-", "double": "!", "postgres": "!", "cortex_runner": "!"}
    oids = dict(host.sql("select rolname, oid from pg_roles"))
    rows = host.sql("select role, ours, altered, others from cortex.sync_members()", user="cortex_runner")
    assert rows == [(oids["readers"], [oids["alice"]], None, [oids["bob"]])]


def test_reading_tells_which_roles_are_locked_cut_or_noted_otherwise(host):
    logins(host, "alice", "bob", "carol", "dave", "erin")
    host.sql("alter role bob nologin; drop role dave; drop role erin; create role erin")
    host.call("cut_logins", ["carol"])
    rows = host.sql("select name, is_locked, is_cut, is_stale, note is null from cortex.sync_roles(false) "
                    "where name is null or name in ('alice', 'bob', 'carol', 'erin') order by 1", user="cortex_runner")
    assert [tuple(map(bool, row[1:])) for row in rows] == [
        (False, False, False, False), (True, False, False, False), (True, True, False, False),
        (True, False, True, False), (False, False, True, False)]
    assert [row[0] for row in rows] == ["alice", "bob", "carol", "erin", None]


# --- hostile and impossible names ---

@pytest.mark.parametrize("name", HOSTILE)
def test_awkward_name_is_one_role_of_exactly_that_name(host, name):
    before = {row[0] for row in host.roles()}
    logins(host, name)
    groups(host, "readers")
    grant(host, "readers", name)
    note(host, "readers", name)
    assert {row[0] for row in host.roles()} - before == {name, "readers"}
    assert host.members("readers") == {name}
    assert host.sql("select rolsuper from pg_roles where rolname = %s", name) == [(False,)]
    grant(host, "readers", name, call="revoke_members")
    host.call("cut_logins", [name])
    assert host.can_login(name) is False


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("create", [logins, groups])
def test_impossible_name_is_refused_and_nothing_is_truncated(host, name, create):
    before = host.roles()
    with pytest.raises((errors.InvalidName, errors.InsufficientPrivilege)):
        create(host, "good", name)
    assert host.roles() == before


# --- what is protected ---

@pytest.mark.parametrize("attribute", PROTECTED)
def test_role_with_power_is_not_touched_even_when_marked(host, attribute):
    host.sql(f"create role strong login {attribute}; grant cortex_managed to strong")
    groups(host, "readers")
    before = host.roles(), host.memberships()
    for attempt in (lambda: host.call("cut_logins", ["strong"]),
                    lambda: host.call("restore_logins", ["strong"]),
                    lambda: logins(host, "strong"),
                    lambda: grant(host, "readers", "strong")):
        with pytest.raises(errors.InsufficientPrivilege):
            attempt()
    assert (host.roles(), host.memberships()) == before


@pytest.mark.parametrize("attribute", PROTECTED)
def test_group_with_power_or_leading_to_it_is_not_granted(host, attribute):
    logins(host, "alice")
    host.sql(f"create role strong {attribute}; create role middle in role strong; "
             "create role upper in role middle; grant cortex_groups to strong, upper")
    for name in ("strong", "upper"):
        with pytest.raises(errors.InsufficientPrivilege):
            grant(host, name, "alice")
    assert host.members("strong") | host.members("upper") == set()


@pytest.mark.parametrize("role", ["pg_execute_server_program", "pg_write_server_files", "pg_read_server_files",
                                  "cortex_runner", "cortex_grantor"])
def test_group_that_leads_to_the_server_or_to_the_runner_is_not_granted(host, role):
    logins(host, "alice")
    groups(host, "readers")
    host.sql(f"grant {role} to readers")
    with pytest.raises(errors.InsufficientPrivilege):
        grant(host, "readers", "alice")


def test_group_with_a_reading_role_of_the_server_is_granted(host):
    logins(host, "alice")
    groups(host, "readers")
    host.sql("grant pg_read_all_stats to readers")
    assert grant(host, "readers", "alice") == 1


def test_owner_of_a_database_is_not_touched(host):
    logins(host, "alice")
    host.sql("create database t_owned owner alice")
    with pytest.raises(errors.InsufficientPrivilege):
        host.call("cut_logins", ["alice"])
    assert host.can_login("alice") is True


@pytest.mark.parametrize("name", ["postgres", "cortex_runner", "cortex_managed", "cortex_groups", "cortex_grantor",
                                  "pg_read_all_stats", "nobody_has_this_name"])
def test_built_in_and_missing_roles_are_refused(host, name):
    """A missing one by another state: somebody dropped it meanwhile, and another look helps."""
    groups(host, "readers")
    for attempt in (lambda: host.call("cut_logins", [name]),
                    lambda: grant(host, "readers", name), lambda: grant(host, name, name)):
        with pytest.raises(errors.UndefinedObject if name == "nobody_has_this_name" else errors.InsufficientPrivilege):
            attempt()


def test_role_that_is_not_marked_is_refused(host):
    host.sql("create role somebody login; create role some_group")
    logins(host, "alice")
    groups(host, "readers")
    before = host.roles(), host.memberships()
    for attempt in (lambda: host.call("cut_logins", ["somebody"]), lambda: logins(host, "somebody"),
                    lambda: groups(host, "some_group"), lambda: grant(host, "readers", "somebody"),
                    lambda: grant(host, "some_group", "alice"), lambda: note(host, "readers", "somebody")):
        with pytest.raises(errors.InsufficientPrivilege):
            attempt()
    assert (host.roles(), host.memberships()) == before


def test_indirect_member_of_the_marker_is_not_marked(host):
    host.sql("create role outer_role in role cortex_managed; create role inner_role login in role outer_role")
    with pytest.raises(errors.InsufficientPrivilege):
        host.call("cut_logins", ["inner_role"])


def test_one_bad_name_in_a_set_leaves_the_whole_set_alone(host):
    logins(host, "alice", "bob")
    host.sql("create role somebody login")
    with pytest.raises(errors.InsufficientPrivilege):
        host.call("cut_logins", ["alice", "somebody", "bob"])
    assert host.can_login("alice") and host.can_login("bob")


def test_kinds_are_not_mixed_up(host):
    logins(host, "alice")
    groups(host, "readers")
    for attempt in (lambda: host.call("cut_logins", ["readers"]), lambda: grant(host, "alice", "alice"),
                    lambda: groups(host, "alice"), lambda: logins(host, "readers")):
        with pytest.raises(errors.InsufficientPrivilege):
            attempt()
    with pytest.raises(errors.InvalidGrantOperation):  # a group may be in another one, not in itself
        grant(host, "readers", "readers")


# --- a DBA's grants ---

def test_membership_that_a_dba_gave_is_not_revoked(host):
    logins(host, "alice")
    groups(host, "readers")
    host.sql("grant readers to alice")
    before = host.memberships()
    with pytest.raises(errors.InsufficientPrivilege):
        grant(host, "readers", "alice", call="revoke_members")
    host.call("cut_logins", ["alice"])
    assert host.memberships() == before


def test_lists_that_begin_elsewhere_say_the_same_to_the_check_and_to_the_statement(host):
    """An array's first place may have any number: what was looked at was another membership than what was revoked."""
    logins(host, "alice")
    groups(host, "readers")
    grant(host, "readers", "alice")
    host.sql("create role dba_role; grant dba_role to alice")
    assert host.sql("select cortex.revoke_members('[0:1]={readers,dba_role}', '{alice}', '{1}', '{1}')",
                    user="cortex_runner") == [(1,)]
    assert host.members("readers") == set()
    assert ("dba_role", "alice", "postgres", False) in host.memberships()


def test_membership_in_a_foreign_role_survives_a_cut(host):
    logins(host, "alice")
    host.sql("create role dba_role; grant dba_role to alice with admin option")
    host.call("cut_logins", ["alice"])
    assert ("dba_role", "alice", "postgres", True) in host.memberships()


# --- who may call ---

def functions(host):
    return [row[0] for row in host.sql(
        "select p.oid::regprocedure::text from pg_proc p where pronamespace = 'cortex'::regnamespace")]


OWN = ("claim", "has_group", "whoami")  # what everybody may ask of their own session


def test_nobody_but_the_runner_may_execute_anything(host):
    logins(host, "alice")
    host.sql("create role other login createrole")
    for user in ("alice", "other", "cortex_managed", "cortex_groups", "cortex_grantor"):
        assert host.sql("select proname from pg_proc where pronamespace = 'cortex'::regnamespace "
                        "and has_function_privilege(%s, oid, 'execute') order by 1", user) == [(n,) for n in OWN]
    for user in ("alice", "other"):
        with pytest.raises(errors.InsufficientPrivilege):
            host.call("cut_logins", ["alice"], user=user)


def test_runner_has_the_calls_and_nothing_else(host):
    allowed = {row[0] for row in host.sql(
        "select proname from pg_proc where pronamespace = 'cortex'::regnamespace "
        "and has_function_privilege('cortex_runner', oid, 'execute')")}
    assert allowed == {"sync_roles", "sync_members", "sync_grants", "sync_begin", "hold_roles", "create_groups",
                       "create_logins", "cut_logins", "note_held", "sync_holders", "sync_circles", "restore_logins", "grant_members",
                       "revoke_members", "note_grants",
                       "forget_grants", "end_sessions", "sync_done", "rename_logins", "note_people", "adopt_logins",
                       "reap", "sessions_folder", "leaver_sessions", "settle_logins", "settle_own_grants", "sync_login_grants",
                       "sync_attributes", "change_attributes",
                       "sync_privileges", "change_privileges", "sync_leavers", "hold_leavers", "release_leavers",
                       "drop_leavers",
                       "report_lingering", "report_accounts", "report_reasons", *OWN}
    assert host.sql("select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolinherit "
                    "from pg_roles where rolname = 'cortex_runner'") == [(False,) * 6]
    for statement in ("create role x", "alter role cortex_managed login", "grant cortex_managed to cortex_runner",
                      "select * from cortex.role_data", "select * from cortex.grants",
                      "insert into cortex.run_data values (now(), '')", "create table cortex.t (n int)",
                      "select cortex.run_for('ALTER ROLE %s SUPERUSER', '{cortex_runner}')",
                      "select cortex.change_members('grant', '{postgres}', '{cortex_runner}', '{1}', '{1}')",
                      "select cortex.claim_grants()", "alter role cortex_managed set cortex.home = 'x'"):
        with pytest.raises(errors.InsufficientPrivilege):
            host.sql(statement, user="cortex_runner")


def test_only_roles_of_ours_are_renamed_and_only_to_free_names(host):
    host.sql("create role dba_one login; create role taken")
    host.call("create_logins", ["ren a", "ren b"], ["1", "2"], "", "corp")
    for old, new in ((["dba_one"], ["x1"]), (["ren a"], ["taken"]), (["ren a"], ["pg_x"]), (["ren a"], ["postgres"]),
                     (["ren a", "ren b"], ["x1", "x1"]), (["ren a"], []), (["cortex_grantor"], ["x1"])):
        with pytest.raises(psycopg.Error):
            host.call("rename_logins", old, new)
    host.sql("insert into cortex.login_grant values ('ren a', 'readers', 's', 'read', false)")
    assert host.call("rename_logins", ["ren a", "ren b"], ["ren b", "ren a"]) == 2
    assert host.sql("select name, subject from cortex.roles where name like 'ren %%' order by 1") == [
        ("ren a", "2"), ("ren b", "1")]
    assert host.sql("select member from cortex.login_grant") == [("ren b",)]
    host.sql("delete from cortex.login_grant")


def test_only_ordinary_login_roles_are_adopted_and_lose_their_password(host):
    host.sql("create role ad_plain login password 'x'; create role ad_super superuser login; create role ad_nologin; "
             "create role ad_createdb login createdb; create role ad_leads login; "
             "grant pg_execute_server_program to ad_leads; create role ad_group login; grant ad_group to ad_plain")
    for name in ("ad_super", "ad_nologin", "ad_createdb", "ad_leads", "ad_group", "postgres", "cortex_runner", "nobody"):
        with pytest.raises(psycopg.Error):
            host.call("adopt_logins", [name])
    assert host.call("adopt_logins", ["ad_plain"]) == 1
    assert host.sql("select rolpassword from pg_authid where rolname = 'ad_plain'") == [(None,)]


def test_nothing_is_writable_or_readable_by_others(host):
    host.sql("create role stranger login")
    relations = [row[0] for row in host.sql(
        "select oid::regclass::text from pg_class where relnamespace = 'cortex'::regnamespace and relkind in ('r','v','S')")]
    assert len(relations) >= 8
    for relation in relations:
        for right in ("select", "insert", "update", "delete", "truncate", "references", "trigger"):
            if relation.endswith("_seq") and right not in ("select", "update"):
                continue
            check = "has_sequence_privilege" if relation.endswith("_seq") else "has_table_privilege"
            for role in ("stranger", "cortex_runner"):
                assert host.sql(f"select {check}(%s, %s, %s)", role, relation, right) == [(False,)]


STATES = """
create role s_super superuser; create role s_creator createrole; create role s_bypass bypassrls login;
create role s_outer; create role s_middle; create role s_inner login; create role s_plain login; create role s_group;
create role s_both login; create role s_owner login; create role "s odd, ""name"" of sixty-three bytes, which is as many as fit....." login;
grant s_super to s_outer; grant s_outer to s_middle; grant s_middle to s_inner; grant pg_write_server_files to s_group;
grant cortex_runner to s_plain; grant cortex_managed to s_both, s_inner, "s odd, ""name"" of sixty-three bytes, which is as many as fit.....";
grant cortex_groups to s_both, s_group, s_outer; create role s_jit in role cortex_jit; grant s_bypass to s_owner;
create role s_fine in role cortex_groups; create role s_logs login in role cortex_groups; create role s_copies replication;
create role s_reads in role cortex_groups, pg_read_server_files; create role s_runs in role cortex_groups, pg_execute_server_program;
create role s_makes in role cortex_groups, s_creator; create role s_skips in role cortex_groups, s_bypass;
create role s_follows in role cortex_groups, s_copies;
create role "cortex_é s" login in role cortex_managed; create role "cortex` s" login in role cortex_managed;
"""


def test_one_role_is_judged_like_all_in_the_view(host):
    """One is looked up by the server's caches, many in the view: the same truth."""
    host.sql(STATES)
    host.sql("create database t_owned owner s_owner")
    try:
        assert host.sql("select name::text, kind from cortex.role_kind where name::text ~ '^cortex.* s$' order by name") == [
            ("cortex_é s", "!"), ("cortex` s", "l")]
        everyone = host.sql("select k.name::text, replace(k.kind::text, 'a', '-'), k.can_login from cortex.role_kind k order by 1")
        each = host.sql("select r.rolname::text, f.kind, f.can_login from pg_roles r, cortex.kind_of(r.rolname::text) f order by 1")
        assert each == everyone
        assert {kind for _, kind, _ in everyone} == {"!", "l", "g", "-"}
        for name in ("repeat('x', 63)", "'s odd'", "repeat('s_super', 10)", "null"):
            assert host.sql(f"select f.kind, f.can_login from cortex.kind_of({name}) f") == [(None, None)]
    finally:
        host.sql("drop database t_owned")
        for name in host.sql("select quote_ident(rolname) from pg_roles where rolname ~ '^(s[_ ]|cortex.* s$)'"):
            host.sql(f"drop role {name[0]}")


KINDS = """
select count(*) from cortex.role_kind k join cortex.role_state s on s.oid = k.oid
where replace(k.kind::text, 'a', '-') <> case when s.is_protected or s.is_login and s.is_group then '!' when s.is_login then 'l' when not s.is_group then '-'
  when s.leads_up or s.can_login then '!' else 'g' end
"""
UNDER = [
    "", "create role k_inner; grant cortex_groups to k_inner; grant k_plain to k_inner",
    "create role k_above superuser; create role k_mid; grant k_above to k_mid; grant k_mid to k_plain",
    "create role k_above; create role k_top createrole; grant k_above to k_plain; grant k_top to k_above",
    "create role k_above createrole; grant k_above to k_plain; create role k_inner; grant cortex_groups to k_inner; "
    "grant k_plain to k_inner",
    "grant pg_read_all_stats to k_plain", "grant pg_write_server_files to k_plain", "grant cortex_runner to cortex_groups",
    "create role k_above superuser; grant k_above to cortex_groups", "alter role cortex_groups createrole"]


@pytest.mark.parametrize("scene", UNDER)
def test_groups_that_lead_up_are_the_ones_that_the_whole_cluster_shows(host, scene):
    """From the groups up or from the powerful roles down: the same truth, whatever way it is asked."""
    host.sql("create role k_plain; create role k_other; grant cortex_groups to k_plain, k_other;" + scene)
    try:
        groups(host, *(f"k{number}" for number in range(40)))
        wanted = host.sql("select array_agg(case when not (s.leads_up or s.is_protected) then s.oid end order by s.name) "
                          "from cortex.role_state s where s.is_group")[0][0]
        assert host.sql(KINDS) == [(0,)]
        assert host.sql("select k.name from cortex.role_kind k, cortex.kind_of(k.name::text) f "
                        "where replace(k.kind::text, 'a', '-') <> f.kind::text") == []
        for more in (0, 3000):
            oids = host.sql("select cortex.kind_oids(array(select a.rolname::text from pg_authid a join cortex.role_state s "
                            "on s.oid = a.oid where s.is_group order by 1) || array_fill('nobody'::text, array[%s]), '{g}')",
                            more)[0][0]
            assert oids == wanted + more * [None]
    finally:
        host.sql("revoke cortex_runner from cortex_groups; alter role cortex_groups nocreaterole")
        for name in host.sql("select quote_ident(rolname) from pg_roles where rolname ~ '^k_'"):
            host.sql(f"drop role {name[0]}")


def test_every_function_is_definer_with_a_fixed_path(host):
    rows = host.sql("select proname, prosecdef, proconfig from pg_proc where pronamespace = 'cortex'::regnamespace")
    assert len(rows) > 20
    for name, definer, config in rows:
        assert definer, name
        assert "search_path=pg_catalog, pg_temp" in config, name


def test_what_each_first_login_runs_is_stored_in_its_row(host):
    """pg_proc keeps what is longer in its TOAST table, which the backend of a login would have to open."""
    names = ["login", "require_home", "kind_of", "require_names", "has_options", "change_login", "note_login"]
    sizes = dict(host.sql("select proname::text, pg_column_size(p.*) from pg_proc p "
                          "where pronamespace = 'cortex'::regnamespace and proname = any(%s)", names))
    assert sorted(sizes) == sorted(names)
    assert {name: size for name, size in sizes.items() if size > 2000} == {}


# --- attacks through the session ---

SHADOWS = """
create temp table pg_authid (oid oid, rolname name);
create temp table pg_auth_members (roleid oid, member oid, grantor oid, admin_option bool);
create temp table pg_database (oid oid, datdba oid, datname name);
create temp table role_data (name text, role oid);
create temp table role_state (name text, is_protected bool);
create domain pg_temp.oid as pg_catalog.int4;
create type pg_temp.text as (a int);
create function pg_temp.quote_ident(pg_catalog.text) returns pg_catalog.text language sql as 'select ''postgres''::pg_catalog.text';
create function pg_temp.unnest(pg_catalog.text[]) returns setof pg_catalog.text language sql as 'select ''postgres''::pg_catalog.text';
create function pg_temp.format(pg_catalog.text, variadic "any") returns pg_catalog.text language internal as 'text_format';
"""


def test_shadowing_objects_of_the_caller_are_not_used(host):
    host.sql("create schema evil; grant all on schema evil to cortex_runner")
    try:
        host.sql("create function evil.quote_ident(text) returns text language sql as 'select ''postgres''::text'; "
                 "create function evil.current_database() returns name language sql as 'select ''x''::name'; "
                 "create function evil.eq(name, text) returns bool language sql as 'select true'; "
                 "create operator evil.= (leftarg = name, rightarg = text, function = evil.eq)")
        groups(host, "readers")
        with host.session("cortex_runner") as session:
            for statement in filter(str.strip, SHADOWS.split(";\n")):
                try:
                    session.execute(statement)
                except errors.Error:
                    pass
            session.execute("set search_path = pg_temp, evil, pg_catalog")
            session.execute("select cortex.create_logins('{alice}', '{1}', '', 'corp')")
            session.execute("select cortex.grant_members('{readers}', '{alice}', '{1}', '{1}')")
            with pytest.raises(errors.InsufficientPrivilege):
                session.execute("select cortex.cut_logins('{postgres}')")
        assert host.members("readers") == {"alice"}
        assert host.can_login("postgres") is True
    finally:
        host.sql("drop schema evil cascade")


def test_caller_cannot_bend_the_calls_by_settings(host):
    groups(host, "readers")
    with host.session("cortex_runner") as session:
        for setting in ("standard_conforming_strings = off", "quote_all_identifiers = on",
                        "backslash_quote = on", "session_replication_role = replica",
                        "cortex.home = 'elsewhere'", "role = cortex_runner", "array_nulls = off"):
            try:
                session.execute("set " + setting)
            except errors.Error:
                pass
        session.execute("select cortex.create_logins(%s, '{1}', '', 'corp')", ([r"a\' b"],))
    assert host.can_login(r"a\' b") is True


def test_setting_of_the_session_does_not_move_the_home(host):
    host.sql("create database t_other")
    host.sql("create extension cortex", database="t_other")
    with host.session("cortex_runner", "t_other") as session:
        session.execute("set cortex.home = 't_other'")
        with pytest.raises(errors.ObjectNotInPrerequisiteState):
            session.execute("select cortex.create_logins('{alice}', '{1}', '', 'corp')")


def test_lock_held_by_a_user_does_not_stop_the_run(host):
    logins(host, "mallory")
    with host.session("mallory") as thief, host.session("cortex_runner") as runner:
        thief.execute("select pg_advisory_lock(17263, 1920230776)")
        seen = []
        runner.add_notice_handler(lambda diagnostic: seen.append(diagnostic.message_primary))
        assert runner.execute("select count(*) from cortex.sync_roles(true)").fetchone()[0] > 4
        assert "mallory" in seen[0]


def test_lock_held_by_another_run_stops_this_one(host):
    with host.session("cortex_runner") as first, host.session("cortex_runner") as second:
        first.execute("select count(*) from cortex.sync_roles(true)")
        with pytest.raises(errors.LockNotAvailable):
            second.execute("select count(*) from cortex.sync_roles(true)")
        assert second.execute("select count(*) from cortex.sync_roles(false)").fetchone()[0] > 4
        first.close()
        wait_until("the lock", lambda: can_lock(second))


def can_lock(session):
    try:
        session.execute("select count(*) from cortex.sync_roles(true)")
    except errors.LockNotAvailable:
        return False
    return True


# --- several databases ---

def test_second_database_sees_the_markers_but_changes_nothing(host):
    logins(host, "alice")
    host.sql("create database t_other")
    host.sql("create extension cortex", database="t_other")
    with pytest.raises(errors.ObjectNotInPrerequisiteState) as caught:
        host.call("cut_logins", ["alice"], database="t_other")
    assert HOME in caught.value.diag.message_detail
    assert host.can_login("alice") is True


def test_copy_of_the_home_database_changes_nothing(host):
    host.sql("create database t_copy template postgres", database="template1")
    with pytest.raises(errors.ObjectNotInPrerequisiteState):
        host.sql("select * from cortex.sync_roles(false)", user="cortex_runner", database="t_copy")


def test_home_moves_when_a_superuser_says_so(host):
    host.sql("create database t_other")
    host.sql("create extension cortex", database="t_other")
    host.sql("alter role cortex_managed set cortex.home = 't_other'")
    try:
        host.call("create_logins", ["alice"], ["1"], "", "corp", database="t_other")
        with pytest.raises(errors.ObjectNotInPrerequisiteState):
            host.call("cut_logins", ["alice"])
        host.call("cut_logins", ["alice"], database="t_other")
    finally:
        host.sql("alter role cortex_managed set cortex.home = 'postgres'")


# --- installing ---

@pytest.mark.parametrize("trap", [
    "alter role cortex_managed login", "alter role cortex_runner createrole",
    "alter role cortex_grantor superuser", "alter role cortex_runner password 'x'",
    "create role t_trap; grant cortex_managed to t_trap with admin option",
    "create role t_trap; grant cortex_runner to t_trap with admin option"])
def test_roles_prepared_by_somebody_else_are_not_accepted(host, trap):
    host.sql("create database t_second")
    host.sql(trap)
    try:
        with pytest.raises(errors.RaiseException):
            host.sql("create extension cortex", database="t_second")
    finally:
        host.sql("alter role cortex_managed nologin; alter role cortex_grantor nosuperuser; "
                 "alter role cortex_runner nocreaterole password null")


def test_schema_prepared_by_somebody_else_is_not_accepted(host):
    host.sql("create database t_second")
    host.sql("create role t_mallory; grant create on database t_second to t_mallory")
    host.sql("create schema cortex authorization t_mallory", database="t_second")
    with pytest.raises(errors.DuplicateSchema):
        host.sql("create extension cortex", database="t_second")
    host.sql("drop database t_second")


def test_owner_of_a_database_cannot_install_it(host):
    host.sql("create role t_owner login")
    host.sql("create database t_theirs owner t_owner")
    with pytest.raises(errors.InsufficientPrivilege):
        host.sql("create extension cortex", user="t_owner", database="t_theirs")


def test_dropping_the_extension_leaves_the_roles(host):
    host.sql("create database t_second")
    host.sql("create extension cortex; drop extension cortex; create extension cortex", database="t_second")
    assert host.can_login("cortex_runner") is True


# --- dump and restore ---

def dump(host, program, *arguments):
    command = [str(host.programs / program), "-h", str(host.postgres.sockets), "-p", str(host.postgres.port),
               "-U", "postgres", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def facts(host):
    """All that must survive: markers, memberships, notes; no oids."""
    return (host.memberships(), host.sql("select name, is_group, issuer, subject, source, first_seen, cut_at, can_login "
                                         "from cortex.roles order by 1"),
            host.sql("select * from cortex.grants order by 1, 2, 5"), host.sql("select cortex.home()"))


def test_whole_cluster_survives_dump_and_restore(host):
    logins(host, "alice", "bob", "cut one")
    groups(host, "readers", "writers")
    grant(host, "readers", "alice", "bob")
    grant(host, "writers", "cut one")
    note(host, "readers", "alice", "bob")
    host.call("cut_logins", ["cut one"])
    host.sql("create role dba_role; grant dba_role to alice")
    before = facts(host)
    text = dump(host, "pg_dumpall")
    other = RoleHost()
    try:
        other.sql("drop extension cortex; alter role cortex_managed reset all")
        for marker in ("cortex_managed", "cortex_groups", "cortex_grantor", "cortex_runner"):
            other.sql(f"drop role {marker}")
        # Roles made in between, so that oids differ.
        other.sql("create role t_first; create role t_second")
        subprocess.run([str(other.programs / "psql"), "-X", "-q", "-h", str(other.postgres.sockets), "-p",
                        str(other.postgres.port), "-U", "postgres", "-d", "postgres"], input=text,
                       check=True, capture_output=True, text=True)
        assert facts(other) == before
        other.call("sync_begin", True, [])
        assert other.sql("select count(*) from cortex.role_data d join pg_roles r on r.oid = d.role and r.rolname = d.name"
                         ) == [(5,)]
        other.call("restore_logins", ["cut one"])
        other.call("create_logins", ["new"], ["9"], "", "corp")
        assert other.can_login("cut one") and other.can_login("new")
    finally:
        other.close()


def test_dump_of_one_database_restores_in_another_cluster(host):
    logins(host, "alice")
    groups(host, "readers")
    grant(host, "readers", "alice")
    note(host, "readers", "alice")
    text = dump(host, "pg_dump", "-d", HOME)
    other = RoleHost()
    try:
        other.sql("create database t_restored")
        result = subprocess.run([str(other.programs / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h",
                                 str(other.postgres.sockets), "-p", str(other.postgres.port), "-U", "postgres", "-d",
                                 "t_restored"], input=text, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert other.can_login("alice") is None
        assert other.sql("select member, role from cortex.grants", database="t_restored") == [("alice", "readers")]
    finally:
        other.close()


def test_notes_of_roles_that_are_gone_are_forgotten(host):
    logins(host, "alice", "bob")
    groups(host, "readers")
    grant(host, "readers", "alice", "bob")
    note(host, "readers", "alice", "bob")
    host.sql("drop role alice")
    host.call("sync_begin", True, [])
    assert host.sql("select name from cortex.roles order by 1") == [("bob",), ("readers",)]
    assert host.sql("select member from cortex.grants") == [("bob",)]


def test_memberships_that_lost_their_grantor_in_an_upgrade_are_claimed(host):
    logins(host, "alice", "bob", "carol", "dave")
    groups(host, "readers")
    grant(host, "readers", "alice", "bob")
    note(host, "readers", "alice")
    note(host, "readers", "carol", "dave")
    host.sql("revoke readers from alice, bob granted by cortex_grantor; grant readers to alice, bob; "
             "grant readers to carol with admin option; set session authorization carol; grant readers to dave; "
             "reset session authorization")
    assert host.members("readers") == set()
    assert host.sql("select cortex.claim_grants()") == [(1,)]
    assert host.members("readers") == {"alice"}
    assert ("readers", "bob", "postgres", False) in host.memberships()
    assert {("readers", "carol", "postgres", True), ("readers", "dave", "carol", False)} <= set(host.memberships())


def test_nothing_of_the_server_s_or_cortex_s_own_schemas_is_granted(host):
    groups(host, "readers")
    assert host.sql("select verb, name from cortex.sync_privileges('{cortex,information_schema,pg_catalog}', '{}', '{readers}', "
                    "'{table}', '{SELECT}') where verb <> 'there' order by name") == [
        ("absent", "cortex"), ("absent", "information_schema"), ("absent", "pg_catalog")]


def test_upgrade_scripts_lead_to_the_same_objects(host):
    versions = [row[0] for row in host.sql("select version from pg_available_extension_versions where name = 'cortex'")]
    target = host.sql("select default_version from pg_available_extensions where name = 'cortex'")[0][0]
    assert target in versions
    found = {}
    for version in versions:
        host.sql("create database t_version")
        host.sql(f"create extension cortex version '{version}'", database="t_version")
        if version != target:
            host.sql("alter extension cortex update", database="t_version")
        found[version] = json.dumps(host.sql(
            "select p.oid::regprocedure::text, p.proacl::text, md5(p.prosrc), p.proconfig from pg_proc p "
            "where pronamespace = 'cortex'::regnamespace order by 1", database="t_version"))
        host.sql("drop database t_version")
    assert len(set(found.values())) == 1
