"""The registry of cases and how one is written: tests/cases/saml/NAME/.

SPDX-License-Identifier: PostgreSQL
"""
import json
import shutil

import keys
from document import NOW, OTHER_IDP, entity, key_descriptor

# What a rearranged document may be refused for: any of them says that structure or signature is wrong.
STRUCTURE = ("assertion_count", "reference_invalid", "signature_invalid")
SCHEMA = STRUCTURE + ("xml_refused", "malformed")
UNSIGNED = ("signature_invalid", "reference_invalid")

CASES = {}


def case(name, expect, rule, text, **more):
    """One case. more: at (clock), settings (lines), identity (what must come out), detail (what the
    refusal must name), metadata (text), metadata_expect; text: XML, or bytes as they are sent when raw=True."""
    assert name not in CASES, name
    CASES[name] = {"rule": rule, "expect": [expect] if isinstance(expect, str) else list(expect),
                   "text": text, **more}


def accept(name, rule, text, **more):
    case(name, "ok", rule, text, **more)


def metadata():
    """What every case is configured with unless it brings its own: two providers, several keys."""
    descriptors = "".join([key_descriptor("idp"), key_descriptor("idp-second", None),
                           key_descriptor("idp-p256"), key_descriptor("idp-p384"),
                           key_descriptor("idp-encryption", "encryption")])
    return entity(descriptors=descriptors) + "\n"


def other_metadata():
    return entity(OTHER_IDP, key_descriptor("other")) + "\n"


def write_case(folder, name, about):
    place = folder / name
    place.mkdir()
    described = {key: about[key] for key in ("rule", "expect", "at", "settings", "identity", "uniform", "detail") if about.get(key)}
    if about.get("at") == NOW:
        del described["at"]
    (place / "case.json").write_text(json.dumps(described, indent=1, ensure_ascii=True) + "\n", encoding="ascii")
    text = about["text"]
    if about.get("raw"):
        (place / "response.b64").write_bytes(text if isinstance(text, bytes) else text.encode())
    else:
        (place / "response.xml").write_bytes(text if isinstance(text, bytes) else text.encode())
    if about.get("metadata"):
        given = about["metadata"]
        (place / "metadata.xml").write_bytes(given if isinstance(given, bytes) else given.encode())


def write(folder):
    """Writes all anew but what record wrote; what is there of cases that no longer exist is removed."""
    for old in folder.glob("*/case.json"):
        if not old.parent.name.startswith("real-"):
            shutil.rmtree(old.parent)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metadata.xml").write_text(metadata(), encoding="utf-8")
    (folder / "other-metadata.xml").write_text(other_metadata(), encoding="utf-8")
    (folder / "sp.key").write_bytes((keys.FOLDER / "sp.key").read_bytes())
    (folder / "sp.crt").write_text(keys.certificate_pem("sp"), encoding="ascii")
    for name, about in CASES.items():
        write_case(folder, name, about)

    return len(CASES)
