"""The policy image under real logins: replaced, cut and removed while they come.

SPDX-License-Identifier: PostgreSQL
"""
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cortex import POLICY
from harness import DATABASES, STAGING, wait_until

ROUNDS, AT_ONCE = 4, 13
FORBID = "forbid (principal, action, resource);\n"


class Disturber(threading.Thread):
    """Writes the image again and again; two of three times it spoils it afterwards."""

    def __init__(self, cortex):
        super().__init__()
        self.cortex = cortex
        self.image = cortex.cache / "policy.image"
        self.is_over = threading.Event()
        self.written = 0

    def run(self):
        turn = 0
        while not self.is_over.is_set():
            done = self.cortex.run("policy", "image", "--config", self.cortex.conf)
            self.written += done.returncode == 0
            turn += 1
            try:
                if turn % 3 == 1:
                    os.truncate(self.image, turn * 731 % 9000)
                elif turn % 3 == 2:
                    self.image.unlink()
            except FileNotFoundError:
                pass


@pytest.mark.parametrize("fault", ["stale", "damaged", "absent"])
def test_image_that_is_passed_over_is_spoken_of_once_and_written_anew(world, fault):
    token = world.openid.id_token("alice-1")
    image = world.cortex.cache / "policy.image"
    request = world.cortex.state / "requests" / "policy:image"
    world.cortex.write_image()
    mark = world.postgres.log_mark()
    world.login("alice", token=token).assert_allowed()
    assert not request.exists() and "read at each login" not in world.postgres.log_since(mark)
    if fault == "stale":
        world.cortex.write(world.cortex.policies / "analytics.cedar", POLICY + "\n")
    elif fault == "damaged":
        os.truncate(image, 100)
    else:
        image.unlink()
    for _ in range(3):
        world.login("alice", token=token).assert_allowed()
    log = world.postgres.log_since(mark)
    assert request.exists() and log.count(f"read at each login: {image}: ") == 1, log
    world.cortex.run("refresh", "--requested", "--config", world.cortex.conf, check=True)
    assert image.exists() and not request.exists()
    mark = world.postgres.log_mark()
    world.login("alice", token=token).assert_allowed()
    assert not request.exists() and "read at each login" not in world.postgres.log_since(mark)


def test_image_that_nobody_named_need_not_be_there(world):
    world.cortex.configure(policy={"image": None}, cache={"path": world.cortex.cache})
    (world.cortex.cache / "policy.image").unlink(missing_ok=True)
    mark = world.postgres.log_mark()
    world.login("alice", token=world.openid.id_token("alice-1")).assert_allowed()
    assert not list((world.cortex.state / "requests").iterdir())
    assert "read at each login" not in world.postgres.log_since(mark)


def test_a_hundred_logins_while_the_image_is_replaced_cut_and_removed(world):
    """Half of them right behind a change, half once an image of it was written and is being spoiled."""
    token = world.openid.id_token("alice-1")
    world.cortex.write_image()
    mark = world.postgres.log_mark()
    disturber = Disturber(world.cortex)

    def log_in(_):
        return world.postgres.psql("alice", DATABASES[STAGING], password=token).returncode == 0

    disturber.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            for turn in range(ROUNDS):
                is_permitted = turn % 2 == 0
                world.cortex.write(world.cortex.policies / "analytics.cedar",
                                   POLICY if is_permitted else POLICY + FORBID)
                before = disturber.written
                assert set(pool.map(log_in, range(AT_ONCE))) == {is_permitted}
                wait_until("an image of these policies", lambda b=before: disturber.written > b)
                assert set(pool.map(log_in, range(AT_ONCE))) == {is_permitted}
    finally:
        disturber.is_over.set()
        disturber.join()
    log = world.postgres.log_since(mark)
    assert "terminated by signal" not in log and "server process" not in log, log
    assert len(world.cortex.records()) == 2 * ROUNDS * AT_ONCE
