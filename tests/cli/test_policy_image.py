"""policy image: written for logins, looked at by check.

SPDX-License-Identifier: PostgreSQL
"""
import contextlib
import os
import shutil
import time

from host import Host
from support import assert_exit, cases, ctl

HOST = Host()
IMAGE = HOST.path / "policy.image"
HOST.rest[1:1] = ["image = policy.image"]
HOST.rest += ["min_refresh = 3"]
HOST.configure(*HOST.section, *HOST.rest, name="cortex.conf")


def write_image():
    return ctl("policy", "image", "--config", HOST.conf)


def test_image_is_written_once_its_sources_have_settled():
    started = time.time()
    HOST.entities.touch()
    done = assert_exit(write_image(), 0)
    assert time.time() - started > 1
    assert done.stdout == f"{IMAGE}: {IMAGE.stat().st_size} bytes\n"
    assert IMAGE.stat().st_mode & 0o7777 == 0o640
    assert [p.name for p in HOST.path.glob("policy.image*")] == ["policy.image"]
    assert "policy.image" not in HOST.check("--offline").stderr


def test_stale_image_is_a_warning_and_changes_no_answer():
    assert_exit(write_image(), 0)
    before = HOST.policy.read_text(encoding="utf-8")
    HOST.policy.write_text(before.replace("permit", "forbid"), encoding="utf-8")
    done = assert_exit(HOST.check("--offline"), 0)
    assert f"{IMAGE}: warning: is older than the policies" in done.stderr, done.stderr
    explained = ctl("explain", "--config", HOST.conf, "--service", "staging", "--role", "alice",
                    "--user", "alice", "--groups", "engineers")
    assert_exit(explained, 1)
    HOST.policy.write_text(before, encoding="utf-8")


def flip_byte():
    with open(IMAGE, "r+b") as file:
        file.seek(-20, os.SEEK_END)
        byte = file.read(1)
        file.seek(-20, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))


def test_damaged_image_is_a_warning():
    assert_exit(write_image(), 0)
    before = IMAGE.stat()
    flip_byte()
    assert "was written to since it was made" in assert_exit(HOST.check("--offline"), 0).stderr
    os.utime(IMAGE, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "is damaged" in assert_exit(HOST.check("--offline"), 0).stderr


def refresh(*options):
    return assert_exit(ctl("refresh", "--config", HOST.conf, *options), 0).stdout


def test_refresh_writes_an_image_anew_that_is_stale():
    assert_exit(write_image(), 0)
    assert "anew" not in refresh()
    HOST.policy.touch()
    assert f"{IMAGE}: written anew\n" in refresh()
    assert "policy.image" not in HOST.check("--offline").stderr
    IMAGE.unlink()
    assert "anew" not in refresh()
    assert not IMAGE.exists()


@contextlib.contextmanager
def requests():
    """Where a login leaves a file that found no current image."""
    folder = HOST.state / "requests"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder / "policy:image"
    finally:
        shutil.rmtree(folder)


@cases(None, "stale", "damaged", "absent")
def test_requested_image_is_written_and_the_request_taken_away(fault):
    assert_exit(write_image(), 0)
    if fault == "stale":
        HOST.policy.touch()
    elif fault == "damaged":
        flip_byte()
    elif fault == "absent":
        IMAGE.unlink()
    before = IMAGE.stat().st_ino if IMAGE.exists() else None
    with requests() as request:
        assert "anew" not in refresh("--requested") and not request.exists()
        request.touch()
        said = refresh("--requested")
        assert not request.exists()
    assert (f"{IMAGE}: written anew\n" in said) == (fault is not None)
    assert (IMAGE.stat().st_ino != before) == (fault is not None)
    assert "policy.image" not in HOST.check("--offline").stderr


def test_request_in_vain_stays_until_min_refresh():
    """Without end logins would ask for what cannot be had, and say so each time."""
    assert_exit(write_image(), 0)
    before = HOST.policy.read_text(encoding="utf-8")
    HOST.policy.write_text("permit", encoding="utf-8")
    with requests() as request:
        request.touch()
        started = time.time()
        done = ctl("refresh", "--requested", "--config", HOST.conf)
        assert time.time() - started > 2 and not request.exists()
    assert done.stderr.count(f"{HOST.policy}:1:") == 1, done.stderr
    HOST.policy.write_text(before, encoding="utf-8")


def test_policy_that_does_not_load_leaves_the_old_image():
    assert_exit(write_image(), 0)
    before, old = HOST.policy.read_text(encoding="utf-8"), IMAGE.read_bytes()
    HOST.policy.write_text("permit", encoding="utf-8")
    assert_exit(write_image(), 2, f"{HOST.policy}:1:")
    assert IMAGE.read_bytes() == old
    HOST.policy.write_text(before, encoding="utf-8")


def test_image_that_cannot_be_written_is_exit_3():
    HOST.configure(*HOST.section, *[line.replace("policy.image", "none/policy.image") for line in HOST.rest])
    assert_exit(write_image(), 3, "none/policy.image: cannot be made")
    HOST.conf = HOST.path / "cortex.conf"


def test_bad_configuration_is_exit_2():
    assert_exit(ctl("policy", "image", "--config", "/nonexistent"), 2, "/nonexistent: ")
