"""explain: what would be decided, what was, why, and what nobody can say any more.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import re
import subprocess

from host import POLICY, Host, service
from support import BUILD, ENVIRONMENT, SOURCE, assert_exit, assert_usage, cases, ctl

TRAIL = BUILD / "tests" / "cli" / "trail"
HOST = Host()
TOKEN = HOST.token("--user", "alice", "--groups", "engineers")


def explain(host, *arguments, stdin=b""):
    return ctl("explain", "--config", host.conf, *arguments, stdin=stdin)


def ask(*arguments, host=HOST, service_name="staging"):
    return explain(host, "--service", service_name, *arguments)


def login(host, role, token, service_name="staging"):
    """A real login; gives its reference and reason."""
    done = subprocess.run([str(TRAIL), "-", "login", str(host.conf), role, token, service_name],
                          check=True, capture_output=True, text=True, env=ENVIRONMENT)
    return done.stdout.split()


# --- with a credential ---

def test_allow_names_policy_level_and_end():
    done = assert_exit(
        explain(HOST, "--service", "staging", "-", stdin=TOKEN.encode()), 0)
    assert re.search(r"^decision +allow: read, until 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$", done.stdout,
                     re.MULTILINE), done.stdout
    assert f'"engineers-read-staging" ({HOST.policy}:1)' in done.stdout
    assert done.stderr == ""


def test_deny_names_the_nearest_permit_its_clause_and_the_value_seen():
    done = assert_exit(explain(HOST, "--service", "production", "-", stdin=TOKEN.encode()), 1)
    assert "deny: policy_denied" in done.stdout
    assert 'resource.environment == "staging" was false' in done.stdout
    assert 'resource.environment = "production"' in done.stdout
    assert f'"engineers-read-staging" ({HOST.policy}:1)' in done.stdout


def test_value_of_a_whole_token_is_shown_by_each_permit_that_came_near():
    host = Host()
    host.policy.write_text('permit (principal, action, resource)\n'
                           'when { principal.hasTag("x") && principal.getTag("x").contains("y") };\n' * 5,
                           encoding="utf-8")
    token = host.token("--claim", f"x={[f'department-{n:04}' for n in range(2000)]}".replace("'", '"'))
    done = assert_exit(explain(host, "--service", "staging", "-", stdin=token.encode()), 1)
    assert done.stdout.count('"department-1999"') >= 5 and done.stderr == ""


def test_forbid_is_named():
    host = Host()
    host.policy.write_text(POLICY + '@id("not-alice") @reason("on leave")\n'
                           'forbid (principal == User::"alice", action, resource);\n', encoding="utf-8")
    done = assert_exit(ask("--user", "alice", "--groups", "engineers", host=host), 1)
    assert f'forbid "not-alice" ({host.policy}:4): on leave' in done.stdout, done.stdout


@cases((("--forge",), "signature_invalid"), (("--expires=-1h",), "token_expired"),
       (("--audience", "x"), "audience_mismatch"), (("--user", "postgres"), "protected_role"),
       (("--user", "a/b"), "bad_username"), (("--user", "a" * 64), "bad_username"))
def test_refusal_before_the_policy_is_told(arguments, code):
    token = HOST.token(*arguments)
    done = assert_exit(explain(HOST, "--service", "staging", "-", stdin=token.encode()), 1)
    assert f"deny: {code} " in done.stdout and "was not asked" in done.stdout
    assert not any(piece in done.stdout for piece in token.split("."))


def test_time_of_the_question_can_be_moved():
    token = HOST.token("--groups", "engineers", "--at", "1000000000").encode()
    assert_exit(explain(HOST, "--service", "staging", "-", stdin=token), 1)
    done = explain(HOST, "--service", "staging", "--at", "1000000010", "-", stdin=token)
    assert "until 2001-09-09T01:51:40Z" in assert_exit(done, 0).stdout


def test_role_of_another_person_is_refused_though_the_policy_permits_it():
    host = Host()
    host.policy.write_text('permit (principal, action == Action::"assume", resource);\n', encoding="utf-8")
    host.configure(*host.section, *host.rest, "[roles]", "assume = yes", name="cortex.conf")
    asked = ("--service", "staging", "--role", "dana", "-")
    assert_exit(explain(host, *asked, stdin=TOKEN.encode()), 0)
    assert_exit(ctl("binding", "rebind", "--config", host.conf, "dana", "--issuer", "dev", "--subject", "d-1"), 0)
    done = assert_exit(explain(host, *asked, stdin=TOKEN.encode()), 1)
    assert '"dana" belongs to another subject' in done.stdout and "(subject_mismatch)" in done.stdout, done


def test_token_for_another_service_is_refused_though_the_policy_permits_it():
    host = Host()
    host.describe(service("staging", "staging", audience="aud-2"), service("production", "production"))
    other, own = (host.token("--groups", "engineers", "--audience", name).encode() for name in ("cortex-dev", "aud-2"))
    assert_exit(explain(host, "--service", "staging", "-", stdin=own), 0)
    done = assert_exit(explain(host, "--service", "staging", "-", stdin=other), 1)
    assert 'not for the audience "aud-2" of the service "staging"; a login is refused (audience_mismatch)' in done.stdout
    assert_exit(ask("--user", "alice", "--groups", "engineers", host=host), 0)


def test_saml_response_is_for_the_service_whose_audience_its_section_says_we_are():
    host = Host()
    place = SOURCE / "tests" / "cases" / "saml"
    own, other = (service(name, "staging", audience=audience) for name, audience in
                  (("own", "https://db.example/saml"), ("other", "https://else.example")))
    host.describe(own, other)
    host.configure('[saml "idp"]', f"metadata_file = {place}/metadata.xml", f"sp_entity_id = {own['attrs']['audience']}",
                   "acs_url = https://db.example/saml/acs", *host.rest, name="cortex.conf")
    asked = ("--at", "1700000000", "-")
    sent = base64.b64encode((place / "accepted-audiences" / "response.xml").read_bytes())  # it is for both
    assert_exit(explain(host, "--service", "own", *asked, stdin=sent), 0)
    done = assert_exit(explain(host, "--service", "other", *asked, stdin=sent), 1)
    assert 'not for the audience "https://else.example" of the service "other"' in done.stdout, done
    line, = (line for line in host.check().stderr.splitlines() if "audience" in line)
    assert f'{host.entities}:3:1: warning: Service::"other": no issuer accepts the audience "https://else.example"' in line, line


# --- with a name ---

def test_name_and_groups_are_believed_and_that_is_said():
    done = assert_exit(ask("--user", "alice", "--groups", "x,engineers"), 0)
    assert "taken at your word" in done.stdout and "x, engineers" in done.stdout
    assert_exit(ask("--user", "alice"), 1)


@cases(("--service", "nowhere", "service_unknown"), ("--database", "payroll", "service_mismatch"),
       ("--role", "bob", "assume_denied"))
def test_wrong_place_is_told(option, value, code):
    arguments = ["--user", "alice", "--groups", "engineers", option, value]
    if option != "--service":
        arguments += ["--service", "staging"]
    assert f"deny: {code}" in assert_exit(explain(HOST, *arguments), 1).stdout


@cases(("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"),
       ("::ffff:c000:201", "192.0.2.1"))
def test_address_reaches_the_policy(address, seen):
    host = Host()
    host.policy.write_text('permit (principal, action == Action::"read", resource) when { context has address && '
                           f'context.address == ip("{seen}") }};\n', encoding="utf-8")
    assert_exit(ask("--user", "alice", "--address", address, host=host), 0)
    assert_exit(ask("--user", "alice", "--address", "192.0.2.99", host=host), 1)
    assert_exit(ask("--user", "alice", host=host), 1)


@cases("x", "", "1.2.3", "1.2.3.4/8", "localhost", "::g")
def test_address_that_is_none_is_refused(address):
    assert_usage(ask("--user", "alice", f"--address={address}"), "--address")


@cases("", "a\nb", "\x7f", "a\u0085b")
def test_name_that_can_be_none_is_refused(name):
    done = assert_exit(ask("--user", name), 1)
    assert "bad_username" in done.stdout


@cases((), ("--user", "a", "-"), ("--user", "a", "--reference", "x"), ("--reference", "x", "-"),
       ("--groups", "g", "-"), ("--reference", "x", "--at", "1"),
       ("--reference", "x", "--address", "192.0.2.1"))
def test_contradicting_options_are_refused(*arguments):
    assert_usage(ask(*arguments), "")


def test_service_is_needed():
    assert_usage(explain(HOST, "--user", "alice"), "--service NAME is needed")


def test_broken_files_are_bad_input():
    host = Host()
    host.policy.write_text("permit", encoding="utf-8")
    assert_exit(ask("--user", "alice", host=host), 2, f"{host.policy}:1:")
    assert_exit(explain(HOST, "--service", "s", "/nonexistent"), 2, "/nonexistent")
    assert_exit(ctl("explain", "--config", "/nonexistent", "--service", "s", "-"), 2, "/nonexistent: ")


def test_explaining_leaves_no_record():
    ask("--user", "alice", "--groups", "engineers")
    assert not HOST.trail.exists()


# --- with a reference ---

def test_recorded_deny_is_explained():
    host = Host()
    token = host.token("--user", "alice", "--groups", "engineers", "--subject", "s-1")
    reference, reason = login(host, "alice", token, "production")
    assert reason == "policy_denied"
    done = assert_exit(explain(host, "--reference", reference), 1)
    for said in (f"{host.trail}:1, sequence 1, 20", "deny: policy_denied", "alice (subject s-1 of ",
                 "engineers", "database analytics, from 192.0.2.7", "policy     unchanged since",
                 "not kept", "resource.environment == \"staging\" was false"):
        assert said in done.stdout, (said, done.stdout)
    assert "not what was recorded" not in done.stdout


def test_recorded_allow_is_explained():
    host = Host()
    reference, _ = login(host, "alice", host.token("--groups", "engineers"))
    done = assert_exit(explain(host, "--reference", reference), 0)
    assert "recorded   allow: read" in done.stdout and "engineers-read-staging" in done.stdout


def test_changed_policy_is_said_and_the_record_counts():
    host = Host()
    reference, _ = login(host, "alice", host.token("--groups", "engineers"))
    host.policy.write_text('forbid (principal, action, resource);\n', encoding="utf-8")
    done = assert_exit(explain(host, "--reference", reference), 0)
    assert "CHANGED since" in done.stdout and "not what was recorded" in done.stdout


def test_decision_by_a_claim_is_honestly_not_repeated():
    host = Host()
    host.policy.write_text('permit (principal, action == Action::"read", resource) when { principal.hasTag("hd") };',
                           encoding="utf-8")
    reference, reason = login(host, "alice", host.token("--claim", 'hd="example.com"'))
    assert reason == "ok"
    done = assert_exit(explain(host, "--reference", reference), 0)
    assert "unchanged since" in done.stdout and "not what was recorded" in done.stdout
    assert "reads what is not kept" in done.stdout


@cases((("--forge",), "signature_invalid"), (("--user", "postgres"), "protected_role"))
def test_recorded_refusal_before_the_policy_is_told(arguments, code):
    host = Host()
    reference, reason = login(host, "postgres", host.token(*arguments))
    assert reason == code
    done = assert_exit(explain(host, "--reference", reference), 1)
    assert f"deny: {code}" in done.stdout and "was not asked" in done.stdout


def test_recorded_refusal_after_the_policy_is_told():
    host = Host()
    host.configure(*host.section, "one_use = yes", *host.rest, name="cortex.conf")
    token = host.token("--groups", "engineers")
    assert login(host, "alice", token)[1] == "ok"
    reference, reason = login(host, "alice", token)
    assert reason == "replayed"
    done = assert_exit(explain(host, "--reference", reference), 1)
    assert "policies   engineers-read-staging" in done.stdout, done.stdout
    assert "policy     had permitted it: the login ended after that" in done.stdout, done.stdout


def test_record_of_a_kept_file_is_found():
    host = Host()
    reference, _ = login(host, "alice", host.token("--groups", "engineers"))
    assert_exit(ctl("audit", "rotate", "--config", host.conf), 0)
    later, _ = login(host, "alice", host.token("--groups", "engineers"))
    done = assert_exit(explain(host, "--reference", reference), 0)
    assert f"{host.trail}.000000000001:1, " in done.stdout
    assert f"{host.trail}:" in assert_exit(explain(host, "--reference", later), 0).stdout


def test_control_characters_of_a_record_do_not_reach_the_terminal():
    host = Host()
    reference, _ = login(host, "a\033[31m\u0085\u009b2Jb\n", host.token())
    done = assert_exit(explain(host, "--reference", reference), 1)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f\udc80-\udcff]", done.stdout), \
        ascii(done.stdout)


@cases("AAAAAAAAAAAAAAAA", "", "x", "../x", "\"")
def test_unknown_reference_is_bad_input(reference):
    host = Host()
    login(host, "alice", host.token())
    done = assert_exit(explain(host, f"--reference={reference}"), 2, "no record has the reference")
    assert done.stdout == ""


def test_missing_trail_is_bad_input():
    assert_exit(explain(Host(), "--reference", "x"), 2, "audit.jsonl")


@cases(("--service", "production"), ("--role", "bob"), ("--database", "payroll"))
def test_record_of_something_else_is_refused(option, value):
    host = Host()
    reference, _ = login(host, "alice", host.token("--groups", "engineers"))
    assert_exit(explain(host, "--reference", reference, option, value), 2, option)


def test_record_that_is_no_login_is_refused():
    host = Host()
    host.describe(service("staging", "staging"))
    login(host, "alice", host.token())
    with open(host.trail, "ab") as trail:
        trail.write(b'{"torn')
    login(host, "alice", host.token())
    for line in host.trail.read_text(encoding="utf-8", errors="replace").splitlines():
        if '"recovered"' in line:
            found = re.search('"reference":"([^"]+)"', line)
            if found:
                assert_exit(explain(host, "--reference", found.group(1)), 2, "no login")
