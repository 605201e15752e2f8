"""XML signatures, right ones and any other, into the places that a text marks.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import hashlib
import hmac
import re

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from lxml import etree

import keys
from document import DS

MORE = "http://www.w3.org/2001/04/xmldsig-more#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
C14N11 = "http://www.w3.org/2006/12/xml-c14n11"
ENVELOPED = DS + "enveloped-signature"

DIGESTS = {DS + "sha1": "sha1", MORE + "md5": "md5", MORE + "sha224": "sha224", XENC + "sha256": "sha256",
           MORE + "sha384": "sha384", XENC + "sha512": "sha512", XENC + "ripemd160": "ripemd160"}
SIGNATURES = {DS + "rsa-sha1": hashes.SHA1, MORE + "rsa-md5": hashes.MD5, MORE + "rsa-sha224": hashes.SHA224,
              MORE + "rsa-sha256": hashes.SHA256, MORE + "rsa-sha384": hashes.SHA384, MORE + "rsa-sha512": hashes.SHA512,
              MORE + "ecdsa-sha1": hashes.SHA1, MORE + "ecdsa-sha256": hashes.SHA256,
              MORE + "ecdsa-sha384": hashes.SHA384, MORE + "ecdsa-sha512": hashes.SHA512}
SHA256, RSA_SHA256 = XENC + "sha256", MORE + "rsa-sha256"


def transform(algorithm, inside=""):
    return f'<ds:Transform Algorithm="{algorithm}">{inside}</ds:Transform>'


def inclusive(prefixes):
    return f'<ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="{prefixes}"/>'


def x509(name):
    return f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{keys.certificate(name)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"


def canonical(element, algorithm, prefixes=()):
    return etree.tostring(element, method="c14n", exclusive=algorithm.startswith(EXC),
                          with_comments=algorithm.endswith("WithComments"),
                          inclusive_ns_prefixes=list(prefixes) or None)


def digest(algorithm, data):
    return base64.b64encode(hashlib.new(DIGESTS[algorithm], data).digest()).decode()


ORDERS = {"secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
          "secp384r1": int("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
                           "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16)}


def sign_ecdsa(private, digested):
    """Both halves, with a nonce made of key and digest: another run writes the same. For tests only."""
    order, size = ORDERS[private.curve.name], (private.curve.key_size + 7) // 8
    secret = private.private_numbers().private_value
    nonce = int.from_bytes(hashlib.sha512(secret.to_bytes(size, "big") + digested).digest(), "big") % order
    first = ec.derive_private_key(nonce, private.curve).public_key().public_numbers().x % order
    number = int.from_bytes(digested, "big") >> max(0, len(digested) * 8 - order.bit_length())
    second = pow(nonce, -1, order) * (number + first * secret) % order
    return first.to_bytes(size, "big") + second.to_bytes(size, "big")


def sign_bytes(key, algorithm, data):
    """The SignatureValue's bytes by a named private key, or by HMAC with the bytes given as key."""
    if isinstance(key, bytes):
        return hmac.new(key, data, algorithm.rsplit("-", 1)[-1]).digest()
    private = keys.private(key)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(data)
    if "MGF1" in algorithm:
        return private.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 0), hashes.SHA256())
    chosen = SIGNATURES.get(algorithm, hashes.SHA256)()
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return sign_ecdsa(private, hashlib.new(chosen.name, data).digest())
    return private.sign(data, padding.PKCS1v15(), chosen)


def parse(text):
    parser = etree.XMLParser(resolve_entities=False, huge_tree=True, remove_blank_text=False)
    return etree.fromstring(text.encode() if isinstance(text, str) else text, parser)


def find(root, identifier, name="ID"):
    found = root.xpath(f'//*[@{name}="{identifier}"]')
    assert found, f"no element {identifier}"
    return found[0]


def sign(text, identifier, key="idp", signature=RSA_SHA256, digesting=SHA256, c14n=EXC, transforms=None,
         with_c14n=EXC, prefixes=(), uri=None, value=None, data=None, keyinfo="", objects="", more="", method="",
         c14n_inside="", prefix="ds", change=None, id_name="ID", attrs="", mark=None, between="", encode=None):
    """Puts the signature of an element where its mark is.

    c14n is SignedInfo's, with_c14n the reference's (and so the digest's); transforms
    replaces the text of all of them; data replaces the bytes that are digested; change
    is applied to the signature's text before it is signed; encode to the base64 of the value.
    """
    marker = mark or f"{{{{SIG:{identifier}}}}}"
    assert marker in text, marker
    plain = re.sub(r"\{\{SIG:[^}]*\}\}", "", text)
    if data is None:
        data = canonical(find(parse(plain), identifier, id_name), with_c14n, prefixes)
    if transforms is None:
        transforms = transform(ENVELOPED) + transform(with_c14n, inclusive(" ".join(prefixes)) if prefixes else "")
    reference = f' URI="#{identifier}"' if uri is None else f' URI="{uri}"' if uri is not False else ""
    wrapped = f"<ds:Transforms>{transforms}</ds:Transforms>" if transforms else ""
    block = (f'<ds:Signature xmlns:ds="{DS}"{attrs}><ds:SignedInfo>'
             f'<ds:CanonicalizationMethod Algorithm="{c14n}">{c14n_inside}</ds:CanonicalizationMethod>'
             f'<ds:SignatureMethod Algorithm="{signature}">{method}</ds:SignatureMethod>'
             f'<ds:Reference{reference}>{wrapped}<ds:DigestMethod Algorithm="{digesting}"/>{between}'
             f"<ds:DigestValue>{value if value is not None else digest(digesting, data)}</ds:DigestValue></ds:Reference>"
             f"{more}</ds:SignedInfo><ds:SignatureValue>{{{{VALUE}}}}</ds:SignatureValue>{keyinfo}{objects}</ds:Signature>")
    if change:
        block = change(block)
    if prefix != "ds":
        block = re.sub(r"(</?)ds:", rf"\1{prefix}:" if prefix else r"\1", block)
        block = block.replace("xmlns:ds=", f"xmlns:{prefix}=" if prefix else "xmlns=")
    text = text.replace(marker, block, 1)
    root = parse(re.sub(r"\{\{SIG:[^}]*\}\}", "", text))
    place = root.xpath('//d:SignatureValue[contains(., "{{VALUE}}")]', namespaces={"d": DS})[0]
    info = place.getparent().find(f"{{{DS}}}SignedInfo")
    made = base64.b64encode(sign_bytes(key, signature, canonical(info, c14n))).decode()
    return text.replace("{{VALUE}}", encode(made) if encode else made)


def signed(text=None, identifier="_a1", **how):
    """A whole response with a good signature of its assertion."""
    from document import response
    return sign(response() if text is None else text, identifier, **how)


def signed_response(text, identifier="_r1", **how):
    return sign(text, identifier, **how)
