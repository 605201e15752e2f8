"""doctor: each fault provoked once, with what it means and what puts it right.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import re
import subprocess
import time

from host import Host, service
from support import BUILD, ENVIRONMENT, SOURCE, assert_exit, assert_usage, cases, ctl, one_object

SEVERITIES = ("error", "unknown", "warning", "note")
FAULT = re.compile(r'^FAULT\(\w+, (\w+), (\w+),', re.M)
DECLARED = dict(FAULT.findall((SOURCE / "tools/cortexctl/fault_list.h").read_text(encoding="utf-8")))
# What the machine of the tests may be, or not be.
SURROUNDINGS = {"clock_unsynchronised", "syslog_absent", "audit_disk", "pam_module_missing"}
# What a host of these tests is: its issuer is one for development and, unless root runs this, its files are the caller's.
EXPECTED = {"keys_development", "file_owner", "audit_unanchored"}


class Doctor(Host):
    """With an "other" that refuses, and folders that only their owner can write and a server could enter."""

    def __init__(self):
        super().__init__()
        for path in [self.home, *self.home.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o022 | (0o055 if path.is_dir() else 0))
        (self.pam / "other").write_text("auth required pam_deny.so\naccount required pam_deny.so\n",
                                        encoding="utf-8")

    def ask(self, *arguments, **how):
        return ctl("doctor", "--config", self.conf, "--pam-folder", self.pam, "--offline",
                   "--pooler", self.home / "pgbouncer.ini", *arguments, **how)

    def findings(self, *arguments):
        """By name, without the surroundings; each has all that a finding has."""
        done = self.ask("--json", *arguments)
        answer = one_object(done.stdout)
        for finding in answer["findings"]:
            assert set(finding) == {"name", "severity", "file", "line", "column", "what", "meaning", "fix"}
            assert finding["what"] and finding["meaning"] and finding["fix"], finding
            assert finding["severity"].upper() == DECLARED[finding["name"]].replace("OUTSIDE", "UNKNOWN"), finding
        for severity in SEVERITIES:
            member = severity if severity == "unknown" else severity + "s"
            assert answer[member] == sum(f["severity"] == severity for f in answer["findings"])
        assert (done.returncode == 1) == (answer["errors"] > 0), done
        return {f["name"]: f for f in answer["findings"] if f["name"] not in SURROUNDINGS}

    def found(self, name, *arguments):
        findings = self.findings(*arguments)
        assert name in findings, list(findings)
        return findings[name]


def test_host_without_fault_has_none():
    assert set(Doctor().findings()) <= EXPECTED


def test_people_read_what_it_is_what_it_means_and_the_fix():
    host = Doctor()
    (host.pam / "cortex-staging").unlink()
    text = host.ask().stdout
    assert f"warning pam_file_missing: {host.pam}/cortex-staging: " in text, text
    assert "\n  means  this host serves no logins" in text and "\n  fix    cortexctl service render" in text
    assert re.search(r"\d+ errors, \d+ unknown, \d+ warnings, \d+ notes\n$", text), text


def test_errors_come_before_warnings():
    host = Doctor()
    host.policy.chmod(0o666)
    (host.pam / "cortex-staging").unlink()
    severities = re.findall(r"^(error|warning|note) ", host.ask().stdout, re.M)
    assert severities == sorted(severities, key=SEVERITIES.index) and {"error", "warning"} <= set(severities)


# --- configuration, policy, what check finds too ---

def test_configuration_that_does_not_load_is_found_and_the_rest_is_looked_at():
    host = Doctor()
    host.conf.write_text("[oidc\n", encoding="utf-8")
    (host.pam / "other").write_text("auth required pam_unix.so\n", encoding="utf-8")
    findings = host.findings()
    assert (findings["config_invalid"]["line"], findings["config_invalid"]["file"]) == (1, str(host.conf)), findings
    assert "pam_other_open" in findings


def test_policy_that_does_not_load_is_found_with_its_place():
    host = Doctor()
    host.policy.write_text("// 1\npermit", encoding="utf-8")
    finding = host.found("policy_invalid")
    assert (finding["file"], finding["line"]) == (str(host.policy), 2)


def test_every_finding_of_check_is_one_of_doctor():
    host = Doctor()
    host.describe(service("staging", "staging", audience="nobody"), service("production", "staging"))
    (host.path / "jwks.json").write_text('{"keys":[]}', encoding="utf-8")
    (host.state / "replay").rmdir()
    findings = host.findings()
    assert {"audience_unaccepted", "keys_none", "state_unusable"} <= set(findings), list(findings)
    assert findings["keys_none"]["line"] == 4


@cases((0o644, True), (0o600, False))
def test_private_key_that_everybody_can_read_is_found(mode, is_found):
    host = Doctor()
    host.configure(*host.section, "decryption_key_file = key.pem", *host.rest, name="cortex.conf")
    assert "decryption_key_file: cannot be opened" in host.found("config_invalid")["what"]
    key = host.path / "key.pem"
    key.write_bytes((host.path / "rs256.pem").read_bytes())
    key.chmod(mode)
    finding = host.findings().get("private_key_public")
    assert (finding is not None) == is_found, finding
    assert not finding or (finding["line"] == 6 and str(key) in finding["what"]), finding


def test_window_without_one_use_is_found():
    host = Doctor()
    host.configure(*host.section, "reuse_window = 30s", *host.rest, name="cortex.conf")
    host.found("reuse_window_idle")
    host.configure(*host.section, "one_use = yes", "reuse_window = 30s", *host.rest, name="cortex.conf")
    assert "reuse_window_idle" not in host.findings()


# --- files ---

@cases("conf", "policy", "entities")
def test_file_that_others_can_write_is_found_with_the_command_that_ends_it(name):
    host = Doctor()
    path = getattr(host, name)
    path.chmod(0o666)
    finding = host.found("file_untrusted")
    assert finding["file"] == str(path) and f"chmod 0640 {path}" in finding["fix"]


def test_folder_that_others_can_write_is_found():
    host = Doctor()
    host.policies.chmod(0o777)
    assert str(host.policies) in host.found("folder_writable")["fix"]


def test_cache_that_others_can_write_is_found():
    host = Doctor()
    cache = host.home / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    assert host.found("cache_writable")["file"] == str(cache)


# --- keys ---

def fetched(host, age):
    """An issuer whose keys are fetched, from that many seconds ago."""
    cache = host.home / "cache"
    cache.mkdir()
    for suffix in ("jwks.json", "jwks"):
        copy = cache / f"dev.{suffix}"
        copy.write_bytes((host.path / "jwks.json").read_bytes())
        os.utime(copy, (time.time() - age, time.time() - age))
    section = [line for line in host.section if not line.startswith("jwks_file")]
    host.configure(*section, *host.rest, name="cortex.conf")
    return cache


def test_keys_that_were_never_fetched_are_found():
    host = Doctor()
    for file in fetched(host, 0).iterdir():
        file.unlink()
    assert "cortexctl refresh" in host.found("keys_unavailable")["fix"]


def test_keys_that_are_too_old_are_found():
    host = Doctor()
    fetched(host, 90000)
    finding = host.found("keys_stale")
    assert re.search(r'^"dev": .*jwks.json: was written 9000\d s ago', finding["what"]) and "--issuer dev" in finding["fix"], finding


def test_refresh_that_fails_or_does_not_run_is_found():
    host = Doctor()
    cache = fetched(host, 60)
    (cache / "dev.refresh.json").write_text(json.dumps(
        {"asked": 1, "next": int(time.time()) - 3600, "failures": 3, "failed": 1, "error": "no route"}),
        encoding="utf-8")
    findings = host.findings()
    assert "no route" in findings["refresh_failing"]["what"] and "refresh_late" in findings


# --- the trail ---

def record(host, **changes):
    host.trail.write_text(json.dumps({"seq": 1, "hash": "0" * 64, **changes}) + "\n", encoding="utf-8")


def test_broken_chain_is_found_with_its_line():
    host = Doctor()
    record(host)
    assert (host.found("audit_broken")["line"], host.found("audit_broken")["file"]) == (1, str(host.trail))


def test_record_from_the_future_shows_a_clock_that_was_set_back():
    host = Doctor()
    host.trail.write_text("", encoding="utf-8")
    os.utime(host.trail, (time.time() + 7200, time.time() + 7200))
    assert "ahead of the clock" in host.found("clock_behind")["what"]


def test_trail_that_need_not_be_written_is_found():
    host = Doctor()
    host.configure(*host.section, *host.rest, name="cortex.conf")
    text = host.conf.read_text(encoding="utf-8").replace("[audit]\n", "[audit]\nrequired = no\n")
    host.conf.write_text(text, encoding="utf-8")
    assert host.found("audit_optional")["line"] == text.splitlines().index("required = no") + 1


def test_anchors_that_were_not_given_are_said_and_given_ones_are_compared():
    host = Doctor()
    assert host.findings()["audit_unanchored"]["severity"] == "note"
    host.trail.write_text("", encoding="utf-8")
    anchors = host.home / "syslog"
    anchors.write_text(f"Nov 23 db1 cortex: anchor 7:{'a' * 64}\n", encoding="utf-8")
    findings = host.findings("--anchors", anchors)
    assert "audit_unanchored" not in findings and "cut" in findings["audit_broken"]["what"], findings


def test_log_without_anchors_does_not_pass_for_one():
    host = Doctor()
    subprocess.run([str(BUILD / "tests" / "cli" / "trail"), str(host.trail), "1"], check=True, env=ENVIRONMENT)
    log = host.home / "syslog"
    log.write_text("Nov 23 db1 sshd[1]: nothing\n", encoding="utf-8")
    assert host.found("audit_unanchored", "--anchors", log)["what"] == f"no anchor of {log} was met"


# --- sessions ---

def test_reaper_that_never_ran_is_found_where_logins_need_it():
    host = Doctor()
    host.configure(*host.section, *host.rest, "[session]", "enforce = yes", name="cortex.conf")
    assert host.found("reaper_stale")["fix"].startswith("conninfo in [sync] of ")
    host.configure(*host.section, *host.rest, "[session]", "enforce = yes", '[cluster "east"]', "conninfo = dbname=analytics",
                   "cluster = db1:5432", name="cortex.conf")
    assert host.found("reaper_stale")["fix"].startswith("conninfo in [sync] of ")
    host.configure(*host.section, *host.rest, "[session]", "enforce = yes", "[sync]", "conninfo = dbname=analytics",
                   name="cortex.conf")
    assert host.found("reaper_stale")["fix"] == "systemctl enable --now cortex-reap.timer"
    (host.state / "sessions" / "reaped").write_text("", encoding="utf-8")
    assert "reaper_stale" not in host.findings()
    os.utime(host.state / "sessions" / "reaped", (time.time() - 3600, time.time() - 3600))
    assert "3600 s ago" in host.found("reaper_stale")["what"].replace("3601", "3600")


def stamp(host, until):
    """What a login leaves for a session of process 1."""
    facts = {"role": "alice", "reference": "r", "service": "staging", "levels": ["read"], "session_until": until,
             "kind": "oidc", "issuer": "i", "label": "dev", "subject": "s", "username": "alice", "groups": [],
             "amr": [], "scopes": [], "groups_known": True}
    (host.state / "sessions" / "1").write_text(f"cortex 1 1 1 1\n{json.dumps(facts)}\n{{}}\n", encoding="utf-8")


def test_sessions_that_nobody_ends_are_found():
    host = Doctor()
    stamp(host, int(time.time()) + 3600)
    assert "reaper_absent" not in host.findings()
    stamp(host, int(time.time()) - 3600)
    finding = host.found("reaper_absent")
    assert finding["what"].startswith("1 sessions are past") and "cortex-reap.timer" in finding["fix"], finding
    (host.state / "sessions" / "reaped").write_text("", encoding="utf-8")
    assert "reaper_absent" not in host.findings()


# --- PAM ---

@cases("auth sufficient pam_unix.so", "account sufficient pam_permit.so", "@include common-auth",
       "auth [success=done default=ignore] pam_ldap.so")
def test_other_module_in_a_services_file_is_found(line):
    host = Doctor()
    host.write_pam("staging", line, *(f"{kind} required pam_cortex.so service=staging"
                                      for kind in ("auth", "account")))
    finding = host.found("pam_line_bypass")
    assert (finding["file"], finding["line"]) == (str(host.pam / "cortex-staging"), 1)


def test_session_lines_of_other_modules_are_not_asked_by_postgresql():
    host = Doctor()
    host.write_pam("staging", "session required pam_limits.so",
                   *(f"{kind} required pam_cortex.so service=staging" for kind in ("auth", "account")))
    assert "pam_line_bypass" not in host.findings()


def test_file_for_a_service_that_nobody_describes_is_found():
    host = Doctor()
    host.write_pam("stagign", "auth required pam_cortex.so service=stagign")
    assert host.found("pam_file_stray")["fix"] == f"rm {host.pam}/cortex-stagign"


def test_pam_file_that_others_can_write_is_found():
    host = Doctor()
    (host.pam / "cortex-staging").chmod(0o666)
    assert "chmod 0644" in host.found("pam_file_owner")["fix"]


def test_module_that_is_not_there_is_found():
    host = Doctor()
    host.write_pam("staging", *(f"{kind} required /nonexistent/pam_cortex.so service=staging"
                                for kind in ("auth", "account")))
    answer = one_object(host.ask("--json").stdout)
    assert any(f["name"] == "pam_module_missing" and "/nonexistent/pam_cortex.so" in f["what"]
               for f in answer["findings"])


def test_other_that_accepts_is_found_and_what_it_costs():
    host = Doctor()
    (host.pam / "common").write_text("auth required pam_unix.so\n", encoding="utf-8")
    (host.pam / "other").write_text("@include common\naccount required pam_deny.so\n"
                                    "session optional pam_systemd.so\n", encoding="utf-8")
    findings = host.findings()
    assert "pam_other_open" in findings and "2 modules" in findings["pam_other_cost"]["what"]


# --- pooler ---

def test_pooler_that_asks_pam_cuts_long_tokens():
    host = Doctor()
    (host.home / "pgbouncer.ini").write_text("; a pooler\n[databases]\n* = host=db1\n[pgbouncer]\n"
                                             "auth_type = pam\n", encoding="utf-8")
    assert host.found("pooler_truncates")["line"] == 5


def test_pooler_of_another_kind_is_fine():
    host = Doctor()
    (host.home / "pgbouncer.ini").write_text("[pgbouncer]\n;auth_type = pam\nauth_type = cert\n", encoding="utf-8")
    assert "pooler_truncates" not in host.findings()


# --- one login ---

def walk(host, token, *arguments):
    done = host.ask("--json", "--service", "staging", *arguments, "-", stdin=token.encode())
    return one_object(done.stdout)["login"], done


def engineer(host, *arguments):
    return host.token("--user", "alice", "--groups", "engineers", *arguments)


def test_login_that_is_allowed_takes_every_step():
    host = Doctor()
    login, _ = walk(host, engineer(host))
    assert login["stopped"] is None and all(step["ok"] for step in login["steps"]), login
    assert [step["step"] for step in login["steps"]] == [
        "credential", "service", "pam", "verify", "revocation", "admit", "pg_hba", "binding", "reaper",
        "policy", "record", "role"]
    assert not host.trail.exists() and list((host.state / "bindings").iterdir()) == []


def break_service(host):
    host.describe(service("production", "production"))


def break_pam(host):
    (host.pam / "cortex-staging").unlink()


def break_groups(host):
    host.policy.write_text(host.policy.read_text(encoding="utf-8").replace("engineers\"", "nobody\""), encoding="utf-8")


def break_revocation(host):
    assert_exit(ctl("revoke", "--config", host.conf, "--subject", "dev", "alice"), 0)


def break_binding(host):
    assert_exit(ctl("binding", "rebind", "--config", host.conf, "--issuer", "dev", "--subject", "other", "alice"), 0)


def break_reaper(host):
    host.configure(*host.section, *host.rest, "[session]", "enforce = yes", name="cortex.conf")


def break_policy(host):
    host.policy.write_text("permit", encoding="utf-8")


def break_configuration(host):
    host.conf.write_text("[", encoding="utf-8")


@cases((break_service, "service", "service_unknown"), (break_pam, "pam", "No such file"),
       (break_revocation, "revocation", "revoked"), (break_binding, "binding", "subject_mismatch"),
       (break_reaper, "reaper", "reaper_stale"), (break_groups, "policy", "policy_denied"),
       (break_policy, "service", "policy_unavailable"), (break_configuration, "configuration", "config_invalid"))
def test_login_stops_where_it_would(damage, step, said):
    host = Doctor()
    token = engineer(host)
    damage(host)
    login, done = walk(host, token)
    assert login["stopped"] == step == login["steps"][-1]["step"], login
    assert said in login["steps"][-1]["what"] and done.returncode == 1
    assert all(before["ok"] for before in login["steps"][:-1])


@cases((["--expires=-5m"], "token_expired"), (["--forge"], "signature_invalid"), (["--audience", "x"], "audience_mismatch"))
def test_login_with_a_bad_token_stops_at_verify(arguments, code):
    host = Doctor()
    login, _ = walk(host, engineer(host, *arguments))
    assert login["stopped"] == "verify" and login["steps"][-1]["what"].startswith(code), login


@cases(("", "0 bytes"), ("x" * 65531, "65531 bytes"))
def test_credential_that_no_password_message_holds_stops_first(token, said):
    login, _ = walk(Doctor(), token)
    assert login["stopped"] == "credential" and said in login["steps"][-1]["what"]


def test_login_is_told_to_people_too():
    host = Doctor()
    done = host.ask("--service", "staging", "--role", "bob", "-", stdin=engineer(host).encode())
    assert re.search(r"^  ok    verify", done.stdout, re.M) and re.search(r"^  STOP  policy", done.stdout, re.M), done.stdout


# --- usage ---

def test_usage():
    assert_usage(ctl("doctor", "--service", "x"), "go with a credential")
    assert_usage(ctl("doctor", "/dev/null"), "a login needs --service")
    assert_usage(ctl("doctor", "--service", "x", "--address", "db1", "/dev/null"), "'db1' is no IP address")
    assert_exit(Doctor().ask("--service", "staging", "/nonexistent"), 2, "/nonexistent")


def test_server_that_is_named_and_does_not_answer_is_exit_3():
    host = Doctor()
    done = host.ask("--json", "--database", "host=/nonexistent dbname=x")
    answer = one_object(done.stdout)
    assert any(f["name"] == "database_unreachable" for f in answer["findings"]) and answer["unknown"] == 1
    assert done.returncode == (1 if answer["errors"] else 3)
