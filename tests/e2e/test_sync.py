"""cortex-sync: what it wants, changes, refuses and proves.

SPDX-License-Identifier: PostgreSQL
"""
import json
import random

import psycopg
import pytest

from harness import wait_until
from rolehost import quote
from synchost import ANALYTICS, service, uid


def crowd(count, *groups):
    return {f"p{number:03}": list(groups) for number in range(count)}


# --- what is wanted ---

def test_first_run_makes_roles_and_memberships(sync):
    sync.people({"alice": ["engineers"], "bob": ["engineers", "writers"], "eve": ["visitors"]})
    sync.apply()
    assert sync.host.members("analytics_read") == {"alice", "bob"}
    assert sync.host.members("analytics_write") == {"bob"}
    assert sync.host.can_login("alice") is True
    assert sync.host.can_login("analytics_admin") is False
    assert sync.host.can_login("eve") is None


def test_defaults_of_the_runner_change_nothing(sync):
    sync.host.sql("alter role cortex_runner set default_transaction_read_only = on; "
                  "alter role cortex_runner set default_transaction_isolation = 'serializable'; "
                  "alter role cortex_runner set standard_conforming_strings = off")
    try:
        sync.host.sql("create role pgadmin")
        sync.people({"alice": ["engineers"], "pgadmin": ["engineers"]})
        assert "rejected pgadmin - a role of this name exists" in sync.apply(check=4).stdout
        assert sync.host.members("analytics_read") == {"alice"}
    finally:
        sync.host.sql("alter role cortex_runner reset all")


def test_without_apply_nothing_changes(sync):
    sync.people({"alice": ["engineers"]})
    result = sync.run(check=0)
    assert "create   alice" in result.stdout
    assert "grant    analytics_read to alice  (analytics read, policy engineers-read)" in result.stdout
    assert sync.host.can_login("alice") is None
    assert sync.records() == []


def test_second_run_has_nothing_to_do(sync):
    sync.people({"alice": ["engineers"], "bob": ["writers"]})
    sync.apply()
    before = sync.host.roles(), sync.host.memberships()
    records = len(sync.records())
    assert sync.plan("--apply", check=0)["in_sync"] is True
    assert (sync.host.roles(), sync.host.memberships()) == before
    assert len(sync.records()) == records


def test_check_answers_by_exit_code(sync):
    sync.people({"alice": ["engineers"]})
    sync.run("--check", check=1)
    sync.apply()
    sync.run("--check", check=0)


def test_groups_in_groups_count(sync):
    sync.people({"alice": ["backend"]}, nesting={"backend": ["all-of-it"], "all-of-it": ["engineers"]})
    sync.apply()
    assert sync.host.members("analytics_read") == {"alice"}


def test_forbid_beats_permit(sync):
    sync.people({"alice": ["writers", "contractors"]})
    sync.apply()
    assert sync.host.can_login("alice") is None


def test_level_that_only_a_login_can_decide_makes_the_role_but_grants_nothing(sync):
    sync.people({"root1": ["admins"]})
    assert sync.plan("--apply", check=0)["conditional"] == 1
    assert sync.host.can_login("root1") is True
    assert sync.host.members("analytics_admin") == set()


def test_service_of_another_cluster_is_left_alone(sync):
    other = service("other", {"read": ["other_read"]}, host="db2")
    sync.services(ANALYTICS, other)
    sync.policy('permit (principal in Group::"engineers", action == Action::"read", resource);')
    sync.people({"alice": ["engineers"]})
    sync.run("--apply", check=2)
    sync.configure(more="cluster = db1:5432")
    sync.apply()
    assert sync.host.can_login("other_read") is None
    assert sync.host.members("analytics_read") == {"alice"}


def test_notes_say_service_level_policy_and_reason(sync):
    sync.people({"alice": ["engineers"]})
    sync.apply()
    assert sync.host.sql("select member, role, service, level, policy, reason from cortex.grants") == [
        ("alice", "analytics_read", "analytics", "read", "engineers-read", "engineers look at numbers")]


def test_reason_that_is_too_long_is_cut_between_two_characters(sync):
    sync.policy('@reason("' + "é" * 600 + '") permit (principal in Group::"engineers", action == Action::"read", resource);')
    sync.people({"alice": ["engineers"]})
    sync.apply()
    assert sync.host.sql("select reason from cortex.grants") == [("é" * 511,)]
    sync.run("--check", check=0)


def test_role_that_somebody_dropped_is_made_again_and_its_notes_are_of_the_new_one(sync):
    sync.people({"alice": ["engineers"], "bob": ["engineers"]})
    sync.apply()
    sync.host.sql("drop role alice; drop role analytics_read")
    sync.apply()
    assert sync.host.members("analytics_read") == {"alice", "bob"}
    sync.host.sql("drop role bob; create role bob login in role cortex_managed")
    sync.apply()
    assert sync.host.sql("select d.name from cortex.role_data d join pg_roles r on r.rolname = d.name and r.oid = d.role "
                         "order by 1") == [("alice",), ("analytics_admin",), ("analytics_read",), ("analytics_write",), ("bob",)]
    assert sync.host.sql("select member, role from cortex.grants order by 1") == [
        ("alice", "analytics_read"), ("bob", "analytics_read")]
    assert sync.plan()["in_sync"] is True


def test_one_of_two_reasons_goes_and_the_other_stays_noted(sync):
    grants = {"read": ["analytics_read"], "write": ["analytics_read"]}
    sync.services(service("analytics", grants))
    sync.people({"alice": ["engineers", "writers"]})
    sync.apply()
    said = "select member, role, level from cortex.grants order by 3"
    assert sync.host.sql(said) == [("alice", "analytics_read", "read"), ("alice", "analytics_read", "write")]
    sync.people({"alice": ["engineers"]})
    sync.apply()
    assert sync.host.sql(said) == [("alice", "analytics_read", "read")]


def test_another_policy_for_the_same_membership_changes_the_note_only(sync):
    sync.people({"alice": ["engineers"]})
    sync.apply()
    before = sync.host.memberships()
    sync.policy('@id("new-name") permit (principal in Group::"engineers", action == Action::"read", resource);')
    sync.run("--check", check=1)
    sync.apply()
    assert sync.host.sql("select policy from cortex.grants") == [("new-name",)]
    assert sync.host.memberships() == before


# --- leavers ---

def test_leaver_is_cut_and_the_session_ends(sync):
    sync.people({"alice": ["engineers"], **crowd(20, "engineers")})
    sync.apply()
    with sync.host.session("alice") as session:
        sync.people(crowd(20, "engineers"))
        sync.apply()
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    assert sync.host.can_login("alice") is False
    assert "alice" not in sync.host.members("analytics_read")
    ended = [record for record in sync.records() if record["event"] == "session_ended"]
    assert [record["role"] for record in ended] == ["alice"]


def test_who_loses_one_membership_loses_the_session_that_may_stand_in_it(sync):
    sync.people({"alice": ["engineers", "writers"], **crowd(20, "writers")})
    sync.apply()
    with sync.host.session("alice") as session, sync.host.session("p001") as other:
        session.execute("set role analytics_write")
        sync.people({"alice": ["engineers"], **crowd(20, "writers")})
        sync.apply()
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
        assert other.execute("select 1").fetchone() == (1,)
    assert sync.host.can_login("alice") is True


def test_who_comes_back_is_restored(sync):
    sync.people({"alice": ["engineers"], **crowd(20, "engineers")})
    sync.apply()
    sync.people(crowd(20, "engineers"))
    sync.apply()
    sync.people({"alice": ["engineers"], **crowd(20, "engineers")})
    sync.apply()
    assert sync.host.can_login("alice") is True
    assert "alice" in sync.host.members("analytics_read")


def test_role_that_a_dba_locked_stays_locked(sync):
    sync.people({"alice": ["engineers"]})
    sync.apply()
    sync.host.sql("alter role alice nologin")
    sync.run("--check", check=0)
    sync.apply()
    assert sync.host.can_login("alice") is False


# --- valves ---

def test_empty_directory_is_refused_and_the_override_works(sync):
    sync.people(crowd(8, "engineers"))
    sync.apply()
    sync.people({})
    result = sync.run("--apply", check=5)
    assert "--allow-removals=16" in result.stdout
    assert len(sync.host.members("analytics_read")) == 8
    sync.run("--apply", "--allow-removals=15", check=5)
    sync.apply("--allow-removals=16")
    assert sync.host.members("analytics_read") == set()


def test_empty_directory_is_refused_on_an_empty_cluster_too(sync):
    sync.run("--apply", check=5)
    sync.run("--check", check=5)


def test_group_of_three_that_becomes_empty_is_refused(sync):
    people = {**crowd(40, "engineers"), "w1": ["engineers", "writers"], "w2": ["engineers", "writers"],
              "w3": ["engineers", "writers"]}
    sync.people(people)
    sync.apply()
    sync.people({name: ["engineers"] for name in people})
    sync.run("--apply", check=5)
    assert sync.host.members("analytics_write") == {"w1", "w2", "w3"}
    sync.apply("--allow-removals=3")
    assert sync.host.members("analytics_write") == set()


def test_group_of_two_may_become_empty(sync):
    people = {**crowd(40, "engineers"), "w1": ["engineers", "writers"], "w2": ["engineers", "writers"]}
    sync.people(people)
    sync.apply()
    sync.people({name: ["engineers"] for name in people})
    sync.apply()
    assert sync.host.members("analytics_write") == set()


@pytest.mark.parametrize("leave, code", [(5, 0), (6, 5)])
def test_five_removals_pass_and_six_above_a_tenth_do_not(sync, leave, code):
    sync.people(crowd(20, "engineers"))
    sync.apply()
    sync.people(dict(list(crowd(20, "engineers").items())[leave:]))
    sync.run("--apply", check=code)


def test_six_removals_of_a_hundred_pass(sync):
    sync.people(crowd(100, "engineers"))
    sync.apply()
    sync.people(dict(list(crowd(100, "engineers").items())[6:]))
    sync.apply()


def test_policy_that_takes_everything_away_is_refused(sync):
    sync.people(crowd(20, "engineers"))
    sync.apply()
    sync.policy('permit (principal in Group::"nobody", action, resource);')
    sync.run("--apply", check=5)
    assert len(sync.host.members("analytics_read")) == 20


# --- names ---

HOSTILE = ['x" SUPERUSER; CREATE ROLE "pwned', "o'brien", 'o"brien', "a b", "semi;colon", "back\\slash",
           "comma,name", "{brace}", "ünïcode", "NULL", "%I", "n" * 63, "é" * 31]
BAD = ["", "n" * 64, "é" * 32, "pg_monitor", "postgres", "public", "none", "cortex_runner", "a/b", "tab\there",
       "line\nfeed", "nul\0byte", "del\x7f", "PUBLIC", "Postgres", "PG_x"]


def test_awkward_names_are_roles_of_exactly_that_name(sync):
    sync.people({name: ["engineers"] for name in HOSTILE})
    sync.apply()
    assert sync.host.members("analytics_read") == set(HOSTILE)
    assert sync.host.sql("select count(*) from pg_roles where rolsuper") == [(1,)]
    sync.run("--check", check=0)


def test_bad_names_cost_only_themselves(sync):
    before = {name for name, _ in sync.host.roles()}
    sync.people({"alice": ["engineers"], **{name: ["engineers"] for name in BAD}})
    result = json.loads(sync.apply("--json", check=4).stdout)
    assert len(result["rejected"]) == len(BAD)
    assert sync.host.members("analytics_read") == {"alice"}
    assert {name for name, _ in sync.host.roles()} - before == {
        "alice", "analytics_read", "analytics_write", "analytics_admin"}
    assert sync.plan("--apply", check=4)["in_sync"] is True


@pytest.mark.parametrize("group", ["", "tab\there", "nul\0byte"])
def test_impossible_group_costs_its_members_as_it_would_at_login(sync, group):
    sync.people({"alice": ["engineers", group], "bob": ["engineers"]})
    sync.apply(check=4)
    assert sync.host.members("analytics_read") == {"bob"}


def test_bad_group_role_costs_only_itself(sync):
    sync.services(service("analytics", {"read": ["analytics_read", "pg_monitor", "x" * 64]}))
    sync.people({"alice": ["engineers"]})
    sync.apply(check=4)
    assert sync.host.members("analytics_read") == {"alice"}


def test_person_whose_name_a_group_role_gets_keeps_their_role(sync):
    people = {"alice": ["engineers"], "bob": ["engineers"]}
    sync.people(people)
    sync.apply()
    before = sync.host.roles("alice"), sync.host.memberships()
    sync.services(service("analytics", {"read": ["analytics_read"], "write": ["alice"]}))
    said = sync.apply(check=4).stdout
    assert "rejected alice - a service grants a role of this name" in said and "left as it is" in said
    assert (sync.host.roles("alice"), sync.host.memberships()) == before
    del people["alice"]
    sync.people(people)
    assert "a person's role has this name" in sync.apply(check=4).stdout
    assert sync.host.can_login("alice") is False


def test_name_of_a_dba_s_role_is_not_taken_over(sync):
    sync.host.sql("create role alice login; create role analytics_write")
    before = sync.host.roles("alice"), sync.host.roles("analytics_write")
    sync.people({"alice": ["engineers"], "bob": ["engineers", "writers"]})
    result = json.loads(sync.apply("--json", check=4).stdout)
    assert {item["name"] for item in result["rejected"]} == {"alice", "analytics_write"}
    assert (sync.host.roles("alice"), sync.host.roles("analytics_write")) == before
    assert sync.host.members("analytics_read") == {"bob"}
    sync.host.sql("grant cortex_groups to analytics_write")
    sync.apply(check=4)
    assert sync.host.members("analytics_write") == {"bob"}


@pytest.mark.parametrize("role", ["login createdb", "nologin", "login; create role child in role alice",
                                  "login in role pg_execute_server_program", "login in role boss"])
def test_role_that_cannot_be_taken_over_costs_only_itself(sync, role):
    sync.host.sql(f"create role boss createrole; create role carl login password 'x'; create role alice {role}")
    sync.people({name: ["engineers"] for name in ("alice", "bob", "carl")})
    assert "rejected alice - a role of this name exists, is not managed by Cortex and cannot" in sync.apply(
        "--adopt", check=4).stdout
    assert sync.host.members("analytics_read") == {"bob", "carl"}


def test_managed_role_that_became_powerful_is_left_alone(sync):
    sync.people({"alice": ["engineers"], **crowd(30, "engineers")})
    sync.apply()
    sync.host.sql("alter role alice superuser")
    sync.people(crowd(30, "engineers"))
    before = sync.host.roles(), sync.host.memberships()
    assert "rejected alice - no directory names this person" in sync.apply(check=4).stdout
    assert (sync.host.roles(), sync.host.memberships()) == before
    sync.host.sql("alter role alice nosuperuser")
    sync.apply()
    assert sync.host.can_login("alice") is False
    assert "alice" not in sync.host.members("analytics_read")


@pytest.mark.parametrize("change", ["alter role analytics_read login", "alter role analytics_read createrole",
                                    "grant pg_execute_server_program to analytics_read"])
def test_group_that_became_powerful_keeps_who_should_be_in_it(sync, change):
    """And it keeps nobody from being cut."""
    sync.people({"alice": ["engineers"], "bob": ["engineers"], **crowd(30, "engineers")})
    sync.apply()
    sync.host.sql(change)
    sync.people({"alice": ["engineers"], "new": ["engineers"], **crowd(30, "engineers")})
    before = sync.host.sql("select count(*) from cortex.grants")
    assert "rejected analytics_read" in sync.apply(check=4).stdout
    assert sync.host.can_login("bob") is False
    assert sync.host.members("analytics_read") == {"alice", *crowd(30, "engineers")}
    assert sync.host.sql("select count(*) + 1 from cortex.grants") == before
    sync.host.sql("alter role analytics_read nologin nocreaterole; revoke pg_execute_server_program from analytics_read")
    sync.apply()
    assert sync.host.members("analytics_read") == {"alice", "new", *crowd(30, "engineers")}


def test_leaver_who_owns_a_database_is_told_of_until_it_is_somebody_else_s(sync):
    sync.people({"alice": ["engineers"], **crowd(30, "engineers")})
    sync.apply()
    sync.host.sql("create database hers owner alice")
    try:
        sync.people(crowd(30, "engineers"))
        assert "rejected alice - no directory names this person" in sync.apply(check=4).stdout
        assert sync.host.can_login("alice") is True
        sync.host.sql("alter database hers owner to postgres")
        sync.apply()
        assert sync.host.can_login("alice") is False
    finally:
        sync.host.sql("drop database hers")


# --- a DBA's own ---

def test_membership_that_a_dba_gave_is_enough_and_stays(sync):
    sync.people({"alice": ["engineers"], **crowd(30, "engineers")})
    sync.people({**crowd(30, "engineers"), "alice": ["writers"]})
    sync.apply()
    sync.host.sql("grant analytics_read to alice")
    sync.people({**crowd(30, "engineers"), "alice": ["engineers"]})
    sync.apply()
    assert ("analytics_read", "alice", "postgres", False) in sync.host.memberships()
    assert "alice" not in sync.host.members("analytics_read")
    sync.run("--check", check=0)
    sync.people(crowd(30, "engineers"))
    sync.apply()
    assert ("analytics_read", "alice", "postgres", False) in sync.host.memberships()


def test_group_that_is_a_member_of_a_person_costs_only_that_person(sync):
    """By an administrator's grant, or by the person's own before PostgreSQL 15: the server refuses the circle."""
    sync.people({"alice": ["engineers"], "carol": ["writers"]})
    sync.apply()
    sync.host.sql("create role team; grant alice to team; grant team to analytics_write")
    try:
        sync.people({"alice": ["engineers", "writers"], "bob": ["writers"], "dave": ["engineers"]})
        done = sync.apply(check=4)
        assert "rejected alice - a group role that it should be in is a member of it" in done.stdout
        assert "REVOKE alice FROM team" in done.stdout and "memberships would go in a circle" in done.stderr
        assert sync.host.members("analytics_read") == {"alice", "dave"}
        assert sync.host.members("analytics_write") == {"bob"}
        assert sync.host.can_login("carol") is False
        sync.host.sql("revoke alice from team")
        sync.apply()
        assert sync.host.members("analytics_write") == {"alice", "bob"}
    finally:
        sync.host.sql("drop role team")


def test_option_that_somebody_changed_is_repaired(sync):
    sync.people({"alice": ["engineers"]})
    sync.apply()
    sync.host.sql("update pg_auth_members set admin_option = true where member = 'alice'::regrole "
                  "and roleid = 'analytics_read'::regrole")
    sync.run("--check", check=1)
    sync.apply()
    assert ("analytics_read", "alice", "cortex_grantor", False) in sync.host.memberships()


def dba_view(host):
    """Everything of the cluster that is not Cortex's."""
    managed = {member for role, member, _, _ in host.memberships() if role in ("cortex_managed", "cortex_groups")}
    return ([row for row in host.roles() if row[0] not in managed],
            {edge for edge in host.memberships() if edge[2] != "cortex_grantor"
             and edge[0] not in ("cortex_managed", "cortex_groups") and edge[1] != "cortex_grantor"},
            host.sql("select rolname, setconfig from pg_db_role_setting s join pg_roles r on r.oid = setrole "
                     "order by 1"),
            host.sql("select relname, relacl::text from pg_class where relname like 'dba%%' order by 1"),
            host.sql("select datname, datacl::text from pg_database order by 1"))


def make_dba_things(host):
    host.sql("create role dba1 login createdb; create role dba2; create role dba3 login superuser; "
             "grant dba2 to dba1 with admin option; grant pg_read_all_stats to dba2; "
             "alter role dba1 set work_mem = '8MB'; create table dba_table (n int); "
             "grant select on dba_table to dba2, public")


def meddle(host, rnd, people):
    """A DBA's day: grants of his own, to his roles and to ours."""
    managed = [member for role, member, _, _ in host.memberships() if role == "cortex_managed"]
    if managed and rnd.random() < 0.5:
        host.sql(f"grant dba2 to {quote(rnd.choice(sorted(managed)))}")
    if managed and rnd.random() < 0.3:
        host.sql(f"grant analytics_read to {quote(rnd.choice(sorted(managed)))}")
    if rnd.random() < 0.3:
        host.sql("grant analytics_read to dba1")
    if managed and rnd.random() < 0.2:
        host.sql(f"grant select on dba_table to {quote(rnd.choice(sorted(managed)))}")
    if rnd.random() < 0.1:
        name = f"dba_new{rnd.randrange(1000)}"
        if host.can_login(name) is None:
            host.sql(f"create role {name}")


def test_random_runs_leave_a_dba_s_things_alone_and_converge(sync):
    rnd = random.Random(20261123)
    make_dba_things(sync.host)
    sync.people({"p0": ["engineers"]})
    sync.apply()
    groups = ["engineers", "writers", "admins", "contractors", "visitors"]
    names = [f"p{number}" for number in range(12)] + HOSTILE[:6] + BAD[:5] + ["dba1", "dba2"]
    for _ in range(100):
        people = {name: rnd.sample(groups, rnd.randrange(1, 4)) for name in rnd.sample(names, rnd.randrange(1, 15))}
        meddle(sync.host, rnd, people)
        before = dba_view(sync.host)
        sync.people(people)
        result = sync.run("--apply", "--quiet", "--allow-removals=1000")
        assert result.returncode in (0, 4), (result.returncode, result.stdout, result.stderr)
        assert dba_view(sync.host) == before
        again = json.loads(sync.run("--check", "--json", "--allow-removals=1000").stdout)
        assert again["in_sync"] is True, again


# --- the trail ---

def test_one_record_for_each_change(sync):
    sync.people({"alice": ["engineers"], "bob": ["engineers", "writers"]})
    sync.apply()
    seen = [(r["event"], r["role"], r.get("grant")) for r in sync.records()]
    assert sorted(seen, key=str) == sorted([
        ("role_created", "analytics_read", None), ("role_created", "analytics_write", None),
        ("role_created", "analytics_admin", None), ("role_created", "alice", None), ("role_created", "bob", None),
        ("granted", "alice", "analytics_read"), ("granted", "bob", "analytics_read"),
        ("granted", "bob", "analytics_write")], key=str)
    granted = next(r for r in sync.records() if r["event"] == "granted" and r["role"] == "alice")
    assert granted["service"] == "analytics"
    assert granted["levels"] == ["read"]
    assert granted["policies"] == ["engineers-read"]
    assert len({r["reference"] for r in sync.records()}) == 1


def test_what_cannot_be_recorded_is_not_done(sync):
    sync.people({"alice": ["engineers"]})
    sync.configure(audit="/nonexistent/audit.jsonl")
    sync.run("--apply", check=3)
    assert sync.host.can_login("alice") is None
    sync.configure(audit="/nonexistent/audit.jsonl", required="no")
    sync.apply()
    assert sync.host.can_login("alice") is True


# --- faults ---

@pytest.mark.parametrize("text", ["", "{", "[{}]", '[{"uid":{"type":"User","id":"x"}}', "\xff",
                                  '{"a":1}', '[{"uid":{"type":"User"},"attrs":{},"parents":[]}]', "[,]", "[]]",
                                  '[{"uid":{"type":"User","id":"a"},"attrs":{},"parents":[]},]', '["]"]', '["', "[]x"])
def test_broken_directory_changes_nothing(sync, text):
    sync.people(crowd(8, "engineers"))
    sync.apply()
    before = sync.host.memberships()
    (sync.folder / "people.json").write_text(text, encoding="latin-1")
    sync.run("--apply", "--allow-removals=100", check=2)
    assert sync.host.memberships() == before


def test_cycle_of_groups_changes_nothing(sync):
    sync.people({"alice": ["a"]}, nesting={"a": ["b"], "b": ["a"]})
    sync.run("--apply", check=2)


def test_missing_and_untrusted_directory_changes_nothing(sync):
    sync.people({"alice": ["engineers"]})
    (sync.folder / "people.json").chmod(0o666)
    sync.run("--apply", check=2)
    (sync.folder / "people.json").unlink()
    sync.run("--apply", check=2)
    assert sync.host.can_login("alice") is None


def test_person_named_twice_is_one_when_it_is_the_same_and_an_error_else(sync):
    entity = {"uid": uid("User", "alice"), "attrs": {}, "parents": [uid("Group", "engineers")]}
    (sync.folder / "people.json").write_text(json.dumps([entity, entity]))
    sync.apply()
    (sync.folder / "people.json").write_text(json.dumps([entity, {**entity, "parents": []}]))
    sync.run("--apply", check=2)


def test_somebody_of_another_s_subject_gets_a_role_of_their_own(sync):
    def people(**subjects):
        (sync.folder / "people.json").write_text(json.dumps([
            {"uid": uid("User", name), "attrs": {"subject": subject}, "parents": [uid("Group", "engineers")]}
            for name, subject in subjects.items()]))
        sync.apply()
        return dict(sync.host.sql("select rolname, oid from pg_roles where rolname in ('alice', 'bob', 'carl')"))
    alice = people(alice="s1")["alice"]
    roles = people(alice="s1", bob="s1")
    assert roles["alice"] == alice and roles["bob"] != alice
    assert people(carl="s1", bob="s1") == {"bob": roles["bob"], "carl": alice}


def test_long_file_is_one_directory(sync):
    people = crowd(700, "engineers")
    sync.people({**people, "last": ["backend"]}, nesting={"backend": ["engineers"]})
    sync.apply()
    assert len(sync.host.members("analytics_read")) == 701
    text = (sync.folder / "people.json").read_text()
    first = text[1:text.index("}, {") + 1]
    (sync.folder / "people.json").write_text(text[:-1] + ", " + first + "]")
    sync.run("--check", check=0)
    (sync.folder / "people.json").write_text(text[:-1] + ", " + first.replace("engineers", "writers") + "]")
    assert "is there twice" in sync.run("--check", check=2).stderr
    (sync.folder / "people.json").write_text(text[:-1] + ",\n\n{}]")
    assert "people.json:3:" in sync.run("--check", check=2).stderr


def test_database_down_is_exit_3(sync):
    sync.people({"alice": ["engineers"]})
    sync.configure(user="nobody_of_this_name")
    result = sync.run("--apply", check=3)
    assert "database:" in result.stderr


def test_database_that_is_not_the_home_says_what_to_do(sync):
    sync.host.sql("create database other")
    conf = sync.folder / "cortex.conf"
    conf.write_text(conf.read_text().replace("dbname='postgres'", "dbname='other'"))
    try:
        assert "is the extension there" in sync.run("--apply", check=3).stderr
        sync.host.sql("create extension cortex", database="other")
        assert "The home is postgres. - Connect there, or let a superuser move it: ALTER ROLE" in sync.run(
            "--apply", check=3).stderr
    finally:
        sync.host.sql("drop database other")


def test_user_without_rights_is_exit_3_and_nothing_changes(sync):
    sync.host.sql("create role plain login")
    sync.people({"alice": ["engineers"]})
    sync.configure(user="plain")
    sync.run("--apply", check=3)
    assert sync.host.can_login("alice") is None


def test_right_lost_half_way_changes_nothing(sync):
    sync.host.sql("revoke execute on function cortex.grant_members(text[], text[], integer[], integer[]) "
                  "from cortex_runner")
    try:
        sync.people({"alice": ["engineers"]})
        sync.run("--apply", check=3)
        assert sync.host.can_login("alice") is None
        assert sync.records() == []
    finally:
        sync.host.sql("grant execute on function cortex.grant_members(text[], text[], integer[], integer[]) "
                      "to cortex_runner")


def test_second_run_meanwhile_is_exit_6_and_waits_when_told(sync):
    sync.people({"alice": ["engineers"]})
    with sync.host.session("cortex_runner") as other:
        other.execute("select count(*) from cortex.sync_roles(true)")
        sync.run("--apply", check=6)
        sync.run("--check", check=1)
    sync.apply("--wait")


@pytest.mark.parametrize("how, said", [("raise exception 'late'", "late"),
                                       ("perform pg_terminate_backend(pg_backend_pid())", "terminating connection")])
def test_failed_commit_is_recorded_as_undone(sync, how, said):
    sync.host.sql("create table public.late (n int primary key deferrable initially deferred); "
                  f"create function public.fail() returns trigger language plpgsql as $$ begin {how}; return null; end $$; "
                  "create constraint trigger t after insert or update on cortex.run_data deferrable initially deferred "
                  "for each row execute function public.fail()")
    try:
        sync.people({"alice": ["engineers"]})
        assert said in sync.run("--apply", check=3).stderr
        assert sync.host.can_login("alice") is None
        assert sync.records()[-1]["event"] == "sync_undone" and "changes to roles" in sync.records()[-1]["detail"]
        assert sync.records()[-1]["reference"] == sync.records()[0]["reference"]
    finally:
        sync.host.sql("drop trigger t on cortex.run_data; drop function public.fail(); drop table public.late")


@pytest.mark.parametrize("arguments", [["--apply", "--check"], ["--allow-removals=-1"], ["--allow-removals=x"],
                                       ["--nonsense"], ["operand"]])
def test_wrong_usage_is_exit_2(sync, arguments):
    sync.run(*arguments, check=2)


def test_missing_conninfo_is_exit_2(sync):
    conf = sync.folder / "cortex.conf"
    lines = [line for line in conf.read_text().splitlines() if not line.startswith("conninfo")]
    conf.write_text("\n".join(lines) + "\n")
    sync.run(check=2)


def test_idle_run_sends_at_most_four_statements(sync):
    sync.people(crowd(5, "engineers"))
    sync.apply()
    sync.host.sql("alter system set log_statement = 'all'")
    sync.host.postgres.reload()
    try:
        mark = sync.host.postgres.log_mark()
        sync.apply()
        log = wait_until("the log", lambda: sync.host.postgres.log_since(mark))
        statements = [line for line in log.splitlines() if "execute" in line or "statement:" in line]
        assert 1 <= len(statements) <= 4, statements
    finally:
        sync.host.sql("alter system reset log_statement")
        sync.host.postgres.reload()
