"""What must be accepted: the many right ways to say the same.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import re
import textwrap

import keys
from corpus import accept
from document import (A, ACS, IDP, MD, NOW, P, SP, XSI, assertion, at, attribute, audience, authn, bare_key, conditions,
                      confirmation, context, entity, groups, issuer, key_descriptor, name_id, response, statement,
                      status, subject)
from signature import C14N, ENVELOPED, EXC, MORE, XENC, inclusive, sign, signed, transform, x509

ALICE = {"issuer": IDP, "subject": "alice", "username": "alice", "groups": ["engineers", "staff"], "expires": NOW + 300}


def both(text, **how):
    return sign(sign(text, "_a1", **how), "_r1", **how)


def whole(*inside, **how):
    """Only the response is signed."""
    return sign(response(*(inside or (assertion(signed=False),)), signed=True), "_r1", **how)


accept("accepted-assertion-signed", "a signed assertion in a plain response", signed(), identity=ALICE)
accept("accepted-response-signed", "a signed response covers the assertion inside", whole(), identity=ALICE)
accept("accepted-both-signed", "both signatures are good", both(response(signed=True)), identity=ALICE)

for algorithm, key in (("rsa-sha256", "idp"), ("rsa-sha384", "idp"), ("rsa-sha512", "idp"), ("rsa-sha256", "idp-second"),
                       ("ecdsa-sha256", "idp-p256"), ("ecdsa-sha384", "idp-p384")):
    accept(f"accepted-{algorithm}-{key}", f"{algorithm} by a key of the metadata ({key})",
           signed(signature=MORE + algorithm, key=key), identity=ALICE)
for name, algorithm in (("sha384", MORE + "sha384"), ("sha512", XENC + "sha512")):
    accept(f"accepted-digest-{name}", f"the digest {name}", signed(digesting=algorithm), identity=ALICE)

accept("accepted-inclusive-c14n", "inclusive canonicalisation of both kinds of text",
       signed(c14n=C14N, with_c14n=C14N), identity=ALICE)
accept("accepted-c14n-mixed", "SignedInfo inclusive, reference exclusive", signed(c14n=C14N), identity=ALICE)
accept("accepted-enveloped-only", "without a canonicalisation transform the text is canonicalised inclusively",
       signed(with_c14n=C14N, transforms=transform(ENVELOPED)), identity=ALICE)
accept("accepted-inclusive-namespaces", "a list of inclusive prefixes",
       signed(response(assertion(facts=statement(attribute(
           "groups", "engineers", "staff", value_extra=f' xmlns:xs="http://www.w3.org/2001/XMLSchema" '
           f'xmlns:xsi="{XSI}" xsi:type="xs:string"')))), prefixes=("xs",)), identity=ALICE)
accept("accepted-inclusive-namespaces-unknown", "an inclusive prefix that is bound nowhere changes nothing",
       signed(prefixes=("xs", "nowhere")), identity=ALICE)
accept("accepted-inclusive-namespaces-default", "#default in the list of prefixes",
       signed(prefixes=("#default",), transforms=transform(ENVELOPED) + transform(EXC, inclusive("#default"))),
       identity=ALICE)
accept("accepted-keyinfo-x509", "KeyInfo holds the right certificate", signed(keyinfo=x509("idp")), identity=ALICE)
accept("accepted-keyinfo-wrong-ignored", "KeyInfo is not looked at: a stranger's certificate does not matter",
       signed(keyinfo=x509("stranger")), identity=ALICE)
accept("accepted-keyinfo-name", "KeyInfo may name a key",
       signed(keyinfo="<ds:KeyInfo><ds:KeyName>whatever</ds:KeyName></ds:KeyInfo>"), identity=ALICE)
accept("accepted-signature-id", "the signature has an Id of its own", signed(attrs=' Id="_sig1"'), identity=ALICE)
accept("accepted-signature-default-namespace", "the signature declares its namespace as the default one",
       signed(prefix=""), identity=ALICE)
accept("accepted-signature-other-prefix", "any prefix will do for the signature", signed(prefix="dsig"), identity=ALICE)


def wrapped_value(value):
    return "\n" + "\n".join(textwrap.wrap(value, 64)) + "\n"


accept("accepted-signature-value-wrapped", "SignatureValue is wrapped into lines", signed(encode=wrapped_value),
       identity=ALICE)
accept("accepted-digest-value-blank", "blanks around DigestValue are white space of base64",
       signed(change=lambda block: re.sub(r"(<ds:DigestValue>)(.*?)(</)", r"\1 \2\n\3", block)), identity=ALICE)


def renamed(text):
    """Other prefixes for both namespaces."""
    return (text.replace("samlp:", "p0:").replace("xmlns:samlp", "xmlns:p0").replace("saml:", "ns2:")
            .replace("xmlns:saml=", "xmlns:ns2="))


accept("accepted-prefixes", "prefixes mean nothing", signed(renamed(response())), identity=ALICE)


def without_prefix(text):
    text = re.sub(r'<samlp:Response xmlns:samlp="[^"]*" xmlns:saml="[^"]*"', f'<Response xmlns="{P}"', text)
    text = text.replace("samlp:", "").replace('<saml:Issuer>', f'<Issuer xmlns="{A}">', 1)
    text = text.replace("<saml:Assertion xmlns:saml=", "<saml:Assertion xmlns=")
    return text.replace("saml:", "")


accept("accepted-default-namespaces", "default namespaces in place of prefixes", signed(without_prefix(response())),
       identity=ALICE)
accept("accepted-namespace-on-root-only", "the assertion's namespace is declared on the response",
       signed(response(assertion(start="<saml:Assertion"))), identity=ALICE)
accept("accepted-namespace-unused", "an unused namespace on the response",
       signed(response(extra=' xmlns:unused="urn:example:unused"')), identity=ALICE)


def pretty(text):
    return re.sub(r"(?<=>)(?=<(?!/saml:(?:Issuer|NameID|Audience|AttributeValue|AuthnContextClassRef)))", "\n  ", text)


accept("accepted-pretty-printed", "white space between elements", signed(pretty(response())), identity=ALICE)
accept("accepted-xml-declaration", "an XML declaration in front",
       '<?xml version="1.0" encoding="UTF-8"?>\n' + signed(), identity=ALICE)
accept("accepted-declaration-lower-case", "utf-8 in lower case and standalone",
       "<?xml version='1.0' encoding='utf-8' standalone='yes'?>" + signed(), identity=ALICE)
accept("accepted-byte-order-mark", "a UTF-8 byte order mark", b"\xef\xbb\xbf" + signed().encode(), identity=ALICE)
accept("accepted-line-end-behind", "a line end behind the root", signed() + "\n", identity=ALICE)
accept("accepted-crlf", "CRLF between elements, as some write it",
       signed(pretty(response())).replace("\n", "\r\n"), identity=ALICE)
accept("accepted-single-quotes", "attributes in single quotes",
       signed().replace(f'Destination="{ACS}"', f"Destination='{ACS}'"), identity=ALICE)

encoded = base64.b64encode(signed().encode()).decode()
accept("accepted-base64-wrapped", "base64 wrapped into lines of 76",
       "\n".join(textwrap.wrap(encoded, 76)) + "\n", raw=True, identity=ALICE)
accept("accepted-base64-wrapped-crlf", "base64 wrapped by CRLF", "\r\n".join(textwrap.wrap(encoded, 64)), raw=True,
       identity=ALICE)

accept("accepted-no-destination", "an unsigned response need not say its destination",
       signed(response(destination=None)), identity=ALICE)
accept("accepted-no-response-issuer", "an unsigned response need not name its issuer", signed(response(head="")),
       identity=ALICE)
accept("accepted-unsolicited", "no InResponseTo anywhere: the provider began",
       signed(response(assertion(who=subject(confirmations=confirmation(request=None))), request=None)), identity=ALICE)
accept("accepted-unsolicited-empty", "an empty InResponseTo, as some providers write it where they begin",
       signed(response(assertion(who=subject(confirmations=confirmation(request=""))), request="")), identity=ALICE)
accept("accepted-issuer-format", "the issuer's format is entity",
       signed(response(assertion(head=issuer(extra=' Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity"')))),
       identity=ALICE)
accept("accepted-status-message", "a message beside success",
       signed(response(result=status(after="<samlp:StatusMessage>all is well</samlp:StatusMessage>"))), identity=ALICE)
accept("accepted-consent", "a Consent attribute",
       signed(response(extra=' Consent="urn:oasis:names:tc:SAML:2.0:consent:obtained"')), identity=ALICE)
accept("accepted-audiences", "one audience of several is ours",
       signed(response(assertion(terms=conditions(audience("https://else.example", SP, "urn:x"))))), identity=ALICE)
accept("accepted-restrictions", "every restriction names us",
       signed(response(assertion(terms=conditions(audience() + audience("urn:x", SP))))), identity=ALICE)
accept("accepted-one-time-use", "OneTimeUse is understood",
       signed(response(assertion(terms=conditions(audience() + "<saml:OneTimeUse/>")))), identity=ALICE)
accept("accepted-proxy-restriction", "ProxyRestriction binds only those who issue anew",
       signed(response(assertion(terms=conditions(audience() + '<saml:ProxyRestriction Count="0"/>')))), identity=ALICE)
accept("accepted-second-confirmation", "one confirmation of two fits",
       signed(response(assertion(who=subject(confirmations=confirmation(recipient="https://else.example/acs")
                                             + confirmation())))), identity=ALICE)
accept("accepted-holder-of-key-beside", "a bearer confirmation beside a holder-of-key one",
       signed(response(assertion(who=subject(
           confirmations=confirmation(method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key") + confirmation())))),
       identity=ALICE)
accept("accepted-milliseconds", "times with fractions of a second",
       signed(response(assertion(terms=conditions(since=at(-60)[:-1] + ".123Z", until=at(300)[:-1] + ".999Z"),
                                 who=subject(confirmations=confirmation(until=at(300)[:-1] + ".000Z"))),
                       instant=at(-10)[:-1] + ".5Z")), identity=ALICE)
accept("accepted-expires-earliest", "the credential ends when the first of its ends comes",
       signed(response(assertion(terms=conditions(until=600), who=subject(confirmations=confirmation(until=120))))),
       identity={**ALICE, "expires": NOW + 120})
accept("accepted-expires-conditions", "the conditions end before the confirmation",
       signed(response(assertion(terms=conditions(until=90)))), identity={**ALICE, "expires": NOW + 90})
accept("accepted-conditions-without-times", "conditions need no times; the confirmation has one",
       signed(response(assertion(terms=conditions(since=None, until=None)))), identity=ALICE)
accept("accepted-no-session-end", "no SessionNotOnOrAfter", signed(response(assertion(authenticated=authn(session=None)))),
       identity=ALICE)
accept("accepted-context-declaration", "AuthnContextDeclRef in place of a class",
       signed(response(assertion(authenticated=authn(
           inside="<saml:AuthnContext><saml:AuthnContextDeclRef>urn:x</saml:AuthnContextDeclRef></saml:AuthnContext>")))),
       identity=ALICE)
accept("accepted-subject-locality", "SubjectLocality and AuthenticatingAuthority",
       signed(response(assertion(authenticated=authn(
           inside='<saml:SubjectLocality Address="192.0.2.1"/>' + context().replace(
               "</saml:AuthnContext>",
               "<saml:AuthenticatingAuthority>urn:up</saml:AuthenticatingAuthority></saml:AuthnContext>"))))),
       identity=ALICE)
accept("accepted-second-statement", "two attribute statements are one set",
       signed(response(assertion(facts=groups("engineers") + statement(attribute("mail", "a@example.test"))))),
       identity={**ALICE, "groups": ["engineers"]})
accept("accepted-advice", "advice is passed over",
       signed(response(assertion(terms=conditions() + '<saml:Advice><x:note xmlns:x="urn:x">hello</x:note></saml:Advice>'))),
       identity=ALICE)
accept("accepted-extensions", "extensions of the response are passed over",
       signed(response(before='<samlp:Extensions><x:note xmlns:x="urn:x">hello</x:note></samlp:Extensions>')),
       identity=ALICE)
accept("accepted-no-groups", "no attribute statement: no groups", signed(response(assertion(facts=""))),
       identity={**ALICE, "groups": []})
accept("accepted-typed-values", "xsi:type on values",
       signed(response(assertion(facts=statement(attribute(
           "groups", "engineers", "staff", extra=' NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic"',
           value_extra=f' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="{XSI}" xsi:type="xs:string"'))))),
       identity=ALICE)
accept("accepted-entities-in-values", "the five entities of XML are text",
       signed(response(assertion(facts=groups("R&amp;D", "&lt;b&gt;", "&quot;x&apos;")))),
       identity={**ALICE, "groups": ["R&D", "<b>", "\"x'"]})
accept("accepted-character-references", "character references are text",
       signed(response(assertion(who=subject(name_id("al&#x69;ce")), facts=groups("caf&#233;", "&#x1F600;")))),
       identity={**ALICE, "groups": ["caf\u00e9", "\U0001f600"]})
accept("accepted-cdata", "CDATA is text, all of it",
       signed(response(assertion(who=subject(name_id("<![CDATA[ali]]>ce")), facts=groups("<![CDATA[R&D]]>")))),
       identity={**ALICE, "groups": ["R&D"]})
accept("accepted-cdata-instead", "an attacker may write CDATA where the provider had none: the text is the same",
       signed().replace(">alice<", "><![CDATA[al]]>ice<"), identity=ALICE)
accept("accepted-unicode", "names in other scripts",
       signed(response(assertion(who=subject(name_id("\u0430\u043b\u0438\u0441\u0430"))))),
       identity={**ALICE, "subject": "\u0430\u043b\u0438\u0441\u0430", "username": "\u0430\u043b\u0438\u0441\u0430"})
accept("accepted-many-groups", "400 groups",
       signed(response(assertion(facts=groups(*[f"team-{number:03}" for number in range(400)])))),
       identity={**ALICE, "groups": [f"team-{number:03}" for number in range(400)]})
# What is signed has 54 bytes more for each value: 78,000 in all.
accept("accepted-many-typed-groups", "600 groups whose type uses a prefix that the response declares once", signed(response(
    assertion(facts=statement(attribute("groups", *[f"team-{number:03}" for number in range(600)], value_extra=' xsi:type="xs:string"'))),
    extra=f' xmlns:xsi="{XSI}" xmlns:xs="http://www.w3.org/2001/XMLSchema"')),
       identity={**ALICE, "groups": [f"team-{number:03}" for number in range(600)]})
accept("accepted-username-attribute", "the username comes from an attribute",
       signed(response(assertion(facts=groups("engineers") + statement(attribute("uid", "alice.b"))))),
       settings=["username_attribute = uid"], identity={**ALICE, "groups": ["engineers"], "username": "alice.b"})
accept("accepted-attribute-uri-name", "attribute names are URIs at many providers",
       signed(response(assertion(facts=statement(attribute("http://schemas.example/claims/groups", "dba"))))),
       settings=["groups_attribute = http://schemas.example/claims/groups"], identity={**ALICE, "groups": ["dba"]})
accept("accepted-required-attribute", "a required attribute is there",
       signed(response(assertion(facts=groups("engineers") + statement(attribute("realm", "corp"))))),
       settings=["required_attributes = realm=corp"], identity={**ALICE, "groups": ["engineers"]})
accept("accepted-username-map", "a map makes the username",
       signed(response(assertion(who=subject(name_id("alice@example.test"))))),
       settings=[r"username_map = /^([a-z]+)@example\.test$/\1/"],
       identity={**ALICE, "subject": "alice@example.test", "username": "alice"})
accept("accepted-name-qualifiers", "qualifiers on the name",
       signed(response(assertion(who=subject(name_id("alice", f' NameQualifier="{IDP}" SPNameQualifier="{SP}"'))))),
       identity=ALICE)
for form in ("persistent", "transient"):
    accept(f"accepted-name-{form}", f"a {form} name identifier",
           signed(response(assertion(who=subject(name_id(
               "alice", f' Format="urn:oasis:names:tc:SAML:2.0:nameid-format:{form}"'))))), identity=ALICE)

# --- metadata ---

accept("accepted-metadata-expired-certificate", "a key of the metadata is pinned: its certificate's dates mean nothing",
       signed(), metadata=entity(descriptors=key_descriptor(
           certificate=keys.certificate("idp", 2010, 2012))), identity=ALICE)
accept("accepted-metadata-many-keys", "the right one of several signing keys is found", signed(key="idp-second"),
       metadata=entity(descriptors=key_descriptor("other") + key_descriptor("stranger") + key_descriptor("idp-second")),
       identity=ALICE)
accept("accepted-metadata-wrapped-certificate", "a certificate wrapped into lines", signed(),
       metadata=re.sub(r"(X509Certificate>)([^<]+)(<)", lambda m: m[1] + wrapped_value(m[2]) + m[3], entity()),
       identity=ALICE)
accept("accepted-metadata-key-value", "an RSA key written out, wrapped into lines, in place of a certificate", signed(),
       metadata=entity(descriptors=bare_key(Modulus=wrapped_value(keys.rsa_numbers("idp")["Modulus"]))), identity=ALICE)
accept("accepted-metadata-entities", "several entities, one chosen", signed(),
       metadata=f'<md:EntitiesDescriptor xmlns:md="{MD}">' + entity("https://x.example", key_descriptor("stranger"))
       + f"<md:EntitiesDescriptor>{entity()}</md:EntitiesDescriptor></md:EntitiesDescriptor>",
       settings=[f"idp_entity_id = {IDP}"], identity=ALICE)
accept("accepted-metadata-valid", "metadata still valid", signed(), metadata=entity(extra=f' validUntil="{at(3600)}"'),
       identity=ALICE)
accept("accepted-metadata-prefixes", "metadata without prefixes", signed(),
       metadata=entity().replace("md:", "").replace("xmlns:md=", "xmlns=").replace(f'<EntityDescriptor xmlns:md="{MD}"',
                                                                                  f'<EntityDescriptor xmlns="{MD}"'),
       identity=ALICE)

