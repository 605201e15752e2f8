"""Cortex's files on a host, its operator's program, and what a login left behind.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import re
import shutil
import subprocess

from harness import BUILD, DATABASES, IS_ROOT, PRODUCTION, SERVER_USER, STAGING, built
from openid import ALGORITHMS, ISSUER, RESOURCE, client_id

CORTEXCTL = built.program(BUILD, "cortexctl")

POLICY = """\
@id("engineers-read-analytics-staging")
permit (principal in Group::"engineers", action == Action::"read", resource in Database::"analytics")
when { resource.environment == "staging" };
"""


def service_entity(name, environment):
    return {
        "uid": {"type": "Service", "id": name},
        "attrs": {"database": DATABASES[name], "environment": environment, "host": "localhost",
                  "port": 5432, "grants": {"read": ["analytics_reader"]}},
        "parents": [{"type": "Database", "id": "analytics"},
                    {"type": "Environment", "id": environment}],
    }


ENTITIES = [service_entity(STAGING, "staging"), service_entity(PRODUCTION, "production")]


def make_state(path):
    """The state folder as an operator makes it: logins write all of it but revoked."""
    for part in ("", "revoked", "bindings", "replay", "requests", "sessions"):
        (path / part).mkdir(mode=0o755)
        if part not in ("", "revoked"):
            own_by_server(path / part)


class Cortex:
    """cortex.conf and all it names. reset() writes a set-up that works; a test then
    breaks one thing. Each reset begins a trail of its own, as refusals are capped, and
    a state in which no name belongs to anybody."""

    def __init__(self, folder):
        self.folder = folder.make("etc")
        self.audit_folder = folder.make("audit", owned=True)
        self.modules = folder.make("lib")
        self.states = folder.make("state")
        self.cache = folder.make("cache")
        share_with_server(self.cache)
        self.conf = self.folder / "cortex.conf"
        self.policies = self.folder / "policies"
        self.entities = self.folder / "entities.json"
        self.jwks = self.folder / "jwks.json"
        self.issuer = self.folder / "issuer"
        self.trail = None
        self.state = None
        self._trails = 0
        self._copy_modules()
        self.run("dev-issuer", "--audience", "cortex", self.issuer, check=True)

    def _copy_modules(self):
        """The built libraries, where the server's user can read them."""
        for library in (*BUILD.glob("libcortexauth/.libs/libcortexauth*.so*"),
                        BUILD / "pam_cortex" / ".libs" / "pam_cortex.so"):
            shutil.copy(library, self.modules)

    def environment(self):
        """For the server, so that the module finds its library."""
        return {"LD_LIBRARY_PATH": str(self.modules)}

    def pam_line(self, facility, *arguments):
        return " ".join([facility, "required", str(self.modules / "pam_cortex.so"), *arguments])

    def pam_lines(self, service):
        arguments = (f"service={service}", f"config={self.conf}")
        return [self.pam_line(facility, *arguments) for facility in ("auth", "account")]

    # --- files ---

    def write(self, path, text, mode=0o644):
        """As a new file: a backend may be reading the old one."""
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def reset(self, jwks):
        self._trails += 1
        self.trail = self.audit_folder / f"audit-{self._trails}.jsonl"
        self.state = self.states / str(self._trails)
        make_state(self.state)
        shutil.rmtree(self.policies, ignore_errors=True)
        self.policies.mkdir()
        self.write(self.policies / "analytics.cedar", POLICY)
        self.write_entities(ENTITIES)
        self.write(self.jwks, json.dumps(jwks))
        self.configure()

    def write_entities(self, entities):
        self.write(self.entities, json.dumps(entities, indent=2))

    def configure(self, **sections):
        """Writes cortex.conf; keywords add, replace or (None) drop keys: audit={"fsync": "yes"}."""
        audiences = ", ".join([*map(client_id, ALGORITHMS), RESOURCE])
        common = {"username_claim": "preferred_username", "shared_names": "yes"}
        every = {
            'oidc "op"': {"issuer": ISSUER, "audience": audiences, "jwks_file": self.jwks,
                          **common, **sections.pop("op", {})},
            'oidc "dev"': {"issuer": "https://dev.cortex.invalid", "audience": "cortex",
                           "jwks_file": self.issuer / "jwks.json", **common,
                           **sections.pop("dev", {})},
            "policy": {"path": self.policies, "entities": self.entities,
                       "image": self.cache / "policy.image"},
            "audit": {"file": self.trail},
            "state": {"path": self.state},
        }
        for name, keys in sections.items():
            every.setdefault(name, {}).update(keys)
        text = "".join(
            f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()
                                    if value is not None) + "\n"
            for name, keys in every.items())
        self.write(self.conf, text)

    def write_image(self):
        """Waits until the policies are old enough."""
        self.run("policy", "image", "--config", self.conf, check=True)

    # --- the operator's program ---

    def run(self, *arguments, check=False):
        command = [str(CORTEXCTL), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False,
                              stdin=subprocess.DEVNULL,
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **built.environment(BUILD)})
        assert not check or done.returncode == 0, done.stderr
        return done

    def dev_token(self, *arguments):
        """A token of the development issuer, right or wrong as the arguments say."""
        return self.run("dev-token", self.issuer, *arguments, check=True).stdout.strip()

    def explain(self, reference):
        return self.run("explain", "--config", self.conf, "--reference", reference)

    def verify_trail(self, path=None):
        return self.run("audit", "verify", path or self.trail)

    # --- the trail ---

    def records(self):
        """Logins in the trail, oldest first."""
        if not self.trail.exists():
            return []
        lines = self.trail.read_text(encoding="utf-8").split("\n")
        return [r for r in map(json.loads, filter(None, lines)) if r["event"] == "login"]

    def record(self, reference):
        return next((r for r in self.records() if r["reference"] == reference), None)


def own_by_server(path):
    if IS_ROOT:
        os.chown(path, SERVER_USER.pw_uid, SERVER_USER.pw_gid)


def share_with_server(path):
    """Its group's folder: what root writes there for logins gets that group."""
    if IS_ROOT:
        os.chown(path, 0, SERVER_USER.pw_gid)


class Login:
    """One attempt of a real client, and what server log and trail say about it."""

    REFERENCE = re.compile(r"reference=([A-Za-z0-9_-]{16})")

    def __init__(self, postgres, cortex, role, service=STAGING, token=None, database=None,
                 sql="select count(*) from orders", **how):
        mark = postgres.log_mark()
        self.cortex = cortex
        self.role = role
        self.token = token
        self.result = postgres.psql(role, database or DATABASES[service], sql, token, **how)
        self.log = postgres.log_since(mark)
        self.refused_line = next((line for line in self.log.splitlines()
                                  if "error from underlying PAM layer" in line), "")
        found = self.REFERENCE.search(self.refused_line)
        self.reference = found.group(1) if found else None

    def assert_allowed(self, answer="2"):
        assert self.result.returncode == 0, self.result.stderr + self.log
        assert self.result.stdout.strip() == answer
        record = self.cortex.records()[-1]
        assert (record["decision"], record["reason"], record["role"]) == ("allow", "ok", self.role)
        self._assert_token_nowhere()
        return record

    def assert_refused(self, reason, recorded=True):
        """Refused for this reason: told to the log and the trail, never to the client."""
        assert self.result.returncode == 2, self.result.stdout + self.log
        neutral = f'FATAL:  PAM authentication failed for user "{self.role}"'
        assert self.result.stderr.count("FATAL") == 1, self.result.stderr
        assert self.result.stderr.rstrip("\n").endswith(neutral), self.result.stderr
        assert reason not in self.result.stderr
        assert re.search(rf"\b{reason}\b", self.refused_line), self.log
        assert self.reference, self.refused_line
        record = self.cortex.record(self.reference)
        if recorded:
            assert record, "no record of " + self.reference
            assert (record["decision"], record["reason"]) == ("deny", reason)
        self._assert_token_nowhere()
        return record

    def _assert_token_nowhere(self):
        """Not a piece of the credential in any log."""
        pieces = [p for p in (self.token or "").split(".") if len(p) >= 16]
        trail = self.cortex.trail
        text = self.log + (trail.read_text(encoding="utf-8") if trail.exists() else "")
        assert not any(piece in text for piece in pieces)
