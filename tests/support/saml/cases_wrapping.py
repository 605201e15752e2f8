"""Signature wrapping: what was signed is there, and something else is there to be read.

The eight classic forms (Somorovsky and others, "On breaking SAML", 2012) and
more places for the signed or the forged element.
SPDX-License-Identifier: PostgreSQL
"""
import re

from corpus import SCHEMA, STRUCTURE, case
from document import (A, P, assertion, attribute, conditions, groups, issuer, name_id, response, statement, status,
                      subject)
from signature import sign, signed, x509

ADMIN = subject(name_id("admin"))


def cut(text, element):
    return re.search(rf"<{element}\b.*</{element}>", text, re.S).group(0)


def evil(identifier="_evil", **how):
    return assertion(identifier, signed=False, who=ADMIN, **how)


GOOD = cut(signed(), "saml:Assertion")
SIGNATURE = cut(GOOD, "ds:Signature")
BARE = GOOD.replace(SIGNATURE, "")
WHOLE = sign(response(assertion(signed=False), signed=True), "_r1")
WHOLE_SIGNATURE = cut(WHOLE, "ds:Signature")
WHOLE_BARE = WHOLE.replace(WHOLE_SIGNATURE, "")


def into_signature(signature, inside):
    return signature.replace("</ds:Signature>", inside + "</ds:Signature>")


def in_object(signature, inside):
    return into_signature(signature, f"<ds:Object>{inside}</ds:Object>")


def in_keyinfo(signature, inside):
    return into_signature(signature, f"<ds:KeyInfo>{inside}</ds:KeyInfo>")


def evil_response(before="", after="", identifier="_evil", **how):
    text = response(evil("_evil-a"), identifier=identifier, before=before, **how)
    return text.replace("</samlp:Response>", after + "</samlp:Response>")


def wrapping(name, rule, text, expect=STRUCTURE):
    case("wrapping-" + name, expect, rule, text)


# --- the classic eight ---
wrapping("1", "XSW1: the signed response lies in the signature of a forged one",
         evil_response(into_signature(WHOLE_SIGNATURE, WHOLE_BARE)), SCHEMA)
wrapping("2", "XSW2: the signed response lies before the detached signature in a forged one",
         evil_response(WHOLE_BARE + WHOLE_SIGNATURE), SCHEMA)
wrapping("3", "XSW3: a forged assertion before the signed one", response(evil(), GOOD))
wrapping("4", "XSW4: the signed assertion lies in a forged one",
         response(evil(tail=GOOD)), SCHEMA)
wrapping("5", "XSW5: a forged assertion carries the signature, the signed one follows",
         response(evil(before=SIGNATURE), BARE))
wrapping("6", "XSW6: a forged assertion carries the signature, which holds the signed one",
         response(evil(before=into_signature(SIGNATURE, BARE))), SCHEMA)
wrapping("7", "XSW7: a forged assertion in Extensions", response(GOOD, before=f"<samlp:Extensions>{evil()}</samlp:Extensions>"))
wrapping("7-same-id", "a forged assertion of the same ID in Extensions",
         response(GOOD, before=f"<samlp:Extensions>{evil('_a1')}</samlp:Extensions>"))
wrapping("8", "XSW8: the signed assertion lies in an Object of the signature of a forged one",
         response(evil(before=in_object(SIGNATURE, BARE))))

# --- order, place and number ---
wrapping("after", "a forged assertion after the signed one", response(GOOD, evil()))
wrapping("both-sides", "forged assertions on both sides", response(evil(), GOOD, evil("_evil2")))
wrapping("same-id-before", "a forged assertion of the same ID before the signed one", response(evil("_a1"), GOOD))
wrapping("same-id-after", "a forged assertion of the same ID after the signed one", response(GOOD, evil("_a1")))
wrapping("same-id-carries", "the forged assertion of the same ID carries the signature",
         response(evil("_a1", before=SIGNATURE), BARE))
wrapping("twice", "the signed assertion is there twice", response(GOOD, GOOD))
wrapping("in-extensions", "the signed assertion lies in Extensions, a forged one is read",
         response(evil(), before=f"<samlp:Extensions>{GOOD}</samlp:Extensions>"))
wrapping("in-extensions-carries", "the signed element lies in Extensions, the signature in a forged assertion",
         response(evil(before=SIGNATURE), before=f"<samlp:Extensions>{BARE}</samlp:Extensions>"))
wrapping("in-status-detail", "the signed assertion lies in StatusDetail",
         response(evil(), result=status(after=f"<samlp:StatusDetail>{GOOD}</samlp:StatusDetail>")))
wrapping("in-status-detail-carries", "the signed element lies in StatusDetail, the signature in a forged assertion",
         response(evil(before=SIGNATURE), result=status(after=f"<samlp:StatusDetail>{BARE}</samlp:StatusDetail>")))
wrapping("evil-in-status-detail", "a forged assertion lies in StatusDetail",
         response(GOOD, result=status(after=f"<samlp:StatusDetail>{evil()}</samlp:StatusDetail>")))
wrapping("in-keyinfo", "the signed element lies in KeyInfo", response(evil(before=in_keyinfo(SIGNATURE, BARE))))
wrapping("evil-in-keyinfo", "a forged assertion lies in KeyInfo",
         response(GOOD.replace(SIGNATURE, in_keyinfo(SIGNATURE, evil()))))
wrapping("evil-in-object", "a forged assertion lies in an Object of the good signature",
         response(GOOD.replace(SIGNATURE, in_object(SIGNATURE, evil()))))
wrapping("evil-in-signature", "a forged assertion is a child of the good signature",
         response(GOOD.replace(SIGNATURE, into_signature(SIGNATURE, evil()))), SCHEMA)
wrapping("in-advice", "the signed assertion lies in the advice of a forged one",
         response(evil(terms=conditions() + f"<saml:Advice>{GOOD}</saml:Advice>")))
wrapping("in-advice-carries", "the signed element lies in the advice of a forged one that carries the signature",
         response(evil(before=SIGNATURE, terms=conditions() + f"<saml:Advice>{BARE}</saml:Advice>")))
wrapping("in-value", "the signed assertion lies in an attribute value of a forged one",
         response(evil(facts=statement(attribute("groups", GOOD)))), SCHEMA + ("claim_mismatch",))
wrapping("in-value-carries", "the signed element lies in an attribute value, the signature in the forged assertion",
         response(evil(before=SIGNATURE, facts=statement(attribute("groups", BARE)))), SCHEMA + ("claim_mismatch",))
wrapping("in-subject", "the signed assertion lies in SubjectConfirmationData",
         response(evil().replace("</saml:SubjectConfirmationData>", GOOD + "</saml:SubjectConfirmationData>")))
wrapping("in-name", "the signed assertion lies in the NameID", response(assertion(
    "_evil", signed=False, who=subject(name_id("admin" + GOOD)))), SCHEMA + ("claim_mismatch", "missing_username"))
wrapping("in-conditions", "the signed assertion lies in the conditions",
         response(evil(terms=conditions(GOOD))), SCHEMA + ("conditions_invalid",))
wrapping("in-issuer", "the signed assertion lies in the issuer",
         response(evil(head=issuer("https://idp.example/metadata" + GOOD))), SCHEMA + ("unknown_issuer",))
wrapping("wrapper-element", "the signed assertion lies in an element nobody knows",
         response(evil(), f'<x:wrap xmlns:x="urn:x">{GOOD}</x:wrap>'), SCHEMA)
wrapping("wrapper-carries", "the signed element lies in an unknown element, the signature in a forged assertion",
         response(evil(before=SIGNATURE), f'<x:wrap xmlns:x="urn:x">{BARE}</x:wrap>'), SCHEMA)
wrapping("only-in-wrapper", "the only assertion lies in an unknown element",
         response(f'<x:wrap xmlns:x="urn:x">{GOOD}</x:wrap>'), SCHEMA)
wrapping("only-in-extensions", "the only assertion lies in Extensions", response("", before=f"<samlp:Extensions>{GOOD}</samlp:Extensions>"))
wrapping("signature-of-response-moved", "the assertion's signature is put into the response",
         response(evil(), before=SIGNATURE))
wrapping("signature-root-last", "the signature is the response's last child", response(evil(), SIGNATURE), SCHEMA)
wrapping("signature-in-status", "the signature is moved to the status",
         response(BARE, result=status(after=f"<samlp:StatusDetail>{SIGNATURE}</samlp:StatusDetail>")))
wrapping("signature-in-subject", "the signature is moved into the subject", response(
    BARE.replace("</saml:Subject>", SIGNATURE + "</saml:Subject>")), SCHEMA)
wrapping("signature-beside", "the signature stands beside the assertion", response(BARE, SIGNATURE), SCHEMA)

# --- responses in responses ---
wrapping("nested-response", "a signed response lies in a forged one", evil_response(after=WHOLE), SCHEMA)
wrapping("nested-response-extensions", "a signed response lies in the extensions of a forged one",
         evil_response(f"<samlp:Extensions>{WHOLE}</samlp:Extensions>"), SCHEMA)
wrapping("nested-response-status", "a signed response lies in the status of a forged one",
         evil_response(result=status(after=f"<samlp:StatusDetail>{WHOLE}</samlp:StatusDetail>")), SCHEMA)
wrapping("nested-response-object", "the signed response lies in an Object of the signature in a forged one",
         evil_response(in_object(WHOLE_SIGNATURE, WHOLE_BARE)), SCHEMA)
wrapping("nested-response-same-id", "the forged response has the signed one's ID",
         evil_response(WHOLE_SIGNATURE, after=f"<samlp:Extensions>{WHOLE_BARE}</samlp:Extensions>", identifier="_r1"), SCHEMA)
wrapping("response-extra-assertion", "a forged assertion is added to a signed response",
         WHOLE.replace("</samlp:Response>", evil() + "</samlp:Response>"))
wrapping("response-replaced-assertion", "the assertion of a signed response is replaced",
         WHOLE.replace(cut(WHOLE, "saml:Assertion"), evil()))
wrapping("response-object-old-assertion", "the signed response's assertion goes into an Object",
         WHOLE.replace(cut(WHOLE, "saml:Assertion"), evil()).replace(
             "</ds:Signature>", f"<ds:Object>{cut(WHOLE, 'saml:Assertion')}</ds:Object></ds:Signature>"))
wrapping("two-roots", "two responses one after the other", WHOLE + evil_response(), SCHEMA)
wrapping("envelope", "the response lies in a SOAP envelope",
         f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{signed()}</s:Body></s:Envelope>', SCHEMA)
wrapping("artifact-response", "the response lies in an ArtifactResponse",
         f'<samlp:ArtifactResponse xmlns:samlp="{P}" ID="_x" Version="2.0" IssueInstant="2023-11-14T22:13:00Z">'
         + status() + signed() + "</samlp:ArtifactResponse>", SCHEMA)
wrapping("assertion-alone", "an assertion without a response", GOOD, SCHEMA)
wrapping("logout-response", "a LogoutResponse with an assertion in it",
         signed().replace("samlp:Response", "samlp:LogoutResponse"), SCHEMA)
wrapping("assertion-other-namespace", "a forged assertion in the namespace of SAML 1.1 beside the signed one",
         response(evil().replace(A, "urn:oasis:names:tc:SAML:1.0:assertion"), GOOD), SCHEMA)
wrapping("assertion-other-namespace-only", "an assertion of SAML 1.1's namespace, signed",
         signed(response(assertion(start='<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion"'))), SCHEMA)
wrapping("assertion-protocol-namespace", "a forged assertion in the protocol's namespace",
         response(evil().replace("saml:Assertion", "samlp:Assertion"), GOOD), SCHEMA)
wrapping("assertion-no-namespace", "a forged assertion without a namespace",
         response('<Assertion xmlns="" ID="_evil"><Subject><NameID>admin</NameID></Subject></Assertion>', GOOD), SCHEMA)
wrapping("response-wrong-namespace", "the response's namespace is SAML 1.1's",
         signed().replace(P, "urn:oasis:names:tc:SAML:1.0:protocol"), SCHEMA)
wrapping("response-no-namespace", "the response has no namespace",
         re.sub(r"<(/?)samlp:", r"<\1", signed()).replace("<Response ", "<Response ", 1), SCHEMA)
wrapping("evil-name-beside", "a second NameID before the signed subject's", response(
    GOOD.replace("<saml:Subject>", "<saml:Subject>" + name_id("admin"))), SCHEMA)
wrapping("evil-subject-beside", "a second subject in the signed assertion", response(
    GOOD.replace("<saml:Subject>", ADMIN + "<saml:Subject>")), SCHEMA)
wrapping("evil-groups-beside", "a second attribute statement in the signed assertion", response(
    GOOD.replace("</saml:Assertion>", groups("dba") + "</saml:Assertion>")))

# --- two signatures ---
STRANGER = sign(response(assertion("_evil", who=ADMIN)), "_evil", key="stranger", keyinfo=x509("stranger"))
STRANGER_SIGNATURE = cut(STRANGER, "ds:Signature")
wrapping("two-signatures", "the assertion has two signatures, the second a stranger's",
         response(GOOD.replace(SIGNATURE, SIGNATURE + STRANGER_SIGNATURE)))
wrapping("two-signatures-first", "the assertion has two signatures, the first a stranger's",
         response(GOOD.replace(SIGNATURE, STRANGER_SIGNATURE + SIGNATURE)))
wrapping("same-signature-twice", "the same good signature twice", response(GOOD.replace(SIGNATURE, SIGNATURE * 2)))
wrapping("stranger-response-good-assertion", "the response is signed by a stranger, the assertion by the provider",
         sign(response(GOOD, signed=True), "_r1", key="stranger", keyinfo=x509("stranger")))
wrapping("good-response-stranger-assertion", "the response is signed by the provider, the assertion by a stranger",
         sign(sign(response(signed=True), "_a1", key="stranger"), "_r1"))
wrapping("broken-assertion-good-response", "the assertion's own signature is broken, the response's is good", sign(
    response(GOOD.replace("</ds:SignatureValue>", "AAAA</ds:SignatureValue>"), signed=True), "_r1"))
wrapping("broken-response-good-assertion", "the response's signature is broken, the assertion's is good",
         sign(response(GOOD, signed=True), "_r1").replace('InResponseTo="_request-1" ', "", 1).replace(
             'Version="2.0" IssueInstant="2023-11-14T22:13:10Z" Destination',
             'Version="2.0" IssueInstant="2023-11-14T22:13:11Z" Destination', 1))
wrapping("signature-deep", "a second signature deep in an attribute value",
         sign(response(assertion(facts=groups("engineers") + statement(attribute("note", SIGNATURE.replace(
             "_a1", "_a9"))))), "_a1"), SCHEMA + ("claim_mismatch",))
wrapping("signature-of-name", "the signature is of the subject alone, by ID",
         sign(response(assertion(who='<saml:Subject ID="_sub">' + ADMIN[len("<saml:Subject>"):])), "_sub",
              mark="{{SIG:_a1}}", uri="#_sub"), SCHEMA)
wrapping("signature-of-status", "the assertion carries a signature of another element", sign(
    response(result=status().replace("<samlp:Status>", '<samlp:Status ID="_st">')), "_st", mark="{{SIG:_a1}}"), SCHEMA)
