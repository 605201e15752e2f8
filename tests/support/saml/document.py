"""Responses, assertions and metadata as text; every part can be put in another's place.

Text, not trees: an attack is in the bytes. {{SIG:ID}} marks where the signature of
the element with that ID goes (signature.py).
SPDX-License-Identifier: PostgreSQL
"""
import calendar
import time

import keys

NOW = 1700000000
IDP = "https://idp.example/metadata"
OTHER_IDP = "https://other-idp.example/metadata"
SP = "https://db.example/saml"
ACS = "https://db.example/saml/acs"
REQUEST = "_request-1"

P = "urn:oasis:names:tc:SAML:2.0:protocol"
A = "urn:oasis:names:tc:SAML:2.0:assertion"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


def at(offset=0):
    """The clock of the cases plus so many seconds, as xs:dateTime."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW + offset))


def epoch(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def attributes(**given):
    return "".join(f' {name}="{value}"' for name, value in given.items() if value is not None)


def issuer(value=IDP, extra=""):
    return f"<saml:Issuer{extra}>{value}</saml:Issuer>"


def name_id(value="alice", extra=f' Format="{UNSPECIFIED}"'):
    return f"<saml:NameID{extra}>{value}</saml:NameID>"


def confirmation(method=BEARER, recipient=ACS, until=300, since=None, request=REQUEST, inside="", data=True):
    """until, since: seconds from now, or a text as it is."""
    def when(value):
        return at(value) if isinstance(value, int) else value
    about = attributes(Recipient=recipient, NotOnOrAfter=when(until), NotBefore=when(since), InResponseTo=request)
    body = f"<saml:SubjectConfirmationData{about}>{inside}</saml:SubjectConfirmationData>" if data else ""
    return f'<saml:SubjectConfirmation Method="{method}">{body}</saml:SubjectConfirmation>'


def subject(name=None, confirmations=None):
    return ("<saml:Subject>" + (name_id() if name is None else name)
            + (confirmation() if confirmations is None else confirmations) + "</saml:Subject>")


def audience(*values):
    inside = "".join(f"<saml:Audience>{value}</saml:Audience>" for value in values or (SP,))
    return f"<saml:AudienceRestriction>{inside}</saml:AudienceRestriction>"


def conditions(inside=None, since=-60, until=300):
    def when(value):
        return at(value) if isinstance(value, int) else value
    about = attributes(NotBefore=when(since), NotOnOrAfter=when(until))
    return f"<saml:Conditions{about}>{audience() if inside is None else inside}</saml:Conditions>"


def context(reference=PASSWORD):
    return ("<saml:AuthnContext><saml:AuthnContextClassRef>" + reference
            + "</saml:AuthnContextClassRef></saml:AuthnContext>")


def authn(instant=-30, inside=None, session=3600, index="_s1"):
    def when(value):
        return at(value) if isinstance(value, int) else value
    about = attributes(AuthnInstant=when(instant), SessionIndex=index, SessionNotOnOrAfter=when(session))
    return f"<saml:AuthnStatement{about}>{context() if inside is None else inside}</saml:AuthnStatement>"


def attribute(name, *values, extra="", value_extra=""):
    inside = "".join(f"<saml:AttributeValue{value_extra}>{value}</saml:AttributeValue>" for value in values)
    return f'<saml:Attribute Name="{name}"{extra}>{inside}</saml:Attribute>'


def statement(*inside):
    return f"<saml:AttributeStatement>{''.join(inside)}</saml:AttributeStatement>"


def groups(*values):
    return statement(attribute("groups", *values))


def assertion(identifier="_a1", signed=True, start=None, head=None, who=None, terms=None, authenticated=None,
              facts=None, tail="", before="", version="2.0", instant=-10, extra=""):
    about = attributes(ID=identifier, Version=version, IssueInstant=at(instant) if isinstance(instant, int) else instant)
    mark = f"{{{{SIG:{identifier}}}}}" if signed else ""
    return ((start or f'<saml:Assertion xmlns:saml="{A}"') + about + extra + ">"
            + (issuer() if head is None else head) + mark + before + (subject() if who is None else who)
            + (conditions() if terms is None else terms) + (authn() if authenticated is None else authenticated)
            + (groups("engineers", "staff") if facts is None else facts) + tail + "</saml:Assertion>")


def status(code=SUCCESS, inside="", after=""):
    return f'<samlp:Status><samlp:StatusCode Value="{code}">{inside}</samlp:StatusCode>{after}</samlp:Status>'


def response(*inside, identifier="_r1", signed=False, head=None, result=None, version="2.0", instant=-10,
             destination=ACS, request=REQUEST, extra="", before="", start=None):
    about = attributes(ID=identifier, Version=version,
                       IssueInstant=at(instant) if isinstance(instant, int) else instant,
                       Destination=destination, InResponseTo=request)
    mark = f"{{{{SIG:{identifier}}}}}" if signed else ""
    return ((start or f'<samlp:Response xmlns:samlp="{P}" xmlns:saml="{A}"') + about + extra + ">"
            + (issuer() if head is None else head) + mark + before + (status() if result is None else result)
            + "".join(inside or (assertion(),)) + "</samlp:Response>")


def key_descriptor(name="idp", use="signing", certificate=None, value=""):
    """value: what stands before the certificate."""
    use = f' use="{use}"' if use else ""
    certificate = keys.certificate(name) if certificate is None else certificate
    data = f"<ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>" if certificate else ""
    return f'<md:KeyDescriptor{use}><ds:KeyInfo xmlns:ds="{DS}">{value}{data}</ds:KeyInfo></md:KeyDescriptor>'


def key_value(name="idp", **replaced):
    """An RSA key written out, as providers have it that have no certificate."""
    inside = "".join(f"<ds:{part}>{text}</ds:{part}>" for part, text in {**keys.rsa_numbers(name), **replaced}.items())
    return f"<ds:KeyValue><ds:RSAKeyValue>{inside}</ds:RSAKeyValue></ds:KeyValue>"


def bare_key(*name, **replaced):
    return key_descriptor(certificate="", value=key_value(*name, **replaced))


def entity(identifier=IDP, descriptors=None, extra="", role="", declare=True):
    """An EntityDescriptor of one identity provider."""
    namespace = f' xmlns:md="{MD}"' if declare else ""
    return (f'<md:EntityDescriptor{namespace} entityID="{identifier}"{extra}>'
            f'<md:IDPSSODescriptor protocolSupportEnumeration="{P}"{role}>'
            + (key_descriptor() if descriptors is None else descriptors)
            + f'<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
            f'Location="{identifier}/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>')
