"""The trail is rotated while people log in: no record is lost, the chain goes on.

SPDX-License-Identifier: PostgreSQL
"""
import json
import re
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import DATABASES, HERE, IS_ROOT, STAGING

PEOPLE = 3
ROTATIONS = 4


def files_of(trail):
    """The trail and what was rotated away, oldest first."""
    files = [f for f in trail.parent.glob(trail.name + "*")
             if f.name != trail.name + ".refusals" and f.stat().st_size > 0]
    return sorted(files, key=lambda f: json.loads(f.read_text(encoding="utf-8").split("\n")[0])["seq"])


@pytest.fixture
def rotated(world):
    """A rotated file left behind would be continued by the next test's trail."""
    yield world
    for file in files_of(world.cortex.trail):
        file.unlink()


def logrotate(world, folder):
    """As cortex-audit(5) advises, run by force, and without compressing: all is read again."""
    su = "su postgres postgres\n" if IS_ROOT else ""
    conf = folder / "logrotate.conf"
    conf.write_text(f"{world.cortex.trail} {{\n{su}rotate 520\ncreate 0660\n"
                    "missingok\nnotifempty\n}\n", encoding="utf-8")
    conf.chmod(0o600)
    return lambda: subprocess.run(
        ["/usr/sbin/logrotate", "--force", "--state", folder / "state", conf], check=True,
        capture_output=True, text=True)


def own_rotate(world, _folder):
    return lambda: world.cortex.run("audit", "rotate", "--config", world.cortex.conf, check=True)


def log_in_until(world, token, stop):
    """How many logins succeeded; any that failed fails the test."""
    count = 0
    while not stop.is_set():
        done = world.postgres.psql("alice", DATABASES[STAGING], password=token)
        assert done.returncode == 0, done.stderr
        count += 1
    return count


@pytest.mark.skipif(not IS_ROOT, reason="the owners of a host's files need root")
@pytest.mark.parametrize("source", ["packaging/logrotate", "libcortexauth/man/cortex-audit.5"])
def test_advice_fits_the_folder_of_the_trail(tmp_path, source):
    """logrotate leaves a folder alone that a group can write, unless it is told as whom to rotate."""
    text = (HERE.parents[1] / source).read_text(encoding="utf-8")
    rule, = re.findall(r"^/var/log/cortex/audit.jsonl {\n.*?^}", text, re.M | re.S)
    folder, conf = tmp_path / "log", tmp_path / "logrotate.conf"
    folder.mkdir()
    shutil.chown(folder, "root", "postgres")
    folder.chmod(0o2770)
    (folder / "audit.jsonl").write_text("a record\n", encoding="utf-8")
    conf.write_text(rule.replace("/var/log/cortex", str(folder)).replace("root cortex", "root postgres") + "\n", encoding="utf-8")
    conf.chmod(0o600)
    done = subprocess.run(["/usr/sbin/logrotate", "--force", "--state", tmp_path / "state", conf], check=False,
                          capture_output=True, text=True)
    assert done.returncode == 0 and (folder / "audit.jsonl.1").exists(), done.stderr
    assert (folder / "audit.jsonl").group() == "postgres" and (folder / "audit.jsonl").stat().st_mode & 0o777 == 0o660


@pytest.mark.parametrize("how", [logrotate, own_rotate])
def test_rotation_under_running_logins(rotated, tmp_path, how):
    world, stop = rotated, threading.Event()
    rotate = how(world, tmp_path)
    token = world.openid.id_token("alice-1")
    with ThreadPoolExecutor(PEOPLE) as pool:
        people = [pool.submit(log_in_until, world, token, stop) for _ in range(PEOPLE)]
        for _ in range(ROTATIONS):
            time.sleep(0.5)
            rotate()
        time.sleep(0.5)
        stop.set()
        logins = sum(p.result() for p in people)
    files = files_of(world.cortex.trail)
    assert len(files) > ROTATIONS // 2
    verified = world.cortex.run("audit", "verify", *files)
    assert verified.returncode == 0, verified.stdout
    records = [json.loads(line) for f in files for line in f.read_text(encoding="utf-8").splitlines()]
    assert logins > PEOPLE
    assert sum(r["event"] == "login" and r["decision"] == "allow" for r in records) == logins
    assert [r["seq"] for r in records] == list(range(1, len(records) + 1))
