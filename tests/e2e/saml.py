"""Two real SAML identity providers on loopback, asked as a browser asks them.

SimpleSAMLphp as Debian packs it, and samlp from npm. Both know the same people
(password: the name and "pass") and the same service providers, one per way to
answer (VARIANTS), each with an entity ID of its own.
SPDX-License-Identifier: PostgreSQL
"""
import base64
import html
import json
import os
import re
import secrets
import subprocess
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from harness import free_port, wait_until
from openid import Browser

ACS = "https://db.test/saml/acs"
MFA = "https://refeds.org/profile/mfa"
NAMEID = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
SHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"

PEOPLE = {
    "alice": {"groups": ["engineers", "staff"], "mail": ["alice@example.test"]},
    "bob": {"groups": ["staff"], "mail": ["bob@example.test"]},
    "dana": {"groups": [f"team-{n:03}" for n in range(150)] + ["engineers"], "mail": ["dana@example.test"]},
}

# How a service provider is answered: what SimpleSAMLphp calls it, what samlp calls it.
VARIANTS = {
    "assertion": ({"saml20.sign.response": False}, {}),
    "response": ({"saml20.sign.response": True, "saml20.sign.assertion": False},
                 {"signAssertion": False, "signResponse": True}),
    "both": ({"saml20.sign.response": True}, {"signResponse": True}),
    "sha512": ({"signature.algorithm": SHA512}, None),
    "encrypted": ({"assertion.encryption": True},
                  {"encryptionAlgorithm": "http://www.w3.org/2009/xmlenc11#aes256-gcm"}),
    "encrypted-128": (None, {"encryptionAlgorithm": "http://www.w3.org/2009/xmlenc11#aes128-gcm",
                             "signResponse": True}),
    "encrypted-cbc": (None, {"encryptionAlgorithm": "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
                             "disallowEncryptionWithInsecureAlgorithm": False}),
    "persistent": ({"NameIDFormat": NAMEID + "persistent"},
                   {"nameIdentifierFormat": NAMEID + "persistent"}),
    "transient": ({"NameIDFormat": NAMEID + "transient"},
                  {"nameIdentifierFormat": NAMEID + "transient"}),
    "email": ({"NameIDFormat": EMAIL, "simplesaml.nameidattribute": "mail"},
              {"nameIdentifierFormat": EMAIL}),
    "mfa": ({"authproc": {"10": {"class": "saml:AuthnContextClassRef", "AuthnContextClassRef": MFA}}},
            {"authnContextClassRef": MFA}),
    "short": ({"assertion.lifetime": 2}, {"lifetimeInSeconds": 2}),
    "other-acs": ({"AssertionConsumerService": "https://other.test/acs"}, {"acs": "https://other.test/acs"}),
}
ENCRYPTED = ("encrypted", "encrypted-128", "encrypted-cbc")


def entity_id(variant):
    return "https://db.test/" + variant


def instant(seconds=None):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def authn_request(issuer, destination):
    """The AuthnRequest of a service provider, and its ID (core 3.4.1)."""
    identifier = "_" + secrets.token_hex(16)
    xml = (f'<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
           f'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{identifier}" Version="2.0" '
           f'IssueInstant="{instant()}" Destination="{destination}" '
           'ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST">'
           f"<saml:Issuer>{issuer}</saml:Issuer></samlp:AuthnRequest>")
    return xml, identifier


def redirect_binding(xml):
    """DEFLATE without a header, then base64 (bindings 3.4.4.1)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(packer.compress(xml.encode()) + packer.flush()).decode()


def form_fields(page):
    """What the page's inputs hold, by name."""
    found = {}
    for tag in re.findall(r"<input\b[^>]*>", page):
        attributes = {name: html.unescape(value)
                      for name, value in re.findall(r'\b([\w-]+)="([^"]*)"', tag)}
        if "name" in attributes:
            found[attributes["name"]] = attributes.get("value", "")
    return found


class KeyPair:
    """An RSA key and a self-signed certificate that lasts for the tests."""

    def __init__(self, folder, name):
        self.key, self.certificate = folder / f"{name}.key", folder / f"{name}.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        f"/CN={name}", "-keyout", self.key, "-out", self.certificate],
                       check=True, capture_output=True)

    def pem(self):
        return self.certificate.read_text(encoding="ascii")

    def private_pem(self):
        return self.key.read_text(encoding="ascii")

    def public_pem(self):
        return subprocess.run(["openssl", "x509", "-in", self.certificate, "-noout", "-pubkey"],
                              check=True, capture_output=True, text=True).stdout

    def der_base64(self):
        return "".join(line for line in self.pem().splitlines() if not line.startswith("---"))


class IdentityProvider:
    """What both have: a flow through forms whose end is a page with the response."""

    entity = sso = idp_initiated = None
    port = None
    metadata_path = None

    def _browser(self):
        return Browser(self.port, {"Host": f"127.0.0.1:{self.port}"})

    def metadata(self):
        status, _, text = self._browser().request("GET", self.metadata_path)
        assert status == 200, text
        return text

    def answer(self, person, variant="assertion", unsolicited=False):
        """The base64 text that the browser would post to the service provider."""
        if unsolicited:
            query = {self.idp_initiated: entity_id(variant)}
        else:
            xml, _ = authn_request(entity_id(variant), f"http://127.0.0.1:{self.port}{self.sso}")
            query = {"SAMLRequest": redirect_binding(xml)}
        return self._log_in(f"{self.sso}?{urlencode(query)}", person)

    def _log_in(self, path, person):
        browser, form, method = self._browser(), None, "GET"
        for _ in range(12):
            status, location, text = browser.request(method, path, form)
            if location:
                target = urlsplit(location)
                method, form = "GET", None
                path = target.path + ("?" + target.query if target.query else "")
                continue
            assert status == 200, f"{status} {text}"
            fields = form_fields(text)
            if "SAMLResponse" in fields:
                return fields["SAMLResponse"]
            assert "username" in fields, text
            form = {**fields, "username": person, "password": person + "pass"}
            action = re.search(r'<form[^>]*\baction="([^"]*)"', text).group(1)
            method, path = "POST", self._target(html.unescape(action), path)
        raise AssertionError("the login flow does not end")

    @staticmethod
    def _target(action, path):
        if action.startswith("?"):
            return path.split("?")[0] + action
        return urlsplit(action).path


CONFIG_PHP = """<?php
$config = json_decode(file_get_contents(__DIR__ . '/config.json'), true);
"""
SOURCES_PHP = """<?php
$config = ['people' => ['exampleauth:UserPass']
  + json_decode(file_get_contents(__DIR__ . '/people.json'), true)];
"""
METADATA_PHP = """<?php
$metadata = json_decode(file_get_contents(__DIR__ . '/%s.json'), true);
"""


# What SimpleSAMLphp's own parser makes of a service provider's metadata.
READ_SP_PHP = """
require $argv[1] . '/lib/_autoload.php';
$parsed = SimpleSAML\\Metadata\\SAMLParser::parseString(stream_get_contents(STDIN));
echo json_encode($parsed->getMetadata20SP());
"""


class SimpleSaml(IdentityProvider):
    """SimpleSAMLphp under PHP's own server, with a configuration of its own."""

    entity = "https://ssp.idp.test/metadata"
    sso = "/saml2/idp/SSOService.php"
    idp_initiated = "spentityid"
    metadata_path = "/saml2/idp/metadata.php"

    def __init__(self, folder, program, keys, sp):
        self.folder, self.program = folder, program
        self.keys = keys
        self.port = free_port()
        self._configure(sp)
        self.log = open(folder / "php.log", "wb")
        self.process = subprocess.Popen(
            ["php", "-d", "short_open_tag=off", "-S", f"127.0.0.1:{self.port}", "-t", program / "www"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env={"PATH": os.environ["PATH"], "SIMPLESAMLPHP_CONFIG_DIR": str(folder)})
        wait_until("SimpleSAMLphp", self._answers)

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "php.log").read_text(encoding="utf-8")
        try:
            return self.metadata()
        except ConnectionRefusedError:
            return None

    def stop(self):
        self.process.terminate()
        self.process.wait(5)
        self.log.close()

    def _write(self, name, value):
        text = value if isinstance(value, str) else json.dumps(value)
        (self.folder / name).write_text(text, encoding="utf-8")

    def _configure(self, sp):
        for name in ("metadata", "sessions", "temporary"):
            (self.folder / name).mkdir()
        self._write("config.json", {
            "baseurlpath": f"http://127.0.0.1:{self.port}/", "certdir": f"{self.folder}/",
            "loggingdir": f"{self.folder}/", "datadir": f"{self.folder}/",
            "tempdir": f"{self.folder}/temporary", "metadatadir": f"{self.folder}/metadata",
            "secretsalt": secrets.token_hex(16), "auth.adminpassword": secrets.token_hex(16),
            "timezone": "UTC", "logging.handler": "errorlog", "logging.level": 4, "showerrors": True,
            "errorreporting": False, "enable.saml20-idp": True, "store.type": "phpsession",
            "session.phpsession.savepath": f"{self.folder}/sessions", "session.cookie.secure": False,
            "metadata.sources": [{"type": "flatfile"}], "language.default": "en",
            "module.enable": {"core": True, "saml": True, "exampleauth": True}, "authproc.idp": [],
        })
        self._write("config.php", CONFIG_PHP)
        self._write("authsources.php", SOURCES_PHP)
        self._write("people.json", {f"{name}:{name}pass": {"uid": [name], **attributes}
                                    for name, attributes in PEOPLE.items()})
        self._write("metadata/saml20-idp-hosted.json", {self.entity: {
            "host": "__DEFAULT__", "privatekey": self.keys.key.name, "certificate": self.keys.certificate.name,
            "auth": "people", "userid.attribute": "uid", "NameIDFormat": [NAMEID + "persistent", EMAIL]}})
        self._write("metadata/saml20-sp-remote.json", {
            entity_id(variant): {"AssertionConsumerService": ACS, "simplesaml.nameidattribute": "uid",
                                 "NameIDFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
                                 "certData": sp.der_base64(), **options}
            for variant, (options, _) in VARIANTS.items() if options is not None})
        for name in ("saml20-idp-hosted", "saml20-sp-remote"):
            self._write(f"metadata/{name}.php", METADATA_PHP % name)

    def register(self, text, **options):
        """Answers the service provider whose metadata this is, too; what its parser read there."""
        done = subprocess.run(["php", "-d", "short_open_tag=off", "-r", READ_SP_PHP, self.program], input=text,
                              env={"PATH": os.environ["PATH"], "SIMPLESAMLPHP_CONFIG_DIR": str(self.folder)},
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        read = json.loads(done.stdout)
        name = "metadata/saml20-sp-remote.json"
        known = json.loads((self.folder / name).read_text(encoding="utf-8"))
        self._write(name, {**known, read["entityid"]: {**read, **options}})
        return read


class Samlp(IdentityProvider):
    """samlp: other code for XML, signatures and encryption, and other habits in what it sends."""

    entity = "urn:samlp.idp.test"
    sso = "/sso"
    idp_initiated = "sp"
    metadata_path = "/metadata"
    GROUPS = "http://schemas.passportjs.com/groups"

    def __init__(self, folder, keys, sp):
        self.keys = keys
        self.process = subprocess.Popen(
            ["node", "--no-deprecation", "server.mjs"], cwd=folder, text=True, bufsize=1,
            env={"PATH": os.environ["PATH"]},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        encryption = {"encryptionCert": sp.pem(), "encryptionPublicKey": sp.public_pem()}
        self.set(issuer=self.entity, key=keys.private_pem(), cert=keys.pem(),
                 people={name: {"displayName": name, "name": {"givenName": name, "familyName": name},
                                "emails": [{"value": about["mail"][0]}], "groups": about["groups"]}
                         for name, about in PEOPLE.items()},
                 sps={entity_id(variant): {"acs": ACS, **(encryption if variant in ENCRYPTED else {}), **options}
                      for variant, (_, options) in VARIANTS.items() if options is not None})

    def set(self, **what):
        self.process.stdin.write(json.dumps({"set": what}) + "\n")
        line = self.process.stdout.readline()
        reply = json.loads(line) if line else {"error": "the provider has ended"}
        if "error" in reply:
            raise RuntimeError(reply["error"])
        self.port = reply["port"]

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@dataclass
class SamlProviders:
    """Both providers, and the keys that a test may hand out."""

    simplesaml: SimpleSaml
    samlp: Samlp
    sp: KeyPair
    stranger: KeyPair

    def named(self, name):
        return getattr(self, name)

    def stop(self):
        self.simplesaml.stop()
        self.samlp.stop()


def simplesaml_program(build):
    """Where SimpleSAMLphp lies: what the build unpacked, or the installed package."""
    for path in (build / "tests/e2e-simplesamlphp/usr/share/simplesamlphp", Path("/usr/share/simplesamlphp")):
        if (path / "www").is_dir():
            return path
    return None
