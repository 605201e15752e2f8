"""cortex-sync over a real SCIM 2.0 service, filled and changed as identity providers do it.

What a service may do wrong is in test_directory.py, where the tests play it themselves.
SPDX-License-Identifier: PostgreSQL
"""
import http.client
import json
import os
import shutil
import subprocess

import pytest

from harness import BUILD
from synchost import SyncHost

INSTALLED = BUILD / "tests" / "e2e-scim"
CORE = "urn:ietf:params:scim:schemas:core:2.0:"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
CROWD = [f"p{number:02}" for number in range(23)]


class Service:
    """SCIMMY's process; everything else is RFC 7644."""

    def __init__(self):
        self.process = subprocess.Popen(["node", "server.mjs"], cwd=INSTALLED, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]})
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, f"/scim/v2/{path}", None if body is None else json.dumps(body),
                           {"Authorization": "Bearer scim-secret", "Content-Type": "application/scim+json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status < 300, text
        return json.loads(text) if text else None

    def add_user(self, name, **more):
        return self.ask("POST", "Users", {"schemas": [CORE + "User"], "userName": name, "active": True, **more})["id"]

    def add_group(self, name, members):
        return self.ask("POST", "Groups", {"schemas": [CORE + "Group"], "displayName": name,
                                           "members": [{"value": one} for one in members]})["id"]

    def patch(self, path, *operations):
        self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})


@pytest.fixture(scope="module")
def shared():
    if not shutil.which("node") or not (INSTALLED / "installed").exists():
        pytest.skip(f"no node, or no SCIM service in {INSTALLED} (make check-e2e installs it)")
    sync = SyncHost()
    yield sync
    sync.close()


@pytest.fixture
def cloud(shared):
    """The service with a crowd of engineers, and the run that reads it in pages of five."""
    shared.reset()
    service = Service()
    (shared.folder / "token").write_text("scim-secret\n")
    (shared.folder / "token").chmod(0o600)
    shared.directories(f'[directory "cloud"]\nkind = scim\nurl = http://127.0.0.1:{service.port}/scim/v2\n'
                       "token_file = token\npage_size = 5\n")
    service.users = {name: service.add_user(name) for name in CROWD}
    service.engineers = service.add_group("engineers", service.users.values())
    yield shared, service
    service.stop()


def test_everybody_is_read_in_pages_and_nobody_twice(cloud):
    sync, service = cloud
    off, deep = service.add_user("off", active=False), service.add_user("deep")
    backend = service.add_group("backend", [deep, off])
    service.patch(f"Groups/{service.engineers}",
                  {"op": "add", "path": "members", "value": [{"value": backend, "type": "Group"}]})
    sync.apply()
    assert sync.host.members("analytics_read") == {*CROWD, "deep"}
    sync.run(check=0)  # nothing is left to do


def test_who_is_renamed_keeps_the_role_and_who_goes_loses_it(cloud):
    sync, service = cloud
    sync.apply()
    service.patch(f"Users/{service.users['p03']}", {"op": "replace", "path": "userName", "value": "renamed"})
    assert json.loads(sync.apply("--json").stdout)["rename"] == [{"from": "p03", "to": "renamed"}]
    service.patch(f"Users/{service.users['p04']}", {"op": "replace", "path": "active", "value": False})
    service.patch(f"Groups/{service.engineers}",
                  {"op": "remove", "path": f'members[value eq "{service.users["p05"]}"]'})
    service.ask("DELETE", f"Users/{service.users['p06']}")
    sync.apply("--allow-removals=100")
    assert sync.host.members("analytics_read") == {*CROWD, "renamed"} - {"p03", "p04", "p05", "p06"}


def test_a_token_that_it_does_not_take_removes_nothing(cloud):
    sync, _ = cloud
    sync.apply()
    (sync.folder / "token").write_text("other\n")
    result = sync.run("--apply", "--allow-removals=100", check=3)
    assert "401" in result.stderr and sync.host.members("analytics_read") == {*CROWD}
