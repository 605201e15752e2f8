"""A host's files: configuration, issuer, policies, entities, PAM files, trail.

SPDX-License-Identifier: PostgreSQL
"""
import json

from support import Issuer, ctl

POLICY = """\
@id("engineers-read-staging")
permit (principal in Group::"engineers", action == Action::"read", resource in Database::"analytics")
when { resource.environment == "staging" };
"""


def service(name, environment, **attributes):
    return {"uid": {"type": "Service", "id": name},
            "attrs": {"database": "analytics", "environment": environment, "host": "db1",
                      "port": 5432, "grants": {"read": ["analytics_reader"]}, **attributes},
            "parents": [{"type": "Database", "id": "analytics"},
                        {"type": "Environment", "id": environment}]}


class Host(Issuer):
    """All of it as it must be; a test then breaks one thing."""

    first = None

    def __init__(self):
        Host.first = Host.first or Issuer("--audience", "cortex-dev", "--audience", "aud-2")
        super().__init__(like=Host.first)
        self.policies = self.path / "policies"
        self.policies.mkdir()
        self.policy = self.policies / "a.cedar"
        self.policy.write_text(POLICY, encoding="utf-8")
        self.entities = self.path / "entities.json"
        self.describe(service("staging", "staging"), service("production", "production"))
        self.pam = self.path / "pam.d"
        self.pam.mkdir()
        for name in ("staging", "production"):
            self.write_pam(name, *(f"{kind} required pam_cortex.so service={name}"
                                   for kind in ("auth", "account")))
        self.trail = self.home / "audit.jsonl"
        self.state = self.home / "state"
        for part in ("bindings", "replay", "requests", "revoked", "sessions"):
            (self.state / part).mkdir(parents=True)
        self.section = ['[oidc "dev"]', "issuer = https://dev.cortex.invalid",
                        "audience = cortex-dev, aud-2", "jwks_file = jwks.json",
                        "username_claim = preferred_username"]
        self.rest = ["[policy]", "path = policies", "entities = entities.json",
                     "[audit]", f"file = {self.trail}", "[state]", f"path = {self.state}",
                     "[cache]", f"path = {self.home}/cache"]  # whatever this machine keeps in the usual one
        self.configure(*self.section, *self.rest, name="cortex.conf")

    def describe(self, *entities):
        """One entity per line, so that lines can be asked for: the first is in line 2."""
        text = "[\n" + ",\n".join(json.dumps(entity) for entity in entities) + "\n]\n"
        self.entities.write_text(text, encoding="utf-8")

    def write_pam(self, name, *lines):
        path = self.pam / f"cortex-{name}"
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return path

    def check(self, *arguments):
        return ctl("check", "--config", self.conf, "--pam-folder", self.pam, *arguments)
