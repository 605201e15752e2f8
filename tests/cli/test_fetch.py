"""verify fetches an issuer's keys: from where, how far, how long, and never elsewhere.

SPDX-License-Identifier: PostgreSQL
"""
import os
import socket
import time

import support
from server import LACKS, Answer, Authority, Server, Tunnel, redirect  # pylint: disable=unused-import
from support import Issuer, assert_exit, cases, ctl, one_object

WELL_KNOWN = "/.well-known/openid-configuration"
DEV = Issuer()
KEYS = (DEV.path / "jwks.json").read_bytes()
CA = Authority()
HTTPS = Server(CA.context())
HTTP = Server()
ELSEWHERE = Server()

# cortexctl(8): verify ends within five seconds; a sanitized program takes some to begin.
LIMIT = 10 if "CORTEX_SAML_EVERY" in os.environ else 5


def token_for(issuer, *arguments):
    return DEV.token("--claim", f'iss="{issuer}"', *arguments)


def verify(issuer, *keys, token=None, arguments=(), environment=None, name="fetch.conf"):
    """Asks with a configuration of this one issuer; gives answer and seconds."""
    DEV.configure('[oidc "remote"]', f"issuer = {issuer}", "audience = cortex-dev",
                  "username_claim = preferred_username", *keys, "[cache]",
                  f"path = {DEV.home}/no-cache", name=name)
    before = dict(support.ENVIRONMENT)
    support.ENVIRONMENT.update(environment or {})
    start = time.monotonic()
    try:
        done = DEV.verify(token or token_for(issuer), *arguments)
    finally:
        support.ENVIRONMENT.clear()
        support.ENVIRONMENT.update(before)
    seconds = time.monotonic() - start
    assert seconds < LIMIT, f"took {seconds:.1f} s"
    assert done.stderr == "", done.stderr
    answer = one_object(done.stdout)
    assert (done.returncode, answer["ok"]) in ((0, True), (1, False)), (done.returncode, answer)
    return answer


def accept(*arguments, **how):
    answer = verify(*arguments, **how)
    assert answer["ok"] is True and answer["config"] == "remote", answer
    return answer


def refuse(said, *arguments, code="keys_unavailable", **how):
    answer = verify(*arguments, **how)
    assert answer["ok"] is False and answer["error"] == code, answer
    assert said in answer["detail"], answer
    return answer


TRUST = f"ca_file = {CA.file}"
OTHER = "https://issuer.invalid"  # an issuer whose keys are fetched from our server


def jwks(path="keys"):
    return f"jwks_uri = {HTTPS.url}/{path}"


# --- jwks_uri ---

def test_keys_are_fetched_from_jwks_uri_once():
    HTTPS.answer(keys=Answer(KEYS))
    accept(OTHER, jwks(), TRUST)
    assert HTTPS.asked == ["/keys"]


def test_unknown_kid_is_asked_for_once():
    HTTPS.answer(keys=Answer(KEYS))
    refuse("", OTHER, jwks(), TRUST, code="unknown_kid", token=token_for(OTHER, "--kid", "new"))
    assert HTTPS.asked == ["/keys"]


def test_refused_token_of_an_unknown_issuer_fetches_nothing():
    HTTPS.answer(keys=Answer(KEYS))
    refuse("", OTHER, jwks(), TRUST, code="unknown_issuer", token=token_for("https://x.invalid"))
    assert HTTPS.asked == []


def test_offline_fetches_nothing():
    HTTPS.answer(keys=Answer(KEYS))
    refuse("", OTHER, jwks(), TRUST, arguments=["--offline"])
    assert HTTPS.asked == []


def test_issuer_with_a_key_file_is_never_fetched():
    HTTPS.answer(keys=Answer(KEYS))
    refuse("", OTHER, jwks(), TRUST, f"jwks_file = {DEV.path}/jwks.json", code="unknown_kid",
           token=token_for(OTHER, "--kid", "new"))
    refuse("", OTHER, TRUST, "jwks_file = /nonexistent")
    assert HTTPS.asked == []


@cases(404, 500, 204, 401, 301)
def test_other_status_than_200_is_no_key_set(status):
    HTTPS.answer(keys=Answer(KEYS, status))
    refuse(f"HTTP status {status}", OTHER, jwks(), TRUST)


@cases(b"", b"{", b"[]", b"{}", b"<html>", b"\0", b'{"keys":1}', b'{"keys":[],"keys":[]}')
def test_document_that_is_no_key_set_is_refused(body):
    HTTPS.answer(keys=Answer(body))
    refuse("", OTHER, jwks(), TRUST)


def test_key_set_without_fitting_key_is_unknown_kid():
    HTTPS.answer(keys=Answer({"keys": []}))
    refuse("", OTHER, jwks(), TRUST, code="unknown_kid")


# --- whom to trust ---

def test_unknown_authority_is_refused():
    HTTPS.answer(keys=Answer(KEYS))
    refuse("certificate", OTHER, jwks())
    assert HTTPS.asked == []


def test_wrong_authority_is_refused():
    HTTPS.answer(keys=Answer(KEYS))
    refuse("certificate", OTHER, jwks(), f"ca_file = {Authority().file}")
    assert HTTPS.asked == []


@cases("/nonexistent", "/dev/null")
def test_authority_file_that_is_none_is_refused(path):
    HTTPS.answer(keys=Answer(KEYS))
    refuse("", OTHER, jwks(), f"ca_file = {path}")
    assert HTTPS.asked == []


def test_certificate_of_another_name_is_refused():
    authority = Authority()
    server = Server(authority.context("DNS:elsewhere.example"))
    server.answer(keys=Answer(KEYS))
    refuse("", OTHER, f"jwks_uri = {server.url}/keys", f"ca_file = {authority.file}")
    assert server.asked == []


def test_environment_cannot_send_the_question_elsewhere():
    HTTPS.answer(keys=Answer(KEYS))
    nowhere = "http://127.0.0.1:1"
    accept(OTHER, jwks(), TRUST, environment={
        "https_proxy": nowhere, "HTTPS_PROXY": nowhere, "ALL_PROXY": nowhere, "all_proxy": nowhere})


def test_configured_proxy_is_used():
    tunnel = Tunnel()
    HTTPS.answer(keys=Answer(KEYS))
    accept(OTHER, jwks(), TRUST, f"proxy = http://127.0.0.1:{tunnel.port}")
    assert tunnel.connects == [f"localhost:{HTTPS.port}"]


def test_proxy_that_is_down_is_keys_unavailable():
    HTTPS.answer(keys=Answer(KEYS))
    refuse("", OTHER, jwks(), TRUST, "proxy = http://127.0.0.1:1")
    assert HTTPS.asked == []


# --- limits ---

def test_closed_port_is_keys_unavailable():
    refuse("", OTHER, "jwks_uri = https://localhost:1/keys")


def test_name_that_does_not_exist_is_keys_unavailable():
    refuse("", OTHER, "jwks_uri = https://keys.issuer.invalid/keys")


def test_server_that_never_answers_ends_in_time():
    listener = socket.create_server(("127.0.0.1", 0))
    refuse("", OTHER, f"jwks_uri = https://localhost:{listener.getsockname()[1]}/keys")
    listener.close()


@cases(Answer(KEYS, pause=8), Answer(KEYS, drip=0.1))
def test_slow_answer_ends_in_time(answer):
    HTTPS.answer(keys=answer)
    refuse("", OTHER, jwks(), TRUST)


def test_slow_discovery_and_slow_keys_end_in_time_together():
    HTTPS.answer_paths({WELL_KNOWN: Answer({"issuer": HTTPS.url, "jwks_uri": HTTPS.url + "/keys"},
                                           pause=2.5),
                        "/keys": Answer(KEYS, pause=2.5)})
    refuse("", HTTPS.url, TRUST)


@cases(True, False)
def test_oversized_answer_is_refused(sized):
    HTTPS.answer(keys=Answer(b" " * (1024 * 1024) + KEYS, sized=sized))
    refuse("more than 1048576 bytes", OTHER, jwks(), TRUST)


def test_largest_answer_is_taken():
    HTTPS.answer(keys=Answer(b" " * (1024 * 1024 - len(KEYS)) + KEYS))
    accept(OTHER, jwks(), TRUST)


def test_announced_size_alone_is_enough_to_refuse():
    HTTPS.answer(keys=Answer(KEYS, headers={"Content-Length": "99999999"}, sized=False))
    refuse("more than 1048576 bytes", OTHER, jwks(), TRUST)


# --- redirects ---

def test_redirect_within_https_is_followed():
    HTTPS.answer(keys=redirect("/moved"), moved=Answer(KEYS))
    accept(OTHER, jwks(), TRUST)
    assert HTTPS.asked == ["/keys", "/moved"]


def test_redirect_to_http_is_refused():
    ELSEWHERE.answer(keys=Answer(KEYS))
    HTTPS.answer(keys=redirect(ELSEWHERE.url + "/keys"))
    refuse("", OTHER, jwks(), TRUST)
    assert ELSEWHERE.asked == []


@cases("file:///etc/passwd", "ftp://localhost/x", "gopher://localhost:1/x", "data:,{}")
def test_redirect_to_another_scheme_is_refused(to):
    HTTPS.answer(keys=redirect(to))
    refuse("", OTHER, jwks(), TRUST)


def test_redirect_that_never_ends_is_refused():
    HTTPS.answer(keys=redirect("/keys"))
    refuse("", OTHER, jwks(), TRUST)
    assert len(HTTPS.asked) <= 4


def test_redirect_of_plain_http_is_refused():
    ELSEWHERE.answer(keys=Answer(KEYS))
    HTTP.answer(keys=redirect(ELSEWHERE.url + "/keys"))
    refuse("HTTP status 302", OTHER, f"jwks_uri = {HTTP.url}/keys")
    assert ELSEWHERE.asked == []


# --- plain http, to this host only ---

@cases("localhost", "127.0.0.1")
def test_plain_http_to_this_host_is_fetched(host):
    HTTP.answer(keys=Answer(KEYS))
    accept(OTHER, f"jwks_uri = http://{host}:{HTTP.port}/keys")


# --- discovery ---

def discovery(**changes):
    document = {"issuer": HTTPS.url, "jwks_uri": HTTPS.url + "/keys", "more": ["x"], **changes}
    return {WELL_KNOWN: Answer({key: value for key, value in document.items() if value is not None}),
            "/keys": Answer(KEYS)}


def test_keys_are_discovered():
    HTTPS.answer_paths(discovery())
    accept(HTTPS.url, TRUST)
    assert HTTPS.asked == [WELL_KNOWN, "/keys"]


@cases("/realms/x", "/realms/x/")
def test_issuer_with_a_path_is_asked_below_it(path):
    HTTPS.answer_paths({"/realms/x" + WELL_KNOWN: discovery(issuer=HTTPS.url + path)[WELL_KNOWN],
                        "/keys": Answer(KEYS)})
    accept(HTTPS.url + path, TRUST)


@cases("https://other.invalid", "", None, 1, ["x"], {}, HTTPS.url + "/", HTTPS.url.upper(),
       HTTPS.url + "\0")
def test_discovery_of_another_issuer_is_refused(issuer):
    HTTPS.answer_paths(discovery(issuer=issuer))
    refuse("another issuer", HTTPS.url, TRUST)
    assert HTTPS.asked == [WELL_KNOWN]


@cases((HTTPS.url + "/", f", {HTTPS.url}/"), ("https://x.invalid/\x1b[31m", ""),
       ("https://x.invalid/" + 999 * "x", ", https://x.invalid/" + 72 * "x"))
def test_issuer_of_the_document_is_named(issuer, said):
    HTTPS.answer_paths(discovery(issuer=issuer))
    assert refuse("another issuer", HTTPS.url, TRUST)["detail"].endswith("another issuer" + said)


@cases(None, "", 1, [], "/keys", "keys", "file:///etc/passwd", "http://example.invalid/keys",
       "http://localhost:1/keys", "https://user:pass@localhost/keys", "ftp://localhost/keys",
       HTTPS.url + "/keys\0")
def test_discovered_address_that_may_not_be_fetched_is_refused(uri):
    HTTPS.answer_paths(discovery(jwks_uri=uri))
    refuse("jwks_uri", HTTPS.url, TRUST)
    assert HTTPS.asked == [WELL_KNOWN]


@cases(b"", b"{", b"[]", b"null", b"\xff", b"<html>",
       b'{"issuer":"%(url)s","issuer":"%(url)s","jwks_uri":"%(url)s/keys"}')
def test_discovery_document_that_is_none_is_refused(body):
    HTTPS.answer_paths({**discovery(),
                        WELL_KNOWN: Answer(body.replace(b"%(url)s", HTTPS.url.encode()))})
    refuse("", HTTPS.url, TRUST)
    assert HTTPS.asked == [WELL_KNOWN]


def test_discovery_over_plain_http_may_name_this_host():
    HTTP.answer_paths({WELL_KNOWN: Answer({"issuer": HTTP.url, "jwks_uri": HTTP.url + "/keys"}),
                       "/keys": Answer(KEYS)})
    accept(HTTP.url)


# --- what a credential points to ---

def test_addresses_in_the_token_are_never_asked():
    ELSEWHERE.answer(keys=Answer(KEYS))
    HTTPS.answer(keys=Answer(KEYS))
    pointers = []
    for name in ("jku", "x5u", "url"):
        pointers += ["--header", f'{name}="{ELSEWHERE.url}/keys"']
    for name in ("jku", "jwks_uri", "x5u"):
        pointers += ["--claim", f'{name}="{ELSEWHERE.url}/keys"']
    verify(OTHER, jwks(), TRUST, token=token_for(OTHER, *pointers))
    verify(OTHER, jwks(), TRUST, token=token_for(ELSEWHERE.url, *pointers))
    assert ELSEWHERE.asked == []


def test_configuration_refuses_plain_http_elsewhere():
    DEV.configure('[oidc "remote"]', f"issuer = {OTHER}", "audience = a",
                  "jwks_uri = http://example.invalid/keys", name="bad.conf")
    assert_exit(ctl("verify", "--config", DEV.path / "bad.conf", "-"), 2, "bad.conf:4: ")
