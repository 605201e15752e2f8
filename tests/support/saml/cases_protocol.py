"""Protocol and profile: status, issuer, destination, confirmation, conditions, times, statements.

SPDX-License-Identifier: PostgreSQL
"""
from corpus import accept, case
from document import (ACS, IDP, NOW, SP, assertion, at, audience, authn, conditions, confirmation, issuer, response,
                      status, subject)
from signature import sign, signed

MALFORMED = ("malformed", "xml_refused")
SAML = "urn:oasis:names:tc:SAML:2.0:"


def with_confirmation(*each, **how):
    return signed(response(assertion(who=subject(confirmations="".join(each)), **how)))


def with_terms(inside=None, **how):
    return signed(response(assertion(terms=conditions(inside, **how))))


def whole(*inside, **how):
    return sign(response(*(inside or (assertion(signed=False),)), signed=True, **how), "_r1")


# --- the response ---
for version in ("1.1", "2.1", "3.0", "", "2", "02.0", "2.0 ", None):
    case(f"response-version-{(version or ('empty' if version == '' else 'none')).replace(' ', '_')}", MALFORMED + ("claim_mismatch",),
         f"the response's version is {version!r}", signed(response(version=version)))
    case(f"assertion-version-{(version or ('empty' if version == '' else 'none')).replace(' ', '_')}", MALFORMED + ("claim_mismatch",),
         f"the assertion's version is {version!r}", signed(response(assertion(version=version))))
for code in ("Requester", "Responder", "VersionMismatch", "AuthnFailed", "NoPassive", "success", "Success "):
    case(f"status-{code.replace(' ', '_')}", "saml_status", f"the status is {code}", signed(response(result=status(SAML + "status:" + code))))
case("status-failed-no-assertion", "saml_status", "a failure carries no assertion", response("", result=status(
    SAML + "status:Responder", f'<samlp:StatusCode Value="{SAML}status:AuthnFailed"/>', "<samlp:StatusMessage>no</samlp:StatusMessage>")))
case("status-nested-success", "saml_status", "only the second-level code says success",
     signed(response(result=status(SAML + "status:Responder", f'<samlp:StatusCode Value="{SAML}status:Success"/>'))))
case("status-success-nested-failure", ("ok", "saml_status"), "success with a second-level code",
     signed(response(result=status(inside=f'<samlp:StatusCode Value="{SAML}status:PartialLogout"/>'))))
case("status-missing", MALFORMED + ("saml_status",), "no status", signed(response(result="")))
case("status-empty", MALFORMED + ("saml_status",), "a status without a code", signed(response(result="<samlp:Status/>")))
case("status-twice", MALFORMED + ("saml_status",), "two statuses", signed(response(result=status(SAML + "status:Responder") + status())))
case("status-codes-two", MALFORMED + ("saml_status",), "two codes in one status", signed(response(result=status(
    after=f'<samlp:StatusCode Value="{SAML}status:Responder"/>'))))
case("status-no-value", MALFORMED + ("saml_status",), "a code without a value", signed(response(result="<samlp:Status><samlp:StatusCode/></samlp:Status>")))
case("response-no-assertion", "assertion_count", "success without an assertion", response(""))
case("assertions-two-signed", "assertion_count", "two good assertions",
     sign(sign(response(assertion(), assertion("_a2")), "_a1"), "_a2"))
case("assertions-two-signed-response", "assertion_count", "two assertions in a signed response",
     whole(assertion(signed=False), assertion("_a2", signed=False)))
case("issuer-missing", MALFORMED + ("unknown_issuer", "missing_claim"), "the assertion has no issuer", signed(response(assertion(head="{{SIG:_a1}}", signed=False))))
case("issuer-empty", MALFORMED + ("unknown_issuer", "missing_claim"), "the issuer is empty", signed(response(assertion(head=issuer("")))))
case("issuer-unknown", "unknown_issuer", "another issuer, everywhere", signed(response(assertion(head=issuer("https://x.example")), head=issuer("https://x.example"))))
for name, value in (("slash", IDP + "/"), ("case", IDP.upper()), ("prefix", IDP[:-1]), ("scheme", IDP.replace("https", "http"))):
    case(f"issuer-{name}", ("unknown_issuer", "claim_mismatch"), f"the issuer is {value}", signed(response(assertion(head=issuer(value)), head=issuer(value))))
for name, form in (("persistent", SAML + "nameid-format:persistent"), ("unspecified", "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified")):
    case(f"issuer-format-{name}", MALFORMED + ("unknown_issuer", "claim_mismatch"), f"the issuer's format is {name}",
         signed(response(assertion(head=issuer(extra=f' Format="{form}"')))))
case("response-issuer-format", MALFORMED + ("unknown_issuer", "claim_mismatch"), "the format of the response's issuer is persistent",
     whole(head=issuer(extra=f' Format="{SAML}nameid-format:persistent"')))
case("issuer-two", MALFORMED + ("unknown_issuer",), "two issuers in the assertion", signed(response(assertion(head=issuer("https://x.example") + issuer()))))
case("response-issuer-two", MALFORMED + ("unknown_issuer",), "two issuers in the response", whole(head=issuer("https://x.example") + issuer()))
case("response-issuer-empty", MALFORMED + ("unknown_issuer", "claim_mismatch"), "the response's issuer is empty", whole(head=issuer("")))
for name, value in (("other", "https://else.example/acs"), ("slash", ACS + "/"), ("query", ACS + "?x=1"), ("case", ACS.upper()),
                    ("prefix", ACS[:-1]), ("scheme", ACS.replace("https", "http")), ("port", ACS.replace(".example", ".example:443")),
                    ("two", ACS + " https://else.example/acs"), ("empty", "")):
    case(f"destination-{name}", "destination_mismatch", f"the destination is {value!r}", signed(response(destination=value)))
case("destination-missing-signed", ("destination_mismatch",), "a signed response must say its destination (bindings 3.5.5.2)", whole(destination=None))
case("response-instant-missing", MALFORMED + ("missing_claim",), "the response has no IssueInstant", signed(response(instant=None)))
case("assertion-instant-missing", MALFORMED + ("missing_claim",), "the assertion has no IssueInstant", signed(response(assertion(instant=None))))
case("assertion-instant-future", ("issued_in_future", "not_yet_valid"), "the assertion is from the future", signed(response(assertion(instant=3600))))
case("assertion-instant-nonsense", MALFORMED, "IssueInstant is no time", signed(response(assertion(instant="yesterday"))))

# --- subject and confirmation ---
CONFIRMATION = ("confirmation_invalid",)
case("subject-missing", MALFORMED + CONFIRMATION + ("missing_username", "missing_claim"), "no subject", signed(response(assertion(who=" "))))
case("confirmation-missing", CONFIRMATION, "no confirmation", with_confirmation(""))
for method in ("holder-of-key", "sender-vouches", "Bearer", ""):
    case(f"confirmation-{method or 'none'}", CONFIRMATION, f"the only confirmation is {method!r}",
         with_confirmation(confirmation(method=SAML + "cm:" + method)))
case("confirmation-data-missing", CONFIRMATION + ("recipient_mismatch",), "bearer without data", with_confirmation(confirmation(data=False)))
case("confirmation-data-two", CONFIRMATION + MALFORMED, "two data elements", with_confirmation(confirmation().replace(
    "</saml:SubjectConfirmation>", "<saml:SubjectConfirmationData/></saml:SubjectConfirmation>")))
case("confirmation-no-end", CONFIRMATION, "bearer without NotOnOrAfter", with_confirmation(confirmation(until=None)))
case("confirmation-not-before", CONFIRMATION, "NotBefore is not allowed (profiles 4.1.4.2)", with_confirmation(confirmation(since=-60)))
case("confirmation-no-recipient", CONFIRMATION + ("recipient_mismatch",), "bearer without a recipient", with_confirmation(confirmation(recipient=None)))
for name, value in (("other", "https://else.example/acs"), ("slash", ACS + "/"), ("case", ACS.upper()), ("prefix", ACS[:-1]),
                    ("empty", ""), ("entity", SP), ("blank", " " + ACS)):
    case(f"recipient-{name}", ("recipient_mismatch",), f"the recipient is {value!r}", with_confirmation(confirmation(recipient=value)))
case("confirmation-expired", ("token_expired", "confirmation_invalid"), "the confirmation is over", with_confirmation(confirmation(until=-61)))
case("confirmation-skew-edge", ("token_expired", "confirmation_invalid"), "the skew ends exactly now", with_confirmation(confirmation(until=-60)))
accept("accepted-confirmation-in-skew", "the confirmation ended a moment ago, within the skew",
       with_confirmation(confirmation(until=-59)), identity={"expires": NOW - 59})
case("confirmation-expired-beside-wrong", ("token_expired", "recipient_mismatch", "confirmation_invalid"),
     "one confirmation is over, the other for another recipient: none fits",
     with_confirmation(confirmation(until=-600), confirmation(recipient="https://else.example/acs")))
case("confirmation-parts-of-two", ("token_expired", "recipient_mismatch", "confirmation_invalid", "in_response_to_mismatch"),
     "what fits is spread over two confirmations", with_confirmation(confirmation(until=None), confirmation(recipient=None)))
case("confirmation-skew-setting", ("token_expired", "confirmation_invalid"), "without a skew the end is sharp",
     with_confirmation(confirmation(until=0)), settings=["clock_skew = 0"])
case("in-response-to-differs", "in_response_to_mismatch", "response and confirmation answer different requests",
     with_confirmation(confirmation(request="_request-2")))
case("in-response-to-response-only", "in_response_to_mismatch", "only the response answers a request",
     with_confirmation(confirmation(request=None)))
case("in-response-to-confirmation-only", "in_response_to_mismatch", "only the confirmation answers a request",
     signed(response(request=None)))
case("in-response-to-empty-one", "in_response_to_mismatch", "the confirmation's request has an empty ID, which is none",
     with_confirmation(confirmation(request="")))
case("in-response-to-case", "in_response_to_mismatch", "the request's ID differs in case", with_confirmation(confirmation(request="_Request-1")))
case("unsolicited-refused", "unsolicited", "unsolicited responses are switched off",
     signed(response(assertion(who=subject(confirmations=confirmation(request=None))), request=None)), settings=["unsolicited = no"])
case("unsolicited-empty-refused", "unsolicited", "an empty InResponseTo, as some providers write it, answers no request",
     signed(response(assertion(who=subject(confirmations=confirmation(request=""))), request="")), settings=["unsolicited = no"])

# --- conditions ---
TERMS = ("conditions_invalid",)
case("conditions-missing", TERMS + ("audience_mismatch",), "no conditions", signed(response(assertion(terms=" "))))
case("conditions-two", TERMS + MALFORMED, "two Conditions elements", signed(response(assertion(terms=conditions() + conditions()))))
case("audience-missing", ("audience_mismatch", "conditions_invalid"), "no audience restriction (profiles 4.1.4.2)", with_terms(""))
case("audience-empty", ("audience_mismatch", "conditions_invalid", "malformed"), "a restriction without an audience", with_terms("<saml:AudienceRestriction/>"))
for name, value in (("other", "https://else.example"), ("slash", SP + "/"), ("case", SP.upper()), ("prefix", SP[:-1]),
                    ("longer", SP + "x"), ("acs", ACS), ("value-empty", ""), ("wildcard", "*"), ("two-words", SP + " x")):
    case(f"audience-{name}", "audience_mismatch", f"the audience is {value!r}", with_terms(audience(value)))
case("audience-one-restriction-other", "audience_mismatch", "every restriction must name us (core 2.5.1.4)", with_terms(audience() + audience("https://else.example")))
case("audience-one-restriction-other-first", "audience_mismatch", "the first restriction names another", with_terms(audience("https://else.example") + audience()))
case("audience-outside", ("audience_mismatch", "conditions_invalid", "malformed"), "an audience that is in no restriction", with_terms(f"<saml:Audience>{SP}</saml:Audience>"))
case("condition-unknown", TERMS + MALFORMED, "a condition nobody knows (core 2.5.1)", with_terms(
    audience() + '<saml:Condition xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="urn:x" xsi:type="x:Moon"/>'))
case("condition-foreign", TERMS + MALFORMED, "a foreign element among the conditions", with_terms(audience() + '<x:moon xmlns:x="urn:x"/>'))
case("condition-delegation", TERMS + MALFORMED, "a delegation restriction", with_terms(
    audience() + '<saml:Condition xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:del="urn:oasis:names:tc:SAML:2.0:conditions:delegation" xsi:type="del:DelegationRestrictionType"/>'))
case("conditions-expired", ("token_expired", "conditions_invalid"), "the conditions are over", with_terms(until=-61))
case("conditions-skew-edge", ("token_expired", "conditions_invalid"), "the skew of the conditions ends exactly now", with_terms(until=-60))
case("conditions-early", ("not_yet_valid", "conditions_invalid"), "the conditions have not begun", with_terms(since=61))
accept("accepted-conditions-begin-in-skew", "the conditions begin within the skew", with_terms(since=60))
case("conditions-reversed", ("token_expired", "not_yet_valid", "conditions_invalid", "malformed"), "NotBefore is after NotOnOrAfter", with_terms(since=200, until=100))
case("conditions-reversed-in-skew", TERMS + MALFORMED + ("not_yet_valid", "token_expired"), "NotBefore is after NotOnOrAfter, both within the skew", with_terms(since=30, until=20))
ZULU = at(300)
for name, value in (("no-zone", ZULU[:-1]), ("date", ZULU[:10]), ("offset-minutes", ZULU[:-1] + "+0200"), ("lower-z", ZULU[:-1] + "z"),
                    ("lower-t", ZULU.replace("T", "t")), ("blank", ZULU.replace("T", " ")), ("hour-25", "2023-11-14T25:18:20Z"),
                    ("month-13", "2023-13-14T22:18:20Z"), ("day-31", "2023-11-31T22:18:20Z"), ("second-61", "2023-11-14T22:18:61Z"),
                    ("year-2", "23-11-14T22:18:20Z"), ("fraction-empty", ZULU[:-1] + ".Z"), ("behind", ZULU + "x"), ("two", ZULU + ZULU),
                    ("number", "1700000300"), ("sign", "+2023-11-14T22:18:20Z"), ("empty", ""), ("offset-15", ZULU[:-1] + "+15:00"),
                    ("week", "2023-W46-2T22:18:20Z"), ("comma", ZULU[:-1] + ",5Z"), ("feb-30", "2024-02-30T00:00:00Z")):
    case(f"time-{name}", MALFORMED + TERMS + ("claim_mismatch",), f"NotOnOrAfter is {value!r}", with_terms(until=value))
case("time-negative-year", MALFORMED + TERMS + ("token_expired", "claim_mismatch"), "a year before Christ", with_terms(until="-2023-11-14T22:18:20Z"))
case("time-offset", ("ok",) + MALFORMED + TERMS, "SAML times are UTC and end in Z (core 1.3.3); an offset is at most understood right",
     with_terms(until="2023-11-15T00:18:20+02:00"))
case("time-offset-expired", MALFORMED + TERMS + ("token_expired",), "an offset is not left out: this is over", with_terms(until="2023-11-14T23:00:00+02:00"))
case("time-year-10000", ("ok",) + MALFORMED + TERMS, "a year of five digits is a time of XML Schema", with_terms(until="10000-01-01T00:00:00Z"))
case("time-leap-second", ("ok",) + MALFORMED + TERMS, "a leap second", with_terms(until="2023-11-14T23:59:60Z"))
case("time-hour-24", ("ok",) + MALFORMED + TERMS, "24:00:00 is midnight in XML Schema", with_terms(until="2023-11-14T24:00:00Z"))
case("time-year-long", MALFORMED + TERMS + ("ok",), "a year of twenty digits", with_terms(until="99999999999999999999-01-01T00:00:00Z"))
case("time-confirmation-nonsense", CONFIRMATION + MALFORMED, "the confirmation's end is no time", with_confirmation(confirmation(until="tomorrow")))
accept("accepted-time-fraction-long", "nine digits of a second", with_terms(until=at(300)[:-1] + ".123456789Z"), identity={"expires": NOW + 300})
case("time-blank-around", ("ok",) + MALFORMED + TERMS, "blanks around a time are white space of XML Schema",
     with_terms(until=" " + at(300) + " "))

# --- statements ---
case("authn-missing", MALFORMED + ("missing_claim",), "no AuthnStatement (profiles 4.1.4.2)", signed(response(assertion(authenticated=" "))))
case("authn-context-missing", MALFORMED + ("missing_claim",), "no AuthnContext", signed(response(assertion(authenticated=authn(inside="<x/>").replace("<x/>", "")))))
case("authn-instant-missing", MALFORMED + ("missing_claim",), "no AuthnInstant", signed(response(assertion(authenticated=authn(instant=None)))))
case("authn-instant-future", ("issued_in_future", "not_yet_valid", "malformed", "claim_mismatch"), "AuthnInstant is in the future", signed(response(assertion(authenticated=authn(instant=3600)))))
case("session-over", "session_over", "the provider's session has ended", signed(response(assertion(authenticated=authn(session=-61)))))
case("session-skew-edge", "session_over", "the session's skew ends exactly now", signed(response(assertion(authenticated=authn(session=-60)))))
case("session-end-nonsense", MALFORMED + ("session_over",), "SessionNotOnOrAfter is no time", signed(response(assertion(authenticated=authn(session="later")))))
case("session-over-second", "session_over", "one of two statements' sessions has ended",
     signed(response(assertion(authenticated=authn() + authn(session=-600)))))
case("statement-unknown", ("ok",) + MALFORMED, "a statement of an unknown type", signed(response(assertion(
    tail='<saml:Statement xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="urn:x" xsi:type="x:Other"/>'))))
case("authz-decision", ("ok",) + MALFORMED, "an AuthzDecisionStatement beside", signed(response(assertion(
    tail='<saml:AuthzDecisionStatement Resource="urn:x" Decision="Deny"><saml:Action Namespace="urn:x">read</saml:Action></saml:AuthzDecisionStatement>'))))
