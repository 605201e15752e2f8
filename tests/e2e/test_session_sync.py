"""Roles made by logins beside roles that cortex-sync makes: both together come to rest.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import signal
import subprocess
import threading

import psycopg
import pytest

from cortex import own_by_server
from harness import wait_until
from sessionhost import CORTEX_SYNC, POLICY, is_ended


class Directory:
    """The same host with a people file, and cortex-sync over it."""

    def __init__(self, host):
        self.host = host
        self.file = host.cortex.folder / "people.json"
        host.cortex.trail.touch()
        own_by_server(host.cortex.trail)
        host.configure()
        conf = host.cortex.conf
        host.cortex.write(conf, conf.read_text(encoding="utf-8").replace("[sync]\n", f"[sync]\npeople = {self.file}\n"))

    def names(self, **people):
        entities = [{"uid": {"type": "User", "id": name}, "attrs": {},
                     "parents": [{"type": "Group", "id": group} for group in groups]}
                    for name, groups in people.items()]
        self.host.cortex.write(self.file, json.dumps(entities))
        return self

    def run(self, *arguments):
        return subprocess.run([str(CORTEX_SYNC), "--config", str(self.host.cortex.conf), "--apply", "--json", *arguments],
                              capture_output=True, text=True, timeout=60, check=False)

    def apply(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def rests(self):
        """Nothing is left to do: neither for cortex-sync nor for the reaper."""
        return self.apply()["in_sync"] and self.host.reap() == ""


def test_cortex_sync_leaves_what_logins_made_alone(host):
    """A role that no directory names, and what a login gave to one that a directory names."""
    directory = Directory(host).names(bob=["engineers"])
    with host.connect(mfa=True) as alice:
        directory.apply()
        assert host.exists("alice") and host.members("alice") == {"analytics_read", "analytics_write"}
        with host.connect("bob", mfa=True) as bob:
            assert host.members("bob") == {"analytics_read", "analytics_write", "production_read"}
            assert directory.rests()
            assert not is_ended(alice) and not is_ended(bob)
            assert host.members("bob") == {"analytics_read", "analytics_write", "production_read"}
    assert host.members("alice") == {"analytics_read", "analytics_write"}


def test_what_cortex_sync_took_away_no_login_believes_to_be_there(host):
    """The note of the role's last login goes with the membership; those of others stay."""
    host.cortex.write(host.cortex.policies / "analytics.cedar", POLICY.replace(
        "resource);", 'resource in Environment::"staging");', 1)
        + 'permit (principal in Group::"ops", action == Action::"read", resource in Environment::"production");')
    directory = Directory(host).names(alice=["engineers", "ops"], bob=["engineers"])
    directory.apply()
    notes = host.cortex.state / "sessions"
    for role in ("alice", "bob"):
        host.login(role).assert_allowed("1")
    assert len(list(notes.glob("ready-*"))) == 2
    directory.names(alice=["ops"], bob=["engineers"]).apply("--allow-removals=9")
    assert host.members("alice") == {"production_read"}
    assert len(list(notes.glob("ready-*"))) == 1
    host.login().assert_allowed("1")
    assert host.members("alice") == {"analytics_read", "production_read"}


def test_a_directory_adopts_the_role_that_a_login_made(host):
    directory = Directory(host).names(bob=["engineers"])
    host.login().assert_allowed("1")
    directory.apply()
    directory.names(bob=["engineers"], alice=["engineers"]).apply()
    assert host.sql("select source, subject from cortex.roles where name = 'alice'") == "people|alice"
    assert host.members("alice") == {"analytics_read", "production_read"}
    assert directory.rests()
    host.login().assert_allowed("1")
    assert directory.rests()
    assert host.members("alice") == {"analytics_read", "production_read"}


def test_who_left_the_directory_does_not_come_back_by_a_login(host):
    directory = Directory(host).names(bob=["engineers"], alice=["engineers"])
    directory.apply()
    host.login(mfa=True).assert_allowed("1")
    directory.names(bob=["engineers"]).apply()
    assert not host.exists("alice") and host.members("alice") == set()
    assert host.sql("select count(*) from cortex.login_grant where member = 'alice'") == "0"
    host.forget_notes()
    host.login().assert_refused("role_unavailable")
    assert directory.rests()
    directory.names(bob=["engineers"], alice=["engineers"]).apply()
    host.login().assert_allowed("1")


def test_who_left_the_directory_loses_the_session_in_a_shared_role(host):
    directory = Directory(host).names(bob=["engineers"], alice=["engineers"])
    directory.apply()
    conf = host.cortex.conf
    host.cortex.write(conf, conf.read_text(encoding="utf-8").replace("[roles]\n", "[roles]\nassume = yes\n"))
    host.cortex.write(host.cortex.policies / "shared.cedar", 'permit (principal, action == Action::"assume", resource);')
    host.sql("create role eve_shared login")
    with host.connect("eve_shared", token=host.token("alice")) as alice, host.connect("eve_shared", token=host.token("bob")) as bob:
        directory.names(bob=["engineers"]).apply()
        host.reap()
        assert is_ended(alice) and not is_ended(bob)


def test_who_left_the_directory_does_not_come_back_when_the_role_was_dropped(host):
    """The note outlives a role that a DBA dropped by hand, and so does what it says."""
    directory = Directory(host).names(bob=["engineers"], alice=["engineers"])
    directory.apply()
    directory.names(bob=["engineers"]).apply()
    host.sql("drop role alice")
    host.forget_notes()
    host.login().assert_refused("role_unavailable")
    assert host.postgres.log_contains("role alice was cut by cortex-sync", 0)
    assert host.sql("select count(*) from pg_roles where rolname = 'alice'") == "0"
    directory.names(bob=["engineers"], alice=["engineers"]).apply()
    host.login().assert_allowed("1")


def test_who_left_the_directory_does_not_come_back_by_a_role_of_one_level(host):
    directory = Directory(host).names(bob=["engineers"], alice=["engineers"])
    directory.apply()
    with host.connect("alice/write", mfa=True) as alice, host.connect("bob/write", mfa=True) as bob:
        assert [end["role"] for end in directory.names(bob=["engineers"]).apply()["ended"]] == ["alice/write"]
        assert is_ended(alice) and not is_ended(bob)
    for role in ("alice/write", "alice/read"):
        host.login(role, mfa=True).assert_refused("role_unavailable")
    assert host.postgres.log_contains("role alice was cut by cortex-sync", 0)
    assert host.sql("select count(*) from pg_roles where rolname = 'alice/read'") == "0"
    wait_until("the end", lambda: "dropped alice/write" in host.reap())
    directory.names(bob=["engineers"], alice=["engineers"]).apply()
    host.login("alice/write", mfa=True).assert_allowed("1")


def test_the_reaper_ends_a_leaver_s_role_of_one_level_that_began_beside_cortex_sync(host):
    directory = Directory(host).names(bob=["engineers"], alice=["engineers"])
    directory.apply()
    with host.connect("alice/write", mfa=True) as alice, host.connect("bob/write", mfa=True) as bob:
        host.sql("select cortex.cut_logins('{alice}')")
        assert "ended session of alice/write" in host.reap()
        assert is_ended(alice) and not is_ended(bob)


def test_who_may_not_log_in_gets_no_role_of_one_level(host):
    """An administrator locked the person's role."""
    host.login().assert_allowed("1")
    host.sql("alter role alice nologin")
    host.login("alice/write", mfa=True).assert_refused("role_unavailable")
    assert host.sql("select count(*) from pg_roles where rolname ~ '^alice/'") == "0"
    host.sql("alter role alice login")
    host.login("alice/write", mfa=True).assert_allowed("1")


def test_cortex_sync_takes_turns_with_logins_and_the_reaper(host):
    """Who came second to the same membership failed, or both waited for each other until one was given up."""
    directory = Directory(host).names(bob=["engineers"], alice=["engineers"])
    directory.apply()
    host.login().assert_allowed("1")
    directory.names(bob=["engineers"])
    waits = "select exists (select from pg_stat_activity where usename = 'cortex_runner' and wait_event_type = 'Lock')"
    with psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False)) as other:
        other.execute("select cortex.lock_login('alice')")
        other.execute("revoke analytics_read from alice granted by cortex_grantor")
        run = subprocess.Popen([str(CORTEX_SYNC), "--config", str(host.cortex.conf), "--apply"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until("cortex-sync", lambda: host.sql(waits) == "t" or run.poll() is not None)
    assert (run.communicate(timeout=60)[1], run.returncode) == ("", 0)
    assert not host.exists("alice") and host.members("alice") == set() and directory.rests()


def test_a_leaver_s_very_first_login_keeps_nothing_beside_the_cut(host):
    """It had got its turn just now, which cortex-sync did not see, and was given a level behind the look at what there was."""
    directory = Directory(host).names(bob=["engineers"], alice=["engineers"])
    directory.apply()
    directory.names(bob=["engineers"])
    waits = "select exists (select from pg_stat_activity where usename = 'cortex_runner' and wait_event_type = 'Lock')"
    with host.connect("bob"), psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False)) as other:
        other.execute("select cortex.login('alice', '', '', 'analytics-staging', '{analytics_read,analytics_write}', "
                      "'{read,write}', '{analytics_read,analytics_write}', '{true,false}')")
        run = subprocess.Popen([str(CORTEX_SYNC), "--config", str(host.cortex.conf), "--apply"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until("cortex-sync", lambda: host.sql(waits) == "t" or run.poll() is not None)
    assert (run.communicate(timeout=60)[1], run.returncode) == ("", 0)
    assert not host.exists("alice") and host.members("alice") == set()
    assert directory.rests()


def test_cortex_sync_makes_roles_of_people_before_those_of_groups(host):
    """As a first login does: it had made its own and wanted the group's, which cortex-sync had made and wanted the person's."""
    host.sql("drop role if exists analytics_read")
    directory = Directory(host).names(alice=["engineers"], aaron=["engineers"])
    waits = "select exists (select from pg_stat_activity where usename = '{}' and wait_event_type = 'Lock')"
    with psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False)) as other:
        other.execute("create role aaron")
        run = subprocess.Popen([str(CORTEX_SYNC), "--config", str(host.cortex.conf), "--apply"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until("cortex-sync", lambda: host.sql(waits.format("cortex_runner")) == "t")
        logins = []
        thread = threading.Thread(target=lambda: logins.append(host.login()))
        thread.start()
        wait_until("the login", lambda: logins or host.sql(waits.format("cortex_jit")) == "t")
        other.rollback()
    thread.join()
    logins[0].assert_allowed("1")
    assert (run.communicate(timeout=60)[1], run.returncode) == ("", 0)
    directory.apply()  # the login noted the person as its own
    assert host.members("alice") == host.members("aaron") == {"analytics_read", "production_read"} and directory.rests()
    host.sql("drop role aaron")


def test_a_leaver_who_holds_the_role_is_cut_all_the_same(host):
    """A person may change the own password and not commit: nobody was cut then, nor anything else done, in no run."""
    directory = Directory(host).names(alice=["engineers"], bob=["engineers"], eve=["engineers"])
    directory.apply()
    with host.connect() as alice:
        pid = alice.info.backend_pid
        alice.execute("begin; alter role alice password 'x'")
        directory.names(bob=["engineers"])
        assert set(directory.apply()["cut"]) == {"alice", "eve"}
        assert is_ended(alice) and not host.exists("alice") and not host.exists("eve")
    assert [record["pid"] for record in host.events("session_ended")] == [pid] and directory.rests()


def test_a_leaver_who_alters_the_role_without_end_is_cut_all_the_same(host):
    """The server fails whoever alters a role that was altered meanwhile: so nobody was cut, in no run."""
    directory = Directory(host).names(alice=["engineers"], bob=["engineers"], eve=["engineers"])
    directory.apply()
    sessions = [host.connect() for _ in range(4)]
    for session in sessions:
        session.pgconn.send_query(b"do $$ begin loop begin alter role alice password null; "
                                  b"exception when others then null; end; commit; end loop; end $$")
    directory.names(bob=["engineers"])
    assert set(directory.apply()["cut"]) == {"alice", "eve"}
    wait_until("the end", lambda: host.sql("select count(*) from pg_stat_activity where usename = 'alice'") == "0")
    for session in sessions:
        session.close()


@pytest.mark.parametrize("prepares", [True, False], ids=["prepared", "of an administrator"])
def test_who_holds_a_leaver_s_role_keeps_nobody_else(host, prepares):
    """A transaction that belongs to no session of the leaver: nobody was cut or made, and nobody told whose it was."""
    directory = Directory(host).names(alice=["engineers"], bob=["engineers"], eve=["engineers"])
    directory.apply()
    administrator = psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False), autocommit=True)
    with host.connect() as alice, administrator:
        holder, role = (alice, "alice") if prepares else (administrator, "postgres")
        holder.execute("begin; savepoint s; alter role alice password null; release s")
        if prepares:
            holder.execute("prepare transaction 'hers'")
        directory.names(bob=["engineers"], carol=["engineers"])
        run = directory.run()
        assert run.returncode == 4 and is_ended(alice)
        rejected = json.loads(run.stdout)["rejected"]
        assert [one["name"] for one in rejected] == ["alice"] and f"of role {role} " in rejected[0]["why"]
        assert not prepares or "prepared transaction 'hers' of role alice in database analytics_staging" in rejected[0]["why"]
        assert host.exists("alice") and host.members("alice") == set()
        assert not host.exists("eve") and host.exists("carol") and "analytics_read" in host.members("carol")
        host.login().assert_refused("role_unavailable")
        assert directory.run().returncode == 4
        host.sql("rollback prepared 'hers'", "analytics_staging") if prepares else administrator.rollback()
    directory.apply()
    assert not host.exists("alice") and directory.rests()
    assert [record["role"] for record in host.events("role_cut")] == ["eve", "alice"]
    host.sql("drop role carol")


def test_a_leaver_whose_role_is_held_stays_out_where_nothing_is_missing(host):
    """An administrator gave what the login needs; with a service that grants nothing it is the same."""
    directory = Directory(host).names(alice=["engineers"], bob=["engineers"])
    directory.apply()
    host.sql("revoke analytics_read from alice granted by cortex_grantor; grant analytics_read to alice")
    host.login().assert_allowed("1")
    host.sql("begin; alter role alice password null; prepare transaction 'hers'")
    try:
        assert directory.names(bob=["engineers"]).run().returncode == 4 and host.exists("alice")
        host.login().assert_refused("role_unavailable")
    finally:
        host.sql("rollback prepared 'hers'")


def test_a_lock_of_somebody_else_is_no_other_run(host):
    """Exit code 6 is for that alone."""
    directory = Directory(host).names(alice=["engineers"])
    with psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False)) as other:
        other.execute("create role alice")
        run = subprocess.run([str(CORTEX_SYNC), "--config", str(host.cortex.conf), "--apply"],
                             capture_output=True, text=True, timeout=60, check=False)
        other.rollback()
    assert run.returncode == 3 and "lock timeout" in run.stderr
    directory.apply()


def test_a_standby_that_is_away_keeps_nobody_s_levels(host):
    """What was taken away was in force for nobody until the standby came back, and its run could not be ended."""
    directory = Directory(host).names(alice=["engineers"], bob=["engineers"])
    directory.apply()
    host.login("bob", mfa=True).assert_allowed("1")
    host.sql("alter system set synchronous_standby_names = 'nobody'")
    host.postgres.reload()
    try:
        wait_until("the setting", lambda: host.sql("show synchronous_standby_names") == "nobody")
        directory.names(bob=["engineers"]).apply()
        assert not host.exists("alice") and host.members("alice") == set()
        wait_until("the end", lambda: "revoked analytics_write from bob" in host.reap())
        assert "analytics_write" not in host.members("bob")
    finally:
        host.sql("alter system reset synchronous_standby_names")
        host.postgres.reload()


@pytest.mark.parametrize("first", ["the reaper", "cortex-sync"])
def test_an_end_that_both_bring_about_is_recorded_once(host, first):
    """A backend that takes its time is met by both."""
    directory = Directory(host).names(alice=["engineers"], bob=["engineers"])
    directory.apply()
    with host.connect() as alice:
        pid = alice.info.backend_pid
        os.kill(pid, signal.SIGSTOP)
        directory.names(bob=["engineers"])
        host.cortex.run("revoke", "--config", host.cortex.conf, "--subject", "dev", "alice", check=True)
        try:
            for end in (host.reap, directory.apply) if first == "the reaper" else (directory.apply, host.reap):
                end()
            assert [record["pid"] for record in host.events("session_ended")] == [pid]
        finally:
            os.kill(pid, signal.SIGCONT)
        assert is_ended(alice)


def test_a_session_that_ended_by_itself_was_ended_by_nobody(host):
    """Its stamp lies there until the reaper's next round."""
    directory = Directory(host).names(alice=["engineers"], bob=["engineers"])
    directory.apply()
    host.login().assert_allowed("1")
    wait_until("the end of the session", lambda: host.sql(
        "select count(*) from pg_stat_activity where usename = 'alice'") == "0")
    directory.names(bob=["engineers"]).apply()
    assert host.events("session_ended") == []


def test_cortex_sync_that_is_killed_leaves_the_ends_to_the_reaper(host):
    """Told and not committed: so far the record waits."""
    directory = Directory(host).names(alice=["engineers"], bob=["engineers"])
    directory.apply()
    with host.connect() as alice:
        pid = alice.info.backend_pid
        directory.names(bob=["engineers"])
        host.sql("create function public.hold() returns trigger language plpgsql as "
                 "'begin perform pg_advisory_xact_lock(1); return null; end'; "
                 "create constraint trigger hold after update on cortex.role_data deferrable initially deferred "
                 "for each row execute function public.hold()")
        try:
            with psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False)) as other:
                other.execute("select pg_advisory_xact_lock(1)")
                run = subprocess.Popen([str(CORTEX_SYNC), "--config", str(host.cortex.conf), "--apply"], stdout=subprocess.DEVNULL)
                wait_until("the end", lambda: is_ended(alice))
                run.kill()
                run.wait()
        finally:
            host.sql("drop function public.hold cascade")
        wait_until("the process to end", lambda: not os.path.exists(f"/proc/{pid}"))
        assert host.events("session_ended") == []
        host.reap()
        host.reap()
        assert [record["pid"] for record in host.events("session_ended")] == [pid]


def test_a_leaver_who_logs_in_again_keeps_the_role(host):
    """A role of one level that was cut because it owned something: all of that was handed over under the session."""
    Directory(host).names(bob=["engineers"])
    host.sql("grant create on schema public to public; create role maker", "analytics_staging")
    host.login("alice/write", mfa=True, sql="create table hers (n int)").assert_allowed("")
    wait_until("the end", lambda: "cut alice/write" in host.reap())
    host.sql("update cortex.role_data set cut_at = cut_at - interval '2 days' where name = 'alice/write'")
    conf = host.cortex.conf
    host.cortex.write(conf, conf.read_text(encoding="utf-8").replace("[sync]\n", "[sync]\nleaver_grace = 1d\n")
                      + '\n[database "analytics_staging"]\nleaver_owner = maker\n')
    waits = "select exists (select from pg_stat_activity where usename = 'cortex_runner' and wait_event_type = 'Lock')"
    with host.connect("bob"), psycopg.connect(**host.postgres.conninfo("postgres", "postgres", tls=False)) as other:
        other.execute("select cortex.login('alice/write', '', '', 'analytics-staging', '{analytics_write}', '{write}', "
                      "'{analytics_write}', '{false}')")
        run = subprocess.Popen([str(CORTEX_SYNC), "--config", str(conf), "--apply"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until("cortex-sync", lambda: host.sql(waits) == "t" or run.poll() is not None)
    said, complaint = run.communicate(timeout=60)
    assert (complaint, run.returncode) == ("", 4) and "rejected alice/write - a leaver that stays: logs in again" in said
    assert host.exists("alice/write") and host.members("alice/write") == {"analytics_write"}
    assert host.sql("select tableowner from pg_tables where tablename = 'hers'", "analytics_staging") == "alice/write"
    assert "cut alice/write" in host.reap()
    host.sql("drop table hers; drop role maker", "analytics_staging")


def test_a_login_keeps_what_the_directory_gave(host):
    """Its token may name fewer groups; and the directory takes back what it gave, whoever gave it too."""
    host.cortex.write(host.cortex.policies / "analytics.cedar", POLICY.replace(
        "\nwhen { context.mfa };", ";", 1).replace('Group::"engineers", action == Action::"write"',
                                                'Group::"writers", action == Action::"write"'))
    directory = Directory(host).names(alice=["engineers", "writers"])
    directory.apply()
    host.login().assert_allowed("1")
    assert "analytics_write" in host.members("alice") and directory.rests()
    host.login(groups=["engineers", "writers"]).assert_allowed("1")
    directory.names(alice=["engineers"]).apply()
    assert "analytics_write" not in host.members("alice") and directory.rests()
    host.forget_notes()
    host.login(groups=["engineers", "writers"]).assert_allowed("1")
    assert "analytics_write" in host.members("alice") and directory.rests()
