"""A SAML response that lasts for a measurement, signed by xmlsec1, and what trusts it.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "saml"))

import document  # noqa: E402
import xmlsec  # noqa: E402


def settings(folder):
    """The section's keys; the metadata is written into the folder."""
    path = folder / "idp-metadata.xml"
    path.write_text(document.entity(), encoding="utf-8")
    return {"metadata_file": path, "sp_entity_id": document.SP, "acs_url": document.ACS, "one_use": "no"}


def make_response(person, seconds):
    """An engineer's, of the size that providers send: base64 text of about 6 KB."""
    document.NOW = int(time.time())
    facts = document.statement(document.attribute("groups", "engineers", "staff"),
                               *(document.attribute(f"urn:oid:2.5.4.{n}", f"value {n}") for n in range(8)))
    assertion = document.assertion(
        who=document.subject(document.name_id(person), document.confirmation(until=seconds)),
        terms=document.conditions(until=seconds), authenticated=document.authn(session=seconds), facts=facts)
    text = document.response(assertion).replace("{{SIG:_a1}}", xmlsec.template("_a1"))
    return base64.b64encode(xmlsec.sign(text, f"{document.A}:Assertion")).decode()
