"""The SAML providers are real ones: xmlsec1 verifies what they sign, and opens what they encrypt.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import subprocess
import xml.etree.ElementTree as tree

import pytest

from saml import ACS, ENCRYPTED, MFA, PEOPLE, SHA512, VARIANTS, entity_id

NAMES = {"p": "urn:oasis:names:tc:SAML:2.0:protocol", "a": "urn:oasis:names:tc:SAML:2.0:assertion",
         "d": "http://www.w3.org/2000/09/xmldsig#"}
PROVIDERS = ("simplesaml", "samlp")
OFFERED = [(name, variant) for variant, options in VARIANTS.items()
           for name, option in zip(PROVIDERS, options) if option is not None]


def xmlsec(*arguments):
    return subprocess.run(["xmlsec1", *map(str, arguments)], capture_output=True, check=False)


def opened(saml, name, text, tmp_path):
    """The response as the service provider's key opens it: element and file."""
    path = tmp_path / "response.xml"
    path.write_bytes(base64.b64decode(text, validate=True))
    if tree.parse(path).find("a:EncryptedAssertion", NAMES) is not None:
        done = xmlsec("--decrypt", "--privkey-pem", saml.sp.key, "--output", tmp_path / "opened.xml", path)
        assert done.returncode == 0, done.stderr
        path = tmp_path / "opened.xml"
    return tree.parse(path).getroot(), path


def verifies(keys, path, element):
    """Is the signature of this child of the document (or of its root) good by this certificate?"""
    place = "/*" if element == "Response" else "//*[local-name()='Assertion']"
    done = xmlsec("--verify", "--pubkey-cert-pem", keys.certificate, "--enabled-key-data", "x509",
                  "--id-attr:ID", f"{NAMES['p' if element == 'Response' else 'a']}:{element}",
                  "--node-xpath", f"{place}/*[local-name()='Signature']", path)
    return done.returncode == 0


@pytest.mark.parametrize("name,variant", OFFERED)
def test_answer_is_what_the_service_provider_asked_for(saml, tmp_path, name, variant):
    provider = saml.named(name)
    root, path = opened(saml, name, provider.answer("alice", variant), tmp_path)
    assertion = next(root.iter(f"{{{NAMES['a']}}}Assertion"))
    issuer = assertion.find("a:Issuer", NAMES).text
    assert issuer == provider.entity
    assert assertion.find("a:Conditions/a:AudienceRestriction/a:Audience", NAMES).text == entity_id(variant)
    assert (root.get("Destination") == ACS) == (variant != "other-acs")
    signed = {"Response": root, "Assertion": assertion}
    found = [element for element, node in signed.items() if node.find("d:Signature", NAMES) is not None]
    assert found, "no signature"
    for element in found:
        # The outer signature covers the assertion as it was before it was opened.
        if element == "Assertion" or variant not in ENCRYPTED:
            assert verifies(provider.keys, path, element)
        assert not verifies(saml.stranger, path, element)


def test_response_is_signed_where_that_was_asked(saml, tmp_path):
    for name in PROVIDERS:
        root, _ = opened(saml, name, saml.named(name).answer("alice", "response"), tmp_path)
        assert root.find("d:Signature", NAMES) is not None
        assert root.find("a:Assertion/d:Signature", NAMES) is None


def test_signature_is_sha512_where_that_was_asked(saml, tmp_path):
    root, _ = opened(saml, "simplesaml", saml.simplesaml.answer("alice", "sha512"), tmp_path)
    assert root.find("d:Signature//d:SignatureMethod", NAMES).get("Algorithm") == SHA512


def test_context_says_second_factor(saml, tmp_path):
    for name in PROVIDERS:
        root, _ = opened(saml, name, saml.named(name).answer("alice", "mfa"), tmp_path)
        assert next(root.iter(f"{{{NAMES['a']}}}AuthnContextClassRef")).text == MFA


def test_many_groups_make_a_large_answer(saml, tmp_path):
    for name in PROVIDERS:
        text = saml.named(name).answer("dana")
        assert len(text) > 12_000
        root, _ = opened(saml, name, text, tmp_path)
        values = {value.text for value in root.iter(f"{{{NAMES['a']}}}AttributeValue")}
        assert set(PEOPLE["dana"]["groups"]) <= values


def test_unsolicited_answer_names_no_request(saml, tmp_path):
    for name in PROVIDERS:
        root, _ = opened(saml, name, saml.named(name).answer("alice", unsolicited=True), tmp_path)
        assert root.get("InResponseTo") is None
        root, _ = opened(saml, name, saml.named(name).answer("alice"), tmp_path)
        assert root.get("InResponseTo")


def test_wrong_person_gets_no_answer(saml):
    for name in PROVIDERS:
        with pytest.raises(AssertionError):
            saml.named(name).answer("nobody")
