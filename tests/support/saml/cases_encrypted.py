"""Encrypted assertions: everybody has our public key, so being encrypted proves nothing.

SPDX-License-Identifier: PostgreSQL
"""
from corpus import SCHEMA, STRUCTURE, UNSIGNED, accept, case
from document import A, DS, IDP, NOW, P, assertion, name_id, response, subject
from encryption import (OAEP11, RSA15, XENC, XENC11, encrypt, encrypted_key, oaep)
from signature import sign, signed
from cases_wrapping import GOOD, cut, evil

ALICE = {"issuer": IDP, "subject": "alice", "username": "alice", "groups": ["engineers", "staff"], "expires": NOW + 300}
CBC128, CBC256 = XENC + "aes128-cbc", XENC + "aes256-cbc"
ALGORITHM = ("algorithm_not_allowed",)
BARE = assertion(signed=False)
# One answer, whatever goes wrong before the text is known to be the provider's.
OPAQUE = ("signature_invalid", "malformed", "key_mismatch", "bad_encoding", "xml_refused")
FORGED = evil("_evil")
STRANGER = cut(sign(response(assertion(who=subject(name_id("admin")))), "_a1", key="stranger"), "saml:Assertion")

for name, algorithm, size in (("aes128-cbc", CBC128, 16), ("aes192-cbc", XENC + "aes192-cbc", 24), ("aes256-cbc", CBC256, 32),
                              ("aes128-gcm", XENC11 + "aes128-gcm", 16), ("aes192-gcm", XENC11 + "aes192-gcm", 24),
                              ("aes256-gcm", XENC11 + "aes256-gcm", 32)):
    accept(f"accepted-encrypted-{name}", f"a signed assertion, encrypted by {name}", response(encrypt(GOOD, algorithm, size)), identity=ALICE)
accept("accepted-encrypted-cbc-random-padding", "CBC's padding bytes may be anything (xmlenc 5.2)",
       response(encrypt(GOOD + " " * (-len(GOOD) % 16), CBC128, 16, padding=b"\x55" * 15 + b"\x10")), identity=ALICE)
# Many libraries do not know this one: refused by name is right too.
case("encrypted-oaep-sha256", ("ok", "algorithm_not_allowed"), "RSA-OAEP of XML encryption 1.1 with SHA-256 throughout", response(encrypt(
    GOOD, how=OAEP11, oaep_digest="sha256", mgf="sha256",
    method=f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{XENC}sha256"/><xenc11:MGF xmlns:xenc11="{XENC11}" Algorithm="{XENC11}mgf1sha256"/>')),
    identity=ALICE)
accept("accepted-encrypted-key-beside", "the key stands beside the data, as Shibboleth writes it", response(encrypt(GOOD, beside=True)), identity=ALICE)
accept("accepted-encrypted-response-signed", "the response's signature covers the encrypted assertion",
       sign(response(encrypt(BARE), signed=True), "_r1"), identity=ALICE)
accept("accepted-encrypted-both-signed", "signed, encrypted, and the response signed", sign(response(encrypt(GOOD), signed=True), "_r1"), identity=ALICE)
accept("accepted-encrypted-no-type", "the encrypted data does not say its type", response(encrypt(GOOD, data_type="")), identity=ALICE)

# --- a piece of the response, whose prefixes are declared around it (xmlenc 4.5.4) ---
PIECE_START = "<saml:Assertion"
PIECE = cut(signed(response(assertion(start=PIECE_START))), "saml:Assertion")
BARE_PIECE = assertion(start=PIECE_START, signed=False)
FORGED_PIECE = FORGED.replace(f' xmlns:saml="{A}"', "")
assert f'"{A}"' not in PIECE + FORGED_PIECE
accept("accepted-encrypted-piece", "the encrypted assertion uses the response's prefix", response(encrypt(PIECE)), identity=ALICE)
accept("accepted-encrypted-piece-nearest", "of two declarations the nearer one counts", response(
    encrypt(PIECE, wrapper=(f'<e:EncryptedAssertion xmlns:e="{A}" xmlns:saml="{A}">', "</e:EncryptedAssertion>")),
    start=f'<samlp:Response xmlns:samlp="{P}" xmlns:saml="urn:none"', head=f'<e:Issuer xmlns:e="{A}">{IDP}</e:Issuer>'), identity=ALICE)
accept("accepted-encrypted-piece-response-signed", "the response's signature covers the encrypted piece",
       sign(response(encrypt(BARE_PIECE), signed=True), "_r1"), identity=ALICE)
case("encrypted-piece-unsigned", UNSIGNED, "an unsigned piece that uses the response's prefix", response(encrypt(FORGED_PIECE)))
case("encrypted-piece-rebound", OPAQUE, "the prefix means something else around the piece", response(
    encrypt(PIECE, wrapper=(f'<e:EncryptedAssertion xmlns:e="{A}" xmlns:saml="urn:none">', "</e:EncryptedAssertion>"))))
case("encrypted-piece-undeclared", OPAQUE, "nobody declares the prefix", response(encrypt(PIECE.replace("saml:", "none:"))))
case("encrypted-piece-two", SCHEMA + OPAQUE, "a forged piece behind a signed one", response(encrypt(PIECE + FORGED_PIECE)))
case("encrypted-piece-element-beside", SCHEMA + OPAQUE, "an element beside the signed piece", response(encrypt(PIECE + "<Assertion/>")))
case("encrypted-piece-text-beside", SCHEMA + OPAQUE, "text beside the signed piece", response(encrypt("admin" + PIECE)))
case("encrypted-piece-unbalanced", OPAQUE, "the piece closes what it did not open", response(encrypt(f"{PIECE}</scope><scope>{FORGED_PIECE}")))
case("encrypted-piece-doctype", OPAQUE, "a document type before the piece", response(encrypt("<!DOCTYPE x>" + PIECE)))

case("encrypted-unsigned", UNSIGNED, "anybody can encrypt to us: an unsigned assertion", response(encrypt(FORGED)))
case("encrypted-unsigned-cbc", UNSIGNED + OPAQUE, "anybody can encrypt to us: an unsigned assertion, by CBC", response(encrypt(FORGED, CBC128, 16)))
case("encrypted-stranger", ("signature_invalid",), "a stranger signs and encrypts", response(encrypt(STRANGER)))
case("encrypted-stranger-response-signed", STRUCTURE, "the response is signed by a stranger",
     sign(response(encrypt(FORGED), signed=True), "_r1", key="stranger"))
case("encrypted-replaced-in-signed-response", STRUCTURE, "the encrypted assertion of a signed response is replaced",
     sign(response(encrypt(BARE), signed=True), "_r1").replace(encrypt(BARE), encrypt(FORGED)))
case("encrypted-unsigned-beside-signed", "assertion_count", "an encrypted forgery beside a signed assertion", response(encrypt(FORGED), GOOD))
case("encrypted-signed-beside-unsigned", "assertion_count", "an encrypted signed assertion beside a forgery", response(encrypt(GOOD), FORGED))
case("encrypted-two", "assertion_count", "two encrypted assertions", response(encrypt(GOOD), encrypt(GOOD, CBC128, 16)))
case("encrypted-two-inside", SCHEMA + OPAQUE, "two assertions inside one encryption", response(encrypt(GOOD + FORGED)))
case("encrypted-two-inside-forged-first", SCHEMA + OPAQUE, "a forgery and a signed assertion inside one encryption", response(encrypt(FORGED + GOOD)))
case("encrypted-wrapped-inside", STRUCTURE + OPAQUE, "XSW inside the encryption: the signed assertion in a forged one's advice",
     response(encrypt(evil("_evil", tail=GOOD))))
case("encrypted-carries-outer-signature", STRUCTURE, "the encrypted forgery carries the signature, the signed element lies outside",
     response(encrypt(evil("_evil", before=cut(GOOD, "ds:Signature"))), before=f'<samlp:Extensions>{GOOD.replace(cut(GOOD, "ds:Signature"), "")}</samlp:Extensions>'))
case("encrypted-duplicate-id", ("ok",) + STRUCTURE + OPAQUE, "the encrypted assertion has the response's ID, in a document of its own", response(encrypt(
    cut(signed(response(assertion("_r1"), identifier="_x"), "_r1"), "saml:Assertion")), identifier="_r1"))
case("encrypted-nothing", SCHEMA + OPAQUE, "an EncryptedAssertion without content", response("<saml:EncryptedAssertion/>"))
case("encrypted-name-only", SCHEMA + OPAQUE, "what is encrypted is no assertion", response(encrypt(f'<saml:NameID xmlns:saml="{A}">admin</saml:NameID>')))
case("encrypted-response-inside", SCHEMA + OPAQUE, "what is encrypted is a response", response(encrypt(signed())))
case("encrypted-again-inside", SCHEMA + OPAQUE, "what is encrypted is encrypted again", response(encrypt(encrypt(GOOD).replace(
    "<saml:EncryptedAssertion>", f'<saml:EncryptedAssertion xmlns:saml="{A}">'))))
case("encrypted-text", SCHEMA + OPAQUE, "what is encrypted is text", response(encrypt("admin")))
case("encrypted-doctype", ("xml_refused",) + OPAQUE, "what is encrypted has a document type", response(encrypt(
    '<!DOCTYPE x [<!ENTITY n SYSTEM "file:///etc/hostname">]>' + GOOD)))
case("encrypted-entity", OPAQUE, "what is encrypted has an entity", response(encrypt(GOOD.replace(">alice<", ">&n;<"))))
case("encrypted-instruction", OPAQUE, "an instruction in the encrypted text", response(encrypt("<?x y?>" + GOOD)))
case("encrypted-comment-in-name", OPAQUE, "a comment in the encrypted name", response(encrypt(GOOD.replace(">alice<", ">ali<!---->ce<"))))
case("encrypted-utf-16", OPAQUE, "the encrypted text is UTF-16", response(encrypt(GOOD.encode("utf-16"))))
case("encrypted-nul", OPAQUE, "a NUL byte in the encrypted text", response(encrypt(GOOD + "\0")))
case("encrypted-unbalanced", OPAQUE, "the encrypted text closes what it did not open", response(encrypt(GOOD + "</saml:EncryptedAssertion>" + FORGED + "<saml:EncryptedAssertion>")))

# --- uniform: bad padding, bad tag, bad key and bad text cannot be told apart ---
for name, text in {
        "cbc-padding-zero": encrypt(GOOD, CBC128, 16, padding=b"\0" * (16 - len(GOOD) % 16)),
        "cbc-padding-long": encrypt(GOOD, CBC128, 16, padding=b"\x20" * (16 - len(GOOD) % 16)),
        "cbc-last-block": encrypt(GOOD, CBC128, 16, change=lambda d: d[:-17] + bytes([d[-17] ^ 1]) + d[-16:]),
        "cbc-middle-block": encrypt(GOOD, CBC128, 16, change=lambda d: d[:200] + bytes([d[200] ^ 1]) + d[201:]),
        "cbc-first-block": encrypt(GOOD, CBC128, 16, change=lambda d: bytes([d[0] ^ 1]) + d[1:]),
        "cbc-cut": encrypt(GOOD, CBC128, 16, change=lambda d: d[:-16]),
        "cbc-garbage": encrypt(b"\xff" * 64, CBC128, 16),
        "cbc-empty": encrypt(b"", CBC128, 16),
        "cbc-text": encrypt("admin", CBC128, 16),
        "cbc-other-key": encrypt(GOOD, CBC128, 16, to="sp-other"),
        "cbc-key-damaged": encrypt(GOOD, CBC128, 16, padded=b"\0" + b"\x11" * 255),
        "cbc-key-short": encrypt(GOOD, CBC128, 16, padded=oaep(b"\x11" * 8, 256)),
        "cbc-key-wrong": encrypt(GOOD, CBC128, 16, padded=oaep(b"\x11" * 16, 256))}.items():
    case("encrypted-" + name, OPAQUE, f"the answer does not tell what was wrong inside ({name})", response(text), uniform="cbc")
case("encrypted-gcm-tag", OPAQUE, "a changed GCM tag", response(encrypt(GOOD, change=lambda d: d[:-1] + bytes([d[-1] ^ 1]))))
case("encrypted-gcm-cut", OPAQUE, "a cut GCM text", response(encrypt(GOOD, change=lambda d: d[:20])))
case("encrypted-gcm-empty", OPAQUE, "no GCM text at all", response(encrypt(GOOD, change=lambda d: b"")))
case("encrypted-cbc-odd", OPAQUE, "CBC of no whole blocks", response(encrypt(GOOD, CBC128, 16, change=lambda d: d[:-5])))
case("encrypted-cbc-vector-only", OPAQUE, "CBC's vector and nothing more", response(encrypt(GOOD, CBC128, 16, change=lambda d: d[:16])))

# --- algorithms and keys ---
case("encrypted-rsa-1.5", ALGORITHM, "PKCS#1 v1.5 key transport", response(encrypt(GOOD, how=RSA15)), detail="#rsa-1_5")
case("encrypted-rsa-1.5-damaged", ALGORITHM, "damaged PKCS#1 v1.5 key transport: the same answer", response(encrypt(GOOD, how=RSA15, padded=b"\0" + b"\x33" * 255)))
for algorithm in (XENC + "tripledes-cbc", XENC + "kw-aes128", "http://www.w3.org/2001/04/xmldsig-more#camellia128-cbc", "urn:none", ""):
    case(f"encrypted-by-{algorithm.rsplit('#')[-1].replace(':', '-') or 'nothing'}", ALGORITHM + ("malformed",), f"encrypted by {algorithm or 'nothing'}",
         response(encrypt(GOOD).replace(f'"{XENC11}aes256-gcm"', f'"{algorithm}"')), detail=f'"{algorithm[:40]}')
case("encrypted-method-missing", ALGORITHM + ("malformed", "xml_refused"), "no EncryptionMethod", response(encrypt(GOOD).replace(
    f'<xenc:EncryptionMethod Algorithm="{XENC11}aes256-gcm"/>', "")))
case("encrypted-key-wrap", ALGORITHM + OPAQUE, "the key is wrapped by a symmetric key", response(encrypt(GOOD, how=XENC + "kw-aes256", padded=b"\0" + b"\1" * 255)))
case("encrypted-oaep-md5", ALGORITHM + OPAQUE, "RSA-OAEP with MD5", response(encrypt(
    GOOD, oaep_digest="md5", method=f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="http://www.w3.org/2001/04/xmldsig-more#md5"/>')))
case("encrypted-key-missing", OPAQUE + ("keys_unavailable",), "no encrypted key", response(encrypt(GOOD, key_info="")))
case("encrypted-key-name", OPAQUE + ("keys_unavailable",), "the key is only named", response(encrypt(GOOD, key_info=f'<ds:KeyInfo xmlns:ds="{DS}"><ds:KeyName>sp</ds:KeyName></ds:KeyInfo>')))
case("encrypted-key-many", OPAQUE + ("too_large", "reference_invalid"), "twenty keys, none for us", response(encrypt(
    GOOD, key="".join(encrypted_key(b"\1" * 32, to="sp-other") for _ in range(20)))))
case("encrypted-retrieval-remote", OPAQUE + ALGORITHM + ("keys_unavailable",), "the key is to be fetched", response(encrypt(
    GOOD, key_info=f'<ds:KeyInfo xmlns:ds="{DS}"><ds:RetrievalMethod URI="http://127.0.0.1:9/k" Type="{XENC}EncryptedKey"/></ds:KeyInfo>')))
case("encrypted-cipher-reference", OPAQUE + ALGORITHM, "the encrypted bytes are to be fetched", response(encrypt(
    GOOD, cipher='<xenc:CipherData><xenc:CipherReference URI="http://127.0.0.1:9/c"/></xenc:CipherData>')))
case("encrypted-cipher-reference-file", OPAQUE + ALGORITHM, "the encrypted bytes are a file", response(encrypt(
    GOOD, cipher='<xenc:CipherData><xenc:CipherReference URI="file:///etc/passwd"/></xenc:CipherData>')))
case("encrypted-cipher-reference-inside", OPAQUE + ALGORITHM, "the encrypted bytes are elsewhere in the document, through XPath", response(encrypt(
    GOOD, cipher='<xenc:CipherData><xenc:CipherReference URI="#_x"><xenc:Transforms>'
    f'<ds:Transform xmlns:ds="{DS}" Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>self::text()</ds:XPath></ds:Transform>'
    "</xenc:Transforms></xenc:CipherReference></xenc:CipherData>")))
case("encrypted-two-values", OPAQUE, "two CipherValues", response(encrypt(GOOD).replace("<xenc:CipherData>", "<xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue>", 1)))
case("encrypted-two-data", SCHEMA + OPAQUE, "two EncryptedData in one EncryptedAssertion", response(encrypt(GOOD).replace(
    "</saml:EncryptedAssertion>", encrypt(FORGED, wrapper=("", "")) + "</saml:EncryptedAssertion>")))
case("encrypted-in-name", SCHEMA + OPAQUE + ("missing_username",), "EncryptedData in place of the name is not opened", signed(response(assertion(who=subject(
    encrypt(name_id("admin"), wrapper=("<saml:EncryptedID>", "</saml:EncryptedID>")))))))
case("encrypted-in-signed-value", ("claim_mismatch",) + OPAQUE, "EncryptedData inside a signed value is not opened", signed(response(assertion(facts=(
    '<saml:AttributeStatement><saml:Attribute Name="groups"><saml:AttributeValue>'
    + encrypt("dba", wrapper=("", "")) + "</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>")))))
