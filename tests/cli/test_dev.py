"""dev-issuer and dev-token: keys that are kept, tokens right and wrong.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import stat
import time

from support import ISSUER, Issuer, assert_exit, assert_usage, cases, ctl, folder, parts

DEV = Issuer()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_private_keys_are_private_and_the_rest_can_be_read():
    assert {name: oct(mode(DEV.path / name)) for name in sorted(os.listdir(DEV.path))} == {
        "cortex.conf": "0o644", "eddsa.pem": "0o600", "es256.pem": "0o600",
        "jwks.json": "0o644", "rs256.pem": "0o600"}


def test_umask_does_not_matter():
    old = os.umask(0o077)
    try:
        other = Issuer()
    finally:
        os.umask(old)
    assert (mode(other.path), mode(other.path / "jwks.json")) == (0o755, 0o644)


def test_key_set_holds_no_private_member_and_is_marked():
    keys = json.loads((DEV.path / "jwks.json").read_text(encoding="utf-8"))
    assert keys["cortex_dev"] is True
    assert [key["kty"] for key in keys["keys"]] == ["RSA", "EC", "OKP"]
    for key in keys["keys"]:
        assert not set(key) & {"d", "p", "q", "dp", "dq", "qi", "k"}
        assert key["kid"].startswith("dev-") and key["use"] == "sig"


def test_two_issuers_have_different_keys():
    first, second = ((issuer.path / "jwks.json").read_text(encoding="utf-8")
                     for issuer in (DEV, Issuer()))
    assert first != second


def test_existing_keys_are_never_overwritten():
    before = {path.name: path.read_bytes() for path in DEV.path.iterdir()}
    assert_exit(ctl("dev-issuer", DEV.path), 2, "File exists")
    assert before == {path.name: path.read_bytes() for path in DEV.path.iterdir()}


def test_what_was_begun_is_taken_back():
    path = folder() / "half"
    path.mkdir()
    (path / "jwks.json").write_text("mine", encoding="utf-8")
    assert_exit(ctl("dev-issuer", path), 2, "jwks.json: File exists")
    assert [entry.name for entry in path.iterdir()] == ["jwks.json"]
    assert (path / "jwks.json").read_text(encoding="utf-8") == "mine"


@cases(("--issuer", "http://example.com", "issuer"), ("--issuer", "x\"y", "quotes"),
       ("--issuer", "", "issuer"), ("--label", "a b", "label"), ("--label", "", "label"),
       ("--audience", "a\\b", "quotes"), ("--audience", "a\nb", ""))
def test_bad_issuer_is_refused_and_leaves_nothing(option, value, said):
    path = folder() / "bad"
    assert_exit(ctl("dev-issuer", path, option, value), 2, said)
    assert not path.exists()


def test_folder_that_cannot_be_made_is_refused():
    assert_exit(ctl("dev-issuer", "/proc/no/such"), 2, "/proc/no/such: ")
    assert_exit(ctl("dev-issuer", folder() / ("x" * 5000)), 2)


def test_issuer_is_what_was_asked_for():
    other = Issuer("--issuer", "https://id.example.com/a", "--audience", "one", "--audience",
                   "two, three;", "--label", "Lab.1")
    claims = parts(other.token())[1]
    assert claims["iss"] == "https://id.example.com/a" and claims["aud"] == ["one", "two, three;"]
    assert other.accept(other.token())["config"] == "Lab.1"


@cases("RS256", "PS256", "ES256", "EdDSA")
def test_token_of_every_allowed_algorithm_verifies(name):
    assert DEV.accept(DEV.token("--alg", name))["username"] == "alice"


@cases("RS384", "RS512", "PS384", "PS512")
def test_token_of_the_longer_digests_verifies_where_allowed(name):
    other = Issuer()
    other.configure('[oidc "dev"]', f"issuer = {ISSUER}", "audience = cortex-dev",
                    "jwks_file = jwks.json", f"algorithms = {name}")
    assert other.accept(other.token("--alg", name))["subject"] == "alice"


@cases("none", "HS256")
def test_token_of_a_wrong_algorithm_is_refused(name):
    DEV.refuse(DEV.token("--alg", name), "algorithm_not_allowed")


@cases("RS256", "PS256", "ES256", "EdDSA")
def test_forged_token_names_the_key_and_is_refused(name):
    forged = DEV.token("--alg", name, "--forge")
    assert parts(forged)[0]["kid"] == parts(DEV.token("--alg", name))[0]["kid"]
    DEV.refuse(forged, "signature_invalid")


def test_claims_are_those_that_were_asked_for():
    now = int(time.time())
    claims = parts(DEV.token("--user", "al", "--subject", "s-1", "--groups", "a,b", "--claim",
                             "hd=\"example.com\"", "--claim", "n=[1,{\"x\":null}]"))[1]
    assert (claims["preferred_username"], claims["sub"]) == ("al", "s-1")
    assert claims["groups"] == ["a", "b"] and claims["hd"] == "example.com"
    assert claims["n"] == [1, {"x": None}] and claims["exp"] - claims["iat"] == 300
    assert now <= claims["iat"] <= now + 60 and claims["aud"] == "cortex-dev"


def test_two_tokens_of_one_second_differ():
    assert DEV.token("--at", "1000000000") != DEV.token("--at", "1000000000")


def test_empty_group_list_is_kept_and_none_makes_no_claim():
    assert parts(DEV.token("--groups", ""))[1]["groups"] == []
    assert "groups" not in parts(DEV.token())[1]


def test_claims_and_header_members_can_be_taken_out():
    header, claims = parts(DEV.token("--claim", "exp=", "--header", "typ=", "--kid", ""))
    assert "exp" not in claims and header == {"alg": "RS256"}


def test_header_can_be_changed():
    header = parts(DEV.token("--header", "typ=\"at+jwt\"", "--kid", "other"))[0]
    assert header == {"alg": "RS256", "typ": "at+jwt", "kid": "other"}


@cases(("-5m", -300, 300), ("0", 0, 0), ("1h30m", 5400, 5400), ("-1", -1, 1))
def test_lifetime_is_exact(text, left, lifetime):
    claims = parts(DEV.token("--at", "1000000000", f"--expires={text}"))[1]
    assert claims["exp"] - 1000000000 == left and claims["exp"] - claims["iat"] == lifetime


@cases("", "5x", "m", "--5", "1h1h", "99999999999999d", "- 5")
def test_lifetime_that_is_none_is_refused(text):
    assert_usage(ctl("dev-token", DEV.path, "--user", "a", f"--expires={text}"), "--expires")


@cases(("--claim", "x"), ("--claim", "=1"), ("--claim", "x={"), ("--claim", "x=plain"),
       ("--header", "x"), ("--header", "x=[1"), ("--claim", "x=1 2"))
def test_member_that_is_no_json_is_refused(option, text):
    assert_usage(ctl("dev-token", DEV.path, "--user", "a", option, text), option)


def test_who_it_is_for_must_be_said():
    assert_usage(ctl("dev-token", DEV.path), "--user or --subject is needed")


@cases("XS256", "rs256", "", "ES384")
def test_unknown_algorithm_is_refused(name):
    assert_usage(ctl("dev-token", DEV.path, "--user", "a", "--alg", name), "--alg")


def test_folder_without_issuer_is_refused():
    assert_exit(ctl("dev-token", folder(), "--user", "a"), 2, "cortex.conf: ")


@cases("", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
def test_damaged_key_is_refused(content):
    other = Issuer()
    (other.path / "rs256.pem").write_text(content, encoding="utf-8")
    assert_exit(ctl("dev-token", other.path, "--user", "a"), 2, "rs256.pem: this is no private key")


def test_odd_names_survive():
    name = "Zoë \"x\" \\ 日本 '; drop"
    assert DEV.accept(DEV.token("--user", name))["username"] == name
