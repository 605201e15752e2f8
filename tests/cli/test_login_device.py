"""cortex-login on another device (RFC 8628): what is told, how often is asked, how it ends.

SPDX-License-Identifier: PostgreSQL
"""
import time

from login import Home, Script, assert_exit, error
from server import Answer
from support import cases

PROVIDER = Script()


def device(**changes):
    body = {"device_code": "the-device", "user_code": "WDJB-MJHT", "expires_in": 60, "interval": 1,
            "verification_uri": PROVIDER.url + "/device",
            "verification_uri_complete": PROVIDER.url + "/device?user_code=WDJB-MJHT", **changes}
    return Answer({name: value for name, value in body.items() if value is not None})


def run(answers, first=None, **keys):
    PROVIDER.set(device=first or device(), token=answers)
    home = Home(issuer=PROVIDER.url, client_id="me", flow="device", **keys)
    began = time.monotonic()
    done = home.run("token")
    done.seconds = time.monotonic() - began
    assert "the-device" not in done.stderr
    return done


def test_person_is_told_and_asked_for_until_there_is_an_answer():
    done = assert_exit(run([error("authorization_pending"), PROVIDER.tokens()], scope="openid db",
                           audience="pg"), 0)
    assert f"open {PROVIDER.url}/device\n" in done.stderr and "WDJB-MJHT" in done.stderr
    assert f"open {PROVIDER.url}/device?user_code=WDJB-MJHT " in done.stderr
    (_, asked, _), *_ = PROVIDER.server.posted
    assert asked == {"client_id": "me", "scope": "openid db", "audience": "pg"}
    assert PROVIDER.forms[0] == {"grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                                 "device_code": "the-device", "client_id": "me"}
    assert len(PROVIDER.forms) == 2 and done.seconds >= 2


def test_google_calls_the_address_otherwise():
    first = device(verification_uri=None, verification_uri_complete=None, verification_url=PROVIDER.url + "/device")
    done = assert_exit(run(PROVIDER.tokens(), first=first), 0)
    assert f"open {PROVIDER.url}/device\n" in done.stderr and "WDJB-MJHT" in done.stderr


def test_code_cannot_command_the_terminal():
    done = assert_exit(run(error("access_denied"), first=device(user_code="A\u009b1m\033[2J\nB")), 1)
    assert "A??1m?[2J?B" in done.stderr


def test_slow_down_is_five_seconds_more():
    assert run([error("slow_down"), PROVIDER.tokens()]).seconds >= 7


@cases(("access_denied", "was refused"), ("expired_token", "has expired"), ("invalid_client", "invalid_client"))
def test_no_is_the_end(code, said):
    assert assert_exit(run(error(code)), 1, said).stdout == ""
    assert len(PROVIDER.forms) == 1


def test_outage_is_waited_out():
    assert_exit(run([Answer(b"", 503), PROVIDER.tokens()]), 0)


def test_code_that_nobody_enters_ends_in_time():
    done = assert_exit(run(error("authorization_pending"), first=device(expires_in=2)), 1, "in time")
    assert done.seconds < 10 and len(PROVIDER.forms) <= 2


@cases({"user_code": None}, {"device_code": None}, {"verification_uri": None}, {"device_code": 1},
       {"verification_uri": None, "verification_url": "javascript:alert(1)"},
       {"verification_uri": "javascript:alert(1)"}, {"verification_uri": PROVIDER.url + "/\u009b1m"}, {"verification_uri": "http://example.invalid/"})
def test_answer_that_lacks_something_is_refused(changes):
    assert assert_exit(run(PROVIDER.tokens(), first=device(**changes)), 3).stdout == ""
    assert PROVIDER.forms == []


def test_refusal_of_the_first_question_is_told():
    assert_exit(run(PROVIDER.tokens(), first=error("unauthorized_client")), 1, "unauthorized_client")


def test_provider_without_the_flow_is_told():
    PROVIDER.set(device_authorization_endpoint=None)
    assert_exit(Home(issuer=PROVIDER.url, client_id="me").run("token", "--flow", "device"), 2,
                "offers no device flow")
