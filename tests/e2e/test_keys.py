"""Keys come and go while people log in: rotation with and without overlap, an issuer that is down.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cortex import CORTEXCTL
from harness import DATABASES, STAGING, free_port, wait_until

PEOPLE = 2


class Keys:
    """The provider's keys, fetched; cache, requests and the program between them."""

    def __init__(self, world, folder):
        self.world, self.process = world, None
        self.cache = folder.make("key-cache")
        self.requests = world.cortex.state / "requests"

    def configure(self, port=None, **cache):
        uri = f"http://127.0.0.1:{port or self.world.openid.port}/jwks"
        self.world.cortex.configure(op={"jwks_file": None, "jwks_uri": uri}, policy={"image": None},
                                    cache={"path": self.cache, **cache})

    def refresh(self, code=0):
        done = self.world.cortex.run("refresh", "--config", self.world.cortex.conf)
        assert done.returncode == code, done.stdout + done.stderr

    def watch(self):
        self.process = subprocess.Popen(
            [CORTEXCTL, "refresh", "--watch", "--config", self.world.cortex.conf],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        if self.process:
            self.process.terminate()
            assert self.process.wait(10) == 0

    def has(self, jwks):
        """True when the cache holds exactly the keys of these ids."""
        try:
            held = json.loads((self.cache / "op.jwks.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return False
        return {k["kid"] for k in held["keys"]} == {k["kid"] for k in jwks["keys"]}

    def age(self, seconds):
        for path in self.cache.glob("op.*"):
            before = path.stat().st_mtime - seconds
            os.utime(path, (before, before))


@pytest.fixture
def keys(world, folder):
    made = Keys(world, folder)
    yield made
    made.stop()
    shutil.rmtree(made.cache)


def log_in(world, token):
    return world.postgres.psql("alice", DATABASES[STAGING], password=token).returncode == 0


def test_rotation_with_overlap_fails_no_login(keys):
    world, stop = keys.world, threading.Event()
    tokens = [world.openid.id_token("alice-1")]
    keys.configure(min_refresh="1", max_refresh="1")
    keys.watch()
    wait_until("the first keys", lambda: keys.has(world.openid.jwks()))

    def log_in_until():
        count = 0
        while not stop.is_set():
            assert log_in(world, tokens[-1])
            count += 1
        return count
    with ThreadPoolExecutor(PEOPLE) as pool:
        people = [pool.submit(log_in_until) for _ in range(PEOPLE)]
        try:
            world.openid.rotate("announce")
            wait_until("the announced keys", lambda: keys.has(world.openid.jwks()))
            world.openid.rotate("switch")
            tokens.append(world.openid.id_token("alice-1"))
            assert tokens[0].split(".")[0] != tokens[1].split(".")[0]
            time.sleep(0.5)
        finally:
            stop.set()
        assert all(person.result() > 0 for person in people)
    assert log_in(world, tokens[0]) and not list(keys.requests.iterdir())


def test_rotation_without_overlap_fails_for_two_seconds_at_most(keys):
    world = keys.world
    keys.configure()
    keys.watch()
    wait_until("the first keys", lambda: keys.has(world.openid.jwks()))
    assert log_in(world, world.openid.id_token("alice-1"))
    world.openid.rotate()
    published, longest = time.monotonic(), 0.0
    token = world.openid.id_token("alice-1")
    while True:
        began = time.monotonic()
        done = log_in(world, token)
        longest = max(longest, time.monotonic() - began)
        if done:
            break
        assert began - published < 10
    assert time.monotonic() - published - longest < 2
    wait_until("the request to be taken away", lambda: not list(keys.requests.iterdir()))


def test_new_key_that_no_id_tells_from_the_old_one_is_asked_for(keys, tmp_path):
    world = keys.world
    keys.configure()
    keys.refresh()
    world.openid.rotate("rename")
    token = world.openid.id_token("alice-1")
    world.login("alice", token=token).assert_refused("signature_invalid")
    assert [p.name for p in keys.requests.iterdir()] == ["op"]
    (tmp_path / "token").write_text(token, encoding="ascii")
    world.cortex.run("verify", "--config", world.cortex.conf, tmp_path / "token", check=True)  # it fetches, and keeps nothing
    world.cortex.run("refresh", "--requested", "--config", world.cortex.conf, check=True)
    world.login("alice", token=token).assert_allowed()
    assert not list(keys.requests.iterdir())


def test_issuer_that_is_down_is_missed_when_its_keys_are_stale(keys):
    world = keys.world
    token = world.openid.id_token("alice-1")
    keys.configure()
    keys.refresh()
    keys.configure(port=free_port())
    keys.refresh(code=3)
    world.login("alice", token=token).assert_allowed()
    keys.age(86400 - 30)
    world.login("alice", token=token).assert_allowed()
    assert not list(keys.requests.iterdir())
    keys.age(60)
    world.login("alice", token=token).assert_refused("keys_stale")
    world.login("alice", token=token).assert_refused("keys_stale")
    request, = keys.requests.iterdir()
    assert request.name == "op" and request.stat().st_size == 0
    keys.configure()
    world.cortex.run("refresh", "--requested", "--config", world.cortex.conf, check=True)
    world.login("alice", token=token).assert_allowed()
    assert not list(keys.requests.iterdir())


def test_unknown_keys_leave_one_request_and_nothing_of_the_token(keys):
    world = keys.world
    keys.configure()
    keys.refresh()
    for kid in ("../../etc/passwd", "a", "b"):
        token = world.cortex.dev_token("--user", "alice", "--kid", kid, "--claim",
                                       'iss="https://op.idp.test"')
        world.login("alice", token=token).assert_refused("unknown_kid", recorded=False)
    assert [p.name for p in keys.requests.iterdir()] == ["op"]
    token = world.cortex.dev_token("--user", "alice", "--kid", "x")
    world.login("alice", token=token).assert_refused("unknown_kid", recorded=False)
    assert [p.name for p in keys.requests.iterdir()] == ["op"]  # "dev" names a file: nothing helps
