"""Credentials that must not open: forged, stale, for somebody else, misshapen.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import json
import time

import pytest

from cortex import service_entity
from harness import PRODUCTION, STAGING

ALICE = ("--user", "alice", "--groups", "engineers")


def pack(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def unpack(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_the_development_issuer_opens_so_the_rest_fails_for_its_own_reason(world):
    world.login("alice", token=world.cortex.dev_token(*ALICE)).assert_allowed()


@pytest.mark.parametrize("reason, arguments", [
    ("signature_invalid", ["--forge"]),
    ("signature_invalid", ["--forge", "--alg", "ES256"]),
    ("signature_invalid", ["--forge", "--alg", "EdDSA"]),
    ("algorithm_not_allowed", ["--alg", "none"]),
    ("algorithm_not_allowed", ["--alg", "HS256"]),
    ("algorithm_not_allowed", ["--alg", "RS512"]),
    ("unknown_kid", ["--kid", "../../etc/passwd"]),
    ("audience_mismatch", ["--audience", "other-app"]),
    ("audience_mismatch", ["--audience", "Cortex"]),
    ("unknown_issuer", ["--claim", 'iss="https://dev.cortex.invalid/"']),
    ("unknown_issuer", ["--claim", 'iss="https://evil.test"']),
    ("missing_claim", ["--claim", "aud="]),
    ("missing_claim", ["--claim", "exp="]),
    ("missing_claim", ["--claim", "sub="]),
    ("missing_username", ["--claim", "preferred_username="]),
    ("token_expired", ["--expires", "-5m"]),
    ("not_yet_valid", ["--claim", "nbf=9999999999"]),
    ("unsupported_critical", ["--header", 'crit=["exp"]']),
    ("token_type_refused", ["--header", 'typ="logout+jwt"']),
    ("bound_token_refused", ["--claim", 'cnf={"jkt":"x"}']),
    ("claim_mismatch", ["--claim", 'groups=[["engineers"]]']),
    ("claim_mismatch", ["--claim", 'groups={"engineers":true}']),
    ("claim_mismatch", ["--claim", 'exp="soon"']),
    ("groups_overage", ["--claim", "groups=", "--claim", "hasgroups=true"]),
    ("policy_denied", ["--claim", "groups="]),
    ("policy_denied", ["--claim", 'groups=["engineers "]']),
    ("policy_denied", ["--claim", 'groups="Engineers"']),
])
def test_wrong_token_is_refused(world, reason, arguments):
    token = world.cortex.dev_token(*ALICE, *arguments)
    world.login("alice", token=token).assert_refused(reason)


def test_token_issued_in_the_future_is_refused(world):
    token = world.cortex.dev_token(*ALICE, "--at", str(int(time.time()) + 3600))
    world.login("alice", token=token).assert_refused("issued_in_future")


def test_provider_with_a_clock_far_behind_is_refused(world):
    world.openid.set(clock=-86400)
    try:
        token = world.openid.id_token("alice-1")
    finally:
        world.openid.set(clock=0)
    world.login("alice", token=token).assert_refused("token_expired")


def test_provider_with_a_clock_far_ahead_is_refused(world):
    world.openid.set(clock=86400)
    try:
        token = world.openid.id_token("alice-1")
    finally:
        world.openid.set(clock=0)
    world.login("alice", token=token).assert_refused("issued_in_future")


def test_skew_is_forgiven_up_to_the_setting_and_no_further(world):
    token = world.cortex.dev_token(*ALICE, "--expires", "-30s")
    world.login("alice", token=token).assert_allowed()
    world.cortex.configure(dev={"clock_skew": "10"})
    world.login("alice", token=token).assert_refused("token_expired")


def test_provider_s_token_for_another_application_is_refused(world):
    token = world.openid.id_token("alice-1", audience="other-app")
    world.login("alice", token=token).assert_refused("audience_mismatch")


def test_token_for_one_service_does_not_open_another(world):
    """The issuer's section takes both audiences, the policy permits both services."""
    entities = [service_entity(STAGING, "staging"), service_entity(PRODUCTION, "production")]
    for entity, audience in zip(entities, ("cortex", "prod")):
        entity["attrs"]["audience"] = audience
    world.cortex.write_entities(entities)
    world.cortex.configure(dev={"audience": "cortex, prod"})
    world.cortex.write(world.cortex.policies / "all.cedar",
                       'permit (principal, action == Action::"read", resource);\n')
    staging, production, both = (
        world.cortex.dev_token("--user", "alice", *(part for name in names for part in ("--audience", name)))
        for names in (["cortex"], ["prod"], ["prod", "cortex"]))
    for token in (staging, both):
        world.login("alice", token=token).assert_allowed()
    for token in (production, both):
        world.login("alice", PRODUCTION, token=token).assert_allowed("1")
    record = world.login("alice", PRODUCTION, token=staging).assert_refused("audience_mismatch")
    assert 'the audience \\"prod\\" of the service' in json.dumps(record["detail"])
    world.login("alice", token=production).assert_refused("audience_mismatch")


def test_changed_claims_under_the_provider_s_signature_are_refused(world):
    head, body, signature = world.openid.id_token("bob-2").split(".")
    claims = {**unpack(body), "preferred_username": "alice", "groups": ["engineers"]}
    world.login("alice", token=f"{head}.{pack(claims)}.{signature}").assert_refused("signature_invalid")


def test_key_that_the_token_brings_along_is_ignored(world):
    head, body, signature = world.cortex.dev_token(*ALICE, "--forge").split(".")
    header = {**unpack(head), "jwk": world.openid.jwks()["keys"][0], "jku": "https://evil.test/jwks"}
    token = f"{pack(header)}.{body}.{signature}"
    world.login("alice", token=token).assert_refused("signature_invalid")


def test_duplicate_member_is_refused(world):
    head, body, signature = world.cortex.dev_token(*ALICE).split(".")
    text = json.dumps(unpack(body))[:-1] + ', "preferred_username": "alice"}'
    login = world.login("alice", token=f"{head}.{pack(text.encode())}.{signature}")
    assert login.result.returncode == 2
    assert login.reference


def test_token_of_a_key_that_was_rotated_away_is_refused(world):
    token = world.openid.id_token("alice-1")
    world.login("alice", token=token).assert_allowed()
    world.openid.rotate()
    world.cortex.write(world.cortex.jwks, json.dumps(world.openid.jwks()))
    world.login("alice", token=token).assert_refused("unknown_kid")
    world.login("alice", token=world.openid.id_token("alice-1")).assert_allowed()


@pytest.mark.parametrize("credential", [
    "secret", "x", ".", "..", "...", "a.b.c", "e30.e30.e30", "{}", "<Response/>", "%00", "' or 1=1 --",
    "\u00fc\u00f6", "eyJhbGciOiJub25lIn0..", " ", "a" * 2000, "A.A.A.A.A",
])
def test_what_is_no_token_is_refused(world, credential):
    login = world.login("alice", token=credential)
    assert login.result.returncode == 2
    assert login.reference, login.log
    assert world.cortex.record(login.reference)["decision"] == "deny"
    assert "alice" in login.result.stderr


@pytest.mark.parametrize("change", ["{}\n", " {}", "{} ", "{}=", "{}.", "\t{}"])
def test_token_with_a_byte_too_many_is_refused(world, change):
    token = change.format(world.cortex.dev_token(*ALICE))
    login = world.login("alice", token=token)
    assert login.result.returncode == 2
    assert login.reference, login.log
