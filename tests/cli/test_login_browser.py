"""cortex-login in a browser: what is asked, and which answers are taken. SAML by the same port.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import hashlib
import os
import re
import socket
import time
import zlib
from urllib.parse import urlencode, urlsplit

from login import Home, Script, Visit, assert_exit, base64url, error, fetch
from support import cases

PROVIDER = Script()


def home(**keys):
    return Home(issuer=PROVIDER.url, client_id="me", **keys)


def visit(*arguments, document=None, claims=None, keys=None, **how):
    """A login that waits for its browser; its ID token will repeat the nonce."""
    PROVIDER.set(**(document or {}))
    begun = Visit(home(**(keys or {})), *arguments, **how)
    PROVIDER.set(token=PROVIDER.tokens(claims={"nonce": begun.asked["nonce"], **(claims or {})}),
                 **(document or {}))
    return begun


def refused(begun, said, code=1):
    done = assert_exit(begun.end(), code, said)
    assert done.stdout == "" and not begun.home.cache.joinpath("corp.json").exists()
    return done


def test_login_in_a_browser_gives_the_id_token():
    begun = visit()
    asked = begun.asked
    status, page = begun.come_back()
    assert status == 200 and "close this window" in page
    done = assert_exit(begun.end(), 0)
    assert done.stdout.strip() == begun.home.kept()["id_token"]
    form, = PROVIDER.forms
    assert form["grant_type"] == "authorization_code" and form["code"] == "the-code"
    assert form["redirect_uri"] == asked["redirect_uri"]
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert (asked["code_challenge"], asked["code_challenge_method"]) == (base64url(digest), "S256")
    assert len(form["code_verifier"]) == 43 and form["code_verifier"] not in done.stderr


def test_address_asks_for_what_the_profile_says():
    begun = visit(document={"authorization_endpoint": PROVIDER.url + "/authorize?tenant=a",
                            "scopes_supported": ["openid", "offline_access"]},
                  keys={"audience": "pg", "resource": "https://pg.test/a b", "prompt": "consent",
                        "parameter": '"access_type=off line&x=y"\nparameter = b=2'})
    asked = begun.asked
    assert begun.address.startswith(PROVIDER.url + "/authorize?tenant=a&")
    assert asked["response_type"] == "code" and asked["scope"] == "openid offline_access"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", asked["redirect_uri"])
    assert (asked["audience"], asked["resource"]) == ("pg", "https://pg.test/a b")
    assert (asked["prompt"], asked["access_type"], asked["b"]) == ("consent", "off line&x=y", "2")
    begun.come_back(error="access_denied", code=None)
    refused(begun, "access_denied")


def test_two_logins_have_nothing_in_common():
    first, second = visit(), visit()
    for name in ("state", "nonce", "code_challenge", "redirect_uri"):
        assert first.asked[name] != second.asked[name]
    for begun in (first, second):
        begun.come_back(state="x")
        refused(begun, "(state)")


# --- answers that are not ours ---

@cases({"state": "wrong"}, {"state": None}, {"state": ""}, {"state": ["a", "b"]})
def test_wrong_state_is_refused(parameters):
    begun = visit()
    if isinstance(parameters["state"], list):
        parameters = {"state": [begun.asked["state"], begun.asked["state"]]}
    begun.come_back(**parameters)
    refused(begun, "(state)")
    assert PROVIDER.forms == []


@cases({"iss": "https://other.invalid"}, {"iss": ""}, {"iss": ["a", "b"]},
       {"iss": "https://other.invalid", "error": "access_denied", "code": None})
def test_answer_of_another_issuer_is_refused(parameters):
    begun = visit()
    begun.come_back(**parameters)
    refused(begun, "(iss)")
    assert PROVIDER.forms == []


def test_issuer_that_always_says_who_it_is_must_do_so():
    document = {"authorization_response_iss_parameter_supported": True}
    begun = visit(document=document)
    begun.come_back()
    refused(begun, "(iss)")
    begun = visit(document=document)
    begun.come_back(iss=PROVIDER.url)
    assert_exit(begun.end(), 0)


def test_error_is_told():
    begun = visit()
    begun.come_back(code=None, error="access_denied", error_description="not \033[1m today")
    refused(begun, "access_denied: not ?[1m today")


@cases({"code": None}, {"code": ""}, {"code": ["a", "b"]})
def test_answer_without_one_code_is_refused(parameters):
    begun = visit()
    begun.come_back(**parameters)
    refused(begun, "no code", 3)


@cases({"nonce": "another"}, {"nonce": None}, {"aud": "other"}, {"iss": "https://other.invalid"})
def test_id_token_of_another_login_is_refused(claims):
    begun = visit(claims=claims)
    begun.come_back()
    refused(begun, "the ID token", 3)


def test_code_that_the_provider_refuses_is_told():
    begun = visit()
    PROVIDER.set(token=error("invalid_grant"))
    begun.come_back()
    refused(begun, "invalid_grant")


# --- the port ---

def raw(uri, text):
    address = urlsplit(uri)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(text.replace("HOST", address.netloc).encode())
        return connection.recv(4096).decode()


def test_other_requests_do_not_end_the_waiting():
    begun = visit()
    uri = begun.asked["redirect_uri"]
    query = urlencode({"code": "evil", "state": begun.asked["state"]})
    silent = socket.create_connection((urlsplit(uri).hostname, urlsplit(uri).port))
    assert fetch(uri + "favicon.ico")[0] == 404
    assert fetch(uri + "?" + query, data=b"x=y")[0] == 405
    assert fetch(uri + "?" + query, headers={"Host": "evil.example"})[0] == 400
    for text in ("GET /?x HTTP/1.1\r\n\r\n", "GET /?x HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n",
                 "GET /?x\r\nHost: HOST\r\n\r\n", "\r\n\r\n", "\0\r\n\r\n",
                 "GET /?x HTTP/2.0\r\nHost: HOST\r\n\r\n", "GET /?x HTTP/1.11\r\nHost: HOST\r\n\r\n"):
        assert raw(uri, text).startswith("HTTP/1.1 400 "), text
    assert raw(uri, "GET /?" + "x" * 33000).startswith("HTTP/1.1 413 ")
    begun.come_back()
    assert_exit(begun.end(), 0)
    assert PROVIDER.forms[0]["code"] == "the-code"
    silent.close()


def test_escapes_may_be_written_in_any_way():
    begun = visit()
    query = "code=the%2fcode%2Fof%39%30+%61%41&state=" + begun.asked["state"]
    assert raw(begun.asked["redirect_uri"], f"GET /?{query} HTTP/1.1\r\nHost: HOST\r\n\r\n").startswith("HTTP/1.1 200 ")
    begun.end()
    assert PROVIDER.forms[0]["code"] == "the/code/of90 aA"


def test_request_may_come_in_pieces_and_from_many():
    begun = visit()
    address = urlsplit(begun.asked["redirect_uri"])
    crowd = [socket.create_connection((address.hostname, address.port)) for _ in range(12)]
    query = urlencode({"code": "the-code", "state": begun.asked["state"]})
    with socket.create_connection((address.hostname, address.port)) as slow:
        for piece in ("GET /?", query, f" HTTP/1.1\r\nHost: {address.netloc}", "\r\n\r\n"):
            slow.sendall(piece.encode())
        assert b" 200 " in slow.recv(4096)
    assert_exit(begun.end(), 0)
    for connection in crowd:
        connection.close()


@cases("http://localhost/cb", "http://[::1]/a/b", "http://127.0.0.1")
def test_registered_address_is_used(uri):
    if "::1" in uri:
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            return
    begun = visit(keys={"redirect_uri": uri})
    told = urlsplit(begun.asked["redirect_uri"])
    assert told._replace(netloc=told.netloc.rsplit(":", 1)[0]).geturl() == uri
    begun.come_back()
    assert_exit(begun.end(), 0)


def test_registered_port_is_used_and_missed_when_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        uri = f"http://127.0.0.1:{taken.getsockname()[1]}/cb"
        PROVIDER.set()
        assert_exit(home(redirect_uri=uri).run("token"), 3, "no port")
    begun = visit(keys={"redirect_uri": uri})
    assert begun.asked["redirect_uri"] == uri
    begun.come_back()
    assert_exit(begun.end(), 0)


def test_nobody_coming_back_ends_in_time():
    PROVIDER.set()
    assert_exit(home(timeout="1").run("token"), 1, "in time")


def wait_for(file):
    for _ in range(200):
        if file.exists():
            break
        time.sleep(0.05)


def test_browser_is_started_without_a_shell():
    place = home()
    opened = place.path / "opened"
    script = place.path / "my-browser"
    script.write_text(f'#!/bin/sh\necho noise\nprintf "%s|" "$@" >"{opened}.new"\nmv "{opened}.new" "{opened}"\n',
                      encoding="utf-8")
    script.chmod(0o755)
    PROVIDER.set()
    begun = Visit(place, environment={"BROWSER": f"/nonexistent:{script} --new %s"})
    wait_for(opened)
    assert opened.read_text(encoding="utf-8") == f"--new|{begun.address}|"
    begun.come_back(error="access_denied", code=None)
    assert begun.end().stdout == ""


@cases(({"DISPLAY": ":0"}, True), ({"WAYLAND_DISPLAY": "wayland-0"}, True), ({}, False))
def test_browser_on_a_desktop_outlives_the_terminal(desktop, is_own):
    """An interrupt that is typed at the command, such as psql, is not the browser's; one in text needs the terminal."""
    place = home()
    opened = place.path / "opened"
    script = place.path / "my-browser"
    script.write_text(f'#!/bin/sh\nread -r line </proc/$$/stat\necho "$line" >"{opened}.new"\nmv "{opened}.new" "{opened}"\n',
                      encoding="utf-8")
    script.chmod(0o755)
    PROVIDER.set()
    begun = Visit(place, environment={"BROWSER": str(script), **desktop})
    wait_for(opened)
    session = int(opened.read_text(encoding="utf-8").rpartition(")")[2].split()[3])
    assert (session != os.getsid(begun.process.pid)) == is_own
    begun.come_back(error="access_denied", code=None)
    begun.end()


def test_unattended_run_opens_nothing():
    PROVIDER.set()
    done = assert_exit(home().run("token", "--unattended"), 1, "needs a person")
    assert "/authorize" not in done.stderr and PROVIDER.server.asked == []


# --- SAML ---

def saml(**keys):
    return Visit(Home(flow="saml", sso_url="https://idp.test/sso?spentityid=urn:db", **keys))


def post(begun, **form):
    uri = form.pop("uri")
    return fetch(uri, data=urlencode({k: v for k, v in form.items() if v is not None},
                                     doseq=True).encode())


def listening(keys):
    """A free port, as a SAML consumer's address is registered with one."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        keys["redirect_uri"] = f"http://127.0.0.1:{probe.getsockname()[1]}/acs"
    return keys["redirect_uri"]


def test_saml_response_is_handed_over_in_one_line():
    keys = {}
    uri = listening(keys)
    begun = saml(**keys)
    assert set(begun.asked) == {"spentityid", "RelayState"}
    response = base64.b64encode(b"<samlp:Response/>" * 20).decode()
    wrapped = "\r\n".join(response[i:i + 76] for i in range(0, len(response), 76))
    status, _ = post(begun, uri=uri, SAMLResponse=wrapped, RelayState=begun.asked["RelayState"])
    done = assert_exit(begun.end(), 0)
    assert status == 200 and done.stdout == response + "\n"
    assert not (begun.home.cache / "corp.json").exists()


@cases({"RelayState": "x"}, {"RelayState": None}, {"SAMLResponse": None}, {"SAMLResponse": ["a", "b"]})
def test_saml_response_of_another_login_is_refused(changes):
    keys = {}
    uri = listening(keys)
    begun = saml(**keys)
    post(begun, **{"uri": uri, "SAMLResponse": "QQ==", "RelayState": begun.asked["RelayState"], **changes})
    assert assert_exit(begun.end(), 1).stdout == ""


def test_saml_relay_state_may_be_left_unchecked():
    keys = {"relay_state": "no"}
    uri = listening(keys)
    begun = saml(**keys)
    post(begun, uri=uri, SAMLResponse="QQ==")
    assert assert_exit(begun.end(), 0).stdout == "QQ==\n"


def test_saml_request_is_deflated_xml():
    keys = {"sp_entity_id": r'"urn:db:\"a\"&b"'}
    uri = listening(keys)
    begun = saml(**keys)
    xml = zlib.decompress(base64.b64decode(begun.asked["SAMLRequest"]), -15).decode()
    assert f'AssertionConsumerServiceURL="{uri}"' in xml
    assert '<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">urn:db:&quot;a&quot;&amp;b<' in xml
    assert re.search(r' ID="_[0-9a-f]{40}" IssueInstant="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"', xml)
    post(begun, uri=uri, SAMLResponse="QQ==", RelayState=begun.asked["RelayState"])
    assert_exit(begun.end(), 0)


def test_saml_post_that_is_too_large_or_unfinished_is_no_answer():
    keys = {}
    uri = listening(keys)
    begun = saml(**keys)
    head = "POST /acs HTTP/1.1\r\nHost: HOST\r\n"
    assert raw(uri, head + "Content-Length: 999999\r\n\r\n").startswith("HTTP/1.1 413 ")
    for length in ("", "x", "-1", "1x"):
        assert raw(uri, f"{head}Content-Length: {length}\r\n\r\n").startswith("HTTP/1.1 400 "), length
    assert raw(uri, head + "\r\n").startswith("HTTP/1.1 400 ")
    post(begun, uri=uri, SAMLResponse="QQ==", RelayState=begun.asked["RelayState"])
    assert_exit(begun.end(), 0)
