"""refresh keeps issuers' keys in the cache, and nothing broken gets there; status says so.

SPDX-License-Identifier: PostgreSQL
"""
import contextlib
import json
import os
import signal
import subprocess
import time

import support
from server import LACKS, Answer, Authority, Server, Tunnel, redirect  # pylint: disable=unused-import
from support import Issuer, assert_exit, assert_usage, cases, ctl, one_object

WELL_KNOWN = "/.well-known/openid-configuration"
DEV, NEXT = Issuer(), Issuer()
KEYS = (DEV.path / "jwks.json").read_bytes()
NEXT_KEYS = (NEXT.path / "jwks.json").read_bytes()
CA = Authority()
HTTPS = Server(CA.context())
HTTP = Server()
OTHER = "https://issuer.invalid"  # an issuer whose keys are fetched from our server
TRUST = f"ca_file = {CA.file}"


class Host:
    """A configuration, a cache and a state folder of their own."""

    def __init__(self, *keys, issuer=OTHER, cache=(), sections=None):
        self.home = support.folder()
        self.cache, self.requests = self.home / "cache", self.home / "state" / "requests"
        self.requests.mkdir(parents=True)
        sections = sections or {"main": [f"issuer = {issuer}", *keys]}
        lines = [line for label, own in sections.items() for line in (
            f'[oidc "{label}"]', "audience = cortex-dev", "username_claim = preferred_username",
            *own)]
        self.conf = self.home / "cortex.conf"
        self.conf.write_text("\n".join([*lines, "[cache]", f"path = {self.cache}", *cache, "[state]",
                                        f"path = {self.home}/state", ""]), encoding="utf-8")

    def refresh(self, *arguments, code=0, said=None):
        start = time.monotonic()
        done = assert_exit(ctl("refresh", "--config", self.conf, *arguments), code, said)
        self.seconds = time.monotonic() - start
        return done

    def status(self, code=0):
        answer = one_object(assert_exit(ctl("status", "--json", "--config", self.conf), code).stdout)
        assert answer["ok"] is (code == 0), answer
        return answer["issuers"]

    def verify(self, issuer=DEV, name=OTHER):
        """What a login would find in the cache: ok or the reason."""
        token = issuer.token("--claim", f'iss="{name}"').encode()
        answer = one_object(ctl("verify", "--offline", "--config", self.conf, "-", stdin=token).stdout)
        return "ok" if answer["ok"] else answer["error"]

    def age(self, seconds):
        """Makes all that was fetched older."""
        for path in self.cache.glob("*"):
            before = path.stat().st_mtime - seconds
            os.utime(path, (before, before))
        for path in self.cache.glob("*.refresh.json"):
            state = json.loads(path.read_text(encoding="utf-8"))
            for name in ("asked", "fresh_until", "next", "requested", "failed"):
                state[name] = max(0, state[name] - seconds)
            path.write_text(json.dumps(state), encoding="utf-8")


def jwks(path="keys"):
    return f"jwks_uri = {HTTPS.url}/{path}"


def fetched(answer=Answer(KEYS), **more):
    """A host that has fetched good keys once."""
    HTTPS.answer(keys=answer)
    host = Host(jwks(), TRUST, **more)
    host.refresh()
    assert host.verify() == "ok"
    return host


def discovery(answer=None, **changes):
    document = {"issuer": HTTPS.url, "jwks_uri": HTTPS.url + "/keys", **changes}
    return {WELL_KNOWN: answer or Answer({k: v for k, v in document.items() if v is not None}),
            "/keys": Answer(KEYS)}


# --- good answers ---

def test_fetched_keys_serve_logins():
    HTTPS.answer(keys=Answer(KEYS))
    host = Host(jwks(), TRUST)
    assert host.verify() == "keys_unavailable"
    assert "main: " in host.refresh().stdout
    assert host.verify() == "ok" and host.verify(NEXT) == "unknown_kid"
    assert {p.name for p in host.cache.iterdir()} == {"main.keys", "main.jwks.json", "main.refresh.json"}
    assert (host.cache / "main.jwks.json").read_bytes() == KEYS
    assert host.status()[0]["keys"]["usable"] >= 1


def test_others_read_what_is_fetched_whatever_the_umask():
    HTTPS.answer(keys=Answer(KEYS))
    host = Host(jwks(), TRUST)
    assert_exit(ctl("refresh", "--config", host.conf, umask=0o077), 0)
    assert oct(host.cache.stat().st_mode & 0o777) == oct(0o750)
    assert {oct(path.stat().st_mode & 0o777) for path in host.cache.iterdir()} == {oct(0o644)}


def test_keys_are_discovered():
    HTTPS.answer_paths(discovery())
    host = Host(TRUST, issuer=HTTPS.url)
    host.refresh()
    assert HTTPS.asked == [WELL_KNOWN, "/keys"] and host.verify(name=HTTPS.url) == "ok"


def test_new_keys_take_the_place_of_old_ones():
    host = fetched()
    HTTPS.answer(keys=Answer(NEXT_KEYS))
    host.refresh()
    assert host.verify() == "unknown_kid" and host.verify(NEXT) == "ok"


def test_max_age_is_honoured_and_force_goes_before():
    host = fetched(Answer(KEYS, headers={"Cache-Control": "public, max-age=3600"}))
    assert "fresh" in host.refresh().stdout and HTTPS.asked == ["/keys"]
    host.refresh("--force")
    assert HTTPS.asked == ["/keys"] * 2
    host.age(3601)
    host.refresh()
    assert HTTPS.asked == ["/keys"] * 3


@cases(("max-age=99999999", [], 6 * 3600), ("max-age=1", [], 30), ("max-age=600", [], 600),
       ("max-age=600, no-cache", [], 900), ("private", [], 900), ("max-age=x", [], 900),
       ("MAX-AGE=\"77\"", [], 77), ("max-age=500", ["max_refresh = 100"], 100),
       ("max-age=9000", ["stale = 1h"], 1800), ("max-age=5", ["min_refresh = 2"], 5))
def test_refresh_comes_within_bounds(control, cache, seconds):
    host = fetched(Answer(KEYS, headers={"Cache-Control": control}), cache=cache)
    left = host.status()[0]["next_refresh"] - (host.cache / "main.refresh.json").stat().st_mtime
    assert seconds * 0.9 - 3 <= left <= seconds, left


def test_age_header_counts():
    host = fetched(Answer(KEYS, headers={"Cache-Control": "max-age=600", "Age": "400"}))
    assert host.status()[0]["next_refresh"] - time.time() <= 200


def test_unchanged_answer_renews_what_is_held():
    host = fetched(Answer(KEYS, headers={"ETag": '"one"'}))
    host.age(7200)
    HTTPS.answer(keys=Answer(b"", 304))
    assert "not changed" in host.refresh().stdout
    assert HTTPS.headers[-1]["If-None-Match"] == '"one"'
    assert host.verify() == "ok" and host.status()[0]["age"] < 60


def test_no_condition_without_keys_to_go_with_it():
    host = fetched(Answer(KEYS, headers={"ETag": '"one"'}))
    for name in ("main.keys", "main.jwks.json"):
        (host.cache / name).unlink()
    host.refresh()
    assert HTTPS.headers[-1]["If-None-Match"] is None and host.verify() == "ok"
    HTTPS.answer(keys=Answer(b"", 304))
    host.refresh("--force", code=3, said="HTTP status 304")


def test_configured_proxy_is_used():
    tunnel = Tunnel()
    HTTPS.answer(keys=Answer(KEYS))
    Host(jwks(), TRUST, f"proxy = http://127.0.0.1:{tunnel.port}").refresh()
    assert tunnel.connects == [f"localhost:{HTTPS.port}"]


def test_slow_issuers_are_asked_at_the_same_time():
    HTTP.answer(keys=Answer(KEYS, pause=1.0))
    sections = {f"i{n}": [f"issuer = https://i{n}.invalid", f"jwks_uri = {HTTP.url}/keys"]
                for n in range(12)}
    host = Host(sections=sections)
    host.refresh()
    assert len(host.status()) == 12 and host.seconds < 6, host.seconds


def test_one_issuer_is_chosen_by_its_label():
    HTTP.answer(keys=Answer(KEYS))
    own = f"jwks_uri = {HTTP.url}/keys"
    host = Host(sections={"a": ["issuer = https://a.invalid", own],
                          "b": ["issuer = https://b.invalid", own],
                          "c": ["issuer = https://c.invalid", f"jwks_file = {DEV.path}/jwks.json"]})
    host.refresh("--issuer", "b")
    assert (host.cache / "b.keys").exists() and not (host.cache / "a.keys").exists()
    assert_usage(ctl("refresh", "--config", host.conf, "--issuer", "x"), "no section")
    assert_usage(ctl("refresh", "--config", host.conf, "--issuer", "c"), "names a file")


# --- broken answers ---

WEAK = {"keys": [{"kty": "RSA", "kid": "w", "n": "0" * 100 + "Q", "e": "AQAB"}]}


@cases(Answer(b"<html>Sign in</html>"), Answer(b"{"), Answer(KEYS[:-9]), Answer({}), Answer({"keys": []}),
       Answer({"keys": [{"kty": "oct", "k": "AAAA", "kid": "k"}]}), Answer(WEAK), Answer(KEYS, 500),
       Answer(KEYS, 404), Answer(KEYS, 304), Answer(b""), Answer(b"[" * 200000),
       Answer(b'{"keys":[' + b"{}," * 9000 + b"{}]}"), Answer(b" " * 1100000 + KEYS),
       Answer(KEYS, headers={"Content-Length": "99999"}, sized=False), redirect("http://localhost:1/keys"),
       redirect("file:///etc/passwd"))
def test_broken_answer_leaves_good_keys(answer):
    host = fetched()
    before = {p.name: p.read_bytes() for p in host.cache.iterdir() if "refresh" not in p.name}
    HTTPS.answer(keys=answer)
    host.refresh(code=3, said="cortexctl: main: ")
    assert {p.name: p.read_bytes() for p in host.cache.iterdir() if "refresh" not in p.name} == before
    assert host.verify() == "ok"
    entry = host.status(1)[0]
    assert entry["failures"] == 1 and entry["last_error"] and entry["state"] == "ok", entry
    HTTPS.answer(keys=Answer(KEYS))
    host.refresh()
    assert host.status()[0]["failures"] == 0


@cases({"issuer": "https://other.invalid"}, {"issuer": None}, {"issuer": HTTPS.url + "/"},
       {"jwks_uri": None}, {"jwks_uri": "http://example.invalid/keys"}, {"jwks_uri": "http://localhost:1/"},
       {"jwks_uri": "https://user@localhost/keys"}, {"jwks_uri": ["x"]}, {"answer": Answer(b"<html>")},
       {"answer": Answer(b'{"issuer":"x","issuer":"x"}')}, {"answer": Answer(b"", 500)})
def test_bad_discovery_leaves_good_keys(changes):
    HTTPS.answer_paths(discovery())
    host = Host(TRUST, issuer=HTTPS.url)
    host.refresh()
    HTTPS.answer_paths(discovery(**changes))
    host.refresh(code=3, said="main: ")
    assert HTTPS.asked == [WELL_KNOWN] and host.verify(name=HTTPS.url) == "ok"


def test_issuer_that_is_down_is_asked_less_and_less():
    host = fetched()
    HTTPS.answer(keys=Answer(b"", 503))
    waits = []
    for _ in range(8):
        host.refresh(code=3)
        waits.append(host.status(1)[0]["next_refresh"] - time.time())
    assert 25 <= waits[0] <= 34 and 55 <= waits[1] <= 67 and 840 <= waits[-1] <= 1000, waits


def test_keys_grow_stale_when_nothing_is_fetched():
    host = fetched()
    host.age(86400 - 60)
    assert host.verify() == "ok"
    host.age(120)
    assert host.verify() == "keys_stale" and host.status(1)[0]["state"] == "keys_stale"


def test_unwritable_cache_is_said():
    HTTPS.answer(keys=Answer(KEYS))
    host = Host(jwks(), TRUST)
    host.cache.write_text("a file in its place", encoding="utf-8")
    host.refresh(code=3, said=str(host.cache))
    assert HTTPS.asked == []


def test_damaged_memory_is_fetched_again():
    host = fetched(Answer(KEYS, headers={"Cache-Control": "max-age=3600"}))
    (host.cache / "main.refresh.json").write_text('{"next": "x", "url": 1', encoding="utf-8")
    host.refresh()
    assert host.status()[0]["keys"]["usable"] >= 1


# --- requests ---

def test_verify_leaves_no_request():
    host = fetched()
    assert host.verify(NEXT) == "unknown_kid" and not list(host.requests.iterdir())


def test_request_is_served_once_and_taken_away():
    host = fetched()
    HTTPS.answer(keys=Answer(NEXT_KEYS))
    host.refresh("--requested")
    assert HTTPS.asked == []  # nothing is due, nobody asks
    (host.requests / "main").touch()
    (host.requests / "nobody").touch()
    assert host.status()[0]["requested"] is True
    host.refresh("--requested")
    assert HTTPS.asked == ["/keys"] and not list(host.requests.iterdir())
    assert host.verify(NEXT) == "ok"


def test_what_is_no_request_and_cannot_be_removed_is_named_and_no_success():
    host = fetched()
    (host.requests / "nobody").mkdir()
    host.refresh("--requested")
    assert not list(host.requests.iterdir())
    (host.requests / "nobody" / "inside").mkdir(parents=True)
    host.refresh("--requested", code=3, said=f"{host.requests}/nobody: no request, and cannot be removed")


def test_requests_are_throttled():
    host = fetched(cache=["min_refresh = 2"])
    HTTPS.answer(keys=Answer(KEYS))
    for _ in range(2):
        (host.requests / "main").touch()
        host.refresh("--requested")
    assert len(HTTPS.asked) == 2 and host.seconds > 0.9, host.seconds


@contextlib.contextmanager
def watching(host):
    process = subprocess.Popen([str(support.CORTEXCTL), "refresh", "--watch", "--config", str(host.conf)],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=support.ENVIRONMENT)
    try:
        yield process
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=10)[0].decode()
        assert process.returncode == 0 and "Sanitizer" not in output, output
    finally:
        process.kill()
        process.wait()


def wait_for(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_watch_serves_requests_at_once():
    HTTPS.answer(keys=Answer(KEYS))
    host = Host(jwks(), TRUST)
    with watching(host):
        wait_for((host.cache / "main.refresh.json").exists)
        HTTPS.answer(keys=Answer(NEXT_KEYS))
        start = time.monotonic()
        (host.requests / "main").touch()
        wait_for(lambda: (host.cache / "main.jwks.json").read_bytes() == NEXT_KEYS)
        assert time.monotonic() - start < 2
        assert host.verify(NEXT) == "ok"


def test_watch_takes_a_new_configuration():
    HTTPS.answer(keys=Answer(KEYS))
    host = Host(jwks(), TRUST)
    text = host.conf.read_text(encoding="utf-8")
    with watching(host) as process:
        wait_for((host.cache / "main.refresh.json").exists)
        host.conf.write_text("nonsense", encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        host.conf.write_text(text.replace('"main"', '"renamed"'), encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        wait_for((host.cache / "renamed.keys").exists)


# --- usage ---

@cases(("--watch", "--force"), ("--watch", "--requested"), ("--requested", "--force"))
def test_modes_exclude_each_other(*modes):
    assert_usage(ctl("refresh", *modes), "only one of")


def test_operators_files_are_not_fetched():
    host = Host(f"jwks_file = {DEV.path}/jwks.json")
    assert "nothing to fetch" in host.refresh().stdout
    entry = host.status()[0]
    assert entry["source"] == "file" and entry["keys"]["usable"] >= 1 and "age" not in entry


def test_status_for_people():
    host = Host(jwks(), TRUST)
    done = assert_exit(ctl("status", "--config", host.conf), 1)
    assert done.stdout.startswith("main: keys_unavailable: "), done.stdout
    HTTPS.answer(keys=Answer(b"", 500))
    host.refresh(code=3)
    assert "main: failed 1 time, last: " in ctl("status", "--config", host.conf).stdout
    HTTPS.answer(keys=Answer(KEYS))
    host.refresh()
    assert "next refresh in " in assert_exit(ctl("status", "--config", host.conf), 0).stdout
