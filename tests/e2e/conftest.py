"""Fixtures that every topic shares, and totals as automake prints them.

SPDX-License-Identifier: PostgreSQL
"""
import os
import shutil

import pytest

from cortex import CORTEXCTL
from harness import BUILD, Folder
from openid import Provider
from saml import KeyPair, SamlProviders, Samlp, SimpleSaml, simplesaml_program
from sessionhost import Host
from synchost import SyncHost
from world import make_world

# By hand only: what these need is not among what the tests install.
collect_ignore = [file for name, file in (("CORTEX_JDBC", "test_jdbc.py"), ("CORTEX_PGBOUNCER", "test_pgbouncer.py"))
                  if not os.environ.get(name)]


@pytest.fixture(scope="session")
def folder():
    made = Folder()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def openid():
    """The real OpenID provider with alice the engineer and bob of no group."""
    installed = BUILD / "tests" / "e2e-provider"
    if not shutil.which("node") or not (installed / "node_modules").is_dir():
        pytest.skip(f"no node, or no oidc-provider in {installed} (make check-e2e installs it)")
    provider = Provider(installed)
    provider.account("alice-1", preferred_username="alice", groups=["engineers"])
    provider.account("bob-2", preferred_username="bob", groups=[])
    yield provider
    provider.stop()


@pytest.fixture(scope="session")
def saml(folder):
    """The two SAML identity providers, the service provider's keys and a stranger's."""
    program, installed = simplesaml_program(BUILD), BUILD / "tests" / "e2e-samlp"
    if not shutil.which("php") or not program:
        pytest.skip("no php, or no SimpleSAMLphp (make check-e2e unpacks it)")
    if not shutil.which("node") or not (installed / "node_modules").is_dir():
        pytest.skip(f"no node, or no samlp in {installed} (make check-e2e installs it)")
    place = folder.make("saml")
    keys = {name: KeyPair(place, name) for name in ("sp", "simplesaml", "samlp", "stranger")}
    providers = SamlProviders(SimpleSaml(place, program, keys["simplesaml"], keys["sp"]),
                              Samlp(installed, keys["samlp"], keys["sp"]), keys["sp"], keys["stranger"])
    yield providers
    providers.stop()


@pytest.fixture(scope="session")
def server(folder, openid):
    if not CORTEXCTL.exists():
        pytest.fail(f"{CORTEXCTL} is not built; CORTEX_BUILD names the build folder")
    world = make_world(folder, openid)
    yield world
    world.postgres.stop()
    world.pam.remove()


@pytest.fixture
def world(server):
    """A fresh trail and files that work; afterwards the server lives and the trail is whole."""
    server.cortex.reset(server.openid.jwks())
    mark = server.postgres.log_mark()
    yield server
    assert server.postgres.is_running()
    assert not server.postgres.log_contains("terminated by signal|PANIC|crash", mark)
    if server.cortex.trail.is_file():
        verified = server.cortex.verify_trail()
        assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.fixture(scope="session")
def session_server(openid):
    made = Host(openid)
    yield made
    made.postgres.stop()
    made.world.pam.remove()
    made.folder.remove()


@pytest.fixture
def host(session_server):
    """A server with roles made just in time; without people, fresh files and a fresh trail."""
    session_server.reset()
    yield session_server
    assert session_server.postgres.is_running()
    trail = session_server.cortex.trail
    assert not trail.exists() or session_server.cortex.verify_trail().returncode == 0


def pytest_terminal_summary(terminalreporter):
    """So that ./bootstrap check can add up what ran, wherever it ran."""
    words = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped", "ERROR": "error"}
    for word, outcome in words.items():
        terminalreporter.write_line(f"# {word}: {len(terminalreporter.stats.get(outcome, ()))}")


@pytest.fixture(scope="module")
def sync_server():
    made = SyncHost()
    yield made
    made.close()


@pytest.fixture
def sync(sync_server):
    """What cortex-sync works on, as it is at the beginning."""
    sync_server.reset()
    yield sync_server
