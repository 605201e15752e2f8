"""Sessions: who they are in SQL, roles made just in time, and sessions that end.

SPDX-License-Identifier: PostgreSQL
"""
import fcntl
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import threading
import time
from contextlib import ExitStack
from datetime import datetime

import psycopg
import pytest

from harness import DATABASES, PRODUCTION, STAGING, wait_until
from sessionhost import CORTEX_SYNC, GROUPS, POLICY, WHOAMI, is_ended, one

# --- who the session is ---

def test_a_session_knows_who_it_is(host):
    with host.connect(groups=("engineers", 'with "quotes"'), department="Zürich", address={"city": "Bern", "street": "Gasse"},
                      **{"address.street": "by its name"}) as alice:
        issuer, subject, username, groups, service, levels, until = alice.execute(
            "select (i).* from cortex.whoami() i").fetchone()
        assert (issuer, subject, username) == ("https://dev.cortex.invalid", "alice", "alice")
        assert groups == ["engineers", 'with "quotes"']
        assert (service, levels) == (STAGING, ["read"])
        assert 0 < until.timestamp() - time.time() < 12 * 3600
        assert one(alice, "select cortex.claim('department')") == "Zürich"
        assert one(alice, "select cortex.claim('address.city')") == "Bern"
        assert one(alice, "select cortex.claim('address.street')") == "by its name"
        for name in ("none", "address.none", "", "."):
            assert one(alice, "select cortex.claim(%s)", name) is None
        assert one(alice, "select cortex.has_group('engineers')") is True
        assert one(alice, "select cortex.has_group('admins')") is False


def test_the_record_and_the_server_agree_on_pid_and_start(host):
    with host.connect() as alice:
        started = one(alice, "select (extract(epoch from backend_start) * 1000000)::bigint from pg_stat_activity "
                             "where pid = pg_backend_pid()")
        record = host.cortex.records()[-1]
        assert record["pid"] == alice.info.backend_pid
        assert host.stamp(alice).read_text(encoding="ascii").split()[2:4] == [str(alice.info.backend_pid), str(started)]


def test_other_sessions_are_nobody(host):
    info = host.postgres.conninfo("stranger", DATABASES[STAGING], tls=False)
    with psycopg.connect(**info, autocommit=True) as stranger:
        for call in ("whoami()", "claim('sub')", "has_group('engineers')"):
            assert one(stranger, f"select cortex.{call}") is None
    assert host.sql(WHOAMI) == ""


ATTACKS = {
    "set role": "set role analytics_read",
    "application name": "set application_name = 'eve'",
    "search path": "set search_path = evil, pg_catalog",
    "settings": "select set_config('cortex.username', 'eve', false), set_config('session.pid', '1', false)",
    "temporary tables": "create temp table option as select 'sessions'::text as name, '/tmp'::text as value; "
                        "create temp table pg_stat_activity as select 1 as pid",
    "functions of one's own": "create schema evil; "
                              "create function evil.pg_backend_pid() returns int language sql as 'select 1'; "
                              "create function evil.pg_read_binary_file(text, bigint, bigint, boolean) returns bytea "
                              "language sql as $$ select 'cortex 1'::bytea $$; set search_path = evil, pg_catalog",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_session_stays_who_it_is(host, attack):
    host.sql("grant create, temporary on database analytics_staging to public", DATABASES[STAGING])
    with host.connect() as alice:
        alice.execute(ATTACKS[attack])
        assert one(alice, WHOAMI) == "alice"
        assert one(alice, "select cortex.has_group('engineers')") is True
    host.sql("drop schema if exists evil cascade", DATABASES[STAGING])


def test_set_session_authorization_leads_to_nobody(host):
    host.sql("create role root login superuser; create role eve login")
    try:
        with host.connect() as alice:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                alice.execute("set session authorization eve")
            assert one(alice, WHOAMI) == "alice"
        assert host.sql("set session authorization eve; " + WHOAMI).splitlines()[-1:] in ([], [""])
    finally:
        host.sql("drop role root; drop role eve")


def test_what_is_behind_the_calls_is_not_for_users(host):
    with host.connect() as alice:
        for call in ("select cortex.own_path()", "select cortex.own_head()", "select cortex.stamp_head(1, now())",
                     "select cortex.read_stamp('/etc/passwd', '', 'alice')", "select * from cortex.sessions",
                     "select * from cortex.read_sessions()", "select * from cortex.option",
                     "select cortex.reap('{1}', '{1}')", "select * from cortex.settle_logins()",
                     "select cortex.login('eve', '', '', '', '{}', '{}', '{}', '{}')",
                     "select * from cortex.login_grant", "select * from cortex.live_stamps()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                alice.execute(call)


@pytest.mark.parametrize("change", [
    lambda text: text.replace("cortex 1 ", "cortex 1 1", 1),
    lambda text: " ".join([*text.split(" ", 3)[:3], "1" + text.split(" ", 3)[3]]),
    lambda text: text.replace("\n", "0\n", 1),
    lambda text: text.replace('"role":"alice"', '"role":"eve"'),
    lambda text: "",
    lambda text: "garbage",
], ids=["pid", "backend start", "postmaster", "role", "empty", "garbage"])
def test_a_stamp_of_another_session_speaks_for_nobody(host, change):
    with host.connect() as alice:
        host.edit_stamp(alice, change)
        assert one(alice, WHOAMI) is None
        assert one(alice, "select cortex.has_group('engineers')") is None


def test_a_pid_that_is_used_again_is_not_the_person_before(host):
    """The stamp of an ended session under the pid of one that came in by trust."""
    with host.connect() as alice:
        left = host.stamp(alice).read_text(encoding="ascii")
    info = host.postgres.conninfo("stranger", DATABASES[STAGING], tls=False)
    with psycopg.connect(**info, autocommit=True) as stranger:
        pid = stranger.info.backend_pid
        words = left.split(" ")
        path = host.cortex.state / "sessions" / str(pid)
        path.write_text(" ".join([*words[:2], str(pid), *words[3:]]).replace('"role":"alice"', '"role":"stranger"'),
                        encoding="ascii")
        path.chmod(0o644)
        assert one(stranger, WHOAMI) is None
        path.unlink()


def test_row_level_security_by_claim(host):
    host.sql("create table if not exists notes (department text, note text); alter table notes enable row level security; "
             "truncate notes; insert into notes values ('a', 'x'), ('b', 'y'); drop policy if exists own on notes; "
             "create policy own on notes using (department = (select cortex.claim('department'))); "
             "grant select on notes to public", DATABASES[STAGING])
    with host.connect(department="a") as alice:
        assert alice.execute("select note from notes").fetchall() == [("x",)]
        alice.execute("set role analytics_read")
        assert alice.execute("select note from notes").fetchall() == [("x",)]
    with host.connect() as alice:
        assert alice.execute("select note from notes").fetchall() == []


def test_a_column_s_default_names_the_person(host):
    host.sql("create table if not exists log (who text default (cortex.whoami()).username, what text); "
             "grant insert, select on log to public", DATABASES[STAGING])
    with host.connect() as alice:
        assert one(alice, "insert into log (what) values ('x') returning who") == "alice"


def test_a_long_stamp_is_read_whole(host):
    with host.connect(note="x" * 20000) as alice:
        assert one(alice, "select length(cortex.claim('note'))") == 20000
        assert one(alice, WHOAMI) == "alice"


def test_what_cannot_change_is_asked_once_in_a_session(host):
    """The folder and the start of the backend; another folder is for those that begin later."""
    with host.connect() as alice:
        assert one(alice, WHOAMI) == "alice"
        host.sql("update cortex.option set value = '/nonexistent'", DATABASES[STAGING])
        assert one(alice, WHOAMI) == "alice"
        with host.connect("bob") as bob:
            assert one(bob, WHOAMI) is None


def test_a_name_that_the_database_cannot_write_stops_nobody(host):
    """A group with a letter that LATIN1 does not have, in a token that anybody may have got."""
    host.sql("create database latin template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'")
    host.sql("create extension cortex; insert into cortex.option values ('sessions', "
             f"'{host.cortex.state / 'sessions'}')", "latin")
    try:
        with host.connect(groups=("engineers", "\u00fc\u017d\\u017d\U0001f600"), department="\u017d"), host.connect("bob"):
            assert host.sql("select count(*) from cortex.live_stamps()", "latin") == "2"
            assert host.sql("select usename from cortex.sessions where 'engineers' = any (groups) order by 1", "latin") == "alice\nbob"
            assert host.sql("select right(groups[2], -1) from cortex.sessions where usename = 'alice'", "latin") == "?\\u017d??"
    finally:
        host.sql("drop database latin")


def test_a_view_shows_the_people_behind_sessions(host):
    with host.connect() as alice:
        row = host.sql("select username, service, pid, datname, usename from cortex.sessions")
        assert row == f"alice|{STAGING}|{alice.info.backend_pid}|{DATABASES[STAGING]}|alice"


def test_parallel_workers_do_not_ask(host):
    with host.connect() as alice:
        alice.execute("set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0; "
                      "set force_parallel_mode = on" if alice.info.server_version < 160000 else
                      "set debug_parallel_query = on")
        assert one(alice, "select count(*) from pg_class where cortex.has_group('engineers')") > 0


# --- roles just in time ---

def test_a_first_login_makes_the_role(host):
    assert not host.exists("alice")
    mark = host.postgres.log_mark()
    host.login().assert_allowed("1")
    assert "password file" not in host.postgres.log_since(mark), "libpq writes into the server's log"
    assert host.exists("alice")
    assert host.members("alice") == {"analytics_read"}
    assert host.sql("select rolpassword is null from pg_authid where rolname = 'alice'") == "t"
    assert host.sql("select issuer, subject, source from cortex.roles where name = 'alice'") \
        == "https://dev.cortex.invalid|alice|login"


def inner_logins(host, mark):
    return host.postgres.log_since(mark).count("connection authorized: user=cortex_jit")


def test_a_role_of_two_levels_is_granted_and_noted_for_both(host):
    host.services({**GROUPS, "write": GROUPS["read"]}, GROUPS)
    mark = host.postgres.log_mark()
    host.login(mfa=True).assert_allowed("1")
    assert host.members("alice") == {"analytics_read"}
    assert host.sql("select level from cortex.login_grant where member = 'alice' order by 1") == "read\nwrite"
    assert not host.postgres.log_contains("already a member", mark)


def test_a_level_that_gave_what_another_gives_is_not_noted_any_more(host):
    host.services({**GROUPS, "admin": GROUPS["write"]}, GROUPS)
    host.login(groups=("engineers", "admins"), mfa=True).assert_allowed("1")
    host.login(mfa=True).assert_allowed("1")
    assert host.sql("select level from cortex.login_grant where member = 'alice' order by 1") == "read\nwrite"


def test_a_role_that_somebody_dropped_is_made_anew_with_what_it_gets_now(host):
    """What the first one had been given says nothing of the second."""
    host.login(service=PRODUCTION).assert_allowed("1")
    host.login(service=STAGING).assert_allowed("1")
    host.sql("drop role alice")
    host.forget_notes()
    host.login(service=STAGING).assert_allowed("1")
    assert host.members("alice") == {"analytics_read"}
    assert host.sql("select service from cortex.login_grant where member = 'alice'") == STAGING


def test_a_role_that_somebody_dropped_is_made_anew_after_the_next_round(host):
    """A login notes for five minutes that the role is there; PostgreSQL refuses it, which the login cannot see."""
    host.login().assert_allowed("1")
    host.login("bob").assert_allowed("1")
    host.sql("drop role alice")
    refused = host.login()
    assert not refused.refused_line and 'role "alice" does not exist' in refused.log
    wait_until("the process to end", lambda: host.reap() == "" and not any(
        path.name.isdigit() for path in (host.cortex.state / "sessions").iterdir()))
    host.login().assert_allowed("1")
    assert len(list((host.cortex.state / "sessions").glob("ready-*"))) == 2


def test_a_repeat_login_makes_no_connection(host):
    host.login().assert_allowed("1")
    mark = host.postgres.log_mark()
    host.login().assert_allowed("1")
    host.login().assert_allowed("1")
    assert inner_logins(host, mark) == 0
    host.login(groups=("engineers", "admins"), mfa=True).assert_allowed("1")
    assert inner_logins(host, mark) == 1


def test_a_note_that_cannot_be_written_refuses_nobody(host):
    """Another login of the role may be in the way."""
    host.login().assert_allowed("1")
    (note,) = (host.cortex.state / "sessions").glob("ready-*")
    note.unlink()
    (note.parent / f".{note.name}.new").mkdir()
    host.login().assert_allowed("1")
    assert not note.exists()


def test_a_note_grants_nothing(host):
    """A role that was dropped, or locked by a DBA, stays so."""
    host.login().assert_allowed("1")
    host.sql("alter role alice nologin")
    assert "is not permitted to log in" in host.login().result.stderr
    host.forget_notes()
    host.login().assert_refused("role_unavailable")
    assert not host.exists("alice")


@pytest.mark.parametrize("age, asks", [(240, 0), (301, 1), (-60, 1)])
def test_a_note_is_believed_for_five_minutes(host, age, asks):
    """Nor is one from far ahead, which says that a clock was set."""
    host.login().assert_allowed("1")
    (note,) = (host.cortex.state / "sessions").glob("ready-*")
    os.utime(note, (time.time() - age, time.time() - age))
    mark = host.postgres.log_mark()
    host.login().assert_allowed("1")
    assert inner_logins(host, mark) == asks


@pytest.fixture(params=["plain", "serializable and read only"])
def defaults(host, request):
    """What a DBA may make the default of transactions; the roles have no say in it."""
    names = ("cortex_jit", "cortex_runner")
    if request.param != "plain":
        for name in names:
            host.sql(f"alter role {name} set default_transaction_isolation = 'serializable'; "
                     f"alter role {name} set default_transaction_read_only = on; "
                     f"alter role {name} set standard_conforming_strings = off")
    yield
    for name in names:
        host.sql(f"alter role {name} reset all")


@pytest.mark.usefixtures("defaults")
def test_six_first_logins_at_once(host):
    token, done = host.token(), []
    threads = [threading.Thread(target=lambda: done.append(host.postgres.psql(
        "alice", DATABASES[STAGING], "select 1", token).returncode)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [0] * 6, host.postgres.log_since(0)[-3000:]
    assert host.members("alice") == {"analytics_read"}


def test_a_level_is_held_only_while_every_session_was_permitted_it(host):
    with host.connect(mfa=True) as strong:
        assert host.members("alice") == {"analytics_read", "analytics_write"}
        with host.connect() as weak:
            assert host.members("alice") == {"analytics_read"}
            with host.connect(mfa=True):
                assert host.members("alice") == {"analytics_read"}
            assert one(weak, "select 1") == 1
        assert one(strong, "select 1") == 1


def test_sessions_of_other_services_and_clusters_hold_no_level_back(host):
    """Clusters of one host may share the folder; a stamp of an earlier backend of that pid is nobody's either."""
    with host.connect(service=PRODUCTION), host.connect() as weak:
        head, _, rest = host.stamp(weak).read_text(encoding="ascii").partition("\n")
    postmaster = int(head.split()[4])
    wait_until("the end of the session", lambda: host.sql(
        f"select count(*) from pg_stat_activity where datname = '{DATABASES[STAGING]}' and usename = 'alice'") == "0")
    mine = host.cortex.state / "sessions" / str(os.getpid())
    for began, server in ((time.time(), postmaster + 1), (time.time() - 360, postmaster)):
        mine.write_text(f"cortex 1 {os.getpid()} {int(began * 1000000)} {server}\n{rest}", encoding="ascii")
        with host.connect(service=PRODUCTION), host.connect(mfa=True):
            assert host.members("alice") == {"analytics_read", "analytics_write", "production_read"}
    mine.unlink()


def connect_beside(host, statement, *who, then="select", **how):
    """A session that begins while the server has done this but for its commit: at once, or when it need not wait any more."""
    sessions = []
    thread = threading.Thread(target=lambda: sessions.append(host.connect(*who, **how)))
    waits = "select exists (select from pg_stat_activity where usename = 'cortex_jit' and wait_event_type = 'Lock')"
    with psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False)) as other:
        other.execute(statement)
        thread.start()
        wait_until("the login", lambda: host.sql(waits) == "t" or not thread.is_alive())
        other.execute(then)
    thread.join()
    return sessions.pop()


@pytest.mark.parametrize("is_known", [True, False])
def test_a_login_beside_one_that_is_permitted_more_finds_what_that_gives(host, is_known):
    """The other has counted the sessions already, bob's among them."""
    if is_known:
        host.login().assert_allowed("1")
        host.forget_notes()
    with host.connect("bob"), \
            connect_beside(host, f"select cortex.login('alice', '', '', '{STAGING}', '{{{','.join(GROUPS.values())}}}', "
                                 "'{read,write}', '{analytics_read,analytics_write}', '{true,false}')"):
        assert host.members("alice") == {"analytics_read"}


def test_a_note_of_a_session_that_came_and_went_gives_the_next_one_nothing(host):
    """It came between taking the note away and counting the sessions, and whoever found its note asked nobody."""
    host.login(mfa=True).assert_allowed("1")
    wait_until("the end", lambda: host.sql("select count(*) from pg_stat_activity where usename = 'alice'") == "0")
    host.reap()
    tokens = [host.token(mfa=mfa) for mfa in (False, True)]
    info = host.postgres.conninfo("postgres", "postgres", tls=False)
    turn = "begin; select from cortex.login_lock where name = 'alice' for update"
    sessions, threads = [], []

    def queue(call):
        threads.append(threading.Thread(target=call))
        threads[-1].start()
        wait_until("the turn to be waited for", lambda: int(host.sql(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock'")) >= len(threads))

    with psycopg.connect(**info, autocommit=True) as first, psycopg.connect(**info, autocommit=True) as second:
        first.execute(turn)
        queue(lambda: host.connect(token=tokens[0]).close())
        queue(lambda: second.execute(turn))
        queue(lambda: sessions.append(host.connect(token=tokens[1])))
        first.execute("rollback")
        for thread in threads[:2]:
            thread.join()
        wait_until("the end", lambda: host.sql("select count(*) from pg_stat_activity where usename = 'alice'") == "0")
        second.execute("rollback")
        threads[2].join()
    with sessions.pop(), host.connect(token=tokens[0]):
        assert host.members("alice") == {"analytics_read"}


def test_a_login_beside_the_reaper_makes_the_role_anew_that_this_drops(host):
    host.cortex.write(host.cortex.policies / "analytics.cedar", POLICY.partition('@id("admins")')[0]
                      + 'permit (principal in Group::"admins", action == Action::"admin", resource);')
    host.login("alice/admin", groups=("admins",)).assert_allowed("1")
    wait_until("the end", lambda: host.sql("select count(*) from pg_stat_activity where usename ~ '^alice'") == "0")
    with connect_beside(host, "select cortex.settle_logins()", "alice/admin", groups=("admins",)):
        assert host.members("alice/admin") == {"analytics_admin"}


@pytest.mark.parametrize("statement", [
    "select cortex.create_groups('{analytics_read}')", "grant analytics_read to cortex_grantor with admin option",
    "select cortex.create_logins('{alice}', '{alice}', '', '')"])
def test_a_login_beside_one_that_makes_what_both_need(host, statement):
    """The group role, its grantor's right, or cortex-sync the person's own role."""
    host.sql("drop role if exists analytics_read")
    if statement.startswith("grant"):
        host.sql("create role analytics_read; grant cortex_groups to analytics_read")
    with connect_beside(host, statement):
        assert host.members("alice") == {"analytics_read"}


def test_a_login_beside_an_administrator_who_drops_the_role_makes_it_anew(host):
    """The login had looked at the role already."""
    host.login().assert_allowed("1")
    host.sql("revoke analytics_read from alice granted by cortex_grantor")
    host.forget_notes()
    with connect_beside(host, "select from cortex.role_data where name = 'alice' for update; drop role alice"):
        assert host.members("alice") == {"analytics_read"}


@pytest.mark.parametrize("by_login", [True, False])
def test_a_first_login_beside_cortex_sync_that_makes_a_dropped_role_anew(host, by_login):
    """The login had made the role and wanted its note, which the other had changed and wanted the role."""
    if by_login:
        host.login().assert_allowed("1")
    else:
        host.sql("select cortex.create_logins('{alice}', '{1}', '', '')")
    host.sql("drop role alice")
    host.forget_notes()
    with connect_beside(host, "select cortex.sync_begin(true, '{alice}')",
                        then="select cortex.create_logins('{alice}', '{alice}', '', '')"):
        assert host.members("alice") == {"analytics_read"}


def test_logins_make_roles_in_one_order_whatever_the_services_say(host):
    """Else each had made what the other waits for."""
    host.services({"read": "z_role", "write": "a_role"})
    with connect_beside(host, "select cortex.create_groups('{a_role}')", then="select cortex.create_groups('{z_role}')", mfa=True):
        assert host.members("alice") == {"a_role", "z_role"}
    host.sql("drop role a_role, z_role")


def test_cortex_sync_makes_group_roles_in_that_order_too(host):
    """However many, whatever their names are quoted like, and whoever is to grant them."""
    names = [*(f"g{number:02}" for number in range(20, 0, -1)), "g-quoted", "G"]
    host.sql(f"select cortex.create_groups('{{{','.join(names)}}}'); select cortex.create_logins('{{bob}}', '{{1}}', '', ''); "
             f"select cortex.grant_members('{{{','.join(names)}}}', '{{bob}}', array(select generate_series(1, {len(names)})), "
             f"array_fill(1, '{{{len(names)}}}'))")
    in_order = ("select string_agg(r.rolname, ' ' order by {}) = string_agg(r.rolname, ' ' order by r.rolname::text collate "
                "\"default\") from pg_auth_members m join pg_roles r on r.oid = {} join pg_roles a on a.oid = {} where a.rolname = '{}'")
    assert host.sql(in_order.format("r.oid", "m.member", "m.roleid", "cortex_groups") + " and r.rolname ~* '^g'") == "t"
    granted = in_order.format("m.xmin::text::bigint", "m.roleid", "m.member", "{}")
    assert [host.sql(granted.format(member) + " and r.rolname ~* '^g'") for member in ("cortex_grantor", "bob")] == ["t", "t"]
    host.sql("drop role " + ", ".join(f'"{name}"' for name in names))


def test_a_level_goes_with_its_last_session(host):
    with host.connect(mfa=True):
        host.reap()
        assert host.members("alice") == {"analytics_read", "analytics_write"}
    wait_until("the end of the session", lambda: host.sql(
        "select count(*) from pg_stat_activity where usename = 'alice'") == "0")
    assert "revoked analytics_write from alice" in host.reap()
    assert host.members("alice") == {"analytics_read"}
    assert [(r["role"], r["grant"]) for r in host.events("revoked")] == [("alice", "analytics_write")]


def test_services_do_not_touch_each_other(host):
    host.login(service=STAGING).assert_allowed("1")
    host.login(service=PRODUCTION).assert_allowed("1")
    assert host.members("alice") == {"analytics_read", "production_read"}
    host.cortex.write(host.cortex.policies / "analytics.cedar", POLICY.replace(
        "resource);", f'resource in Environment::"production");', 1))
    host.login(service=STAGING).assert_refused("policy_denied")
    host.login(service=PRODUCTION).assert_allowed("1")
    assert host.members("alice") == {"analytics_read", "production_read"}


def end_and_reap(host):
    wait_until("the end of the session", lambda: host.sql(
        "select count(*) from pg_stat_activity where usename = 'alice'") == "0")
    return host.reap()


def test_what_another_service_gives_too_stays_when_a_level_goes(host):
    host.services(GROUPS, {"read": "analytics_write"})
    host.login(service=PRODUCTION).assert_allowed("1")
    with host.connect(mfa=True):
        assert host.members("alice") == {"analytics_read", "analytics_write"}
    assert end_and_reap(host) == ""
    assert host.members("alice") == {"analytics_read", "analytics_write"}


def test_a_level_that_stood_before_goes_with_its_last_session(host):
    """The policy permitted it without a second factor."""
    host.cortex.write(host.cortex.policies / "analytics.cedar", POLICY.replace("when { context.mfa }", "", 1))
    host.login().assert_allowed("1")
    assert end_and_reap(host) == ""
    host.cortex.write(host.cortex.policies / "analytics.cedar", POLICY)
    host.login(mfa=True).assert_allowed("1")
    assert end_and_reap(host) == "revoked analytics_write from alice\n"
    assert host.members("alice") == {"analytics_read"}


def test_what_a_dba_granted_stays(host):
    host.login().assert_allowed("1")
    host.sql("create role dba_role; grant dba_role to alice; grant analytics_admin to alice")
    try:
        host.login(mfa=True).assert_allowed("1")
        host.reap()
        host.login().assert_allowed("1")
        assert host.members("alice") >= {"dba_role", "analytics_admin", "analytics_read"}
    finally:
        host.sql("revoke analytics_admin from alice; drop role dba_role")


@pytest.fixture
def own_grants(host):
    """Grants as people make them of their roles: before 15 they can, 15 has those of an upgrade, 16 and later none."""
    if int(host.sql("show server_version_num")) >= 160000:
        pytest.skip("no role administers itself")
    host.sql("create role eve; create role eve_dba createrole; create role eve_team; create role eve_lead")
    with host.connect() as alice, host.connect("bob"):
        if alice.info.server_version < 150000:
            alice.execute("grant alice to eve with admin option")
        yield ["alice to eve with admin option granted by alice", "alice to eve_team granted by eve"]


def test_what_people_granted_of_their_roles_goes(host, own_grants):
    """And what was granted on, also by who has the right no more; not what an administrator grants or permitted."""
    own_grants += ["alice to eve_dba with admin option granted by alice", "alice to bob granted by eve_dba",
                   'alice to "bob/admin" granted by bob', '"alice/admin" to alice granted by "alice/admin"',
                   "bob to eve_lead with admin option granted by eve_dba", "bob to eve_team granted by eve_lead"]
    with host.connect("alice/admin", groups=("admins",), mfa=True), host.connect("bob/admin", groups=("admins",), mfa=True):
        for what in own_grants:
            host.sql("grant " + what)
        assert sorted(host.reap().splitlines()) == [
            "revoked alice from bob/admin", "revoked alice from eve", "revoked alice from eve_dba", "revoked alice from eve_team",
            "revoked alice/admin from alice"]
        assert host.members("bob") == {"alice", "analytics_read"} and host.members("alice") == {"analytics_read"}
        assert host.members("eve_team") == host.members("eve_lead") == {"bob"}
        assert host.reap() == ""
    revoked = {(r["grant"], r["role"], r["detail"]) for r in host.events("revoked")}
    assert ("alice", "eve_team", "a person granted it, which only the policy may") in revoked and len(revoked) == 5


def test_what_a_role_of_one_level_granted_on_goes_with_it(host, own_grants):
    """Of a grantor who is gone nobody can tell any more whether he was an administrator."""
    with host.connect("bob/admin", groups=("admins",), mfa=True):
        host.sql('grant alice to "bob/admin" with admin option granted by alice; grant alice to eve_team granted by "bob/admin"')
    wait_until("the end", lambda: host.sql("select count(*) from pg_stat_activity where usename = 'bob/admin'") == "0")
    wait_until("its role to be dropped", lambda: "dropped bob/admin" in host.reap())
    assert host.members("eve_team") == set()


def test_what_people_granted_of_their_roles_waits_for_nobody(host, own_grants):
    host.sql("grant " + own_grants[0])
    with psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False)) as holder:
        holder.execute("revoke alice from eve")
        reaper = host.reaper()
        said, complaint = reaper.communicate(timeout=60)
        assert (reaper.returncode, said) == (0, "") and "a person made eve a member of alice, and a transaction holds that" in complaint
        holder.rollback()
    assert host.reap() == "revoked alice from eve\n"


def test_a_role_of_one_level_lives_as_long_as_its_sessions(host):
    how = {"groups": ("engineers", "admins"), "mfa": True}
    with host.connect(**how) as alice, host.connect("alice/admin", **how) as admin:
        assert host.members("alice/admin") == {"analytics_admin"}
        assert one(admin, "select session_user") == "alice/admin"
        assert one(admin, WHOAMI) == "alice"
        host.reap()
        assert host.exists("alice/admin")
        assert one(alice, "select 1") == 1
    host.login("alice/admin", groups=("engineers",), mfa=True).assert_refused("policy_denied")
    wait_until("the end", lambda: host.sql("select count(*) from pg_stat_activity where usename ~ '^alice'") == "0")
    assert "dropped alice/admin" in host.reap()
    assert not host.exists("alice/admin") and host.exists("alice")


@pytest.mark.parametrize("change", [
    'drop role "alice/admin"', 'alter role "alice/admin" superuser', 'revoke cortex_managed from "alice/admin"',
    'grant cortex_groups to "alice/admin"', 'alter role "alice/admin" rename to alicia'])
def test_a_role_that_somebody_else_changed_stops_nothing_for_the_others(host, change):
    how = {"groups": ("engineers", "admins"), "mfa": True}
    host.login("alice/admin", **how).assert_allowed("1")
    host.login("bob", mfa=True).assert_allowed("1")
    host.sql(change)
    assert host.reap().splitlines()[-1:] == ["revoked analytics_write from bob"]
    assert host.members("bob") == {"analytics_read"}
    assert host.reap() == ""
    host.sql("drop role if exists alicia")


def test_a_role_of_one_level_that_every_login_may_have_comes_back_after_the_reaper(host):
    """No login believes that what is dropped with its last session is there still."""
    host.cortex.write(host.cortex.policies / "analytics.cedar", POLICY.partition('@id("admins")')[0]
                      + 'permit (principal in Group::"admins", action == Action::"admin", resource);')
    for _ in range(2):
        host.login("alice/admin", groups=("admins",)).assert_allowed("1")
        wait_until("the end", lambda: host.sql("select count(*) from pg_stat_activity where usename ~ '^alice'") == "0")
        assert "dropped alice/admin" in host.reap()


def test_nobody_keeps_the_reaper_waiting_by_a_privilege_for_a_role_that_ends(host):
    """Or everybody's levels, and logins, whose turn it has: each person may grant something of their own and not commit."""
    host.sql("grant create on schema public to public", DATABASES[STAGING])
    host.login("alice/write", mfa=True).assert_allowed("1")
    host.login("eve", mfa=True).assert_allowed("1")
    with host.connect("bob") as bob:
        bob.execute("create table his (n int)")
        bob.execute('begin; grant select on his to "alice/write"')
        wait_until("the end", lambda: host.sql("select count(*) from pg_stat_activity where usename ~ '^(alice|eve)'") == "0")
        start = time.monotonic()
        assert {"cut alice/write", "revoked analytics_write from eve"} <= set(host.reap().splitlines())
        assert time.monotonic() - start < 10 and not host.exists("alice/write")
        bob.execute("rollback; drop table his")
    assert host.reap() == "dropped alice/write\n"


def test_the_reaper_beside_an_administrator_who_drops_the_same_role_looks_again(host):
    """Nobody's levels were taken back in that round, and logins that rely on it came nearer to being refused."""
    host.login("alice/write", mfa=True).assert_allowed("1")
    host.login("bob/write", mfa=True).assert_allowed("1")
    wait_until("the end", lambda: host.sql("select count(*) from pg_stat_activity where usename ~ '/write$'") == "0")
    waits = "select exists (select from pg_stat_activity where usename = 'cortex_runner' and wait_event_type = 'Lock')"
    with psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False)) as other:
        other.execute('drop role "alice/write"')
        reaper = subprocess.Popen([str(CORTEX_SYNC), "--config", str(host.cortex.conf), "--reap"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until("the reaper", lambda: host.sql(waits) == "t" or reaper.poll() is not None)
    said, complaint = reaper.communicate(timeout=60)
    assert (complaint, reaper.returncode) == ("", 0) and "dropped bob/write" in said
    assert host.sql("select count(*) from cortex.login_grant where member ~ '/write$'") == "0"


def test_a_role_of_one_level_that_owns_something_is_cut(host):
    how = {"groups": ("admins",), "mfa": True}
    host.sql("grant create on schema public to public", DATABASES[STAGING])
    host.login("alice/admin", sql="create table hers (n int)", **how).assert_allowed("")
    wait_until("the session to be over and its role cut", lambda: "cut alice/admin" in host.reap())
    assert not host.exists("alice/admin")
    assert [r["role"] for r in host.events("role_cut")] == ["alice/admin"]
    host.sql("drop table hers", DATABASES[STAGING])
    assert host.reap() == "dropped alice/admin\n"


def test_a_lock_by_a_dba_holds_for_a_role_that_is_made_anew_after_it_was_cut(host):
    how = {"groups": ("admins",), "mfa": True}
    host.sql("grant create on schema public to public", DATABASES[STAGING])
    host.login("alice/admin", sql="create table hers (n int)", **how).assert_allowed("")
    wait_until("the session to be over and its role cut", lambda: "cut alice/admin" in host.reap())
    host.sql("drop table hers", DATABASES[STAGING])
    host.sql('drop role "alice/admin"')
    host.login("alice/admin", **how).assert_allowed("1")
    host.sql('alter role "alice/admin" nologin')
    host.login("alice/admin", **how).assert_refused("role_unavailable")


@pytest.mark.parametrize("role", ["bob/admin", "alice/root", "alice/", "alice/admin/admin", "alice/assume"])
def test_only_one_s_own_levels_are_roles(host, role):
    how = {"groups": ("engineers", "admins"), "mfa": True}
    host.login(role, token=host.token("alice", **how)).assert_refused("assume_denied")


def test_somebody_else_s_role_is_not_taken_over(host):
    for name, attributes in (("bob", ""), ("alice", "superuser")):
        host.sql(f"create role {name} login {attributes}")
        host.login(name).assert_refused("role_unavailable")
    assert host.members("bob") == set()


def test_a_group_role_of_somebody_else_is_not_given_and_the_log_says_why(host):
    host.sql("drop role if exists analytics_read; create role analytics_read")
    refused = host.login()
    refused.assert_refused("role_unavailable")
    host.sql("drop role analytics_read")
    assert ("role analytics_read is not one that Cortex may change: It is no direct member of cortex_groups only."
            in refused.refused_line), refused.refused_line


FAULTS = {
    "nobody listens": {"jit_conninfo": '"host=/nonexistent port=1 user=cortex_jit dbname=postgres requirepeer=postgres"'},
    "another server's user": None,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_role_that_cannot_be_made_is_a_clear_refusal(host, fault):
    host.configure(roles=FAULTS[fault] or {"jit_conninfo": host.jit.replace("requirepeer=postgres", "requirepeer=nobody")})
    began = time.monotonic()
    host.login().assert_refused("role_unavailable")
    assert time.monotonic() - began < 5
    assert not list((host.cortex.state / "sessions").glob("[0-9]*"))


@pytest.mark.parametrize("hold", ["lock table cortex.role_data in access exclusive mode", "create role alice"])
def test_a_lock_ends_the_wait_in_time(host, hold):
    with psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False)) as dba:
        dba.execute(hold)
        began = time.monotonic()
        host.login().assert_refused("role_unavailable")
        assert time.monotonic() - began < 5
        dba.rollback()
    host.login().assert_allowed("1")


def test_no_slot_left_is_refused_in_time(host):
    free = int(host.sql("select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"))
    info = host.postgres.conninfo("stranger", DATABASES[STAGING], tls=False)
    held = [psycopg.connect(**info) for _ in range(free - 1)]
    try:
        host.login().assert_refused("role_unavailable")
    finally:
        for connection in held:
            connection.close()


def test_the_environment_of_the_server_does_not_lead_elsewhere(host):
    """PGSERVICE, PGOPTIONS and the like in the postmaster's environment change nothing."""
    host.postgres.stop()
    hostile = {"PGSERVICE": "nowhere", "PGOPTIONS": "-c role=stranger", "PGHOSTADDR": "127.0.0.9", "PGSSLMODE": "require",
               "PGCHANNELBINDING": "require", "PGCONNECT_TIMEOUT": "x", "PGGEQO": "x", "PGTZ": "nowhere/x"}
    host.postgres.environment.update(hostile)
    host.postgres.start()
    try:
        host.login().assert_allowed("1")
    finally:
        host.postgres.stop()
        for name in hostile:
            del host.postgres.environment[name]
        host.postgres.start()


# --- sessions end ---

def shorten(host, connection, seconds=-1):
    """The stamp says that the time is over, or soon will be."""
    until = int(time.time()) + seconds
    host.edit_stamp(connection, lambda text: json_edit(text, session_until=until))


def json_edit(text, **facts):
    head, body, claims, _ = text.split("\n")
    return "\n".join([head, json.dumps({**json.loads(body), **facts}), claims, ""])


def test_a_session_ends_at_its_time(host):
    with host.connect() as alice, host.connect("bob") as bob:
        assert host.reap() == ""
        shorten(host, alice)
        assert "would end session of alice" in host.reap("--check", check=1)
        assert not is_ended(alice)
        assert "ended session of alice" in host.reap()
        assert is_ended(alice) and not is_ended(bob)
        record, = host.events("session_ended")
        login = next(r for r in host.cortex.records() if r["role"] == "alice")
        assert (record["reason"], record["reference"]) == ("session_expired", login["reference"])
        assert record["pid"] == login["pid"]


def test_a_session_s_end_is_told_before_and_once(host):
    """To whoever listens in the home; a session that is shorter than the notice at its beginning."""
    host.configure(session={"notice": "10m"})

    def told():
        heard.clear()
        assert host.reap() == ""
        listener.execute("select 1")
        return heard

    heard = []
    assert host.reap() == ""
    with psycopg.connect(**host.postgres.conninfo("stranger", "postgres", tls=False), autocommit=True) as listener, \
            host.connect() as alice, host.connect("bob") as bob:
        listener.add_notify_handler(lambda notice: heard.append(json.loads(notice.payload)))
        listener.execute("listen cortex_session_end")
        shorten(host, alice, 300)
        shorten(host, bob, 604)
        time.sleep(1.1)
        notice, = told()
        login = next(r for r in host.cortex.records() if r["role"] == "alice")
        assert notice["reference"] == login["reference"] and notice["pid"] == alice.info.backend_pid
        assert (notice["role"], notice["username"], notice["service"]) == ("alice", "alice", STAGING)
        assert notice["database"] == DATABASES[STAGING]
        for name, value in (("backend_start", one(alice, "select backend_start from pg_stat_activity where pid = pg_backend_pid()")),
                            ("session_until", one(alice, "select (cortex.whoami()).session_until"))):
            assert datetime.fromisoformat(notice[name]) == value
        assert "session_ended" not in host.cortex.trail.read_text(encoding="utf-8")
        time.sleep(3)
        assert [n["role"] for n in told()] == ["bob"]
        assert told() == []
        assert not is_ended(alice) and not is_ended(bob)


def test_a_notice_that_fails_holds_up_nothing(host):
    host.configure(session={"notice": "10m"})
    host.sql("revoke execute on function pg_notify(text, text) from public")
    try:
        with host.connect() as alice, host.connect("bob") as bob:
            shorten(host, alice)
            shorten(host, bob, 300)
            assert "ended session of alice" in host.reap()
            assert is_ended(alice) and not is_ended(bob)
            assert (host.cortex.state / "sessions" / "reaped").exists()
    finally:
        host.sql("grant execute on function pg_notify(text, text) to public")


def test_a_session_whose_role_has_another_name_by_now_ends_at_its_time(host):
    """Until then what it was permitted counts for the role, whatever that is called."""
    with host.connect() as alice:
        host.sql("alter role alice rename to alicia")
        try:
            assert host.sql("select facts ->> 'role' from cortex.live_stamps()") == "alicia"
            assert one(alice, WHOAMI) is None
            shorten(host, alice)
            assert "ended session of alice" in host.reap()
            assert is_ended(alice)
        finally:
            host.sql("alter role alicia rename to alice")


def test_a_session_ends_when_the_policy_takes_its_level_away(host):
    with host.connect(mfa=True) as alice, host.connect("bob") as bob:
        host.cortex.write(host.cortex.policies / "analytics.cedar",
                          POLICY.replace("{ context.mfa }", '{ context.mfa && principal.username != "alice" }', 1))
        assert "policy_denied" in host.reap()
        assert is_ended(alice) and not is_ended(bob)


def test_a_session_ends_when_its_issuer_is_no_longer_configured(host):
    """Another name of the section, or another address in it, is the same issuer."""
    conf = host.cortex.conf.read_text(encoding="utf-8")
    sections = conf.split("\n\n")
    with host.connect() as alice:
        for text in (conf.replace('[oidc "dev"]', '[oidc "other"]'),
                     conf.replace("https://dev.cortex.invalid", "https://moved.cortex.invalid")):
            assert text != conf
            host.cortex.write(host.cortex.conf, text)
            assert host.reap() == "" and not is_ended(alice)
        host.cortex.write(host.cortex.conf, "\n\n".join(s for s in sections if not s.startswith('[oidc "dev"]')))
        assert "unknown_issuer" in host.reap() and is_ended(alice)


def test_a_session_ends_when_its_username_is_protected_by_now(host):
    with host.connect() as alice, host.connect("bob") as bob:
        host.configure(roles={"protected": "alice"})
        assert "protected_role" in host.reap()
        assert is_ended(alice) and not is_ended(bob)


def test_a_session_ends_when_its_subject_is_revoked(host):
    with host.connect() as alice, host.connect("bob") as bob:
        host.cortex.run("revoke", "--config", host.cortex.conf, "--subject", "dev", "alice", check=True)
        assert "revoked" in host.reap()
        assert is_ended(alice) and not is_ended(bob)


def test_processes_that_go_meanwhile_cost_nobody_anything(host):
    """/proc has a process's files until somebody has waited for it, and reading one fails from then on."""
    folder, is_over = host.cortex.state / "sessions", threading.Event()

    def come_and_go():
        while not is_over.is_set():
            pids = [os.posix_spawn("/bin/true", ["true"], {}) for _ in range(20)]
            for pid in pids:
                (folder / str(pid)).write_bytes(b"cortex 1 \n")
            for pid in pids:
                os.waitpid(pid, 0)
            for pid in pids:
                (folder / str(pid)).unlink()

    others = [threading.Thread(target=come_and_go) for _ in range(2)]
    for other in others:
        other.start()
    try:
        with psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False), autocommit=True) as server:
            for _ in range(1000):
                server.execute("select count(*) from cortex.live_stamps()")
    finally:
        is_over.set()
        for other in others:
            other.join()


def test_many_sessions_end_with_a_record_each_in_few_writes(host):
    with ExitStack() as stack:
        many = [stack.enter_context(host.connect()) for _ in range(20)]
        bob = stack.enter_context(host.connect("bob"))
        host.cortex.run("revoke", "--config", host.cortex.conf, "--subject", "dev", "alice", check=True)
        times = host.reap().count("ended session of alice")
        assert times == 20 and not is_ended(bob)
        ended = host.events("session_ended")
        assert {record["pid"] for record in ended} == {session.info.backend_pid for session in many}
        assert len({record["time"] for record in ended}) == 1
        host.cortex.run("audit", "verify", "--config", host.cortex.conf, check=True)


def test_a_session_that_takes_its_time_to_end_is_recorded_once(host):
    """Each round tells it again; once the promised minute is over somebody must hear of it."""
    with host.connect() as alice:
        pid = alice.info.backend_pid
        shorten(host, alice)
        os.kill(pid, signal.SIGSTOP)
        try:
            assert "ended session of alice" in host.reap()
            assert host.reap() == "" and len(host.events("session_ended")) == 1
            noted = host.cortex.state / "sessions" / "ended"
            noted.write_text(re.sub(r"(\d+) 1\n", lambda told: f"{int(told[1]) - 60} 1\n", noted.read_text(encoding="ascii")),
                             encoding="ascii")
            done = subprocess.run([str(CORTEX_SYNC), "--config", str(host.cortex.conf), "--reap"], capture_output=True,
                                  text=True, timeout=60, check=True)
            assert f"(pid {pid}): told to end 6" in done.stderr
        finally:
            os.kill(pid, signal.SIGCONT)
        assert is_ended(alice)
        wait_until("the process to end", lambda: not os.path.exists(f"/proc/{pid}"))
        assert host.reap() == "" and len(host.events("session_ended")) == 1


def test_reapers_at_once_record_each_end_once(host):
    with ExitStack() as stack:
        many = [stack.enter_context(host.connect()) for _ in range(20)]
        for session in many:
            shorten(host, session)
        reapers = [subprocess.Popen([str(CORTEX_SYNC), "--config", str(host.cortex.conf), "--reap"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(4)]
        assert [(reaper.communicate(timeout=60)[1], reaper.returncode) for reaper in reapers] == [("", 0)] * 4
        assert sorted(record["pid"] for record in host.events("session_ended")) == sorted(
            session.info.backend_pid for session in many)


def test_an_end_that_could_not_be_recorded_is_recorded_by_the_next_round(host):
    with host.connect() as alice, host.connect("bob") as bob:
        stamp = host.stamp(alice)
        shorten(host, alice)
        with open(host.cortex.trail, "ab") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            assert "other writers held it too long" in host.reaper().communicate(timeout=60)[1]
        assert is_ended(alice) and host.events("session_ended") == []
        wait_until("the process to end", lambda: not os.path.exists(f"/proc/{stamp.name}"))
        assert host.reap() == "" and host.reap() == "" and not is_ended(bob)
        record, = host.events("session_ended")
        login = next(r for r in host.cortex.records() if r["role"] == "alice")
        assert (record["pid"], record["reference"]) == (login["pid"], login["reference"])
        assert record["reason"] == "session_expired" and "did not record it" in record["detail"]
        assert not stamp.exists()


def test_a_reaper_that_is_killed_leaves_the_record_to_the_next(host):
    """It had told the session and waited for the trail."""
    with host.connect() as alice:
        pid = alice.info.backend_pid
        shorten(host, alice)
        with open(host.cortex.trail, "ab") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            reaper = host.reaper()
            wait_until("the end", lambda: is_ended(alice))
            reaper.kill()
            assert reaper.wait() == -signal.SIGKILL
        wait_until("the process to end", lambda: not os.path.exists(f"/proc/{pid}"))
        assert host.events("session_ended") == []
        host.reap()
        host.reap()
        assert [record["pid"] for record in host.events("session_ended")] == [pid]


def test_notes_of_ends_that_cannot_be_kept_keep_no_session(host):
    """It ends and is recorded all the same, and the round says what is wrong."""
    notes = host.cortex.state / "sessions" / "ended"
    notes.mkdir()
    try:
        with host.connect() as alice:
            shorten(host, alice)
            reaper = host.reaper()
            said, complaint = reaper.communicate(timeout=60)
            assert "ended session of alice" in said and f"{notes}: is not a regular file" in complaint and reaper.returncode == 3
            assert is_ended(alice) and len(host.events("session_ended")) == 1
    finally:
        notes.rmdir()


def test_a_session_that_nobody_told_after_all_ends_without_a_record(host):
    """Who noted it was killed before; a minute later it goes on still."""
    with host.connect() as alice:
        stamp = host.stamp(alice)
        (host.cortex.state / "sessions" / "ended").write_text(
            f"{stamp.name} {stamp.read_text(encoding='ascii').split(' ')[3]} {int(time.time()) - 61} 0\n", encoding="ascii")
        assert host.reap() == ""
    wait_until("the process to end", lambda: not os.path.exists(f"/proc/{stamp.name}"))
    assert host.reap() == "" and host.events("session_ended") == [] and not stamp.exists()


def test_foreign_sessions_are_never_ended(host):
    """Not by a forged stamp of a session that came in by trust, nor one of another start."""
    info = host.postgres.conninfo("stranger", DATABASES[STAGING], tls=False)
    with host.connect() as alice, psycopg.connect(**info, autocommit=True) as stranger:
        text = host.stamp(alice).read_text(encoding="ascii")
        pid = stranger.info.backend_pid
        words = json_edit(text, session_until=1).split(" ")
        (host.cortex.state / "sessions" / str(pid)).write_text(" ".join([*words[:2], str(pid), *words[3:]]), encoding="ascii")
        host.reap()
        assert not is_ended(stranger) and not is_ended(alice)
        (host.cortex.state / "sessions" / str(pid)).unlink()


def test_the_runner_ends_no_session_that_did_not_come_through_cortex(host):
    """Nor a later backend of the same pid: whoever got at the account of cortex-sync cannot end others'."""
    def reap(connection, later=0):
        start = host.sql(f"select (date_part('epoch', backend_start) * 1000000)::bigint + {later} from pg_stat_activity "
                         f"where pid = {connection.info.backend_pid}")
        return host.sql(f"set session authorization cortex_runner; "
                        f"select count(*) from cortex.reap('{{{connection.info.backend_pid}}}', '{{{start}}}')")

    info = host.postgres.conninfo("stranger", DATABASES[STAGING], tls=False)
    with host.connect() as alice, psycopg.connect(**info, autocommit=True) as stranger:
        assert reap(stranger) == "0" and reap(alice, later=1) == "0"
        assert not is_ended(stranger) and not is_ended(alice)
        assert reap(alice) == "1" and is_ended(alice)


def test_a_policy_that_cannot_be_read_ends_nothing(host):
    with host.connect() as alice, host.connect("bob") as bob:
        host.cortex.write(host.cortex.policies / "analytics.cedar", "permit (")
        shorten(host, bob)
        host.reap(check=3)
        assert not is_ended(alice) and is_ended(bob)
        assert not (host.cortex.state / "sessions" / "reaped").exists()  # for [session] enforce it has not been


def test_stamps_are_read_once_however_many_have_something_to_give_back(host):
    """Else a thousand people with a second factor kept the reaper, and their own logins, for minutes."""
    with host.connect(mfa=True), host.connect("bob", mfa=True), \
            psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False)) as reaper:
        for person in ("eve", "alice/write", "bob/write"):
            host.login(person, mfa=True).assert_allowed("1")
        reaper.execute("set track_functions = 'pl'")
        reaper.execute("select cortex.settle_logins()")
        assert one(reaper, "select calls from pg_stat_xact_user_functions where funcname = 'live_stamps'") == 1


def test_stamps_of_ended_sessions_go(host):
    with host.connect() as alice:
        path = host.stamp(alice)
        host.reap()
        assert path.exists()
    wait_until("the process to end", lambda: not os.path.exists(f"/proc/{path.name}"))
    host.reap()
    assert not path.exists()


def test_nobody_who_reads_what_is_printed_is_no_reason_to_stop(host):
    """More than a buffer of it: each member is recorded when it has been printed."""
    how = {"groups": ("engineers", "admins"), "mfa": True}
    names = [f"bob{number:02}" + "x" * 50 for number in range(24)]
    for name in names:
        host.login(name, **how).assert_allowed("1")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([str(CORTEX_SYNC), "--config", str(host.cortex.conf), "--reap"], stdout=write,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(write)
    assert done.returncode == 3, (done.returncode, done.stderr)
    assert {(r["role"], r["grant"]) for r in host.events("revoked")} == {
        (name, grant) for name in names for grant in ("analytics_write", "analytics_admin")}


def test_a_damaged_stamp_stops_the_reaper_only_while_its_process_lives(host):
    """A power failure leaves one empty; where logins rely on the reaper they would wait for it for ever."""
    host.configure(session={"enforce": "yes"})
    sessions = host.cortex.state / "sessions"
    gone, there = sessions / "999999999", sessions / str(os.getpid())
    with subprocess.Popen(["true"]) as process:
        process.wait()
    dead = sessions / str(process.pid)
    for path in (gone, dead, there):
        path.write_text("", encoding="ascii")
    host.reap(check=3)
    assert not dead.exists() and not gone.exists() and there.exists()
    there.unlink()
    host.reap()
    host.login().assert_allowed("1")


def test_a_folder_among_the_stamps_stops_nothing_for_the_others(host):
    """One that is called as a process that lives: it is complained of, and levels are given and taken back all the same."""
    folder = host.cortex.state / "sessions" / str(os.getpid())
    folder.mkdir()
    try:
        with host.connect(mfa=True):
            assert "analytics_write" in host.members("alice")
        wait_until("the end", lambda: host.sql("select count(*) from pg_stat_activity where usename ~ '^alice'") == "0")
        host.reap(check=3)
        assert host.members("alice") == {"analytics_read"}
    finally:
        folder.rmdir()


def test_a_reaper_that_cannot_see_the_server_s_processes_takes_nobody_for_gone(host):
    """As in a container beside the server's: each session would lose the stamp by which it ends."""
    with host.connect() as alice:
        elsewhere = subprocess.run(["unshare", "--pid", "--fork", CORTEX_SYNC, "--config", host.cortex.conf, "--reap"],
                                   capture_output=True, text=True, timeout=60, check=False)
        assert elsewhere.returncode == 3 and elsewhere.stderr.count("\n") == 1
        assert "the server's processes cannot be seen from here" in elsewhere.stderr
        assert host.stamp(alice).exists()
        shorten(host, alice)
        assert "ended session of alice" in host.reap()


@pytest.fixture
def elsewhere(host):
    """A folder that the server may read, and no stamps are in."""
    path = host.folder.make("elsewhere", owned=True)
    yield path
    shutil.rmtree(path)


def test_a_reaper_whose_server_looks_elsewhere_says_so_and_takes_nothing_back(host, elsewhere):
    """It found no session to end, gave everybody's levels back, and was content."""
    host.configure(session={"enforce": "yes"})
    host.reap()
    reaped = host.cortex.state / "sessions" / "reaped"
    os.utime(reaped, (1, 1))
    host.configure()
    with host.connect(mfa=True) as alice, host.connect("bob") as bob:
        shorten(host, bob)
        host.sql(f"update cortex.option set value = '{elsewhere}'")
        reaper = host.reaper()
        assert f"looks for stamps in {elsewhere}" in reaper.communicate(timeout=60)[1] and reaper.returncode == 3
        assert reaped.stat().st_mtime == 1 and not is_ended(alice) and not is_ended(bob)
        assert "analytics_write" in host.members("alice")
        (elsewhere / "link").symlink_to(host.cortex.state / "sessions")
        host.sql(f"update cortex.option set value = '{elsewhere / 'link'}'")
        assert "ended session of bob" in host.reap() and not is_ended(alice)


def test_a_login_whose_server_looks_elsewhere_gets_nothing_that_depends_on_it(host, elsewhere):
    """Whoever else is there cannot be told."""
    with host.connect():
        host.sql(f"update cortex.option set value = '{elsewhere}'")
        refused = host.login(mfa=True)
        refused.assert_refused("role_unavailable")
        assert f"no session has a stamp in {elsewhere}" in refused.refused_line
        assert host.members("alice") == {"analytics_read"}
        host.login("bob").assert_allowed("1")


@pytest.fixture
def bare(host):
    """A role that reaps by a database without the extension, with no rights yet; its conninfo."""
    host.sql("create role reaper login")
    host.sql("create database bare")
    me = pwd.getpwuid(os.geteuid()).pw_name
    ident, hba = host.postgres.data / "pg_ident.conf", host.postgres.data / "pg_hba.conf"
    before = hba.read_text(encoding="utf-8")
    ident.write_text(ident.read_text(encoding="utf-8") + f"bare {me} reaper\n", encoding="utf-8")
    hba.write_text("local bare reaper peer map=bare\n" + before, encoding="utf-8")
    host.postgres.reload()
    yield host.runner.replace("cortex_runner", "reaper").replace("dbname=postgres", "dbname=bare")
    hba.write_text(before, encoding="utf-8")
    host.postgres.reload()
    host.sql("drop database bare")
    host.sql("drop role reaper")


def test_without_the_extension_a_reaper_that_may_not_see_sessions_says_so(host, bare):
    with host.connect() as alice:
        shorten(host, alice)
        host.sql("grant pg_signal_backend to reaper")
        host.cortex.configure(sync={"conninfo": bare})
        reaper = host.reaper()
        assert "grant it pg_signal_backend and pg_read_all_stats" in reaper.communicate(timeout=60)[1]
        assert reaper.returncode == 3 and not (host.cortex.state / "sessions" / "reaped").exists()
        host.sql("grant pg_read_all_stats to reaper")
        assert "ended session of alice" in host.reap()


def test_without_the_extension_sessions_end_too(host, bare):
    with host.connect() as alice, host.connect("bob") as bob:
        shorten(host, alice)
        shorten(host, bob)
        host.sql("alter role bob rename to robert")
        host.sql("grant pg_signal_backend, pg_read_all_stats to reaper")
        try:
            host.cortex.configure(sync={"conninfo": bare})
            assert "ended session of alice" in host.reap()
            assert is_ended(alice) and is_ended(bob)
            # Also here the one connection is kept, and notices are given over it.
            host.cortex.configure(session={"notice": "10m"}, sync={"conninfo": bare})
            with host.connect():
                reaped, rounds = host.cortex.state / "sessions" / "reaped", set()
                watcher = host.reaper("--watch")
                try:
                    wait_until("two rounds", lambda: rounds.add(reaped.stat().st_mtime) or len(rounds) > 2, 40)
                    who = "select count(*), count(distinct pid) from pg_stat_activity where usename = 'reaper'"
                    assert host.sql(who + " and backend_start < now() - interval '9 seconds'") == "1|1"
                finally:
                    watcher.terminate()
                    assert watcher.communicate(timeout=10)[1] == ""
        finally:
            host.sql("alter role robert rename to bob")


def test_enforce_refuses_logins_when_nobody_reaps(host):
    host.configure(session={"enforce": "yes", "reaper_grace": "60"})
    host.login().assert_refused("reaper_stale")
    host.reap()
    host.login().assert_allowed("1")
    past = time.time() - 120
    os.utime(host.cortex.state / "sessions" / "reaped", (past, past))
    host.login().assert_refused("reaper_stale")


def test_watching_ends_sessions_that_hold_every_connection(host):
    """It has its own from before."""
    reaped = host.cortex.state / "sessions" / "reaped"
    watcher = host.reaper("--watch")
    with ExitStack() as stack:
        try:
            wait_until("the first round", reaped.exists)
            with pytest.raises(psycopg.OperationalError, match="slots are reserved"):
                while True:
                    shorten(host, stack.enter_context(host.connect()))
            wait_until("the end", lambda: host.sql("select count(*) from pg_stat_activity where usename = 'alice'") == "0", 30)
            host.postgres.stop()
            host.postgres.start()
            with host.connect() as again:
                shorten(host, again)
                wait_until("the end beyond a restart", lambda: is_ended(again), 30)
        finally:
            watcher.terminate()
            watcher.communicate(timeout=10)


def test_watching_ends_sessions_by_itself(host):
    """Also after a round that found cortex.conf half edited."""
    whole, said = host.cortex.conf.read_text(encoding="utf-8"), host.folder.path / "watched"
    with host.connect() as alice, open(said, "w", encoding="utf-8") as out:
        watcher = subprocess.Popen([str(CORTEX_SYNC), "--config", str(host.cortex.conf), "--reap", "--watch"],
                                   stdout=subprocess.DEVNULL, stderr=out)
        try:
            wait_until("the first round", (host.cortex.state / "sessions" / "reaped").exists)
            host.cortex.write(host.cortex.conf, whole + "[sess")
            wait_until("the second", lambda: str(host.cortex.conf) in said.read_text(encoding="utf-8"), 30)
            host.cortex.write(host.cortex.conf, whole)
            shorten(host, alice)
            wait_until("the session's end", lambda: is_ended(alice), 30)
        finally:
            watcher.terminate()
            watcher.wait(10)
