"""Signatures that must not count: stripped, by other keys, by other algorithms, of other bytes.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import re

import ecdsa_der
import keys
from corpus import SCHEMA, STRUCTURE, UNSIGNED, case
from document import (IDP, OTHER_IDP, P, assertion, at, bare_key, entity, issuer, key_descriptor, key_value, name_id,
                      response, subject)
from signature import (C14N, C14N11, DIGESTS, DS, ENVELOPED, EXC, MORE, SHA256, XENC, canonical, digest, find, inclusive,
                       parse, sign, signed, transform, x509)

BAD = ("signature_invalid",)
ALGORITHM = ("algorithm_not_allowed",)
REFERENCE = ("reference_invalid", "signature_invalid", "algorithm_not_allowed")
ADMIN = subject(name_id("admin"))

# --- nothing, or a wrong value ---
case("unsigned", UNSIGNED, "nothing is signed", response(assertion(signed=False)))
case("unsigned-admin", UNSIGNED, "a forgery without a signature", response(assertion(signed=False, who=ADMIN)))
case("changed-name", BAD, "the name is changed after signing", signed().replace(">alice<", ">admin<"))
case("changed-group", BAD, "a group is changed after signing", signed().replace(">staff<", ">dba<"))
case("changed-white-space", BAD, "white space is added after signing", signed().replace("<saml:Subject>", "<saml:Subject> "))
case("changed-signed-info", BAD, "SignedInfo is changed after signing",
     signed().replace('<ds:SignedInfo>', '<ds:SignedInfo>\n'))
case("changed-response", BAD, "the destination of a signed response is changed",
     sign(response(assertion(signed=False), signed=True, destination="https://else.example/acs"), "_r1").replace(
         "https://else.example/acs", "https://db.example/saml/acs", 1))
case("value-empty", UNSIGNED, "SignatureValue is empty", re.sub(r"(<ds:SignatureValue>)[^<]*", r"\1", signed()))
case("value-zero", BAD, "SignatureValue is zero bytes", signed(encode=lambda _: base64.b64encode(b"\0" * 256).decode()))
case("value-one", BAD, "SignatureValue is the number one",
     signed(encode=lambda _: base64.b64encode(b"\0" * 255 + b"\1").decode()))
case("value-short", BAD, "SignatureValue lacks its last byte",
     signed(encode=lambda value: base64.b64encode(base64.b64decode(value)[:-1]).decode()))
case("value-long", BAD, "SignatureValue has a byte more",
     signed(encode=lambda value: base64.b64encode(base64.b64decode(value) + b"\0").decode()))
case("value-garbage", UNSIGNED + ("bad_encoding", "malformed"), "SignatureValue is not base64", signed(encode=lambda _: "&#x2603;!!"))
case("value-missing", SCHEMA, "no SignatureValue", re.sub(r"<ds:SignatureValue>[^<]*</ds:SignatureValue>", "", signed()))
case("value-twice", SCHEMA, "two SignatureValues",
     re.sub(r"(<ds:SignatureValue>[^<]*</ds:SignatureValue>)", r"\1\1", signed()))
case("value-der-ecdsa", BAD, "an ECDSA value in DER in place of the two halves", signed(
    key="idp-p256", signature=MORE + "ecdsa-sha256", encode=ecdsa_der.encode))
case("value-ecdsa-zero", BAD, "an ECDSA value whose halves are zero", signed(
    key="idp-p256", signature=MORE + "ecdsa-sha256", encode=lambda _: base64.b64encode(b"\0" * 64).decode()))
case("digest-empty", UNSIGNED, "DigestValue is empty", signed(value=""))
case("digest-missing", SCHEMA, "no DigestValue", signed(change=lambda b: re.sub(r"<ds:DigestValue>.*?</ds:DigestValue>", "", b)))
case("digest-short", UNSIGNED, "DigestValue holds the first 16 bytes only",
     signed(change=lambda b: re.sub(r"(<ds:DigestValue>)([^<]*)",
                                    lambda m: m[1] + base64.b64encode(base64.b64decode(m[2])[:16]).decode(), b)))
case("digest-long", UNSIGNED, "DigestValue has bytes more",
     signed(change=lambda b: re.sub(r"(<ds:DigestValue>)([^<]*)",
                                    lambda m: m[1] + base64.b64encode(base64.b64decode(m[2]) + b"\0\0").decode(), b)))
case("digest-of-nothing", UNSIGNED, "DigestValue is that of no bytes", signed(data=b""))
case("digest-comment", ("signature_invalid", "reference_invalid", "xml_refused"),
     "a comment splits DigestValue; the rest is the forged text's digest",
     signed(change=lambda b: re.sub(r"(<ds:DigestValue>)([^<]*)", r"\1AAAA<!-- \2 -->", b)))
case("digest-twice", SCHEMA, "two DigestValues: one of the forged text",
     signed(change=lambda b: re.sub(r"(<ds:DigestValue>[^<]*</ds:DigestValue>)",
                                    r"<ds:DigestValue>" + digest(SHA256, b"x") + r"</ds:DigestValue>\1", b)))
case("stripped-signature-element-empty", SCHEMA, "an empty Signature element",
     response(assertion(signed=False, before=f'<ds:Signature xmlns:ds="{DS}"/>')))
case("stripped-signed-info-empty", SCHEMA, "a Signature without references",
     signed(change=lambda b: re.sub(r"<ds:Reference.*</ds:Reference>", "", b)))
case("signature-other-namespace", SCHEMA, "the Signature element is in another namespace",
     signed().replace(f'xmlns:ds="{DS}"', 'xmlns:ds="http://www.w3.org/2000/09/xmldsig"'))
case("signature-2-namespace", SCHEMA, "the Signature of another assertion ID",
     signed().replace('ID="_a1"', 'ID="_a2"'))

# --- whose key ---
case("stranger", BAD, "signed by a stranger", signed(key="stranger"))
case("stranger-x509", BAD, "signed by a stranger whose certificate is in KeyInfo", signed(key="stranger", keyinfo=x509("stranger")))
case("stranger-both-certificates", BAD, "KeyInfo holds the provider's certificate, then the stranger's",
     signed(key="stranger", keyinfo=x509("idp").replace("</ds:X509Data>", re.search(
         r"<ds:X509Certificate>.*</ds:X509Certificate>", x509("stranger")).group(0) + "</ds:X509Data>")))


def key_value(name):
    numbers = keys.public(name).public_numbers()
    modulus, exponent = (base64.b64encode(n.to_bytes((n.bit_length() + 7) // 8, "big")).decode()
                         for n in (numbers.n, numbers.e))
    return ("<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>" + modulus + "</ds:Modulus><ds:Exponent>"
            + exponent + "</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>")


case("stranger-key-value", BAD, "signed by a stranger whose key is in KeyValue",
     signed(key="stranger", keyinfo=key_value("stranger")))
case("stranger-der-key-value", BAD, "signed by a stranger whose key is a DEREncodedKeyValue", signed(
    key="stranger", keyinfo='<ds:KeyInfo><d11:DEREncodedKeyValue xmlns:d11="http://www.w3.org/2009/xmldsig11#">'
    + base64.b64encode(keys.public_spki("stranger")).decode() + "</d11:DEREncodedKeyValue></ds:KeyInfo>"))
case("stranger-ec-key-value", BAD, "signed by a stranger's EC key", signed(key="stranger-p256", signature=MORE + "ecdsa-sha256"))
for name, uri in (("remote", "http://127.0.0.1:9/key"), ("file", "file:///etc/passwd"), ("same-document", "#_key")):
    case(f"stranger-retrieval-{name}", BAD, f"KeyInfo's RetrievalMethod points to {uri}", signed(
        key="stranger", keyinfo=f'<ds:KeyInfo><ds:RetrievalMethod URI="{uri}" Type="{DS}X509Data"/></ds:KeyInfo>'))
case("stranger-key-reference", BAD, "KeyInfo refers to a key elsewhere in the document", signed(response(
    before=f'<samlp:Extensions><ds:KeyInfo xmlns:ds="{DS}" Id="_key"><ds:X509Data><ds:X509Certificate>'
    + keys.certificate("stranger") + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></samlp:Extensions>"),
    key="stranger", keyinfo='<ds:KeyInfo><d11:KeyInfoReference xmlns:d11="http://www.w3.org/2009/xmldsig11#" URI="#_key"/></ds:KeyInfo>'))
case("other-provider-key", BAD, "another configured provider's key signs for this one", signed(key="other"))
case("other-provider-issuer", BAD, "this provider's key signs for another configured one",
     signed(response(assertion(head=issuer(OTHER_IDP)), head=issuer(OTHER_IDP))))
case("other-provider-mixed", BAD + ("unknown_issuer", "claim_mismatch"), "the response names this provider, its signed assertion another",
     signed(response(assertion(head=issuer(OTHER_IDP))), key="other"))
case("other-provider-mixed-2", ("unknown_issuer", "claim_mismatch", "signature_invalid"), "the response names another provider than its assertion",
     signed(response(head=issuer(OTHER_IDP))))
case("encryption-key", BAD + ("key_mismatch",), "the provider's encryption key signs", signed(key="idp-encryption"))
case("sp-key", BAD, "our own key signs", signed(key="sp"))
case("weak-key", BAD + ("weak_key", "keys_unavailable"), "a 1024-bit key of the metadata signs", signed(key="idp-weak"),
     metadata=entity(descriptors=key_descriptor("idp-weak")))
case("algorithm-not-listed", ALGORITHM, "the operator's list lacks the algorithm", signed(),
     settings=["algorithms = ES256"], detail="which the issuer's algorithms do not list")

# --- HMAC with something public as the secret ---
for name, secret in (("pem", keys.public_pem("idp")), ("der", keys.public_spki("idp")),
                     ("certificate", keys.certificate("idp").encode()), ("empty", b"")):
    case(f"hmac-{name}", ALGORITHM, f"HMAC with the provider's public key as the secret ({name})",
         signed(key=secret, signature=MORE + "hmac-sha256"))
case("hmac-output-length", ALGORITHM, "HMAC cut to nothing by HMACOutputLength", signed(
    key=b"x", signature=MORE + "hmac-sha256", method="<ds:HMACOutputLength>0</ds:HMACOutputLength>", encode=lambda _: ""))
case("hmac-output-length-rsa", SCHEMA + ALGORITHM, "HMACOutputLength beside an RSA signature",
     signed(method="<ds:HMACOutputLength>8</ds:HMACOutputLength>"))

# --- algorithms ---
for algorithm, key in ((DS + "rsa-sha1", "idp"), (MORE + "rsa-md5", "idp"), (MORE + "ecdsa-sha1", "idp-p256"),
                       (DS + "dsa-sha1", "idp"), (MORE + "rsa-ripemd160", "idp"), (DS + "hmac-sha1", b"x")):
    case("signature-" + algorithm.rsplit("#", 1)[1], ALGORITHM, f"the signature algorithm {algorithm}",
         signed(key=key, signature=algorithm), detail=f'#{algorithm.rsplit("#", 1)[1]}", which no issuer may allow')
for name, uri in (("empty", ""), ("none", "none"), ("old-namespace", DS + "rsa-sha256"), ("capitals", MORE + "RSA-SHA256"),
                  ("blank-behind", MORE + "rsa-sha256 "), ("blank-before", " " + MORE + "rsa-sha256"),
                  ("pss-unknown", "http://www.w3.org/2007/05/xmldsig-more#rsa-pss"), ("sha224", MORE + "rsa-sha224")):
    case(f"signature-name-{name}", SCHEMA + ALGORITHM,
         f"the signature algorithm \"{uri}\" is none", signed(change=lambda b, n=uri: b.replace(
             f'SignatureMethod Algorithm="{MORE}rsa-sha256"', f'SignatureMethod Algorithm="{n}"')))
case("signature-pss", ALGORITHM, "RSA-PSS is not in the list",
     signed(signature="http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"))
case("signature-ed25519", ALGORITHM + BAD, "Ed25519 is not in the list", signed(
    key="idp-ed25519", signature="http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"))
case("signature-mismatch", BAD + ("key_mismatch",), "an RSA signature called ECDSA",
     signed(change=lambda b: b.replace("rsa-sha256", "ecdsa-sha256")))
case("signature-hash-mismatch", BAD, "an RSA-SHA256 signature called RSA-SHA512",
     signed().replace(MORE + "rsa-sha256", MORE + "rsa-sha512"))
case("signature-method-twice", SCHEMA + ALGORITHM, "two SignatureMethods", signed(change=lambda b: b.replace(
    "<ds:SignatureMethod", f'<ds:SignatureMethod Algorithm="{DS}rsa-sha1"/><ds:SignatureMethod', 1)))
case("signature-method-missing", SCHEMA + ALGORITHM, "no SignatureMethod",
     signed(change=lambda b: re.sub(r"<ds:SignatureMethod.*?</ds:SignatureMethod>", "", b)))
for algorithm in DIGESTS:
    if not algorithm.endswith(("sha256", "sha384", "sha512", "sha224")):
        name = algorithm.rsplit("#", 1)[1]
        value = None if name in ("sha1", "md5") else digest(SHA256, b"x")
        case("digest-" + name, ALGORITHM, f"the digest {algorithm}", signed(digesting=algorithm, value=value),
             detail=f"#{name}")
case("digest-unknown", ALGORITHM + ("reference_invalid",), "a digest nobody knows",
     signed(change=lambda b: b.replace(XENC + "sha256", XENC + "sha0")))
case("digest-method-missing", SCHEMA + ALGORITHM, "no DigestMethod", signed(change=lambda b: re.sub(r"<ds:DigestMethod[^>]*/>", "", b)))

# --- references ---
BAD_URI = {"empty": "", "root": "#xpointer(/)", "xpointer-id": "#xpointer(id('_a1'))", "xpointer-any": "#xpointer(//*)",
           "remote": "http://127.0.0.1:9/_a1", "file": "file:///etc/passwd", "relative": "_a1", "unknown": "#_nowhere",
           "hash-only": "#", "encoded": "#%5Fa1", "blank": "#_a1 ", "response": "#_r1", "file-fragment": "file:///x#_a1",
           "cid": "cid:_a1"}
for name, uri in BAD_URI.items():
    case(f"reference-{name}", REFERENCE + ("malformed",), f"the reference's URI is \"{uri}\"", signed(uri=uri))
case("reference-missing-uri", REFERENCE + ("malformed",), "the reference has no URI", signed(uri=False))
case("reference-empty-of-response", REFERENCE + ("malformed",), "the response is signed by an empty URI",
     sign(response(assertion(signed=False), signed=True), "_r1", uri=""))
SECOND = ('<ds:Reference URI="{uri}"><ds:Transforms>' + transform(EXC) + "</ds:Transforms>"
          f'<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>{{value}}</ds:DigestValue></ds:Reference>')


def second_reference(identifier, uri=None):
    text = response()
    value = digest(SHA256, canonical(find(parse(text.replace("{{SIG:_a1}}", "")), identifier), EXC))
    return SECOND.format(uri=uri or "#" + identifier, value=value)


case("reference-two", REFERENCE + ("malformed",), "two references to the assertion", signed(more=second_reference("_a1")))
case("reference-second-remote", REFERENCE + ("malformed",), "a second reference points outside",
     signed(more=second_reference("_a1", "http://127.0.0.1:9/x")))
case("reference-other-first", REFERENCE + ("malformed",), "the first reference is another element, the second the assertion",
     signed(response(before='<samlp:Extensions><x:n xmlns:x="urn:x" ID="_n"/></samlp:Extensions>'),
            change=lambda b: b.replace("<ds:Reference", SECOND.format(uri="#_n", value=digest(
                SHA256, b'<x:n xmlns:x="urn:x" ID="_n"></x:n>')) + "<ds:Reference", 1)))
case("reference-manifest", REFERENCE + ("malformed",), "the reference covers a manifest that names the assertion", sign(
    response(), "_m1", mark="{{SIG:_a1}}", id_name="Id", transforms=transform(EXC), with_c14n=EXC,
    data=(f'<ds:Manifest xmlns:ds="{DS}" Id="_m1"></ds:Manifest>').encode(),
    objects='<ds:Object><ds:Manifest Id="_m1"></ds:Manifest></ds:Object>'))
case("reference-type", REFERENCE + ("malformed",), "the reference's Type says manifest", signed(
    change=lambda b: b.replace("<ds:Reference ", f'<ds:Reference Type="{DS}Manifest" ', 1), uri="#_r1"))
case("signature-object", REFERENCE + ("xml_refused", "malformed"), "an Object in a good signature",
     signed(objects="<ds:Object>harmless</ds:Object>"))

# --- transforms ---
FORGED = response(assertion(who=ADMIN))


def over(data, transforms, text=FORGED, **how):
    """A signature whose digest is of these bytes, as if its transforms gave them."""
    return sign(text, "_a1", data=data, transforms=transforms, **how)


XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
TRANSFORM = ("algorithm_not_allowed", "reference_invalid")
case("transform-xpath", TRANSFORM, "XPath leaves out everything but nothing", over(
    b"", transform(ENVELOPED) + transform(XPATH, "<ds:XPath>false()</ds:XPath>") + transform(EXC)))
case("transform-xpath-subject", TRANSFORM, "XPath leaves the subject out", over(
    canonical(find(parse(re.sub(r"<saml:Subject>.*</saml:Subject>", "", FORGED.replace("{{SIG:_a1}}", ""))), "_a1"), EXC),
    transform(ENVELOPED) + transform(XPATH, f'<ds:XPath xmlns:saml="{"urn:oasis:names:tc:SAML:2.0:assertion"}">'
                                     "not(ancestor-or-self::saml:Subject)</ds:XPath>") + transform(EXC)))
case("transform-xpath2", TRANSFORM, "an XPath filter", over(
    b"", transform(ENVELOPED) + transform("http://www.w3.org/2002/06/xmldsig-filter2",
                                         '<f:XPath xmlns:f="http://www.w3.org/2002/06/xmldsig-filter2" Filter="subtract">/</f:XPath>')))
case("transform-xslt", TRANSFORM, "XSLT", over(b"x", transform(
    "http://www.w3.org/TR/1999/REC-xslt-19991116",
    '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"><xsl:template match="/">x'
    "</xsl:template></xsl:stylesheet>")))
case("transform-xslt-document", TRANSFORM, "XSLT that reads a file", over(b"x", transform(
    "http://www.w3.org/TR/1999/REC-xslt-19991116",
    '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"><xsl:template match="/">'
    "<xsl:copy-of select=\"document('file:///etc/passwd')\"/></xsl:template></xsl:stylesheet>")))
case("transform-base64", TRANSFORM, "base64", over(b"x", transform(DS + "base64")))
case("transform-xpointer", TRANSFORM, "xpointer", over(
    b"", transform("http://www.w3.org/2001/04/xmldsig-more/xptr", "<x:XPointer xmlns:x=\"http://www.w3.org/2001/04/xmldsig-more/xptr\">#_r1</x:XPointer>")))
case("transform-unknown", TRANSFORM, "a transform nobody knows", signed(transforms=transform(ENVELOPED) + transform("urn:x")))
case("transform-none", TRANSFORM + BAD, "no Transforms: the signature cannot be inside", signed(transforms=""))
case("transform-empty-list", TRANSFORM + BAD + ("malformed",), "an empty Transforms element",
     signed(transforms=" "))
case("transform-no-enveloped", TRANSFORM + BAD, "no enveloped-signature transform", signed(transforms=transform(EXC)))
case("transform-three", TRANSFORM, "three transforms", signed(transforms=transform(ENVELOPED) + transform(EXC) + transform(EXC)))
case("transform-order", TRANSFORM + BAD, "canonicalisation before enveloped-signature",
     signed(transforms=transform(EXC) + transform(ENVELOPED)))
case("transform-enveloped-twice", TRANSFORM, "enveloped-signature twice", signed(
    transforms=transform(ENVELOPED) + transform(ENVELOPED) + transform(EXC)))
case("transform-comments", "ok",
     "canonicalisation with comments is one of the two that core 5.4.4 names", signed(with_c14n=EXC + "WithComments"))
case("c14n-comments", "ok",
     "SignedInfo canonicalised with comments", signed(c14n=C14N + "#WithComments"))
case("transform-c14n11", TRANSFORM, "canonical XML 1.1 is not in the list", signed(
    transforms=transform(ENVELOPED) + transform(C14N11), with_c14n=C14N))
case("c14n-method-11", TRANSFORM, "SignedInfo by canonical XML 1.1", detail="/xml-c14n11", text=signed(
    change=lambda b: b.replace(f'CanonicalizationMethod Algorithm="{EXC}"', f'CanonicalizationMethod Algorithm="{C14N11}"')))
case("c14n-method-missing", SCHEMA + TRANSFORM, "no CanonicalizationMethod",
     signed(change=lambda b: re.sub(r"<ds:CanonicalizationMethod.*?</ds:CanonicalizationMethod>", "", b)))
case("c14n-method-enveloped", TRANSFORM, "enveloped-signature as the CanonicalizationMethod", signed(
    change=lambda b: b.replace(f'CanonicalizationMethod Algorithm="{EXC}"', f'CanonicalizationMethod Algorithm="{ENVELOPED}"')))
case("c14n-method-xslt", TRANSFORM, "XSLT as the CanonicalizationMethod", signed(
    change=lambda b: b.replace(f'CanonicalizationMethod Algorithm="{EXC}"',
                               'CanonicalizationMethod Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"')))
case("c14n-void-relative-namespace", STRUCTURE + ("xml_refused",), "a relative namespace URI makes canonicalisation fail: nothing would be digested",
     sign(response(assertion(who=ADMIN)), "_a1", data=b"").replace('ID="_a1"', 'xmlns:v="1" ID="_a1"', 1))
case("c14n-void-signed-info", STRUCTURE + ("xml_refused",), "a relative namespace URI in the signature",
     signed().replace("<ds:SignedInfo>", '<ds:SignedInfo xmlns:v="1">'))
case("c14n-void-root", STRUCTURE + ("xml_refused",), "a relative namespace URI on the response, digest of nothing",
     sign(response(assertion(who=ADMIN)), "_a1", data=b"", with_c14n=C14N).replace("<samlp:Response ", '<samlp:Response xmlns:v="../x" ', 1))
case("inclusive-namespaces-smuggled", STRUCTURE + ("xml_refused", "algorithm_not_allowed"), "elements inside InclusiveNamespaces", signed(
    transforms=transform(ENVELOPED) + transform(EXC, inclusive("xs").replace("/>", "><ds:X xmlns:ds=\"urn:x\"/></ec:InclusiveNamespaces>"))))

# --- metadata that trusts nobody ---
UNAVAILABLE = ("keys_unavailable",)
case("metadata-no-key", UNAVAILABLE + BAD, "the provider has no signing key", signed(), metadata=entity(descriptors=""),
     detail="the metadata has no signing key")
case("metadata-other-keys", UNAVAILABLE, "the provider's keys are of another kind, or cannot be read", signed(), metadata=entity(
    descriptors=key_descriptor("idp-ed25519") + key_descriptor(certificate="MIIB") + key_descriptor(certificate="")),
    detail="none of the metadata's 3 signing keys can be read")
case("metadata-encryption-only", UNAVAILABLE + BAD, "the provider's only key is for encryption", signed(),
     metadata=entity(descriptors=key_descriptor("idp", "encryption")))
case("metadata-expired", UNAVAILABLE, "the metadata is past validUntil", signed(), metadata=entity(extra=f' validUntil="{at(-3600)}"'))
case("metadata-expired-role", UNAVAILABLE, "the role's validUntil is past", signed(), metadata=entity(role=f' validUntil="{at(-3600)}"'))
case("metadata-other-entity", ("unknown_issuer", "keys_unavailable"), "the metadata is another provider's", signed(),
     metadata=entity("https://x.example"))
case("metadata-sp-only", UNAVAILABLE + ("unknown_issuer",), "the entity is no identity provider", signed(),
     metadata=entity().replace("IDPSSODescriptor", "SPSSODescriptor"))
case("metadata-old-protocol", UNAVAILABLE + ("unknown_issuer",), "the entity speaks SAML 1.1 only", signed(),
     metadata=entity().replace(f'protocolSupportEnumeration="{P}"', 'protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol"'))
case("metadata-doctype", UNAVAILABLE, "the metadata has a DOCTYPE", signed(), metadata="<!DOCTYPE x>" + entity())
case("metadata-broken", UNAVAILABLE, "the metadata is cut", signed(), metadata=entity()[:-30])
case("metadata-empty", UNAVAILABLE, "the metadata is empty", signed(), metadata=" ")
case("metadata-binary", UNAVAILABLE, "the metadata is bytes", signed(), metadata=bytes(range(256)))
case("metadata-several", UNAVAILABLE + ("unknown_issuer", "config_invalid"), "the metadata holds several providers and none is chosen", signed(),
     metadata='<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">' + entity(declare=False)
     + entity("https://x.example", key_descriptor("stranger"), declare=False) + "</md:EntitiesDescriptor>")
case("metadata-evil-sibling", BAD, "another entity's key of the same file does not count", signed(key="stranger"),
     metadata='<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">' + entity(declare=False)
     + entity("https://x.example", key_descriptor("stranger"), declare=False) + "</md:EntitiesDescriptor>",
     settings=[f"idp_entity_id = {IDP}"])
case("metadata-sp-role-key", BAD, "the key of the entity's service provider role does not count", signed(key="stranger"),
     metadata=entity().replace("</md:EntityDescriptor>", f'<md:SPSSODescriptor protocolSupportEnumeration="{P}">'
                               + key_descriptor("stranger") + '<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
                               'Location="https://x.example" index="0"/></md:SPSSODescriptor></md:EntityDescriptor>'))
case("metadata-bare-key-value", UNAVAILABLE + BAD + ("weak_key",), "a descriptor without a certificate", signed(),
     metadata=entity(descriptors=f'<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{DS}"><ds:KeyName>idp</ds:KeyName></ds:KeyInfo></md:KeyDescriptor>'))
case("metadata-key-value-of-another", BAD, "the key that is written out did not sign", signed(key="stranger"),
     metadata=entity(descriptors=bare_key()))
case("metadata-key-value-beside-certificate", BAD, "the certificate counts where a key is written out beside it", signed(key="stranger"),
     metadata=entity(descriptors=key_descriptor("idp", value=key_value("stranger"))))
case("metadata-key-value-weak", "weak_key", "a key of 1024 bits written out", signed(key="idp-weak"), metadata=entity(descriptors=bare_key("idp-weak")))
for name, replaced in (("no-base64", {"Modulus": "?"}), ("no-modulus", {"Modulus": ""}), ("no-exponent", {"Exponent": ""}),
                       ("exponent-1", {"Exponent": "AQ=="}), ("even-exponent", {"Exponent": "Ag=="}),
                       ("long-exponent", {"Exponent": keys.rsa_numbers("idp")["Modulus"]}),
                       ("huge", {"Modulus": 16 * keys.rsa_numbers("idp")["Modulus"].rstrip("=")})):
    case(f"metadata-key-value-{name}", UNAVAILABLE + BAD + ("weak_key",), f"a key written out: {name}", signed(),
         metadata=entity(descriptors=bare_key(**replaced)))
