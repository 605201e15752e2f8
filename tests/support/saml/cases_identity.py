"""Names and attributes: what an identity may be made of.

SPDX-License-Identifier: PostgreSQL
"""
from corpus import accept, case
from document import NOW, XSI, assertion, attribute, authn, context, groups, name_id, response, statement, subject
from signature import signed

MALFORMED = ("malformed", "xml_refused")
NAME = MALFORMED + ("missing_username", "missing_claim", "claim_mismatch", "bad_username")
NIL = f' xmlns:xsi="{XSI}" xsi:nil="true"'


def named(name):
    return signed(response(assertion(who=subject(name))))


def stated(*facts):
    return signed(response(assertion(facts="".join(facts))))


def identity(**more):
    return {"subject": "alice", "username": "alice", "expires": NOW + 300, **more}


# --- the name ---
case("name-missing", NAME, "the subject has no name", named(" "))
case("name-empty", NAME, "the name is empty", named(name_id("")))
case("name-empty-tag", NAME, "the name is an empty tag", named("<saml:NameID/>"))
case("name-blank", ("ok",) + NAME, "the name is blanks", named(name_id("   ")))
case("name-two", NAME, "two names", named(name_id("alice") + name_id("admin")))
case("name-encrypted", NAME, "an EncryptedID cannot be read", named('<saml:EncryptedID><x xmlns="urn:x"/></saml:EncryptedID>'))
case("name-base-id", NAME, "a BaseID is no name", named(f'<saml:BaseID xmlns:xsi="{XSI}" xmlns:x="urn:x" xsi:type="x:y">alice</saml:BaseID>'))
case("name-other-namespace", NAME, "a NameID of another namespace", named('<NameID xmlns="urn:x">alice</NameID>'))
case("name-protocol-namespace", NAME, "a NameID of the protocol's namespace", named("<samlp:NameID>alice</samlp:NameID>"))
case("name-identifier-1.1", NAME, "a NameIdentifier of SAML 1.1", named("<saml:NameIdentifier>alice</saml:NameIdentifier>"))
case("name-after-confirmation", NAME, "the name is behind the confirmation", signed(response(assertion(
    who=subject("").replace("</saml:Subject>", name_id() + "</saml:Subject>")))))
for name, text in (("newline", "alice&#10;admin"), ("tab", "ali&#9;ce"), ("delete", "ali&#127;ce"), ("c1", "ali&#x85;ce"),
                   ("raw-newline", "alice\nadmin"), ("return", "alice&#13;")):
    case(f"name-control-{name}", NAME, f"a control character in the name ({name})", named(name_id(text)))
accept("accepted-name-blank-kept", "blanks belong to a name: nothing is cut off", named(name_id("alice ")),
       identity={"subject": "alice ", "username": "alice "})
accept("accepted-name-case-kept", "case belongs to a name", named(name_id("Alice")), identity={"username": "Alice"})
accept("accepted-name-lowered", "username_case = lower folds ASCII", named(name_id("Alice")), settings=["username_case = lower"],
       identity={"subject": "Alice", "username": "alice"})
accept("accepted-name-email", "an e-mail name as it is",
       named(name_id("alice@example.test", ' Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"')),
       identity={"subject": "alice@example.test", "username": "alice@example.test"})
accept("accepted-name-no-format", "a name without a format", named(name_id("alice", "")), identity=identity())
case("name-map-none-fits", ("missing_username",), "no map fits the name", named(name_id("alice@else.test")),
     settings=[r"username_map = /^([a-z]+)@example\.test$/\1/"])

# --- attributes ---
accept("accepted-groups-empty-attribute", "a groups attribute without values", stated(groups()), identity=identity(groups=[]))
accept("accepted-groups-duplicate", "a group said twice counts once or twice", stated(groups("dba", "dba")), identity={"username": "alice"})
accept("accepted-groups-two-attributes", "two attributes of one name are one list of values",
       stated(statement(attribute("groups", "engineers"), attribute("groups", "staff"))), identity=identity(groups=["engineers", "staff"]))
accept("accepted-groups-two-statements", "the values of one name in two statements",
       stated(groups("engineers"), groups("staff")), identity=identity(groups=["engineers", "staff"]))
accept("accepted-groups-blank-kept", "blanks belong to a value", stated(groups(" engineers ")), identity=identity(groups=[" engineers "]))
accept("accepted-groups-friendly-name-ignored", "a FriendlyName is for people (core 2.7.3.1)",
       stated(statement(attribute("urn:oid:1.3.6.1", "dba", extra=' FriendlyName="groups"'))), identity=identity(groups=[]))
accept("accepted-groups-friendly-name-beside", "the Name counts, not the FriendlyName",
       stated(statement(attribute("x", "dba", extra=' FriendlyName="groups"'), attribute("groups", "staff", extra=' FriendlyName="x"'))),
       identity=identity(groups=["staff"]))
accept("accepted-groups-case", "names of attributes differ by case", stated(statement(attribute("Groups", "dba"))), identity=identity(groups=[]))
accept("accepted-groups-name-blank", "a blank makes another name", stated(statement(attribute("groups ", "dba"))), identity=identity(groups=[]))
accept("accepted-foreign-attribute", "an Attribute of another namespace is none",
       signed(response(assertion(facts=statement(attribute("mail", "a@b"))))), identity=identity(groups=[]))
accept("accepted-groups-link", "Entra's link in place of too many groups: verify says that they are not known", stated(statement(
    attribute("http://schemas.microsoft.com/claims/groups.link", "https://graph.windows.net/t/users/u/getMemberObjects"))),
    identity=identity(groups=[], groups_known=False))
case("group-empty", ("claim_mismatch",), "a group of no characters", stated(groups("engineers", "")))
case("group-empty-tag", ("claim_mismatch",), "a group that is an empty tag", stated(statement(
    '<saml:Attribute Name="groups"><saml:AttributeValue/></saml:Attribute>')))
case("group-nil", ("claim_mismatch", "ok"), "a group that is nil", stated(statement(attribute("groups", "", value_extra=NIL))))
case("group-nil-with-text", ("claim_mismatch", "ok") + MALFORMED, "a group that says nil and has text", stated(statement(attribute("groups", "dba", value_extra=NIL))))
case("group-element", ("claim_mismatch",) + MALFORMED, "a group that is an element", stated(groups("<x:g xmlns:x=\"urn:x\">dba</x:g>")))
case("group-mixed", ("claim_mismatch",) + MALFORMED, "a group of text and an element", stated(groups("dba<x/>")))
case("group-name-id", ("claim_mismatch",) + MALFORMED, "a group that is a NameID", stated(groups(name_id("dba"))))
case("group-nested-value", ("claim_mismatch",) + MALFORMED, "a value in a value", stated(groups("<saml:AttributeValue>dba</saml:AttributeValue>")))
for name, text in (("newline", "a&#10;b"), ("raw-newline", "a\nb"), ("tab", "a&#9;b"), ("c1", "a&#x9f;b"), ("delete", "a&#127;")):
    case(f"group-control-{name}", ("claim_mismatch",), f"a control character in a group ({name})", stated(groups("engineers", text)))
case("group-comment", ("xml_refused", "claim_mismatch"), "a comment in a group", stated(groups("dba<!-- -->ops")))
case("attribute-name-missing", MALFORMED + ("claim_mismatch", "ok"), "an attribute without a name", stated(statement("<saml:Attribute><saml:AttributeValue>dba</saml:AttributeValue></saml:Attribute>")))
ENCRYPTED = '<saml:AttributeStatement>%s<saml:EncryptedAttribute><x xmlns="urn:x"/></saml:EncryptedAttribute></saml:AttributeStatement>'
case("attribute-encrypted", ("claim_mismatch",), "an EncryptedAttribute could hold the groups", stated(ENCRYPTED % ""))
case("attribute-encrypted-beside", ("claim_mismatch",), "an EncryptedAttribute behind groups could hold more of them",
     stated(ENCRYPTED % attribute("groups", "staff")))
case("attribute-encrypted-last", ("claim_mismatch",), "an EncryptedAttribute in the second statement",
     stated(groups("staff"), ENCRYPTED % ""))
case("username-attribute-missing", ("missing_username", "missing_claim"), "the username's attribute is missing", signed(), settings=["username_attribute = uid"])
case("username-attribute-two", ("claim_mismatch", "missing_username", "bad_username"), "two values for the username",
     stated(statement(attribute("uid", "alice", "admin"))), settings=["username_attribute = uid"])
case("username-attribute-two-attributes", ("claim_mismatch", "missing_username", "bad_username"), "two attributes for the username",
     stated(statement(attribute("uid", "alice"), attribute("uid", "admin"))), settings=["username_attribute = uid"])
case("username-attribute-empty", ("missing_username", "claim_mismatch", "bad_username"), "an empty username attribute",
     stated(statement(attribute("uid", ""))), settings=["username_attribute = uid"])
case("username-attribute-friendly", ("missing_username", "missing_claim"), "a FriendlyName does not make the username",
     stated(statement(attribute("urn:oid:1", "admin", extra=' FriendlyName="uid"'))), settings=["username_attribute = uid"])
case("username-attribute-element", ("missing_username", "claim_mismatch", "bad_username") + MALFORMED, "the username is an element",
     stated(statement(attribute("uid", "<b>alice</b>"))), settings=["username_attribute = uid"])
case("username-attribute-control", ("missing_username", "claim_mismatch", "bad_username"), "a control character in the username",
     stated(statement(attribute("uid", "alice&#10;"))), settings=["username_attribute = uid"])
case("required-attribute-missing", ("missing_claim", "claim_mismatch"), "a required attribute is missing", signed(), settings=["required_attributes = realm=corp"])
case("required-attribute-other", ("claim_mismatch",), "a required attribute has another value",
     stated(statement(attribute("realm", "guests"))), settings=["required_attributes = realm=corp"])
case("required-attribute-friendly", ("missing_claim", "claim_mismatch"), "a FriendlyName does not meet the requirement",
     stated(statement(attribute("x", "corp", extra=' FriendlyName="realm"'))), settings=["required_attributes = realm=corp"])
accept("accepted-required-word", "one of several values meets the requirement",
       stated(statement(attribute("realm", "guests", "corp"))), settings=["required_attributes = realm~=corp"], identity={"username": "alice"})
accept("accepted-context-mfa", "the context is one of those that mean a second factor",
       signed(response(assertion(authenticated=authn(inside=context("https://refeds.org/profile/mfa"))))),
       settings=["mfa_acr = https://refeds.org/profile/mfa"], identity=identity())
