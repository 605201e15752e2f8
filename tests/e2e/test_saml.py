"""Logins with the responses of real SAML identity providers.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import json
import subprocess
import time

import pytest

from cortex import CORTEXCTL
from harness import BUILD
from saml import ACS, ENCRYPTED, MFA, PEOPLE, VARIANTS, Samlp, entity_id

PROVIDERS = ("simplesaml", "samlp")
GROUPS = {"simplesaml": "groups", "samlp": Samlp.GROUPS}
NAMES = {"simplesaml": "uid", "samlp": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"}
# Their names are the username; the others need a map or an attribute.
OPENING = [(name, variant) for variant, options in VARIANTS.items()
           for name, option in zip(PROVIDERS, options)
           if option is not None and variant not in ("transient", "email", "short", "other-acs")]


class SamlWorld:
    """The world, with both providers configured for one kind of answer."""

    def __init__(self, world, saml):
        self.world, self.saml = world, saml
        self.folder = world.cortex.folder
        self.key = self.folder / "sp.key"
        world.cortex.write(self.key, saml.sp.private_pem())
        for name in PROVIDERS:
            self.write_metadata(name, saml.named(name).metadata())
        self.configure("assertion")

    def write_metadata(self, name, text):
        self.world.cortex.write(self.folder / f"{name}.xml", text)

    def configure(self, variant, cache=None, **more):
        self.world.cortex.configure(cache={"path": cache}, **{f'saml "{name}"': {
            "metadata_file": self.folder / f"{name}.xml", "sp_entity_id": entity_id(variant), "acs_url": ACS,
            "groups_attribute": GROUPS[name], "sp_key_file": self.key, "shared_names": "yes",
            "mfa_acr": MFA, **{key: value[name] if isinstance(value, dict) else value for key, value in more.items()},
        } for name in PROVIDERS})

    def answer(self, name, variant="assertion", person="alice", **how):
        return self.saml.named(name).answer(person, variant, **how)

    def login(self, text, role="alice"):
        return self.world.login(role, token=text)

    def verify(self, text, *arguments):
        done = subprocess.run([CORTEXCTL, "verify", "--config", self.world.cortex.conf, *arguments, "-"],
                              input=text, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)


HELPER = BUILD / "libcortexauth" / "cortex-saml"


def require_helper():
    library = next(BUILD.glob("libcortexauth/.libs/libcortexauth.so.*.*.*")).read_bytes()
    if bytes(HELPER) not in library:
        pytest.skip(f"the library looks elsewhere for {HELPER}: configure --libexecdir={HELPER.parent}")


@pytest.fixture
def samls(world, saml):
    require_helper()
    return SamlWorld(world, saml)


@pytest.mark.parametrize("name,variant", OPENING)
def test_answer_opens(samls, name, variant):
    samls.configure(variant)
    record = samls.login(samls.answer(name, variant)).assert_allowed()
    assert record["issuer"] == samls.saml.named(name).entity
    assert (record["username"], sorted(record["groups"])) == ("alice", sorted(PEOPLE["alice"]["groups"]))


def test_provider_takes_our_metadata_and_answers_by_it(samls):
    """Where to send, and for whom to encrypt, the provider's own parser reads from what cortexctl printed."""
    certificate = samls.folder / "sp.crt"
    samls.world.cortex.write(certificate, samls.saml.sp.pem())
    samls.configure("by-metadata", sp_cert_file=certificate)
    printed = subprocess.run([CORTEXCTL, "saml", "metadata", "--config", samls.world.cortex.conf, "--issuer", "simplesaml"],
                             capture_output=True, text=True, check=True).stdout
    read = samls.saml.simplesaml.register(printed, **{"assertion.encryption": True, "simplesaml.nameidattribute": "uid"})
    assert read["entityid"] == entity_id("by-metadata")
    assert [(place["Binding"], place["Location"]) for place in read["AssertionConsumerService"]] == \
        [("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST", ACS)]
    assert [key["X509Certificate"] for key in read["keys"] if key["encryption"]] == [samls.saml.sp.der_base64()]
    assert not [key for key in read["keys"] if key["signing"]]
    text = samls.answer("simplesaml", "by-metadata")
    assert b"EncryptedAssertion" in base64.b64decode(text)
    samls.login(text).assert_allowed()


@pytest.mark.parametrize("name", PROVIDERS)
def test_unsolicited_answer_opens(samls, name):
    samls.login(samls.answer(name, unsolicited=True)).assert_allowed()


@pytest.mark.parametrize("name", PROVIDERS)
def test_unsolicited_answer_is_refused_where_the_operator_says_so(samls, name):
    samls.configure("assertion", unsolicited="no")
    samls.login(samls.answer(name, unsolicited=True)).assert_refused("unsolicited")


@pytest.mark.parametrize("name", PROVIDERS)
def test_150_groups_open(samls, name):
    samls.world.make_role("dana")
    text = samls.answer(name, person="dana")
    assert len(text) > 12_000
    record = samls.login(text, "dana").assert_allowed()
    assert record["groups"]  # the record keeps the first of many


@pytest.mark.parametrize("name", PROVIDERS)
def test_person_of_no_such_group_is_denied(samls, name):
    samls.login(samls.answer(name, person="bob"), "bob").assert_refused("policy_denied")


@pytest.mark.parametrize("name", PROVIDERS)
def test_another_person_s_role_stays_closed(samls, name):
    samls.login(samls.answer(name, person="dana"), "alice").assert_refused("assume_denied")


@pytest.mark.parametrize("name", PROVIDERS)
def test_second_use_is_refused(samls, name):
    text = samls.answer(name)
    samls.login(text).assert_allowed()
    samls.login(text).assert_refused("replayed")


@pytest.mark.parametrize("name", PROVIDERS)
def test_transient_name_with_the_username_from_an_attribute(samls, name):
    samls.configure("transient", username_attribute=NAMES)
    record = samls.login(samls.answer(name, "transient")).assert_allowed()
    assert record["username"] == "alice"
    cortex = samls.world.cortex
    (bound,) = [binding for line in cortex.run("binding", "list", "--config", cortex.conf, "--json").stdout.splitlines()
                if (binding := json.loads(line))["role"] == "alice"]
    assert cortex.run("revoke", "--config", cortex.conf, "--subject", bound["issuer"], bound["subject"]).returncode == 0
    samls.login(samls.answer(name, "transient")).assert_refused("revoked")


def test_email_name_with_a_map(samls):
    samls.configure("email", username_map=r"/^([a-z]+)@example\.test$/\1/")
    record = samls.login(samls.answer("simplesaml", "email")).assert_allowed()
    assert (record["subject"], record["username"]) == ("alice@example.test", "alice")


@pytest.mark.parametrize("name", PROVIDERS)
def test_second_factor_reaches_the_policy(samls, name):
    samls.world.cortex.write(samls.world.cortex.policies / "analytics.cedar", """\
@id("second-factor") permit (principal in Group::"engineers", action == Action::"read", resource) when { context.mfa };
""")
    samls.login(samls.answer(name)).assert_refused("policy_denied")
    samls.configure("mfa")
    samls.login(samls.answer(name, "mfa")).assert_allowed()


@pytest.mark.parametrize("name", PROVIDERS)
def test_answer_that_is_over_is_refused(samls, name):
    samls.configure("short", clock_skew="0")
    text = samls.answer(name, "short")
    time.sleep(3)
    samls.login(text).assert_refused("token_expired")


@pytest.mark.parametrize("name", PROVIDERS)
def test_verify_moves_the_clock(samls, name):
    text, now = samls.answer(name), int(time.time())
    assert samls.verify(text)["ok"]
    assert samls.verify(text, "--at", str(now + 86400))["error"] in ("token_expired", "session_over")
    assert samls.verify(text, "--at", str(now - 86400))["error"] in ("not_yet_valid", "issued_in_future")


@pytest.mark.parametrize("name", PROVIDERS)
def test_answer_for_another_service_provider_is_refused(samls, name):
    samls.login(samls.answer(name, "both")).assert_refused("audience_mismatch")


@pytest.mark.parametrize("name", PROVIDERS)
def test_answer_for_another_address_is_refused(samls, name):
    samls.configure("other-acs")
    answer = samls.verify(samls.answer(name, "other-acs"))
    assert answer["error"] in ("destination_mismatch", "recipient_mismatch"), answer


@pytest.mark.parametrize("name,other", [PROVIDERS, PROVIDERS[::-1]])
def test_other_provider_s_key_is_refused(samls, name, other):
    keys = {each: samls.saml.named(each).keys.der_base64() for each in PROVIDERS}
    samls.write_metadata(name, samls.saml.named(name).metadata().replace(keys[name], keys[other]))
    samls.login(samls.answer(name)).assert_refused("signature_invalid")


def test_new_key_of_the_provider_is_asked_for(samls):
    """Nothing in a response tells it from a forger's: the metadata does."""
    cortex, provider, stranger = samls.world.cortex, samls.saml.samlp, samls.saml.stranger
    url = f"http://127.0.0.1:{provider.port}{provider.metadata_path}"
    samls.configure("assertion", cache=cortex.cache, metadata_url={"simplesaml": None, "samlp": url},
                    metadata_file={"simplesaml": samls.folder / "simplesaml.xml", "samlp": None})
    cortex.run("refresh", "--config", cortex.conf, check=True)
    samls.login(samls.answer("samlp")).assert_allowed()
    provider.set(key=stranger.private_pem(), cert=stranger.pem())
    try:
        samls.login(samls.answer("samlp")).assert_refused("signature_invalid")
        assert (cortex.state / "requests" / "samlp").exists()
        cortex.run("refresh", "--requested", "--config", cortex.conf, check=True)
        samls.login(samls.answer("samlp")).assert_allowed()
    finally:
        provider.set(key=provider.keys.private_pem(), cert=provider.keys.pem())


@pytest.mark.parametrize("name", PROVIDERS)
def test_provider_that_is_not_configured_is_refused(samls, name):
    samls.write_metadata(name, samls.saml.named(name).metadata().replace(samls.saml.named(name).entity, "urn:else"))
    assert samls.verify(samls.answer(name))["error"] in ("unknown_issuer", "keys_unavailable")


def test_provider_that_takes_another_s_name_is_not_taken_for_it(samls):
    """The role belongs to a subject of the name that the other provider then writes into its own metadata."""
    thief, victim = samls.saml.samlp, samls.saml.simplesaml
    samls.login(samls.answer("simplesaml")).assert_allowed()
    thief.set(issuer=victim.entity)
    try:
        samls.write_metadata("samlp", thief.metadata())
        for name in PROVIDERS:
            samls.login(samls.answer(name)).assert_refused("unknown_issuer", recorded=False)
        samls.configure("assertion", idp_entity_id={"simplesaml": victim.entity, "samlp": None})
        samls.login(samls.answer("samlp")).assert_refused("signature_invalid", recorded=False)
        samls.login(samls.answer("simplesaml")).assert_allowed()
    finally:
        thief.set(issuer=thief.entity)


@pytest.mark.parametrize("name", PROVIDERS)
def test_changed_answer_is_refused(samls, name):
    xml = base64.b64decode(samls.answer(name))
    changed = xml.replace(b">alice<", b">admin<")
    assert changed != xml
    samls.world.make_role("admin")
    login = samls.login(base64.b64encode(changed).decode(), "admin")
    login.assert_refused("signature_invalid", recorded=False)


@pytest.mark.parametrize("name", PROVIDERS)
def test_encrypted_answer_without_the_key_is_refused(samls, name):
    samls.configure("encrypted")
    samls.world.cortex.write(samls.key, samls.saml.stranger.private_pem())
    assert not samls.verify(samls.answer(name, "encrypted"))["ok"]
    assert "encrypted" in ENCRYPTED


@pytest.mark.parametrize("name", PROVIDERS)
def test_failure_of_the_provider_is_told(samls, name):
    """A response that says AuthnFailed and carries no assertion."""
    text = base64.b64decode(samls.answer(name)).decode()
    start, end = text.index("<saml:Assertion"), text.index("</saml:Assertion>") + len("</saml:Assertion>")
    failed = (text[:start] + text[end:]).replace("status:Success", "status:Responder")
    assert samls.verify(base64.b64encode(failed.encode()).decode())["error"] == "saml_status"
