"""The trail: every answer is in it, nothing can be changed unseen, a full disk closes.

SPDX-License-Identifier: PostgreSQL
"""
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from cortex import own_by_server
from harness import DATABASES, PRODUCTION, STAGING


def test_explain_tells_why_production_is_denied(world):
    login = world.login("alice", PRODUCTION, world.openid.id_token("alice-1"))
    login.assert_refused("policy_denied")
    explained = world.cortex.explain(login.reference)
    assert explained.returncode == 1, explained.stderr
    assert "engineers-read-analytics-staging" in explained.stdout
    assert "analytics.cedar:" in explained.stdout
    assert "environment" in explained.stdout


def test_explain_tells_why_staging_is_allowed(world):
    record = world.login("alice", token=world.openid.id_token("alice-1")).assert_allowed()
    explained = world.cortex.explain(record["reference"])
    assert explained.returncode == 0, explained.stderr
    assert "engineers-read-analytics-staging" in explained.stdout


def test_explain_knows_no_invented_reference(world):
    world.login("alice", token=world.openid.id_token("alice-1"))
    explained = world.cortex.explain("AAAAAAAAAAAAAAAA")
    assert explained.returncode not in (0, 1)


def test_sequence_has_no_gap_and_names_each_backend(world):
    token = world.openid.id_token("alice-1")
    for service in (STAGING, PRODUCTION, STAGING):
        world.login("alice", service, token)
    records = world.cortex.records()
    assert [r["decision"] for r in records] == ["allow", "deny", "allow"]
    first = records[0]["seq"]
    assert [r["seq"] for r in records] == [first, first + 1, first + 2]
    assert len({r["pid"] for r in records}) == 3
    assert len({r["reference"] for r in records}) == 3


@pytest.fixture
def trail(world):
    """A copy of a trail of several records, to be tampered with."""
    token = world.openid.id_token("alice-1")
    for service in (STAGING, PRODUCTION, STAGING, PRODUCTION):
        world.login("alice", service, token)
    copy = world.cortex.trail.with_suffix(".copy")
    shutil.copy(world.cortex.trail, copy)
    return copy


def edited(lines):
    lines[1] = lines[1].replace(b'"deny"', b'"allow"', 1)


def one_byte(lines):
    lines[2] = lines[2].replace(b"alice", b"alicf", 1)


def removed(lines):
    del lines[1]


def reordered(lines):
    lines[1], lines[2] = lines[2], lines[1]


def doubled(lines):
    lines.insert(2, lines[1])


@pytest.mark.parametrize("tamper", [edited, one_byte, removed, reordered, doubled],
                         ids=lambda tamper: tamper.__name__)
def test_tampering_is_found(world, trail, tamper):
    assert world.cortex.verify_trail(trail).returncode == 0
    before = trail.read_bytes()
    lines = before.splitlines(keepends=True)
    tamper(lines)
    trail.write_bytes(b"".join(lines))
    assert trail.read_bytes() != before
    verified = world.cortex.verify_trail(trail)
    assert verified.returncode == 1, verified.stdout + verified.stderr
    assert ":" in verified.stdout + verified.stderr


def test_six_logins_at_the_same_instant(world):
    tokens = [world.openid.id_token("alice-1") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        logins = list(pool.map(
            lambda token: world.postgres.psql("alice", DATABASES[STAGING], password=token), tokens))
    assert [login.returncode for login in logins] == [0] * 6, logins
    assert [r["decision"] for r in world.cortex.records()] == ["allow"] * 6


def test_six_refusals_at_the_same_instant(world):
    token = world.openid.id_token("alice-1")
    with ThreadPoolExecutor(6) as pool:
        logins = list(pool.map(
            lambda _: world.postgres.psql("alice", DATABASES[PRODUCTION], password=token), range(6)))
    assert [login.returncode for login in logins] == [2] * 6
    assert [r["reason"] for r in world.cortex.records()] == ["policy_denied"] * 6


def test_refusals_of_signed_tokens_are_all_recorded(world):
    token = world.cortex.dev_token("--user", "alice", "--groups", "engineers", "--expires=-5m")
    for _ in range(25):
        world.postgres.psql("alice", DATABASES[STAGING], password=token)
    assert [r["reason"] for r in world.cortex.records()] == ["token_expired"] * 25


def test_refusals_that_a_stranger_can_cause_are_capped(world):
    head, payload, _ = world.openid.id_token("alice-1").split(".")
    for _ in range(45):
        world.postgres.psql("alice", DATABASES[STAGING], password=f"{head}.{payload}.AAAA")
    reasons = [r["reason"] for r in world.cortex.records()]
    assert set(reasons) == {"signature_invalid"}
    assert 20 <= len(reasons) <= 40, "20 in each of at most two minutes"


def test_fsync_writes_the_same_trail(world):
    world.cortex.configure(audit={"fsync": "yes"})
    world.login("alice", token=world.openid.id_token("alice-1")).assert_allowed()


@pytest.mark.parametrize("place", ["/nonexistent/audit.jsonl", "/proc/audit.jsonl", "/dev/null"])
def test_trail_that_cannot_be_written_closes(world, place):
    world.cortex.configure(audit={"file": place})
    login = world.login("alice", token=world.openid.id_token("alice-1"))
    login.assert_refused("audit_unavailable", recorded=False)


def test_trail_that_anybody_may_write_closes(world):
    world.cortex.trail.touch()
    own_by_server(world.cortex.trail)
    world.cortex.trail.chmod(0o666)
    login = world.login("alice", token=world.openid.id_token("alice-1"))
    login.assert_refused("audit_unavailable", recorded=False)


def assert_loss_is_told(login):
    """The reference that the server's log holds leads nowhere, and the log says so."""
    assert re.search(r"cortex: no record was kept of reference=\w{16}: /nonexistent/audit.jsonl: ",
                     login.log), login.log


def test_operator_may_let_people_in_without_a_trail(world):
    world.cortex.configure(audit={"file": "/nonexistent/audit.jsonl", "required": "no"})
    login = world.login("alice", token=world.openid.id_token("alice-1"))
    assert login.result.returncode == 0, login.log
    assert_loss_is_told(login)


def test_no_trail_never_turns_a_refusal_into_a_yes(world):
    world.cortex.configure(audit={"file": "/nonexistent/audit.jsonl", "required": "no"})
    login = world.login("alice", PRODUCTION, world.openid.id_token("alice-1"))
    login.assert_refused("policy_denied", recorded=False)
    assert_loss_is_told(login)


@pytest.fixture
def small_disk(world):
    """A file system of its own below the trail, which is full after some writing."""
    place = world.cortex.audit_folder / "disk"
    place.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0777", "tmpfs", place],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mount: " + mounted.stderr.decode().strip())
    yield place
    subprocess.run(["umount", place], check=True)


def test_full_disk_closes_and_the_trail_stays_whole(world, small_disk):
    trail = small_disk / "audit.jsonl"
    world.cortex.configure(audit={"file": trail})
    token = world.openid.id_token("alice-1")
    assert world.login("alice", token=token).result.returncode == 0
    ballast = small_disk / "ballast"
    with pytest.raises(OSError):
        with open(ballast, "wb", buffering=0) as file:
            while True:
                file.write(bytes(1024))
    outcomes = []
    for _ in range(12):
        login = world.login("alice", token=token)
        outcomes.append(login.result.returncode)
        if login.result.returncode:
            assert "reason=audit_unavailable" in login.refused_line, login.log
    assert outcomes[-1] == 2
    ballast.unlink()
    assert world.login("alice", token=token).result.returncode == 0
    verified = world.cortex.verify_trail(trail)
    assert verified.returncode == 0, verified.stdout + verified.stderr
