"""revoke and binding: what an operator changes counts at once, is recorded, and can be listed.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os

from host import Host
from support import ISSUER, assert_exit, assert_usage, cases, ctl

HEX = "0123456789abcdef" * 4


def run(host, *arguments, **how):
    verb = 2 if arguments[0] == "binding" else 1
    return ctl(*arguments[:verb], "--config", host.conf, *arguments[verb:], **how)


def explain(host, token, code, said):
    done = ctl("explain", "--config", host.conf, "--service", "staging", "-", stdin=token.encode())
    assert said in assert_exit(done, code).stdout, done.stdout
    return done


def records(host):
    lines = host.trail.read_text(encoding="utf-8").splitlines() if host.trail.exists() else []
    return [json.loads(line) for line in lines]


def token_of(host, *arguments):
    return host.token("--user", "alice", "--groups", "engineers", *arguments)


# --- revoke ---

@cases((("--subject", "dev", "alice"), "subject"), (("--subject", ISSUER, "alice"), "subject"),
       (("--sid", "dev", "s-1"), "sid"))
def test_revoked_name_is_refused_until_it_is_restored(way, kind):
    host = Host()
    token = token_of(host, "--claim", 'sid="s-1"')
    other = host.token("--user", "bob", "--groups", "engineers", "--claim", 'sid="s-2"')
    explain(host, token, 0, "allow")
    assert_exit(run(host, "revoke", *way), 0)
    explain(host, token, 1, "deny: revoked")
    explain(host, other, 0, "allow")
    listed = json.loads(assert_exit(run(host, "revoke", "--list", "--json"), 0).stdout)
    assert (listed["kind"], listed["issuer"], listed["value"]) == (kind, ISSUER, way[2])
    assert f"{kind} " in run(host, "revoke", "--list").stdout
    assert_exit(run(host, "revoke", *way, "--undo"), 0)
    assert_exit(run(host, "revoke", *way, "--undo"), 1)
    explain(host, token, 0, "allow")
    assert assert_exit(run(host, "revoke", "--list"), 0).stdout == ""
    events = [(r["event"], r["issuer"], r.get("subject") or r.get("sid")) for r in records(host)]
    assert events == [("access_revoked", ISSUER, way[2]), ("access_restored", ISSUER, way[2])]
    assert all(kind in r["detail"] and " by " in r["detail"] for r in records(host))


def test_revoked_token_is_refused_and_no_other_of_its_owner():
    host = Host()
    token = token_of(host, "--claim", 'jti="1"')
    other = token_of(host, "--claim", 'jti="2"')
    assert_exit(run(host, "revoke", "--token", "-", stdin=token.encode()), 0)
    explain(host, token, 1, "deny: revoked")
    explain(host, other, 0, "allow")
    assert token not in host.trail.read_text(encoding="utf-8")
    # the id of the record alone is enough to lift it, and to revoke it again
    token_id = records(host)[0]["token_id"]
    assert_exit(run(host, "revoke", "--token-id", token_id, "--undo"), 0)
    explain(host, token, 0, "allow")
    assert_exit(run(host, "revoke", "--token-id", token_id), 0)
    explain(host, token, 1, "deny: revoked")


def test_token_that_is_no_good_is_told_and_not_revoked():
    host = Host()
    done = run(host, "revoke", "--token", "-", stdin=token_of(host, "--expires=-1h").encode())
    assert_exit(done, 1, "token_expired")
    assert not host.trail.exists() and not os.listdir(host.state / "revoked")


@cases(("--claim", "nbf=4000000000", "not_yet_valid"), ("--claim", "iat=4000000000", "issued_in_future"),
       ("--kid", "to-be-fetched", "unknown_kid"))
def test_token_that_may_be_good_later_is_no_lost_cause(*wrong):
    host = Host()
    token = token_of(host, *wrong[:2])
    done = run(host, "revoke", "--token", "-", stdin=token.encode())
    assert_exit(done, 3, f"nothing was done, and a login may accept this token later: {wrong[2]}")


@cases(("--subject", "nobody", "alice"), ("--sid", "https://other.invalid", "s"),
       ("--token-id", "xyz"), ("--token-id", "../../etc/passwd"), ("--token-id", HEX.upper()),
       ("--subject", "dev", ""), ("--subject", "dev", "alice\r"), ("--sid", "dev", "s-1\n"),
       ("--token", "/nonexistent"))
def test_what_cannot_be_revoked_is_bad_input(*way):
    host = Host()
    assert_exit(run(host, "revoke", *way), 2)
    assert not [name for name in os.listdir(host.state / "revoked") if name[0] != "."]


@cases((), ("--subject", "dev"), ("--list", "x"), ("--token", "-", "x"), ("x",),
       ("--subject", "dev", "--sid", "dev", "x"), ("--list", "--undo"),
       ("--subject", "dev", "alice", "--json"))
def test_contradicting_options_are_refused(*way):
    assert_usage(run(Host(), "revoke", *way), "")


def test_revocation_counts_although_it_cannot_be_recorded():
    host = Host()
    host.trail.mkdir()
    assert_exit(run(host, "revoke", "--subject", "dev", "alice"), 3, "not in the audit trail")
    explain(host, token_of(host), 1, "deny: revoked")
    # and what opens again does so only with its record
    assert_exit(run(host, "revoke", "--subject", "dev", "alice", "--undo"), 3)
    explain(host, token_of(host), 1, "deny: revoked")


def test_missing_state_is_something_outside():
    host = Host()
    (host.state / "revoked").rmdir()
    done = run(host, "revoke", "--subject", "dev", "alice")
    assert_exit(done, 3, f"{host.state}/revoked: ")
    explain(host, token_of(host), 0, "state_unavailable")


# --- binding ---

def test_binding_is_shown_changed_and_released():
    host = Host()
    token = token_of(host, "--subject", "a-1")
    assert_exit(run(host, "binding", "show", "alice"), 1)
    assert_exit(run(host, "binding", "rebind", "alice", "--issuer", "dev", "--subject", "a-2"), 0)
    explain(host, token, 1, "deny: subject_mismatch")
    assert "a-2" in assert_exit(run(host, "binding", "show", "alice"), 0).stdout
    assert_exit(run(host, "binding", "rebind", "alice", "--issuer", ISSUER, "--subject", "a-1"), 0)
    explain(host, token, 0, "allow")
    listed = json.loads(assert_exit(run(host, "binding", "list", "--json"), 0).stdout)
    assert (listed["role"], listed["issuer"], listed["subject"]) == ("alice", ISSUER, "a-1")
    assert_exit(run(host, "binding", "release", "alice"), 0)
    assert_exit(run(host, "binding", "release", "alice"), 1)
    assert assert_exit(run(host, "binding", "list"), 0).stdout == ""
    assert [r["event"] for r in records(host)] == ["role_rebound", "role_rebound", "role_released"]
    assert [r["role"] for r in records(host)] == ["alice"] * 3
    assert "was subject a-2 of" in records(host)[1]["detail"]


def test_explaining_binds_nobody():
    host = Host()
    explain(host, token_of(host, "--subject", "a-1"), 0, "allow")
    explain(host, token_of(host, "--subject", "a-2"), 0, "allow")
    assert not os.listdir(host.state / "bindings")


@cases("postgres", "pg_monitor", "a/b", "", "x" * 64, "a\nb")
def test_role_that_no_login_opens_is_not_bound(role):
    host = Host()
    done = run(host, "binding", "rebind", role, "--issuer", "dev", "--subject", "a")
    assert_exit(done, 2)
    assert not [name for name in os.listdir(host.state / "bindings") if name[0] != "."]


@cases(b"", b"{", b'{"role":"bob"}', b"x" * 600000)
def test_damaged_binding_refuses_and_is_put_right_by_rebinding(content):
    host = Host()
    (host.state / "bindings" / "alice").write_bytes(content)
    assert_exit(run(host, "binding", "show", "alice"), 3, "alice: ")
    explain(host, token_of(host), 0, "state_unavailable")
    assert_exit(run(host, "binding", "rebind", "alice", "--issuer", "dev", "--subject", "other"), 0)
    explain(host, token_of(host), 1, "subject_mismatch")


# --- check ---

@cases("bindings", "replay", "requests", "revoked", "sessions")
def test_check_names_a_missing_folder(part):
    host = Host()
    (host.state / part).rmdir()
    done = assert_exit(host.check(), 1)
    assert f"{host.conf}:12: {host.state}/{part}: " in done.stderr, done.stderr


@cases("bindings", "revoked")
def test_check_names_a_folder_that_everybody_can_write(part):
    host = Host()
    (host.state / part).chmod(0o777)
    assert f"{part}: is writable by everybody" in assert_exit(host.check(), 1).stderr


def test_check_warns_of_a_window_without_one_use():
    host = Host()
    host.configure(*host.section, "reuse_window = 30s", *host.rest, name="cortex.conf")
    done = assert_exit(host.check(), 0)
    assert "cortex.conf:6: warning: reuse_window" in done.stderr, done.stderr
