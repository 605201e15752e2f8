"""The demo as a newcomer runs it: how it ends, and what it leaves behind.

SPDX-License-Identifier: PostgreSQL
"""
import os
import shutil
import signal
import subprocess

import pytest

from harness import BUILD, HERE, wait_until

SOURCE = HERE.parents[1]
HOSTILE = {"PGHOSTADDR": "192.0.2.1", "PGOPTIONS": "-c statement_timeout=1", "PGSERVICE": "nowhere",
           "POSIXLY_CORRECT": "1"}


@pytest.fixture
def run(folder):
    """Runs the demo of a source folder in a folder that must be empty afterwards."""
    work = folder.make("demo")

    def run_demo(source=SOURCE, **environment):
        done = subprocess.run([source / "packaging" / "demo" / "run", BUILD], capture_output=True, text=True,
                              timeout=120, check=False, stdin=subprocess.DEVNULL, umask=0o077,
                              env={"PATH": os.environ["PATH"], "TMPDIR": os.path.relpath(work), **environment})
        assert not list(work.iterdir()), done.stdout + done.stderr
        return done
    yield run_demo
    work.rmdir()


def test_demo_ends_well_whatever_the_reader_has_set(run, folder):
    home = folder.make("home")
    (home / ".postgresql").mkdir()
    (home / ".postgresql" / "postgresql.crt").write_text("no certificate\n", encoding="utf-8")
    done = run(HOME=str(home), **HOSTILE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "EXPECTED" not in done.stdout and done.stdout.endswith("Nothing was left behind.\n"), done.stdout


@pytest.mark.parametrize("name", ["it's odd", 70 * "x"])
def test_demo_ends_well_whatever_the_folder_for_temporary_files(run, folder, name):
    odd = folder.make(name)
    done = run(TMPDIR=str(odd))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(odd.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only then the server's user is another one")
def test_demo_of_root_ends_well_whose_folder_for_temporary_files_is_shut(run, folder):
    shut = folder.make("shut")
    shut.chmod(0o700)
    done = run(TMPDIR=str(shut))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(shut.iterdir())


def test_bootstrap_says_that_the_folder_for_temporary_files_is_not_there():
    done = subprocess.run([SOURCE / "bootstrap", "help"], capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "TMPDIR": "/no/such/folder"})
    assert done.returncode == 1 and done.stderr == "bootstrap: TMPDIR names no folder: /no/such/folder\n"


def test_demo_that_is_interrupted_while_it_builds_leaves_nothing(folder):
    source, work, tools = (folder.make(name) for name in ("unbuilt", "temporary", "tools"))
    shutil.copy(SOURCE / "bootstrap", source)
    for name in ("configure.ac", "m4", "configure", "config.status"):
        (source / name).touch(mode=0o755)
    (tools / "make").write_text('#!/bin/sh\ntouch "$BEGAN"\nexec sleep 60\n', encoding="utf-8")
    (tools / "make").chmod(0o755)
    began = tools / "began"
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    with subprocess.Popen([source / "bootstrap", "demo"], start_new_session=True, stdout=subprocess.DEVNULL,
                          env={"PATH": f"{tools}:{os.environ['PATH']}", "TMPDIR": str(work), "BEGAN": str(began)}) as demo:
        wait_until("the build begins", began.exists)
        os.killpg(demo.pid, signal.SIGINT)
        assert demo.wait(30) == 130
    assert not list(work.iterdir())


def test_demo_that_went_otherwise_fails_and_says_where(run, folder):
    source = folder.make("source")
    for name in ("packaging/demo", "extension"):
        shutil.copytree(SOURCE / name, source / name)
    conf = source / "packaging" / "demo" / "cortex.conf"
    conf.write_text(conf.read_text(encoding="utf-8").replace("issuer =", "clock_skew = 10m\nissuer ="), encoding="utf-8")
    done = run(source)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "=> allowed, BUT token_expired WAS EXPECTED" in done.stdout, done.stdout
    assert "\n1 of 14 steps were not as expected" in done.stdout, done.stdout
