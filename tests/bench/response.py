"""A SAML response that lasts for a measurement, signed by xmlsec1, and what trusts it.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "saml"))

import document  # noqa: E402
import keys  # noqa: E402

TEMPLATE = f"""<ds:Signature xmlns:ds="{document.DS}"><ds:SignedInfo>\
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>\
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#_a1">\
<ds:Transforms><ds:Transform Algorithm="{document.DS}enveloped-signature"/>\
<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>\
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>\
<ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{keys.certificate("idp")}</ds:X509Certificate>\
</ds:X509Data></ds:KeyInfo></ds:Signature>"""


def settings(folder):
    """The section's keys; the metadata is written into the folder."""
    path = folder / "idp-metadata.xml"
    path.write_text(document.entity(), encoding="utf-8")
    return {"metadata_file": path, "sp_entity_id": document.SP, "acs_url": document.ACS, "one_use": "no"}


def make_response(folder, seconds):
    """Alice the engineer, of the size that providers send: base64 text of about 6 KB."""
    document.NOW = int(time.time())
    facts = document.statement(document.attribute("groups", "engineers", "staff"),
                               *(document.attribute(f"urn:oid:2.5.4.{n}", f"value {n}") for n in range(8)))
    assertion = document.assertion(
        who=document.subject(confirmations=document.confirmation(until=seconds)),
        terms=document.conditions(until=seconds), authenticated=document.authn(session=seconds), facts=facts)
    path = folder / "response.xml"
    path.write_text(document.response(assertion).replace("{{SIG:_a1}}", TEMPLATE), encoding="utf-8")
    done = subprocess.run(["xmlsec1", "--sign", "--privkey-pem", keys.FOLDER / "idp.key", "--id-attr:ID",
                           f"{document.A}:Assertion", path], check=True, capture_output=True)
    return base64.b64encode(done.stdout).decode()
