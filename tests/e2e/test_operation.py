"""cortex-sync: scripts, metrics, a progress line; many roles; killed and failing runs.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import pty
import random
import select
import signal
import socket
import subprocess
import threading
import time

import psycopg
import pytest

from harness import wait_until
from synchost import CORTEX_SYNC, SyncHost


def crowd(count, *groups):
    return {f"p{number:04}": list(groups) for number in range(count)}


def command(sync, *arguments):
    return [str(CORTEX_SYNC), "--config", str(sync.folder / "cortex.conf"), *arguments]


# --- what it prints and writes ---

def test_script_does_what_apply_would(sync):
    sync.configure(more='[role "shop"]\nkind = login\ncomment = "it\'s \\\\ $1"\nset = search_path=public\n'
                        '[database "postgres"]\nschemas = public\n[role "x"]\n')
    sync.people({"alice": ["engineers"], 'o"br\\ien': ["writers"], "x'); drop role alice; --": ["engineers"]})
    script = sync.run("--sql", check=0).stdout
    assert sync.host.can_login("alice") is None
    psql = str(sync.host.programs / "psql") if (sync.host.programs / "psql").exists() else "psql"
    done = subprocess.run([psql, "-X", "-q", "-d", sync.host.dsn("cortex_runner")], input=script, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sync.plan("--check", check=0)["in_sync"] is True
    assert sync.host.can_login('o"br\\ien') is True and sync.host.can_login("alice") is True
    people = {"alice": ["engineers"]}
    sync.people(people)
    script = sync.run("--sql", "--allow-removals=9", check=0).stdout
    assert script.index("cut_logins") < script.index("end_sessions") < script.index("COMMIT;")
    sync.run("--sql", "--apply", check=2)


def metrics_of(path):
    assert path.stat().st_mode & 0o777 == 0o644
    lines = path.read_text().splitlines()
    assert all(line.startswith(("# HELP ", "# TYPE ", "cortex_sync_")) for line in lines)
    return {line.rsplit(" ", 1)[0].replace('cluster="",', "").replace('{cluster=""}', ""): int(line.rsplit(" ", 1)[1])
            for line in lines if not line.startswith("#")}


def test_metrics_say_drift_success_rejections_and_valves(sync):
    path = sync.folder / "cortex.prom"
    sync.people({**crowd(8, "engineers"), "pg_bad": ["engineers"]})
    sync.run("--metrics", str(path), check=4)
    found = metrics_of(path)
    assert found['cortex_sync_drift{kind="create"}'] == 11 and found['cortex_sync_drift{kind="grant"}'] == 8
    assert found["cortex_sync_rejected_names"] == 1 and found["cortex_sync_people"] == 9
    sync.apply("--metrics", str(path), check=4)
    found = metrics_of(path)
    assert all(value == 0 for name, value in found.items() if "drift" in name)
    success = found["cortex_sync_last_success_timestamp_seconds"]
    assert abs(success - time.time()) < 60
    path.write_text(path.read_text().replace(str(success), str(success - 1000)))
    sync.people({})
    sync.run("--apply", "--metrics", str(path), check=5)
    found = metrics_of(path)
    assert found["cortex_sync_valve_refused"] == 1 and found["cortex_sync_exit_code"] == 5
    assert found["cortex_sync_last_success_timestamp_seconds"] == success - 1000
    sync.configure(user="nobody_of_this_name")
    sync.run("--apply", "--metrics", str(path), check=3)
    found = metrics_of(path)
    assert found["cortex_sync_exit_code"] == 3 and "cortex_sync_people" not in found
    assert found["cortex_sync_last_success_timestamp_seconds"] == success - 1000
    assert [file.name for file in sync.folder.iterdir() if "prom" in file.name] == ["cortex.prom"]
    sync.run("--metrics", "/nonexistent/x.prom", check=3)
    pipe, link = sync.folder / "pipe", sync.folder / "link"
    os.mkfifo(pipe)
    link.symlink_to(path)
    for other in (pipe, link):
        assert "no regular file" in sync.run("--metrics", str(other), check=3).stderr
    assert pipe.is_fifo() and link.is_symlink()


def test_progress_is_for_terminals_only(sync):
    sync.people({"alice": ["engineers"]})
    assert sync.apply().stderr == ""
    leader, follower = pty.openpty()
    subprocess.run(command(sync), stdout=subprocess.DEVNULL, stderr=follower, check=True)
    said = os.read(leader, 4096).decode()
    os.close(leader), os.close(follower)
    assert "reading directories" in said and said.endswith("\r\x1b[K")


@pytest.mark.parametrize("how", ["--quiet", "--json", "--sql"])
def test_what_does_not_fit_on_the_disk_is_not_printed(sync, how):
    sync.people({"alice": ["engineers"]})
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command(sync, how), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3 and "standard output: " in done.stderr and "Success" not in done.stderr


def test_cron_mails_nothing_where_all_is_in_sync(sync):
    sync.people({"alice": ["engineers"]})
    assert sync.apply("--quiet").stdout.count("\n") == 1
    assert sync.apply("--quiet").stdout == sync.run("--check", "--quiet", check=0).stdout == ""
    assert "in sync: 1 people" in sync.apply().stdout
    sync.people({"alice": ["engineers"], "postgres": ["engineers"]})
    assert "rejected postgres" in (said := sync.run("--quiet", check=4).stdout) and "in sync: 2 people" in said


# --- more than the lock table has room for ---

def test_what_does_not_fit_is_made_in_several_transactions_reductions_first(sync):
    host = sync.host
    people = crowd(60, "engineers")
    sync.people({**people, "bob": ["engineers"]})
    sync.apply("--quiet")
    sync.configure(more='[role "all"]\nkind = people\ncomment = of the directory\n')
    host.sql("alter system set max_connections = 8")
    host.sql("alter system set max_wal_senders = 0")
    host.sql("alter system set superuser_reserved_connections = 1")
    host.sql("alter system set max_locks_per_transaction = 64")
    host.postgres.stop()
    host.postgres.start()
    try:
        sync.people({**people, **{f"q{number:04}": ["writers"] for number in range(4700)}})
        result = sync.run("--apply", "--json", check=0)
        assert "what takes away first" in result.stderr
        assert '"transactions": ' in result.stdout or '"transactions":' in result.stdout
        events = [record["event"] for record in sync.records()]
        cut = len(events) - 1 - events[::-1].index("role_cut")
        assert cut < len(events) - 1 - events[::-1].index("role_created")
        assert host.can_login("bob") is False
        assert len(host.members("analytics_write")) == 4700
        sync.run("--check", check=0)
    finally:
        for name in ("max_connections", "max_wal_senders", "superuser_reserved_connections", "max_locks_per_transaction"):
            host.sql(f"alter system reset {name}")
        host.postgres.stop()
        host.postgres.start()
        host.sql("do $$ declare r record; begin for r in select rolname from pg_roles where rolname ~ '^q[0-9]' loop "
                 "execute format('drop role %I', r.rolname); end loop; end $$")


# --- what takes away never waits ---

def test_leaver_is_cut_although_a_grant_fails(sync):
    people = crowd(20, "engineers")
    sync.people({**people, "bob": ["engineers", "writers"], "carl": ["engineers", "writers"]})
    sync.apply("--quiet")
    sync.host.sql("revoke execute on function cortex.create_logins(text[], text[], text, text) from cortex_runner")
    try:
        sync.people({**people, "carl": ["engineers"], "new": ["engineers"]})
        result = sync.run("--apply", check=3)
        assert "what takes away was done all the same" in result.stderr
        assert sync.host.can_login("bob") is False and sync.host.can_login("new") is None
        assert sync.host.members("analytics_write") == set()
        assert [r["role"] for r in sync.records() if r["event"] == "role_cut"] == ["bob"]
    finally:
        sync.host.sql("grant execute on function cortex.create_logins(text[], text[], text, text) to cortex_runner")
    sync.apply("--quiet")
    assert sync.host.can_login("new") is True


# --- killed ---

def picture(host):
    """What is there of ours."""
    return (host.sql("select rolname, rolcanlogin from pg_roles where rolname !~ '^(pg_|cortex_|postgres$)' order by 1"),
            {edge for edge in host.memberships() if edge[2] == "cortex_grantor"})


def test_killed_at_any_moment_nothing_is_lost_or_half_done(sync):
    rnd = random.Random(7)
    groups = ["engineers", "writers"]
    before = after = None
    for round_number in range(20):
        people = {f"p{n:04}": rnd.sample(groups, rnd.randrange(1, 3)) for n in rnd.sample(range(60), 45)}
        sync.people(people)
        before = picture(sync.host)
        began = time.monotonic()
        run = subprocess.Popen(command(sync, "--apply", "--quiet", "--allow-removals=10000"), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        try:
            run.wait(timeout=rnd.uniform(0.005, 0.25))
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            run.wait()
        assert time.monotonic() - began < 30
        left = "from pg_stat_activity where usename = 'cortex_runner'"
        sync.host.sql("select count(pg_terminate_backend(pid)) " + left)
        wait_until("its backend to end", lambda: sync.host.sql("select count(*) " + left) == [(0,)])
        middle = picture(sync.host)
        sync.run("--apply", "--quiet", "--allow-removals=10000", "--wait", check=0)
        after = picture(sync.host)
        assert middle in (before, after), round_number
        sync.run("--check", check=0)


def test_two_first_runs_at_once_leave_the_right_state(sync):
    sync.people(crowd(300, "engineers"))
    runs = [subprocess.Popen(command(sync, "--apply", "--quiet", "--wait"), stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [run.wait(timeout=60) for run in runs] == [0, 0]
    assert len(sync.host.members("analytics_read")) == 300
    sync.run("--check", check=0)


def test_two_clusters_get_a_plan_each(sync):
    other = SyncHost()
    try:
        def quoted(host):
            return host.dsn("cortex_runner").replace("\\", "\\\\").replace('"', '\\"')
        sync.configure(more=f'[cluster "one"]\nconninfo = "{quoted(sync.host)}"\ncluster = db1:5432\n'
                            f'[cluster "two"]\nconninfo = "{quoted(other.host)}"\ncluster = db2:5432\n'
                            '[role "only_two"]\ncluster = two\n')
        from synchost import ANALYTICS, service
        sync.services(ANALYTICS, service("reports", {"read": ["reports_read"]}, host="db2"))
        sync.policy('permit (principal in Group::"engineers", action == Action::"read", resource);')
        sync.people({"alice": ["engineers"]})
        path = sync.folder / "two.prom"
        sync.apply("--metrics", str(path))
        assert sync.host.members("analytics_read") == {"alice"} and other.host.members("reports_read") == {"alice"}
        assert sync.host.can_login("only_two") is None and other.host.can_login("only_two") is False
        assert sync.host.can_login("reports_read") is None
        assert 'cortex_sync_people{cluster="two"} 1' in path.read_text()
        other.host.postgres.stop()
        sync.people({"bob": ["engineers"], "alice": ["engineers"]})
        done, failed = map(json.loads, sync.run("--apply", "--json", check=3).stdout.splitlines())
        assert sync.host.members("analytics_read") == {"alice", "bob"}
        assert (done["cluster"], done["applied"]) == ("one", True)
        assert failed == {"cluster": "two", "applied": False, "exit": 3}
        other.host.postgres.start()
    finally:
        other.close()


def test_two_sections_that_reach_one_server_change_nothing(sync):
    """Each took away what the other had given, in every run. A server that is away is looked for once."""
    there = sync.host.dsn("cortex_runner")
    for other, why in ((there + " connect_timeout=5", None), (there + " port=1", "cluster two: database: ")):
        sync.configure(more="".join(f'[cluster "{label}"]\nconninfo = "{conninfo}"\ncluster = db1:5432\n'
                                    for label, conninfo in (("one", there), ("two", other))))
        sync.people(crowd(3, "engineers"))
        result = sync.run("--apply", check=3 if why else 2)
        assert len(sync.host.members("analytics_read")) == (3 if why else 0)
        if why:
            assert result.stderr.count(why) == 1
        else:
            assert '[cluster "one"] reaches the same server as [cluster "two"]' in result.stderr
            assert '[cluster "two"] reaches the same server as [cluster "one"]' in result.stderr


class Silence:
    """A socket in the server's place that carries everything to it, and no answer after a COMMIT of changes.

    Or nothing any more, as where the server is frozen, once a word was sent."""

    def __init__(self, sync, frozen_at=None):
        self.frozen_at = frozen_at
        self.server = str(sync.host.postgres.sockets / f".s.PGSQL.{sync.host.postgres.port}")
        self.folder = sync.host.folder.make("frozen" if frozen_at else "silence")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.folder / f".s.PGSQL.{sync.host.postgres.port}"))
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        client, _ = self.listener.accept()
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server)
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(65536)
                    if self.frozen_at and self.frozen_at in data:
                        while client.recv(65536):
                            pass
                        return
                    (server if source is client else client).sendall(data)
                    if not data or b"sync_done" in data:
                        server.recv(65536)  # so it is committed
                        return


def test_commit_without_an_answer_is_neither_done_nor_undone(sync):
    sync.people(crowd(5, "engineers"))
    silence, conf = Silence(sync), sync.folder / "cortex.conf"
    before = conf.read_text(encoding="utf-8")
    conf.write_text(before.replace(str(sync.host.postgres.sockets), str(silence.folder)), encoding="utf-8")
    assert "whether the changes were made is not known: run again" in sync.run("--apply", check=3).stderr
    silence.listener.close()
    assert sync.records()[-1]["event"] == "sync_unknown"
    assert sync.host.can_login("p0000") is True
    conf.write_text(before, encoding="utf-8")
    sync.run("--check", check=0)


def test_server_that_freezes_holds_up_nobody_for_long(sync):
    """The clusters behind it, and who has left there. What was asked of it last is not known."""
    other = SyncHost()
    try:
        silence = Silence(other, b"system_identifier")
        frozen = other.host.dsn("cortex_runner").replace(str(other.host.postgres.sockets), str(silence.folder))
        sync.configure(more="timeout = 1\n" + "".join(
            f'[cluster "{label}"]\nconninfo = "{conninfo}"\ncluster = db1:5432\n'
            for label, conninfo in (("one", frozen), ("two", sync.host.dsn("cortex_runner")))))
        sync.people(crowd(5, "engineers"))
        begun = time.monotonic()
        assert "cluster one: database: the server has given no answer for 6 s" in sync.run("--apply", check=3).stderr
        assert time.monotonic() - begun < 30
        assert len(sync.host.members("analytics_read")) == 5
        silence.listener.close()
    finally:
        other.close()


def test_role_that_is_dropped_meanwhile_costs_a_second_look_only(sync):
    sync.people({**crowd(5, "engineers"), "bob": ["engineers"]})
    sync.apply("--quiet")
    sync.people({**crowd(5, "engineers"), "carl": ["engineers"]})
    waits = "select count(*) from pg_stat_activity where usename = 'cortex_runner' and wait_event_type = 'Lock'"
    with psycopg.connect(sync.host.dsn("postgres")) as dba:
        dba.execute("drop role bob")
        run = subprocess.Popen(command(sync, "--apply"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until("cortex-sync", lambda: sync.host.sql(waits) == [(1,)])
    assert run.wait(timeout=60) == 0
    assert "somebody else changes roles at the same time: reading them again" in run.stderr.read()
    assert sync.host.can_login("bob") is None and sync.host.can_login("carl") is True
    sync.run("--check", check=0)


def test_right_lost_after_the_lock_changes_nothing(sync):
    sync.people(crowd(5, "engineers"))
    with psycopg.connect(sync.host.dsn("postgres")) as blocker:
        blocker.execute("lock table cortex.run_data in exclusive mode")
        run = subprocess.Popen(command(sync, "--apply"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        sync.host.sql("revoke execute on function cortex.grant_members(text[], text[], integer[], integer[]) "
                      "from cortex_runner")
        blocker.rollback()
    try:
        assert run.wait(timeout=60) == 3, run.stderr.read()
        assert "permission denied" in run.stderr.read()
        assert sync.host.can_login("p0000") is None
    finally:
        sync.host.sql("grant execute on function cortex.grant_members(text[], text[], integer[], integer[]) "
                      "to cortex_runner")
