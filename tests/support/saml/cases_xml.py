"""XML itself as the weapon: document types, entities, comments, encodings, size, identifiers, namespaces.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import gzip
import re
import zlib

from corpus import SCHEMA, STRUCTURE, UNSIGNED, case
from document import (A, SP, assertion, attribute, audience, conditions, context, groups, issuer, name_id, response,
                      statement, subject, authn)
from signature import sign, signed
from cases_wrapping import GOOD, evil

REFUSED = ("xml_refused",)
XML = ("xml_refused", "malformed")
ENCODING = ("bad_encoding", "xml_refused", "malformed")
SIZE = ("xml_refused", "too_large")
TEXT = signed()


def doctype(subset="", external=""):
    return f"<!DOCTYPE samlp:Response {external}{'[' + subset + ']' if subset else ''}>"


# --- document types and entities: all refused, whatever they would do ---
for name, subset, external in (
        ("empty", "", ""), ("internal", "<!ELEMENT x ANY>", ""), ("system", "", 'SYSTEM "http://127.0.0.1:9/x.dtd"'),
        ("public", "", 'PUBLIC "-//X//X" "http://127.0.0.1:9/x.dtd"'), ("file", "", 'SYSTEM "file:///etc/passwd"'),
        ("id-attribute", "<!ATTLIST saml:Subject Key ID #IMPLIED>", ""),
        ("default-attribute", '<!ATTLIST saml:NameID Format CDATA "urn:x">', ""),
        ("notation", '<!NOTATION n SYSTEM "x">', ""),
        ("parameter-remote", '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;', ""),
        ("parameter-file", '<!ENTITY % f SYSTEM "file:///etc/passwd"><!ENTITY % e "<!ENTITY &#x25; s SYSTEM \'http://127.0.0.1:9/?%f;\'>">%e;%s;', "")):
    case("doctype-" + name, REFUSED, f"a document type ({name})", doctype(subset, external) + TEXT)
case("doctype-comment-before", REFUSED, "a document type behind a comment", "<!-- x -->\n" + doctype() + TEXT)
case("doctype-long-blank", REFUSED, "a document type behind 40,000 blanks", "<!DOCTYPE" + " " * 40_000 + "x>" + TEXT)
case("doctype-lower-case", XML, "<!doctype> in lower case is no XML", "<!doctype x>" + TEXT)
case("entity-internal", REFUSED, "an internal entity is the name", doctype('<!ENTITY n "alice">') + TEXT.replace(">alice<", ">&n;<"))
case("entity-file", REFUSED, "XXE: an entity is a file", doctype('<!ENTITY n SYSTEM "file:///etc/hostname">') + TEXT.replace(">alice<", ">&n;<"))
case("entity-remote", REFUSED, "XXE: an entity is a URL", doctype('<!ENTITY n SYSTEM "http://127.0.0.1:9/x">') + TEXT.replace(">alice<", ">&n;<"))
case("entity-in-attribute", REFUSED, "an entity in an attribute", doctype('<!ENTITY d "https://db.example/saml/acs">') + TEXT.replace(
    'Destination="https://db.example/saml/acs"', 'Destination="&d;"'))
LAUGHS = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
case("entity-laughs", REFUSED, "a billion laughs", doctype(LAUGHS) + TEXT.replace(">alice<", ">&l9;<"))
case("entity-laughs-attribute", REFUSED, "a billion laughs in an attribute", doctype(LAUGHS) + TEXT.replace('Version="2.0"', 'Version="&l9;"', 1))
case("entity-quadratic", REFUSED, "one long entity used very often",
     doctype(f'<!ENTITY q "{"q" * 2000}">') + TEXT.replace(">alice<", ">" + "&q;" * 2000 + "<"))
case("entity-recursive", REFUSED, "an entity that is itself", doctype('<!ENTITY a "&b;"><!ENTITY b "&a;">') + TEXT.replace(">alice<", ">&a;<"))
case("entity-overrides", REFUSED, "amp is declared anew", doctype('<!ENTITY amp "x">') + TEXT)
case("entity-undeclared", XML, "an entity nobody declared", TEXT.replace(">alice<", ">ali&foo;ce<"))
case("xinclude", STRUCTURE + XML + ("claim_mismatch", "missing_username"), "XInclude of a file in the name", signed(response(assertion(who=subject(name_id(
    '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" href="file:///etc/hostname"/>'))))),)
case("xinclude-assertion", SCHEMA, "XInclude in place of the assertion", response(
    '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///tmp/assertion.xml"/>'))
case("stylesheet", XML, "a stylesheet instruction", '<?xml-stylesheet type="text/xsl" href="http://127.0.0.1:9/x.xsl"?>' + TEXT)
case("xml-base", STRUCTURE, "xml:base is added to the signed element", TEXT.replace("<saml:Assertion ", '<saml:Assertion xml:base="http://x/" '))

# --- comments and instructions split values. Canonicalisation drops comments: the signature stays good. ---
SPLIT = {"name": ("alice@example.test.evil.example", "alice@example.test", lambda v: response(assertion(who=subject(name_id(v))))),
         "group": ("dba-readonly", "dba", lambda v: response(assertion(facts=groups(v)))),
         "audience": (SP + "-test", SP, lambda v: response(assertion(terms=conditions(audience(v))))),
         "issuer": ("https://idp.example/metadata.evil.example", "https://idp.example/metadata",
                    lambda v: response(assertion(head=issuer(v)))),
         "context": ("urn:mfa-not", "urn:mfa", lambda v: response(assertion(authenticated=authn(inside=context(v)))))}
WHOLE_VALUE = {"name": ("bad_username", "claim_mismatch", "missing_username"), "group": ("claim_mismatch",),
               "audience": ("audience_mismatch",), "issuer": ("unknown_issuer", "claim_mismatch"), "context": ()}
for place, (whole, part, make) in SPLIT.items():
    good = signed(make(whole))
    for kind, piece in (("comment", "<!---->"), ("comment-long", "<!-- x -->")):
        case(f"{kind}-splits-{place}", REFUSED + WHOLE_VALUE[place], f"a comment cuts the {place} in two: never the first part alone",
             good.replace(whole, whole.replace(part, part + piece, 1)))
    case(f"instruction-splits-{place}", REFUSED + WHOLE_VALUE[place], f"a signed processing instruction cuts the {place}",
         signed(make(whole.replace(part, part + "<?x y?>", 1))))
    if place in ("audience", "issuer"):
        case(f"cdata-splits-{place}", WHOLE_VALUE[place], f"CDATA cuts the {place}: all of the text counts",
             good.replace(whole, whole.replace(part, f"<![CDATA[{part}]]>", 1)))
case("comment-first-in-name", REFUSED, "a comment begins the name", TEXT.replace(">alice<", "><!-- admin -->alice<"))
case("comment-only-name", REFUSED + ("missing_username", "malformed", "missing_claim"), "the name is a comment only", signed(response(assertion(who=subject(name_id("<!-- alice -->"))))))
case("instruction-in-name", REFUSED, "a processing instruction inside the name", signed(response(assertion(who=subject(name_id("al<?x?>ice"))))))
case("cdata-element", STRUCTURE + XML, "CDATA holds a forged assertion, the signed one follows changed",
     TEXT.replace("<saml:Subject>", "<![CDATA[<saml:Subject>]]><saml:Subject>"))
case("element-in-name", REFUSED + ("malformed", "claim_mismatch", "missing_username"), "an element inside the name",
     signed(response(assertion(who=subject(name_id("al<b/>ice"))))))
case("element-in-name-namespace", REFUSED + ("malformed", "claim_mismatch", "missing_username"), "an element with text inside the name",
     signed(response(assertion(who=subject(name_id('alice<x:y xmlns:x="urn:x">.evil</x:y>'))))))
case("element-in-audience", REFUSED + ("malformed", "audience_mismatch", "conditions_invalid"), "an element inside the audience",
     signed(response(assertion(terms=conditions(audience(SP + "<x/>"))))))
case("element-in-issuer", REFUSED + ("malformed", "unknown_issuer"), "an element inside the issuer",
     signed(response(assertion(head=issuer("https://idp.example/<x/>metadata")))))

# --- identifiers ---
DUPLICATE = ("reference_invalid", "assertion_count", "xml_refused", "malformed")
case("id-same-as-response", DUPLICATE, "response and assertion have one ID", sign(response(identifier="_a1"), "_a1"), )
case("id-duplicate-extension", DUPLICATE, "an element in Extensions has the assertion's ID", 
     TEXT.replace("<samlp:Status>", '<samlp:Extensions><x:y xmlns:x="urn:x" ID="_a1"/></samlp:Extensions><samlp:Status>'))
for attribute_name in ("Id", "id", "xml:id"):
    case(f"id-duplicate-{attribute_name.replace(':', '-').replace('Id', 'capital')}", DUPLICATE,
         f"an {attribute_name} attribute has the assertion's ID too",
         TEXT.replace("<samlp:Status>", f'<samlp:Extensions><x:y xmlns:x="urn:x" {attribute_name}="_a1"/></samlp:Extensions><samlp:Status>'))
case("id-attribute-lower", SCHEMA, "the assertion is known by id, not ID", sign(
    response(assertion().replace(' ID="_a1"', ' id="_a1"', 1)), "_a1", id_name="id"))
case("id-attribute-xml", SCHEMA, "the assertion is known by xml:id",
     sign(response(assertion().replace(' ID="_a1"', ' xml:id="_a1"', 1)), "_a1", id_name="xml:id"))
case("id-attribute-prefixed", SCHEMA, "the assertion's ID attribute is in a namespace", 
     TEXT.replace(' ID="_a1"', ' saml:ID="_a1"', 1))
case("id-missing", SCHEMA, "the assertion has no ID", TEXT.replace(' ID="_a1"', "", 1))
case("id-empty", SCHEMA + ("missing_claim",), "the assertion's ID is empty", response(GOOD.replace('ID="_a1"', 'ID=""').replace("#_a1", "#")))
case("id-case", SCHEMA, "the reference differs in case", TEXT.replace("#_a1", "#_A1"))
case("id-response-missing", SCHEMA + ("missing_claim",), "the response has no ID", signed(response(identifier=None)))

# --- namespaces ---
case("namespace-assertion-none", SCHEMA, "the assertion has no namespace", sign(response(
    assertion().replace("saml:", "").replace(f'xmlns:saml="{A}"', "").replace("<Assertion xmlns=", "<Assertion x=").replace(f'xmlns="{A}"', "")), "_a1"))
case("namespace-attribute", STRUCTURE + ("malformed", "xml_refused", "confirmation_invalid"), "NotOnOrAfter in a namespace is another attribute",
     signed(response(assertion().replace("NotOnOrAfter=", "saml:NotOnOrAfter=", 1))))
case("namespace-trailing-blank", SCHEMA, "a blank behind the namespace", TEXT.replace(f'<saml:Assertion xmlns:saml="{A}"', f'<saml:Assertion xmlns:saml="{A} "'))
case("namespace-case", SCHEMA, "the namespace in capitals", signed(response(assertion(start=f'<saml:Assertion xmlns:saml="{A.upper()}"'))))
case("namespace-rebound", REFUSED + ("malformed", "missing_username", "missing_claim") + STRUCTURE, "the prefix is bound to another namespace for the name",
     signed(response(assertion(who=subject(name_id("alice", ' xmlns:saml="urn:x"'))))))
case("namespace-prefix-undeclared", XML, "an undeclared prefix", TEXT.replace("<samlp:Status>", "<q:x/><samlp:Status>"))
case("namespace-xml-prefix-rebound", XML, "the prefix xml is bound to something else", TEXT.replace("<samlp:Response ", '<samlp:Response xmlns:xml="urn:x" ', 1))
case("attribute-duplicate", XML, "an attribute twice", TEXT.replace('Version="2.0"', 'Version="2.0" Version="2.0"', 1))
case("attribute-duplicate-namespace", XML, "an attribute twice by two prefixes", TEXT.replace(
    "<samlp:Status>", '<samlp:Status xmlns:a="urn:x" xmlns:b="urn:x" a:q="1" b:q="2">'))

# --- size and shape ---
case("deep", SIZE, "elements 5,000 deep", response(before="<samlp:Extensions>" + "<x>" * 5000 + "</x>" * 5000 + "</samlp:Extensions>"))
case("deep-in-value", SIZE + ("claim_mismatch",), "elements 300 deep in a signed value",
     signed(response(assertion(facts=statement(attribute("groups", "<x>" * 300 + "</x>" * 300))))))
case("wide", SIZE, "8,000 elements", response(before="<samlp:Extensions>" + "<x/>" * 8_000 + "</samlp:Extensions>"))
case("attributes-many", SIZE + UNSIGNED, "3,000 attributes on one element", response(
    before="<samlp:Extensions><x " + " ".join(f'a{n}=""' for n in range(3000)) + "/></samlp:Extensions>"))
case("namespaces-many", SIZE + UNSIGNED, "3,000 namespaces on one element", response(
    before="<samlp:Extensions><x " + " ".join(f'xmlns:a{n}="u{n}:"' for n in range(3000)) + "/></samlp:Extensions>"))
case("attributes-crowded", "xml_refused", "257 attributes on one element of a signed value", signed(response(assertion(facts=statement(attribute(
    "groups", "engineers") + "<saml:Attribute " + " ".join(f'a{n}=""' for n in range(257)) + "/>")))), detail="too many attributes")
case("namespaces-in-scope", "xml_refused", "ten elements inside each other declare 26 namespaces each", response(before="<samlp:Extensions>" + "".join(
    "<x" + "".join(f' xmlns:a{depth}{n}="u:"' for n in range(26)) + ">" for depth in range(10)) + "</x>" * 10 + "</samlp:Extensions>"),
    detail="too many namespaces")
case("comments-many", "ok", "5,000 comments beside each other, outside of values", signed(response(
    before="<samlp:Extensions><x xmlns=\"urn:x\"/>" + "<!---->" * 5000 + "</samlp:Extensions>")))
case("name-long", SIZE + XML + UNSIGNED, "an element name of 45,000 bytes", response(before="<samlp:Extensions><" + "n" * 45_000 + "/></samlp:Extensions>"))
case("references-many", SIZE + SCHEMA, "60 references", signed(more=re.search(r"<ds:Reference.*</ds:Reference>", TEXT).group(0) * 60))
case("transforms-many", SIZE + SCHEMA + ("algorithm_not_allowed",), "200 transforms", signed(
    transforms=re.search(r'<ds:Transform [^>]*exc-c14n#"></ds:Transform>', TEXT).group(0) * 200))
case("base64-large", ("too_large",), "a credential over 64 KB",
     base64.b64encode(TEXT.encode() + b" " * 50_000), raw=True)

# --- encodings and characters ---
HEAD = '<?xml version="1.0" encoding="{}"?>'
for encoding in ("UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "cp037", "utf-7"):
    declared = {"cp037": "IBM037", "utf-7": "UTF-7"}.get(encoding, encoding)
    case(f"encoding-{encoding.lower()}", ENCODING, f"the document is in {declared}", (HEAD.format(declared) + TEXT).encode(encoding))
case("encoding-utf-16-undeclared", ENCODING, "UTF-16 by its byte order mark alone", TEXT.encode("utf-16"))
case("encoding-utf-7-hidden", ENCODING, "UTF-7 hides a document type", (HEAD.format("UTF-7") + "+ADwAIQ-DOCTYPE x+AD4-" + TEXT).encode())
case("encoding-latin-1", ENCODING, "the declaration says ISO-8859-1", (HEAD.format("ISO-8859-1") + TEXT).encode())
case("encoding-unknown", ENCODING, "an encoding nobody knows", (HEAD.format("X-NONE") + TEXT).encode())
case("encoding-contradiction", ENCODING, "UTF-8 bytes that are declared UTF-16", (HEAD.format("UTF-16") + TEXT).encode())
case("utf8-invalid", ENCODING, "a byte that is no UTF-8 in the name", TEXT.encode().replace(b">alice<", b">ali\xffce<"))
case("utf8-overlong", ENCODING, "an overlong form of '<'", TEXT.encode().replace(b">alice<", b">ali\xc0\xbcce<"))
case("utf8-surrogate", ENCODING, "a surrogate in UTF-8", TEXT.encode().replace(b">alice<", b">ali\xed\xa0\x80ce<"))
case("utf8-cut", ENCODING, "a sequence cut by the end", TEXT.encode() + b"\xe2\x98")
case("nul-in-name", ENCODING, "a NUL byte in the name", TEXT.encode().replace(b">alice<", b">alice\0.evil<"))
case("nul-behind", ENCODING, "a NUL byte behind the root", TEXT.encode() + b"\0")
case("nul-then-document", ENCODING, "a NUL byte and a second document", TEXT.encode() + b"\0" + response(evil()).encode())
case("control-character", XML + ("bad_encoding",), "a control character", TEXT.replace(">alice<", ">ali\x01ce<"))
for reference in ("&#0;", "&#x0;", "&#1;", "&#xFFFE;", "&#xD800;", "&#x110000;", "&#xFFFFFFFFF;", "&#;", "&;", "&#x;"):
    case("reference-" + re.sub(r"\W", "", reference).lower() + f"-{len(reference)}", XML + ("bad_encoding",),
         f"the character reference {reference.replace('&', '&amp;')} is none", TEXT.replace(">alice<", f">ali{reference}ce<"))
case("xml-1.1", XML + ("bad_encoding",), "XML 1.1", '<?xml version="1.1"?>' + TEXT)
case("xml-1.1-control", XML + ("bad_encoding",), "XML 1.1 with a control character reference",
     '<?xml version="1.1"?>' + TEXT.replace(">alice<", ">ali&#1;ce<"))
case("xml-2.0", XML + ("bad_encoding",), "XML 2.0", '<?xml version="2.0"?>' + TEXT)
case("declaration-late", XML, "a blank before the XML declaration", " " + HEAD.format("UTF-8") + TEXT)
case("declaration-twice", XML, "two XML declarations", HEAD.format("UTF-8") * 2 + TEXT)
case("text-before", XML + ("unknown_kind", "bad_encoding"), "text before the root", "hello" + TEXT)
case("text-behind", XML, "text behind the root", TEXT + "hello")
case("element-behind", XML, "an element behind the root", TEXT + "<x/>")
case("cut", XML, "the document is cut", TEXT[:-20])
case("cut-early", XML, "only the beginning", TEXT[:100])
case("tags-crossed", XML, "crossed end tags", TEXT.replace("</saml:NameID>", "</saml:nameid>"))
case("html", XML + ("unknown_kind", "assertion_count"), "an HTML page", "<html><body>Please log in</body></html>")
case("empty-root", SCHEMA, "an element and nothing more", "<x/>")
case("carriage-return-reference", STRUCTURE + ("claim_mismatch", "bad_username"), "&#13; in the name is a control character",
     signed(response(assertion(who=subject(name_id("alice&#13;"))))))
case("xml-space", STRUCTURE, "xml:space is added to the signed element", TEXT.replace("<saml:NameID ", '<saml:NameID xml:space="preserve" '))
case("tab-in-destination", ("destination_mismatch",) + XML, "a tab in the destination's middle",
     signed(response(destination="https://db.example/\tsaml/acs")))

# --- base64 and what is no response ---
PLAIN = base64.b64encode(TEXT.encode()).decode()
BASE64 = ("bad_encoding", "malformed", "unknown_kind")
case("base64-garbage-middle", BASE64, "a character outside the alphabet in the middle", PLAIN[:400] + "!" + PLAIN[400:], raw=True)
case("base64-garbage-end", BASE64, "garbage behind the padding", PLAIN.rstrip("=") + "==x" if PLAIN.endswith("=") else PLAIN + "=x", raw=True)
case("base64-padding-inside", BASE64, "padding in the middle", PLAIN[:400] + "==" + PLAIN[400:], raw=True)
case("base64-padding-too-much", BASE64, "one padding character too many", PLAIN + "=", raw=True)
case("base64-odd", BASE64, "a letter too many", PLAIN.rstrip("=") + "A" * (1 if len(PLAIN.rstrip("=")) % 4 == 0 else 5 - len(PLAIN.rstrip("=")) % 4), raw=True)
case("base64-nul", BASE64, "a NUL byte inside", PLAIN[:400].encode() + b"\0" + PLAIN[400:].encode(), raw=True)
case("base64-data-url", BASE64, "a data URL", "data:text/xml;base64," + PLAIN, raw=True)
case("base64-percent", BASE64, "percent-encoded, as in a form body", PLAIN[:4] + "%0A" + PLAIN[4:], raw=True)
case("base64-form-field", BASE64, "the whole form body", "SAMLResponse=" + PLAIN, raw=True)
case("base64-url-safe", BASE64, "the URL-safe alphabet", base64.b64encode(
    TEXT.replace(">alice<", ">ali??>ce<").encode()).decode().replace("+", "-").replace("/", "_") + "-_--", raw=True)
case("base64-twice", BASE64 + XML, "encoded twice", base64.b64encode(PLAIN.encode()).decode(), raw=True)
PACKER = zlib.compressobj(9, zlib.DEFLATED, -15)
DEFLATED = PACKER.compress(TEXT.encode()) + PACKER.flush()
case("base64-deflated", BASE64 + XML, "deflated, as in the redirect binding", base64.b64encode(DEFLATED).decode(), raw=True)
case("base64-zlib", BASE64 + XML, "compressed by zlib", base64.b64encode(zlib.compress(TEXT.encode())).decode(), raw=True)
case("base64-gzip", BASE64 + XML, "compressed by gzip", base64.b64encode(gzip.compress(TEXT.encode(), mtime=0)).decode(), raw=True)
case("xml-plain", BASE64 + XML, "the XML itself, not base64", TEXT, raw=True)
case("base64-blank-inside", ("ok", "bad_encoding", "malformed"), "blanks inside, as terminals paste", PLAIN[:400] + " " + PLAIN[400:], raw=True)
case("credential-blank", BASE64, "white space only", "\n\n  \n", raw=True)
