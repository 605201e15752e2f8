"""SAML metadata: refresh keeps it, nothing broken replaces it, verify, status and check use it; and ours.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import json
import os
import shutil
import subprocess
import sys
import time
import xml.dom.minidom

import support
from server import LACKS, Answer, Server
from support import SOURCE, assert_exit, assert_usage, cases, ctl, one_object

sys.path.insert(0, str(SOURCE / "tests" / "support" / "saml"))

import document  # noqa: E402
import keys  # noqa: E402
import xmlsec  # noqa: E402

CASES = SOURCE / "tests" / "cases" / "saml"
LACKS = LACKS + ([] if shutil.which("xmlsec1") else ["xmlsec1"])
HTTP = Server()
NOW = 1700000000  # of the responses
GOOD = document.entity()
ENTITY = f"{document.MD}:EntityDescriptor"


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def until(seconds):
    return document.entity(extra=f' validUntil="{iso(time.time() + seconds)}"')


def signed(key="idp-second", extra="", descriptors=None):
    text = document.entity(extra=f' ID="_m1"{extra}', descriptors=descriptors)
    end = text.index("<md:IDPSSODescriptor")
    return xmlsec.sign(text[:end] + xmlsec.template("_m1", key) + text[end:], ENTITY, key)


class Host:
    """A [saml] section whose metadata comes from our server, and a cache of its own."""

    def __init__(self, *more, source=None, cache=()):
        self.home = support.folder()
        self.cache = self.home / "cache"
        (self.home / "state" / "requests").mkdir(parents=True)
        self.file = self.cache / "idp.metadata.xml"
        self.conf = self.home / "cortex.conf"
        self.conf.write_text("\n".join([
            '[saml "idp"]', source or f"metadata_url = {HTTP.url}/metadata", f"sp_entity_id = {document.SP}",
            f"acs_url = {document.ACS}", *more, "[cache]", f"path = {self.cache}", *cache, "[state]",
            f"path = {self.home}/state", "[audit]", f"file = {self.home}/audit.jsonl", ""]), encoding="utf-8")

    def refresh(self, body, *arguments, code=0, said=None, headers=None):
        body = body.encode() if isinstance(body, str) else body
        HTTP.answer(metadata=Answer(body, headers=headers or {}))
        return assert_exit(ctl("refresh", "--force", "--config", self.conf, *arguments), code, said)

    def status(self, code=0):
        answer = one_object(assert_exit(ctl("status", "--json", "--config", self.conf), code).stdout)
        return answer["issuers"][0]

    def verify(self, *arguments, at=NOW, case="accepted-both-signed"):
        sent = base64.b64encode((CASES / case / "response.xml").read_bytes())
        done = ctl("verify", "--config", self.conf, "--at", int(at), *arguments, "-", stdin=sent)
        answer = one_object(done.stdout)
        return "ok" if answer["ok"] else answer["error"]

    def check(self, *arguments):
        done = ctl("check", "--config", self.conf, *arguments)
        return done.stderr


def test_refresh_brings_what_logins_and_verify_use():
    host = Host()
    assert host.verify("--offline") == "keys_unavailable"
    done = host.refresh(GOOD)
    assert "idp: 1 usable key, 0 weak, 0 other" in done.stdout, done.stdout
    assert host.file.read_text(encoding="utf-8") == GOOD
    assert host.verify("--offline") == "ok"
    assert len(HTTP.asked) == 1


def test_verify_fetches_what_is_missing_and_keeps_nothing():
    host = Host()
    HTTP.answer(metadata=Answer(GOOD.encode()))
    assert host.verify() == "ok"
    assert not host.file.exists()
    HTTP.answer(metadata=Answer(b"<broken"))
    assert host.verify() == "keys_unavailable"
    HTTP.answer(metadata=Answer(b"", 500))
    assert host.verify() == "keys_unavailable"


def test_verify_asks_each_section_that_lacks_metadata():
    host = Host("shared_names = yes", '[saml "second"]', f"metadata_url = {HTTP.url}/second",
                f"sp_entity_id = {document.SP}", f"acs_url = {document.ACS}", "shared_names = yes")
    HTTP.answer(metadata=Answer(document.entity("https://another.example").encode()), second=Answer(GOOD.encode()))
    assert host.verify() == "ok"


def test_large_metadata_of_other_sections_closes_no_section():
    """Each may have 512 KiB: what one provider's federation grows to is not to be felt by another's people."""
    path = support.folder() / "federation.xml"
    names = [f"https://idp-{number}.example" for number in range(360)]
    path.write_text(f'<md:EntitiesDescriptor xmlns:md="{document.MD}">\n'
                    + "\n".join(document.entity(name, declare=False) for name in names) + "</md:EntitiesDescriptor>\n", encoding="utf-8")
    assert 500_000 < path.stat().st_size < 512 * 1024
    others = [line for number in range(5) for line in (
        f'[saml "other-{number}"]', f"metadata_file = {path}", f"idp_entity_id = {names[number]}",
        f"sp_entity_id = {document.SP}", f"acs_url = {document.ACS}", "shared_names = yes")]
    host = Host("shared_names = yes", *others, source=f"metadata_file = {CASES / 'metadata.xml'}")
    assert host.verify() == "ok"


@cases(("comments", "<!---->" * 70_000),
       ("attributes", "<md:Organization " + " ".join(f'a{n}=""' for n in range(45_000)) + "/>"))
def test_metadata_that_is_made_to_take_long_closes_no_other_section(_, inside):
    """Time to read it grew with the square, and no SAML login was in time."""
    path = support.folder() / "slow.xml"
    path.write_text(document.entity("https://slow.example").replace("</md:EntityDescriptor>", inside + "</md:EntityDescriptor>"), encoding="utf-8")
    assert path.stat().st_size < 512 * 1024
    host = Host("shared_names = yes", '[saml "own"]', f"metadata_file = {CASES / 'metadata.xml'}", f"sp_entity_id = {document.SP}",
                f"acs_url = {document.ACS}", "shared_names = yes", source=f"metadata_file = {path}")
    assert host.verify() == "ok"


def test_broken_answers_leave_the_good_cache():
    host = Host()
    host.refresh(GOOD)
    before = host.file.read_bytes()
    for body, said in ((b"", ""), (b"<html>login first</html>", "no identity provider"),
                       (b"not XML", "not well-formed"), (GOOD[:-20], "not well-formed"),
                       ("<!DOCTYPE x>" + GOOD, "document type"), (until(-60), "over"),
                       (document.entity(descriptors=""), "no signing key"),
                       (document.entity(descriptors=document.key_descriptor("idp-weak")), "no key fits"),
                       (document.entity(descriptors=document.key_descriptor(use="encryption")), "no signing key"),
                       (GOOD + GOOD, "not well-formed"), (GOOD.encode() + b"\0", "UTF-8"),
                       (b"<a>" + b" " * (1 << 19) + b"</a>", "at most")):
        host.refresh(body, code=3, said=said)
        assert host.file.read_bytes() == before, body[:40]
    assert host.verify("--offline") == "ok"
    assert host.status(code=1)["failures"] == 12


def test_stale_cache_is_its_own_refusal():
    host = Host()
    host.refresh(GOOD)
    old = time.time() - 25 * 3600
    os.utime(host.file, (old, old))
    assert host.verify("--offline") == "keys_stale"
    assert host.status(code=1)["state"] == "keys_stale"
    assert host.verify() == "ok"  # fetched


def test_cached_metadata_that_is_over_refuses():
    host = Host()
    host.refresh(GOOD)
    host.file.write_text(until(-5), encoding="utf-8")
    assert host.verify("--offline", at=time.time()) == "keys_unavailable"
    assert host.status(code=1)["state"] == "keys_unavailable"


def test_status_says_whose_metadata_and_how_long():
    host = Host()
    host.refresh(until(7 * 86400))
    entry = host.status()
    assert entry["issuer"] == document.IDP and entry["kind"] == "saml" and entry["source"] == "fetched"
    assert entry["keys"] == {"usable": 1, "weak": 0, "other": 0}
    assert 6 * 86400 < entry["valid_until"] - time.time() <= 7 * 86400
    assert entry["certificate_until"] > time.time()
    assert "metadata valid for 16" in ctl("status", "--config", host.conf).stdout


@cases(("PT1H", 3600), ("P1D", 21600), ("P0Y0M0DT0H20M0.000S", 1200), ("PT-1H", 900), ("P", 900), ("PT", 900),
       ("1H", 900), ("P1H", 900), ("PT1M1H", 900), ("PT99999999999999999999H", 21600), ("PT0S", 900))
def test_cache_duration_says_when_it_is_fetched_next(text, seconds):
    done = Host().refresh(document.entity(extra=f' cacheDuration="{text}"'))
    assert f"next refresh in {seconds} s" in done.stdout, done.stdout


def test_duration_still_counts_when_nothing_has_changed():
    """A 304 has no document: the one that is held says how long it is fresh."""
    host = Host()
    text = document.entity(extra=' cacheDuration="PT1H"')
    host.refresh(text, headers={"ETag": '"one"'})
    state = host.cache / "idp.refresh.json"
    state.write_text(json.dumps({**json.loads(state.read_text(encoding="utf-8")), "fresh_until": 0}), encoding="utf-8")
    HTTP.answer(metadata=Answer(b"", 304))
    done = assert_exit(ctl("refresh", "--config", host.conf), 0)
    assert "not changed, next refresh in 3600 s" in done.stdout, done.stdout
    assert "fresh for" in assert_exit(ctl("refresh", "--config", host.conf), 0).stdout


def test_the_shortest_of_durations_and_the_end_holds():
    host = Host()
    long = {"Cache-Control": "max-age=20000"}
    assert "next refresh in 3600 s" in host.refresh(document.entity(extra=' cacheDuration="PT1H"'), headers=long).stdout
    text = until(1000)
    seconds = int(host.refresh(text, headers=long).stdout.split("next refresh in ")[1].split()[0])
    assert 400 < seconds <= 500


def test_several_entities_and_certificates():
    both = ('<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
            f'validUntil="{iso(time.time() + 86400)}">' + document.entity("https://a.example", declare=False)
            + document.entity(declare=False, descriptors=document.key_descriptor("stranger")
                              + document.key_descriptor("idp")) + "</md:EntitiesDescriptor>")
    Host().refresh(both, code=3, said="idp_entity_id must name one")
    Host("idp_entity_id = https://b.example").refresh(both, code=3, said="no identity provider of the idp_entity_id")
    host = Host(f"idp_entity_id = {document.IDP}")
    host.refresh(both)
    assert host.verify("--offline") == "ok"
    assert host.status()["keys"]["usable"] == 2 and host.status()["valid_until"] < time.time() + 86401


def test_signature_is_checked_against_the_anchor():
    anchors = support.folder()
    for key in ("idp-second", "stranger"):
        (anchors / key).write_text("-----BEGIN CERTIFICATE-----\n" + "\n".join(
            keys.certificate(key)[i:i + 64] for i in range(0, len(keys.certificate(key)), 64))
            + "\n-----END CERTIFICATE-----\n", encoding="ascii")
    good = signed()
    host, other = (Host(f"metadata_ca_file = {anchors / key}") for key in ("idp-second", "stranger"))
    host.refresh(good)
    assert host.verify("--offline") == "ok"
    other.refresh(good, code=3, said="none of the metadata_ca_file's 1 keys")
    assert not other.file.exists()
    for body, said in ((GOOD, "is not signed"), (signed("stranger"), "none of the metadata_ca_file's"),
                       (good.replace(document.IDP.encode(), b"https://idp.example/Metadata"), "none of the metadata_ca_file's"),
                       (b'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">'
                        + good[good.index(b"<md:"):] + b"</md:EntitiesDescriptor>", "is not signed")):
        host.refresh(body, code=3, said=said)
    assert host.verify("--offline") == "ok"
    host.file.write_text(GOOD, encoding="utf-8")  # whoever could write the cache still could not sign
    assert host.verify("--offline") == "keys_unavailable"


def test_unreadable_anchor_refuses():
    host = Host("metadata_ca_file = /nonexistent/anchor.pem")
    host.refresh(signed(), code=3, said="anchor.pem")


# ---- check ----

def short_certificate(days):
    """Of a new key: DER in base64."""
    home = support.folder()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=short", "-days",
                    str(days), "-keyout", home / "key", "-out", home / "crt"], check=True, capture_output=True)
    text = (home / "crt").read_text(encoding="ascii")
    return home, "".join(line for line in text.splitlines() if not line.startswith("--"))


def test_check_warns_of_ends():
    _, soon = short_certificate(10)
    path = support.folder() / "idp.xml"
    host = Host(source=f"metadata_file = {path}")
    for text, said in ((GOOD, ()), (until(40 * 86400), ()), (until(20 * 86400), ("warning: the metadata of \"idp\" ends on",)),
                       (until(-1), ("the metadata is over",)),
                       (document.entity(extra=' validUntil="2100-01-01T00:00:00+00:00"'), ("is no time in UTC (with Z)",)),
                       (document.entity(descriptors=document.key_descriptor(certificate=soon)),
                        ("warning: the signing certificate of \"idp\" ends on",)),
                       (document.entity(descriptors=document.key_descriptor(certificate=soon) + document.key_descriptor()),
                        ("warning: a signing certificate of \"idp\" ends on",)),
                       (document.entity(descriptors=document.bare_key()), ()),
                       (document.entity(descriptors=document.bare_key("other") + document.key_descriptor(certificate=soon)),
                        ("warning: the signing certificate of \"idp\" ends on",)),
                       (document.entity(descriptors=document.key_descriptor("idp-weak") + document.key_descriptor()),
                        ("warning: 1 of the keys of \"idp\" are too weak",))):
        path.write_text(text, encoding="utf-8")
        found = [line for line in host.check().splitlines() if "metadata" in line or "certificate" in line or "weak" in line]
        assert len(found) == len(said) and all(part in line for part, line in zip(said, found)), (said, found)
        assert all(line.startswith(f"{host.conf}:2: ") for line in found), found


def test_check_names_a_section_that_no_login_goes_by():
    path = support.folder() / "idp.xml"
    path.write_text(GOOD, encoding="utf-8")
    more = ("shared_names = yes", '[saml "two"]', f"metadata_file = {path}", "sp_entity_id = https://two.example",
            "acs_url = https://two.example/acs", "shared_names = yes")
    host = Host(*more, source=f"metadata_file = {path}")
    assert f'{host.conf}:7: "two" has the identity provider of "idp"' in host.check()
    path.write_text(document.entity(document.OTHER_IDP), encoding="utf-8")
    assert "identity provider of" not in Host(*more).check("--offline")
    host = Host(*more, source=f"metadata_file = {CASES / 'metadata.xml'}")
    assert "identity provider of" not in host.check()


class Two(Host):
    """The section of the provider, and one before or behind it whose metadata has taken its name."""

    def __init__(self, is_first, *more, metadata=GOOD):
        home = support.folder()
        (home / "own.xml").write_text(metadata, encoding="utf-8")
        (home / "thief.xml").write_text(document.entity(descriptors=document.key_descriptor("stranger")), encoding="utf-8")
        rest = [f"sp_entity_id = {document.SP}", f"acs_url = {document.ACS}", "shared_names = yes"]
        thief = ('[saml "thief"]', f"metadata_file = {home}/thief.xml", *rest)
        own = ('[saml "own"]', f"metadata_file = {home}/own.xml", *more, *rest)
        super().__init__("shared_names = yes", *(thief + own if is_first else own + thief), source=f"metadata_file = {home}/other.xml")
        (home / "other.xml").write_text(document.entity(document.OTHER_IDP), encoding="utf-8")


@cases(True, False)
def test_name_that_another_section_s_metadata_takes_is_nobody_s(is_first):
    host = Two(is_first)
    for case in ("accepted-both-signed", "stranger"):
        assert host.verify(case=case) == "unknown_issuer"
    found = [line for line in host.check("--offline").splitlines() if "has the identity provider of" in line]
    assert len(found) == 1 and "own" in found[0] and "thief" in found[0], found


@cases(True, False)
def test_name_stays_with_the_section_that_says_it_has_it(is_first):
    named = f"idp_entity_id = {document.IDP}"
    host = Two(is_first, named)
    assert host.verify() == "ok"
    assert host.verify(case="stranger") == "signature_invalid"
    host = Two(is_first, named, metadata=GOOD[:-20])
    for case in ("accepted-both-signed", "stranger"):
        assert host.verify(case=case) == "keys_unavailable"


def test_name_of_an_oidc_issuer_is_not_taken():
    jwks = support.folder() / "jwks.json"
    jwks.write_text('{"keys":[]}', encoding="utf-8")
    oidc = ("shared_names = yes", '[oidc "op"]', f"issuer = {document.IDP}", "audience = x", f"jwks_file = {jwks}", "shared_names = yes")
    source = f"metadata_file = {CASES / 'metadata.xml'}"
    host = Host(*oidc, source=source)
    assert host.verify() == "unknown_issuer"
    assert '"idp" has the name of the issuer of "op"' in host.check("--offline")
    host = Host(f"idp_entity_id = {document.IDP}", *oidc, source=source)
    assert host.verify() == "ok"
    assert "has the name of" not in host.check("--offline")


def test_check_fetches_unless_it_is_told_not_to():
    host = Host()
    HTTP.answer(metadata=Answer(until(86400).encode()))
    assert "the metadata of \"idp\" ends on" in host.check()
    assert "metadata of" not in host.check("--offline")
    HTTP.answer(metadata=Answer(until(3 * 86400).encode()))
    assert "metadata of" not in host.check()


def test_check_looks_at_our_own_certificate():
    home, _ = short_certificate(10)
    for more, said in (((f"sp_key_file = {CASES / 'sp.key'}", f"sp_cert_file = {CASES / 'sp.crt'}"), None),
                       ((f"sp_key_file = {home}/key", f"sp_cert_file = {home}/crt"), "our own certificate of \"idp\" ends on"),
                       ((f"sp_key_file = {home}/key", f"sp_cert_file = {CASES / 'sp.crt'}"), "is not of the key in sp_key_file"),
                       ((f"sp_cert_file = {CASES / 'sp.crt'}",), "of no key here"),
                       ((f"sp_cert_file = {home}/key",), "no certificate can be read")):
        found = [line for line in Host(*more).check("--offline").splitlines() if "certificate" in line]
        assert (said is None and not found) or (len(found) == 1 and said in found[0]), (said, found)


# ---- ours ----

def element(parsed, name, ns="urn:oasis:names:tc:SAML:2.0:metadata"):
    found = parsed.getElementsByTagNameNS(ns, name)
    assert len(found) == 1, (name, len(found))
    return found[0]


def test_saml_metadata_says_what_providers_need():
    host = Host(f"sp_key_file = {CASES / 'sp.key'}", f"sp_cert_file = {CASES / 'sp.crt'}")
    done = assert_exit(ctl("saml", "metadata", "--config", host.conf), 0)
    parsed = xml.dom.minidom.parseString(done.stdout)
    assert element(parsed, "EntityDescriptor").getAttribute("entityID") == document.SP
    role = element(parsed, "SPSSODescriptor")
    assert role.getAttribute("WantAssertionsSigned") == "true"
    assert element(role, "AssertionConsumerService").getAttribute("Location") == document.ACS
    assert element(role, "KeyDescriptor").getAttribute("use") == "encryption"
    text = element(role, "X509Certificate", document.DS).firstChild.data
    pem = (CASES / "sp.crt").read_text(encoding="ascii")
    assert "".join(text.split()) in "".join(pem.split())


def test_saml_metadata_without_a_certificate_has_no_key():
    parsed = xml.dom.minidom.parseString(assert_exit(ctl("saml", "metadata", "--config", Host().conf), 0).stdout)
    assert not parsed.getElementsByTagNameNS(document.MD, "KeyDescriptor")


def test_saml_metadata_escapes():
    host = Host()
    text = host.conf.read_text(encoding="utf-8")
    host.conf.write_text(text.replace(f"sp_entity_id = {document.SP}", 'sp_entity_id = "urn:a&b<c>\\"d"'),
                         encoding="utf-8")
    parsed = xml.dom.minidom.parseString(assert_exit(ctl("saml", "metadata", "--config", host.conf), 0).stdout)
    assert element(parsed, "EntityDescriptor").getAttribute("entityID") == 'urn:a&b<c>"d'


def test_saml_metadata_asks_which_section_is_meant():
    host = Host("shared_names = yes", '[saml "second"]', f"metadata_url = {HTTP.url}/second",
                "sp_entity_id = https://second.example", f"acs_url = {document.ACS}", "shared_names = yes")
    assert_usage(ctl("saml", "metadata", "--config", host.conf), "differ in sp_entity_id")
    done = assert_exit(ctl("saml", "metadata", "--config", host.conf, "--issuer", "second"), 0)
    assert 'entityID="https://second.example"' in done.stdout
    assert_usage(ctl("saml", "metadata", "--config", host.conf, "--issuer", "third"), "no [saml] section has the label 'third'")


def test_saml_metadata_refuses_a_certificate_that_is_not_ours():
    home, _ = short_certificate(10)
    host = Host(f"sp_key_file = {home}/key", f"sp_cert_file = {CASES / 'sp.crt'}")
    assert_exit(ctl("saml", "metadata", "--config", host.conf), 2, "not of the key")
    host = Host(f"sp_cert_file = {CASES / 'sp.crt'}")
    assert_exit(ctl("saml", "metadata", "--config", host.conf), 2, "of no key here")
