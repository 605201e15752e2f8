"""policy test: expectations that hold, that do not, and files that are none.

SPDX-License-Identifier: PostgreSQL
"""
import json

from host import POLICY, Host
from support import assert_exit, cases, ctl, folder

HOST = Host()
HOST.policy.write_text(POLICY + """\
@id("second-factor") permit (principal, action == Action::"write", resource) when { context.mfa };
@id("by-claim") permit (principal, action == Action::"admin", resource)
when { principal.hasTag("hd") && principal.getTag("hd").contains("example.com") };
@id("shared") permit (principal in Group::"dba", action == Action::"assume", resource == Role::"staging/report");
@id("all-shared") permit (principal in Group::"ops", action == Action::"assume", resource in Environment::"staging");
@id("from-office") permit (principal, action == Action::"write", resource)
when { context has address && context.address.isInRange(ip("10.0.0.0/8")) };
""", encoding="utf-8")
GOOD = {"name": "n", "user": "alice", "groups": ["engineers"], "service": "staging", "level": "read",
        "expect": "allow"}


def run(*tests, host=HOST):
    home = folder()
    (home / "a.json").write_text(json.dumps(tests), encoding="utf-8")
    return ctl("policy", "test", "--config", host.conf, home)


def test_expectations_that_hold_are_counted():
    done = assert_exit(run(GOOD, {**GOOD, "service": "production", "expect": "deny"},
                           {**GOOD, "groups": [], "expect": "deny"}), 0)
    assert done.stdout == "3 passed, 0 failed\n" and done.stderr == ""


@cases(({"level": "write", "context": {"mfa": True}}, ["second-factor"]),
       ({"level": "admin", "tags": {"hd": ["x", "example.com"]}}, ["by-claim"]),
       ({"level": "assume", "role": "report", "groups": ["dba"]}, ["shared"]),
       ({"level": "assume", "role": "batch", "groups": ["ops"]}, ["all-shared"]),
       ({"level": "write", "context": {"address": {"__extn": {"fn": "ip", "arg": "10.1.2.3"}}}},
        ["from-office"]))
def test_what_a_login_may_bring_can_be_stated(change, policies):
    assert_exit(run({**GOOD, **change, "policies": policies}), 0)
    assert_exit(run({**GOOD, **change, "policies": []}), 1)
    plain = {key: value for key, value in {**GOOD, **change}.items() if key not in ("tags", "context")}
    if "groups" not in change:
        assert_exit(run({**plain, "expect": "deny"}), 0)


def test_expectation_that_fails_is_told_with_the_policy_that_decided():
    done = assert_exit(run(GOOD, {**GOOD, "name": "not so", "expect": "deny"}), 1)
    assert "a.json: not so: expected deny, got allow by \"engineers-read-staging\"" in done.stdout
    assert f"({HOST.policy}:1)" in done.stdout and done.stdout.endswith("1 passed, 1 failed\n")


@cases(["other"], [], ["engineers-read-staging", "other"])
def test_other_policies_than_expected_fail(policies):
    assert_exit(run({**GOOD, "policies": policies}), 1)


@cases({"expct": "allow"}, {"expect": "Allow"}, {"expect": None}, {"level": "reads"}, {"level": 1},
       {"user": 1}, {"groups": "engineers"}, {"groups": [1]}, {"tags": []}, {"tags": {"a": "b"}},
       {"context": []}, {"role": "x"}, {"level": "assume"}, {"policies": "x"},
       {"service": "stagin"}, {"context": {"mfaa": True}}, {"context": {"mfa": "yes"}}, {"context": {"now": "2026"}},
       {"context": {"x": None}}, {"context": {"address": {"__extn": {"fn": "ip", "arg": "x"}}}})
def test_test_that_is_none_is_bad_input(change):
    done = assert_exit(run(GOOD, {**GOOD, "expect": "deny", **change}), 2)
    assert "a.json: " in done.stderr and "passed" not in done.stdout, done


@cases("name", "user", "service", "level", "expect")
def test_test_that_lacks_a_member_is_bad_input(name):
    lacking = dict(GOOD)
    del lacking[name]
    assert_exit(run(lacking), 2, "test 1: ")


@cases("", "[", "{}", "1", '[{"name":"a","name":"b"}]', "\0")
def test_file_that_is_none_is_bad_input(text):
    home = folder()
    (home / "a.json").write_text(text, encoding="utf-8")
    assert_exit(ctl("policy", "test", "--config", HOST.conf, home), 2, "a.json")


def test_folder_without_tests_is_bad_input():
    home = folder()
    (home / ".hidden.json").write_text("[]", encoding="utf-8")
    assert_exit(ctl("policy", "test", "--config", HOST.conf, home), 2, "no *.json")
    assert_exit(ctl("policy", "test", "--config", HOST.conf, home / "none"), 2, "No such file")


def test_policy_that_does_not_load_is_bad_input():
    host = Host()
    host.policy.write_text("permit", encoding="utf-8")
    assert_exit(run(GOOD, host=host), 2, f"{host.policy}:1:")
