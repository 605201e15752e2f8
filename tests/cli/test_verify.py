"""verify: the contract of its answer, exit codes and bad input.

SPDX-License-Identifier: PostgreSQL
"""
import os
import subprocess
import time

from support import (CORTEXCTL, ENVIRONMENT, ISSUER, Issuer, assert_exit, cases, ctl, folder,
                     one_object)

DEV = Issuer()
GOOD = DEV.token("--user", "alice", "--subject", "s-1", "--groups", "engineers,dba")


def write(content):
    path = folder() / "credential"
    path.write_bytes(content)
    return path


def test_answer_has_exactly_the_members_of_the_contract():
    answer = DEV.accept(DEV.token("--user", "alice", "--subject", "s-1", "--groups", "a,b", "--at",
                                  str(int(time.time()))))
    expires = answer.pop("expires")
    assert answer == {"ok": True, "kind": "oidc", "issuer": ISSUER, "config": "dev",
                      "subject": "s-1", "username": "alice", "groups": ["a", "b"]}
    assert isinstance(expires, int) and 200 < expires - time.time() <= 300


def test_refusal_has_exactly_the_members_of_the_contract():
    assert set(DEV.refuse("x", "unknown_kind")) == {"ok", "error", "detail"}


def test_credential_comes_from_a_file_too():
    done = assert_exit(ctl("verify", "--config", DEV.conf, write(GOOD.encode() + b"\n")), 0)
    assert one_object(done.stdout)["username"] == "alice" and done.stderr == ""


def test_credential_that_claims_no_groups_says_so():
    answer = DEV.accept(DEV.token())
    assert answer["groups"] == [] and answer["groups_known"] is False


@cases("", "\n", "\r\n")
def test_one_final_line_end_is_dropped(end):
    DEV.accept(GOOD + end)


@cases("\n\n", "\r", "\n\r", " ", " \n", "\t", "\0", "\r\n\n", "\0\n")
def test_nothing_else_is_dropped_behind(end):
    done = assert_exit(DEV.verify(GOOD + end), 1)
    assert one_object(done.stdout)["ok"] is False


@cases("\n", " ", "\ufeff", "\r\n")
def test_nothing_is_dropped_in_front(start):
    assert_exit(DEV.verify(start + GOOD), 1)


def test_token_may_not_be_wrapped():
    assert_exit(DEV.verify(GOOD[:100] + "\n" + GOOD[100:]), 1)


@cases(b"", b"\n", b"\0", b"\0" * 1000, bytes(range(256)) * 20, b"\xff\xfe", b"..", b"...",
       b"a.b.c", b"{}", b"<xml/>", b"e30.e30.e30", b"-" * 70000, b"e" * 65535, b"\x80" * 65538)
def test_any_content_is_a_clean_no(content):
    for done in (DEV.verify(content), ctl("verify", "--config", DEV.conf, write(content))):
        assert_exit(done, 1)
        assert one_object(done.stdout)["ok"] is False and done.stderr == ""


def test_endless_input_is_a_clean_no_at_once():
    start = time.monotonic()
    done = assert_exit(ctl("verify", "--config", DEV.conf, "/dev/zero"), 1)
    assert one_object(done.stdout)["error"] == "too_large" and time.monotonic() - start < 5


@cases((65535, False), (65536, True), (65537, True), (65538, True))
def test_limit_of_size_counts_without_line_end(size, too_large):
    content = b"e" * size + b"\n"
    answer = one_object(assert_exit(DEV.verify(content), 1).stdout)
    assert (answer["error"] == "too_large") == too_large, answer


@cases("/nonexistent", "", "/nonexistent/credential")
def test_credential_that_cannot_be_opened_is_bad_input(path):
    done = assert_exit(ctl("verify", "--config", DEV.conf, path), 2, "cortexctl: ")
    assert done.stdout == ""


def test_folder_is_no_credential():
    assert_exit(ctl("verify", "--config", DEV.conf, folder()), 2, "Is a directory")


def test_credential_without_permission_is_bad_input():
    path = write(GOOD.encode())
    path.chmod(0)
    if os.geteuid() != 0:
        assert_exit(ctl("verify", "--config", DEV.conf, path), 2, "Permission denied")


def test_closed_standard_input_is_bad_input():
    done = subprocess.run([str(CORTEXCTL), "verify", "--config", str(DEV.conf), "-"], check=False,
                          capture_output=True, env=ENVIRONMENT,
                          preexec_fn=lambda: os.close(0))  # pylint: disable=subprocess-popen-preexec-fn
    assert done.returncode == 2 and done.stdout == b"", done


def test_answer_that_cannot_be_written_is_never_three():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(CORTEXCTL), "verify", "--config", str(DEV.conf), "-"],
                              input=GOOD.encode(), stdout=full, stderr=subprocess.PIPE,
                              check=False, env=ENVIRONMENT)
    assert done.returncode == 2 and b"standard output" in done.stderr


# --- times ---

@cases((1000, "issued_in_future"), (1000000000 - 61, "issued_in_future"),
       (1000000000 + 361, "token_expired"), (253402300799, "token_expired"))
def test_at_moves_the_credentials_times(at, code):
    DEV.refuse(DEV.token("--at", "1000000000"), code, "--at", str(at))


@cases(1000000000 - 59, 1000000000, 1000000000 + 359)
def test_at_within_the_token_and_the_skew_is_accepted(at):
    answer = DEV.accept(DEV.token("--at", "1000000000"), "--at", str(at))
    assert answer["expires"] == 1000000300


def test_expired_token_is_refused_now():
    DEV.refuse(DEV.token("--expires=-5m"), "token_expired")


# --- wrong tokens ---

@cases(("--audience", "other", "audience_mismatch"), ("--claim", "aud=", "audience_mismatch"),
       ("--claim", "exp=", "missing_claim"), ("--claim", "sub=", "missing_claim"),
       ("--claim", "iat=", "missing_claim"), ("--claim", "iss=\"https://other.invalid\"",
                                             "unknown_issuer"),
       ("--claim", "exp=\"soon\"", "claim_mismatch"), ("--claim", "groups=[1]", "claim_mismatch"),
       ("--claim", "groups=[\"\"]", "claim_mismatch"), ("--kid", "other", "unknown_kid"),
       ("--header", "crit=[\"x\"]", "unsupported_critical"),
       ("--header", "typ=\"logout+jwt\"", "token_type_refused"),
       ("--claim", "cnf={\"jkt\":\"x\"}", "bound_token_refused"),
       ("--claim", "preferred_username=", "missing_username"),
       ("--claim", "preferred_username=\"\"", "bad_username"))
def test_wrong_token_is_refused_with_its_code(option, value, code):
    answer = one_object(assert_exit(DEV.verify(DEV.token(option, value)), 1).stdout)
    assert answer["error"] == code or (code == "audience_mismatch" and
                                       answer["error"] == "missing_claim"), answer


def test_login_rules_do_not_apply():
    for name in ("postgres", "a" * 200, "a/b", "pg_x"):
        assert DEV.accept(DEV.token("--user", name))["username"] == name


def test_nothing_of_the_token_is_in_a_refusal():
    token = DEV.token("--forge")
    text = DEV.verify(token).stdout
    assert not any(piece in text for piece in token.split("."))


# --- configuration ---

def refuse_config(said, *lines):
    other = Issuer()
    path = other.configure(*lines)
    done = assert_exit(ctl("verify", "--config", path, "-", stdin=GOOD.encode()), 2)
    assert done.stdout == "" and done.stderr.startswith(f"{path}:"), done.stderr
    assert said in done.stderr, done.stderr


HEAD = ('[oidc "dev"]', f"issuer = {ISSUER}")


@cases((":1: ", ""), (":1: ", "[policy]"), (":3: ", *HEAD, "surprise = 1"),
       (":3: ", *HEAD, "audience ="), (":1: ", *HEAD), (":4: ", *HEAD, "audience = a", "audience = b"),
       (":2: ", '[oidc "dev"]', "issuer = http://example.com", "audience = a"),
       (":4: ", *HEAD, "audience = a", "[nonsense]"), (":3: ", *HEAD, "audience: a"),
       (":4: ", *HEAD, "audience = a", '[oidc "two"]', f"issuer = {ISSUER}", "audience = a"),
       (":4: ", *HEAD, "audience = a", "clock_skew = 11m"))
def test_bad_configuration_names_file_and_line(said, *lines):
    refuse_config(said, *lines)


def test_missing_configuration_is_named():
    assert_exit(ctl("verify", "--config", "/nonexistent.conf", "-"), 2, "/nonexistent.conf: ")


def test_world_writable_configuration_is_refused():
    other = Issuer()
    other.conf.chmod(0o666)
    assert_exit(other.verify(GOOD), 2, str(other.conf))


def test_only_the_issuers_section_is_needed():
    other = Issuer()
    other.configure('[oidc "x"]', f"issuer = {ISSUER}", "audience = cortex-dev",
                    "jwks_file = jwks.json")
    assert other.accept(other.token("--subject", "s-9"))["username"] == "s-9"


@cases("", "{", "{}", "[]", '{"keys":[]}', '{"keys":{}}', "\0")
def test_unusable_key_file_is_keys_unavailable_or_unknown(content):
    other = Issuer()
    token = other.token()
    (other.path / "jwks.json").write_text(content, encoding="utf-8")
    answer = one_object(assert_exit(other.verify(token), 1).stdout)
    assert answer["error"] in ("keys_unavailable", "unknown_kid"), answer
    if content != '{"keys":[]}':
        assert answer["error"] == "keys_unavailable", answer


def test_missing_key_file_is_keys_unavailable():
    other = Issuer()
    token = other.token()
    (other.path / "jwks.json").unlink()
    other.refuse(token, "keys_unavailable")


def test_unusable_keys_of_one_issuer_do_not_harm_another():
    other = Issuer()
    token = other.token()
    other.configure(*(other.path / "cortex.conf").read_text(encoding="utf-8").splitlines(),
                    '[oidc "broken"]', "issuer = https://broken.invalid", "audience = a",
                    "jwks_file = /nonexistent")
    other.accept(token)


def test_nothing_is_written():
    other = Issuer()
    before = sorted(path.name for path in other.path.iterdir())
    state = other.home / "state"
    other.configure(*(other.path / "cortex.conf").read_text(encoding="utf-8").splitlines(),
                    "[cache]", f"path = {state}", "[state]", f"path = {state}",
                    "[audit]", f"file = {state}/audit.jsonl")
    other.accept(other.token())
    other.refuse("x", "unknown_kind")
    assert not state.exists()
    assert sorted(path.name for path in other.path.iterdir()) == sorted([*before, "changed.conf"])
