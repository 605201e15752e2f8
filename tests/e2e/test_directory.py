"""cortex-sync over directories: a real slapd, SCIM, and what goes wrong with them.

SPDX-License-Identifier: PostgreSQL
"""
import json
import re
import socket
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlparse

import psycopg
import pytest

from harness import HERE, free_port
from ldaprange import DONE, ENTRY, SEARCH, SEQUENCE, Between, Ranges, join, messages, split
from slapd import BASE, READABLE, SLAPD, Slapd, directory, group_dn, person
from synchost import SyncHost

MANUAL = HERE.parents[1] / "libcortexauth" / "man" / "cortex.conf.5"
CROWD = [f"p{number:02}" for number in range(12)]


@pytest.fixture(scope="module")
def shared():
    if not SLAPD.exists():
        pytest.skip("no slapd (Debian: slapd)")
    sync = SyncHost()
    server = Slapd(sync.host.folder)
    yield sync, server
    server.stop()
    sync.close()


@pytest.fixture
def sync(shared):
    made, server = shared
    made.reset()
    made.ldap = server
    server.reset()
    made.directories(directory(server))
    yield made


def fill(sync, *more):
    """A crowd of engineers, synced."""
    sync.ldap.people(*CROWD, *more)
    sync.ldap.group("engineers", *map(person, [*CROWD, *more]))


def state(sync):
    return sync.host.roles("p%"), sync.host.memberships()


def stays(sync, *arguments, code=3):
    """A run that changes nothing, says why and ends with the code."""
    before = state(sync)
    result = sync.run("--apply", *arguments, check=code)
    assert state(sync) == before
    return result.stderr + result.stdout


# --- reading ---

def test_people_come_by_attribute_whatever_their_dn_says(sync):
    sync.ldap.people("alice", "bob")
    sync.ldap.group("engineers", "CN=person  ALICE, OU=People ,dc=Example,dc=com")
    sync.apply()
    assert sync.host.members("analytics_read") == {"alice"}
    assert sync.host.sql("select source from cortex.roles where name = 'alice'") == [("corp",)]
    sync.run("--check", check=0)


def test_pages_are_put_together_beyond_the_server_s_limit(sync):
    sync.ldap.restart(main="sizelimit size.soft=4 size.hard=4 size.prtotal=unlimited")
    fill(sync)
    sync.directories(directory(sync.ldap, page_size=3))
    sync.apply()
    assert sync.host.members("analytics_read") == set(CROWD)


def through(ranges):
    return directory(ranges, url=ranges.url, starttls="no")


def test_members_in_ranges_are_put_together(sync):
    """Active Directory sends 1500 members of a group at a time."""
    fill(sync)
    with Ranges(sync.ldap, step=5) as ranges:
        sync.directories(through(ranges))
        sync.apply()
    assert ranges.asked == ["member;range=4-*", "member;range=8-*"]
    assert sync.host.members("analytics_read") == set(CROWD)


@pytest.mark.parametrize("how, why, asked", [
    ({"step": 5, "keeps": True}, "keeps the rest of cn=engineers", ["member;range=4-*"]),
    ({"step": 5, "leaves": 3}, 'an attribute "member;range=7-*"', ["member;range=4-*"]),
    ({"step": 4, "leaves": 2}, 'an attribute "member;range=5-8"', ["member;range=3-*"]),
    ({"step": 5, "odd": True}, 'an attribute "member;range=0"', [])])
def test_members_in_ranges_that_are_not_whole_remove_nothing(sync, how, why, asked):
    fill(sync)
    sync.apply()
    with Ranges(sync.ldap, **how) as ranges:
        sync.directories(through(ranges))
        assert why in stays(sync, "--allow-removals=100")
    assert ranges.asked == asked


def test_member_in_another_spelling_is_asked_for_by_a_name_that_every_server_reads(sync):
    """389 Directory Server keeps members as they were spelled, and finds nothing by a blank that is escaped."""
    dn = f"cn=Änne \\#1\\, B\\=C,ou=people,{BASE}"
    sync.ldap.add(f"dn: {dn}\nobjectClass: inetOrgPerson\ncn: Änne #1, B=C\nsn: x\nuid: anne\n")
    sync.ldap.group("engineers", dn.replace("Änne", "änne"))
    with Ranges(sync.ldap, step=100) as between:
        sync.directories(through(between))
        sync.apply()
    assert rf"cn=\c3\a4nne \231\2c b\3dc,ou=people,{BASE}" in between.bases
    assert sync.host.members("analytics_read") == {"anne"}


def test_name_with_control_characters_is_nobody_else_s(sync):
    """What stands between the parts of a name where it is compared must not come from within one."""
    sync.ldap.people("boss")
    mallory = f"cn=Person boss\\02\\03ou\\01people,{BASE}"
    sync.ldap.delete(person("boss"))
    sync.ldap.add(f"dn: {mallory}\nobjectClass: inetOrgPerson\nsn: x\nuid: mallory\n")
    sync.ldap.people("boss")
    sync.ldap.group("engineers", person("boss"))
    sync.ldap.group("writers", mallory, "cn=p\\04\\00\\05")
    sync.directories(directory(sync.ldap, users=f"{BASE}?sub?(objectClass=inetOrgPerson)"))
    sync.apply()
    assert sync.host.members("analytics_read") == {"boss"}
    assert sync.host.members("analytics_write") == {"mallory"}


def test_member_in_another_spelling_is_found_among_any_number_of_strangers(sync):
    """Only names that may be of an entry that was read are looked up, each once."""
    sync.ldap.people("ÄNNE")
    sync.ldap.modify(f"dn: {person('ÄNNE')}\nchangetype: modify\nreplace: uid\nuid: anne\n")
    strangers = [f"cn=stranger {number},ou=elsewhere,{BASE}" for number in range(1100)]
    strangers += [f"cn=strängerin,ou=elsewhere,{BASE}", f"mail=stranger,ou=elsewhere,{BASE}"]
    sync.ldap.group("crowd", *strangers)
    sync.ldap.group("engineers", *strangers, person("änne"))
    with Ranges(sync.ldap, step=5000) as between:
        sync.directories(through(between))
        assert "2204 members of groups are none" in sync.apply().stderr
    assert sync.host.members("analytics_read") == {"anne"}
    looked_up = [base for base in between.bases if "str" in base or "person" in base]
    assert sorted(looked_up) == [rf"cn=person \c3\a4nne,ou=people,{BASE}", rf"cn=str\c3\a4ngerin,ou=elsewhere,{BASE}",
                                 f"mail=stranger,ou=elsewhere,{BASE}"]


class Verbatim(Between):
    """Names of entries as they were added, as 389 Directory Server keeps them: one by another name of the type."""

    def carry(self, source, sink, is_question):
        for message in messages(source):
            parts = []
            for tag, content in split(message):
                if tag == ENTRY:
                    name, attributes = split(content)
                    content = join(name[0], name[1].replace(b"cn=Person p03", b"commonName=Person p03")) + join(*attributes)
                parts.append(join(tag, content))
            sink.sendall(join(SEQUENCE, b"".join(parts)))


def test_group_that_cannot_be_one_is_named(sync):
    """As one that a replication of Active Directory left in conflict."""
    fill(sync)
    sync.ldap.add(f"dn: cn=team\\0aCNF:0f0e,ou=groups,{BASE}\nobjectClass: groupOfNames\nmember: {person('p00')}\n")
    result = sync.apply(check=4)
    assert 'group "team?CNF:0f0e": ' in result.stderr and "who is in it is rejected" in result.stderr
    assert "rejected p00" in result.stdout and sync.host.members("analytics_read") == set(CROWD[1:])


def test_types_in_names_count_by_whichever_name(sync):
    fill(sync)
    with Verbatim(sync.ldap.port) as between:
        sync.directories(directory(sync.ldap, url=f"ldap://127.0.0.1:{between.port}", starttls="no"))
        sync.apply()
    assert sync.host.members("analytics_read") == set(CROWD)


def test_group_that_changes_between_two_ranges_removes_nobody_else(sync):
    """One of the first range leaves: the first of the second moves up into it, and is in neither."""
    fill(sync)
    sync.apply()
    leaves = f"dn: {group_dn('engineers')}\nchangetype: modify\ndelete: member\nmember: {person('p00')}\n"
    with Ranges(sync.ldap, step=5, happens=lambda: sync.ldap.modify(leaves)) as ranges:
        sync.directories(through(ranges))
        assert f"{group_dn('engineers')} changed while its members were read" in stays(sync)
    with Ranges(sync.ldap, step=5) as ranges:
        sync.directories(through(ranges))
        sync.apply()
    assert sync.host.members("analytics_read") == {*CROWD[1:]}


def test_groups_in_groups_and_loops_of_groups_are_followed(sync):
    sync.ldap.people("alice", "bob")
    sync.ldap.group("backend", person("alice"), group_dn("engineers"))
    sync.ldap.group("engineers", person("bob"), group_dn("backend"))
    sync.apply()
    assert sync.host.members("analytics_read") == {"alice", "bob"}


def test_member_of_another_domain_is_nobody_s_loss(sync):
    """Active Directory refers to the server of that domain when it is asked for such a name."""
    sync.ldap.restart(main="referral ldap://other.example.net")
    sync.ldap.people("alice")
    sync.ldap.group("engineers", person("alice"), "cn=Bob,dc=other,dc=example,dc=net")
    assert "1 members of groups are none" in sync.apply().stderr
    assert sync.host.members("analytics_read") == {"alice"}


def test_members_may_be_usernames(sync):
    sync.ldap.people("Alice", "bob", "carol")
    sync.ldap.add(f"dn: cn=engineers,ou=groups,{BASE}\nobjectClass: posixGroup\ncn: engineers\ngidNumber: 1\n"
                  "memberUid: alice\nmemberUid: bob\nmemberUid: gone\n")
    sync.directories(directory(sync.ldap, groups=f"ou=groups,{BASE}?one?(objectClass=posixGroup)",
                               member_attribute="memberUid", member_value="name"))
    assert "2 members of groups are none" in sync.apply().stderr
    assert sync.host.members("analytics_read") == {"bob"}
    sync.ldap.modify(f"dn: {group_dn('engineers')}\nchangetype: modify\nadd: memberUid\nmemberUid: CAROL\n")
    sync.directories(directory(sync.ldap, groups=f"ou=groups,{BASE}?one?(objectClass=posixGroup)",
                               member_attribute="memberUid", member_value="name", username_case="lower"))
    assert "1 members of groups are none" in sync.apply().stderr
    assert sync.host.members("analytics_read") == {"alice", "bob", "carol"}


def test_several_searches_and_directories_make_one_plan(sync):
    sync.ldap.add(f"dn: ou=guests,{BASE}\nobjectClass: organizationalUnit\nou: guests\n")
    sync.ldap.people("alice")
    sync.ldap.people("gast", ou="guests")
    sync.ldap.group("engineers", person("alice"), person("gast", "guests"))
    searches = [f"ou=people,{BASE}?one?(uid=*)", f"ou=guests,{BASE}"]
    sync.directories(directory(sync.ldap, users=searches),
                     '[directory "more"]\nkind = file\npath = people.json\n')
    sync.people({"carol": ["engineers"]})
    sync.apply(check=4)
    assert sync.host.members("analytics_read") == {"alice", "gast", "carol"}


def test_namespace_and_case_belong_to_the_directory(sync):
    sync.ldap.people("Alice")
    sync.ldap.group("engineers", person("Alice"))
    sync.policy('permit (principal in Group::"ext/engineers", action == Action::"read", resource);')
    sync.directories(directory(sync.ldap, namespace="ext", username_case="lower"))
    sync.apply()
    assert sync.host.members("analytics_read") == {"ext.alice"}


def test_ldaps_and_starttls_are_verified_whatever_the_environment_says(sync, monkeypatch):
    fill(sync)
    sync.apply()
    sync.ldap.people("alice")
    sync.ldap.modify(f"dn: {group_dn('engineers')}\nchangetype: modify\nadd: member\nmember: {person('alice')}\n")
    monkeypatch.setenv("LDAPTLS_REQCERT", "never")
    monkeypatch.setenv("LDAPTLS_CACERT", str(sync.ldap.tls.ca))
    for url in (sync.ldap.url, sync.ldap.tls_url):
        sync.directories(directory(sync.ldap, url=url, ca_file=None))
        assert "of an authority in /etc/ssl/certs/ca-certificates.crt (ca_file)?" in stays(sync)
        sync.directories(directory(sync.ldap, url=url))
        sync.run("--check", check=1)
        sync.directories(directory(sync.ldap, url=url.replace("127.0.0.1", "127.0.0.2")))
        assert f"valid, for this host, and of an authority in {sync.ldap.tls.ca} (ca_file)?" in stays(sync)
    for url in (sync.ldap.url, sync.ldap.tls_url):
        sync.directories(directory(sync.ldap, url=f"{url.split(':', maxsplit=1)[0]}://127.0.0.1:{free_port()}"))
        assert "ca_file" not in stays(sync)


def test_clear_text_is_refused_beyond_this_host(sync):
    sync.directories(directory(sync.ldap, starttls="no", url="ldap://ldap.example.com"))
    assert "starttls" in stays(sync, code=2)


def test_servers_are_tried_in_turn(sync):
    fill(sync)
    sync.directories(directory(sync.ldap, url=f"ldap://127.0.0.1:{free_port()}, {sync.ldap.url}"))
    sync.apply()
    assert len(sync.host.members("analytics_read")) == len(CROWD)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for scheme in ("ldap", "ldaps"):
            sync.directories(directory(sync.ldap, url=f"{scheme}://127.0.0.1:{port}, {sync.ldap.url}", timeout="30s"))
            began = time.monotonic()
            sync.run("--check", check=0)
            assert time.monotonic() - began < 15


def test_who_holds_a_role_that_is_renamed_keeps_nobody_else(sync):
    """Nor is there a second role for the person meanwhile."""
    fill(sync, "p90")
    sync.apply()
    sync.host.sql("begin; alter role p90 password null; prepare transaction 'hers'")
    call(sync, "p90", "p91")
    sync.ldap.people("p92")
    sync.ldap.modify(f"dn: {group_dn('engineers')}\nchangetype: modify\nadd: member\nmember: {person('p92')}\n")
    result = json.loads(sync.apply("--json", check=4).stdout)
    assert result["rename"] == [] and ["p90"] == [one["name"] for one in result["rejected"]]
    assert "'hers'" in result["rejected"][0]["why"] and sync.host.can_login("p91") is None
    assert sync.host.can_login("p90") and {"p90", "p92"} <= sync.host.members("analytics_read")
    sync.host.sql("rollback prepared 'hers'")
    assert json.loads(sync.apply("--json").stdout)["rename"] == [{"from": "p90", "to": "p91"}]


def test_rename_is_a_rename_and_keeps_what_is_owned(sync):
    fill(sync, "p90")
    sync.apply()
    sync.host.sql("create schema s authorization p90; set role p90; create table s.mine (n int)")
    before = sync.host.sql("select oid from pg_roles where rolname = 'p90'")
    sync.host.sql("select cortex.login('p90/write', '', '', '', '{}', '{}', '{}', '{}')")
    call(sync, "p90", "p91")
    with sync.host.session("p90") as session, sync.host.session("p90/write") as level:
        result = json.loads(sync.apply("--json").stdout)
        for one in (session, level):
            with pytest.raises(psycopg.OperationalError):
                one.execute("select 1")
    assert result["rename"] == [{"from": "p90", "to": "p91"}]
    assert sync.host.sql("select oid from pg_roles where rolname = 'p91'") == before
    assert sync.host.can_login("p90") is None
    assert "p91" in sync.host.members("analytics_read")
    assert [r["role"] for r in sync.records() if r["event"] == "role_renamed"] == ["p91"]
    sync.run("--check", check=0)
    sync.host.sql("drop schema s cascade; drop role \"p90/write\"")


def test_two_who_exchange_their_names_keep_their_roles(sync):
    fill(sync, "p90", "p91")
    sync.apply()
    oids = dict(sync.host.sql("select rolname, oid from pg_roles where rolname in ('p90', 'p91')"))
    for dn, uid in (("p90", "p91"), ("p91", "p90")):
        sync.ldap.modify(f"dn: {person(dn)}\nchangetype: modify\nreplace: uid\nuid: {uid}\n")
    sync.apply()
    now = dict(sync.host.sql("select rolname, oid from pg_roles where rolname in ('p90', 'p91')"))
    assert now == {"p90": oids["p91"], "p91": oids["p90"]}


def test_somebody_else_of_a_name_does_not_inherit_the_role(sync):
    fill(sync, "p90")
    sync.apply()
    sync.ldap.modify(f"dn: {group_dn('engineers')}\nchangetype: modify\ndelete: member\nmember: {person('p90')}\n")
    sync.ldap.delete(person("p90"))
    sync.ldap.people("p90")
    sync.ldap.modify(f"dn: {group_dn('engineers')}\nchangetype: modify\nadd: member\nmember: {person('p90')}\n")
    assert "if it is the same person, once: --adopt; if not, rename or drop the role" in stays(sync, code=4)
    sync.host.sql("alter role p90 rename to p90_before")
    sync.apply()
    assert sync.host.can_login("p90_before") is False and sync.host.can_login("p90") is True


def test_same_person_of_another_id_keeps_the_role_where_the_operator_says_so(sync):
    fill(sync, "p90")
    sync.apply()
    sync.ldap.delete(person("p90"))
    sync.ldap.people("p90")
    assert "--adopt" in stays(sync, code=4)
    sync.apply("--adopt")
    sync.run("--check", check=0)


def test_samples_of_the_manual_are_read(sync):
    """As they stand, up to a server that is not there."""
    samples = re.findall(r'^(\[directory .*?)^\.Ed$', MANUAL.read_text(encoding="utf-8"), re.M | re.S)
    assert len(samples) == 2
    for label in ("ad", "ds"):
        (sync.folder / f"{label}.password").write_text("secret\n")
        (sync.folder / f"{label}-ca.pem").write_bytes(sync.ldap.tls.ca.read_bytes())
    sync.directories(*(re.sub(r"^url = .*", f"url = ldaps://127.0.0.1:{free_port()}", one, flags=re.M) for one in samples))
    said = sync.run("--check", check=3).stderr
    assert said.count("bind as") == 2 and "bind as cortex-sync@ad.example.com: Can't contact" in said


# --- incomplete ---

def test_size_limit_removes_nothing(sync):
    fill(sync)
    sync.apply()
    sync.ldap.restart(main="sizelimit 4")
    assert "incomplete" in stays(sync, "--allow-removals=100")


def test_directory_down_slow_or_cut_removes_nothing(sync):
    fill(sync)
    sync.apply()
    sync.ldap.stop()
    assert "left as they are" in stays(sync, "--allow-removals=100")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        for scheme, starttls in (("ldap", "yes"), ("ldap", "no"), ("ldaps", None)):
            sync.directories(directory(sync.ldap, url=f"{scheme}://127.0.0.1:{port}", starttls=starttls, timeout="1s"))
            began = time.monotonic()
            assert "no answer in time" in stays(sync, "--allow-removals=100")
            assert time.monotonic() - began < 15


def test_connection_cut_in_the_middle_removes_nothing(sync):
    fill(sync)
    sync.apply()
    with Cutter(sync.ldap.port, 900) as cutter:
        sync.directories(directory(sync.ldap, url=f"ldap://127.0.0.1:{cutter.port}", starttls="no"))
        assert "incomplete" in stays(sync, "--allow-removals=100")


def test_missing_base_and_wrong_password_remove_nothing(sync):
    fill(sync)
    sync.apply()
    sync.directories(directory(sync.ldap, users=f"ou=gone,{BASE}"))
    stays(sync, "--allow-removals=100")
    sync.directories(directory(sync.ldap))
    (sync.ldap.folder / "password").write_text("wrong\n")
    assert f"bind as cn=reader,{BASE}: Invalid credentials" in stays(sync, "--allow-removals=100")
    (sync.ldap.folder / "password").write_text("\n")
    assert "empty" in stays(sync, "--allow-removals=100")


class Silent(Between):
    """Does not say that a base is not there, as 389 Directory Server does to whoever is not its manager."""

    def carry(self, source, sink, is_question):
        for message in messages(source):
            parts = [(tag, content.replace(b"\x0a\x01\x20", b"\x0a\x01\x00", 1) if tag == DONE else content)
                     for tag, content in split(message)]
            sink.sendall(join(SEQUENCE, b"".join(join(*part) for part in parts)))


def test_base_that_is_gone_is_not_an_empty_one_whatever_the_server_says(sync):
    fill(sync)
    sync.ldap.add(f"dn: ou=guests,{BASE}\nobjectClass: organizationalUnit\nou: guests\n")
    sync.ldap.people("gast", ou="guests")
    sync.ldap.modify(f"dn: {group_dn('engineers')}\nchangetype: modify\nadd: member\nmember: {person('gast', 'guests')}\n")
    searches = [f"ou=people,{BASE}?one?(uid=*)", f"ou=guests,{BASE}?one"]
    sync.directories(directory(sync.ldap, users=searches))
    sync.apply()
    sync.ldap.modify(f"dn: ou=guests,{BASE}\nchangetype: moddn\nnewrdn: ou=visitors\ndeleteoldrdn: 1\n")
    with Silent(sync.ldap.port) as between:
        sync.directories(directory(sync.ldap, users=searches, url=f"ldap://127.0.0.1:{between.port}", starttls="no"))
        assert f"below ou=guests,{BASE} finds nothing" in stays(sync)
    sync.ldap.delete(person("gast", "visitors"))
    sync.directories(directory(sync.ldap, users=[searches[0], f"ou=visitors,{BASE}?one"]))
    sync.apply()
    assert sync.host.members("analytics_read") == set(CROWD)


class Moving(Between):
    """Something happens just before the search below a base."""

    def __init__(self, port, base, happens):
        self.base, self.happens = base, happens
        super().__init__(port)

    def carry(self, source, sink, is_question):
        for message in messages(source):
            for tag, content in split(message):
                if is_question and tag == SEARCH and next(split(content))[1].decode() == self.base and self.happens:
                    happens, self.happens = self.happens, None
                    happens()
            sink.sendall(join(SEQUENCE, message))


@pytest.mark.parametrize("home, before", [("people", "groups"), ("guests", "guests")])
def test_who_is_moved_while_the_directory_is_read_is_not_gone(sync, home, before):
    sync.ldap.add(f"dn: ou=guests,{BASE}\nobjectClass: organizationalUnit\nou: guests\n")
    fill(sync)
    sync.ldap.people("gast", "other", ou="guests")
    who, name = ("p00", person("p00")) if home == "people" else ("gast", person("gast", "guests"))
    sync.ldap.modify(f"dn: {group_dn('engineers')}\nchangetype: modify\nadd: member\nmember: {person('gast', 'guests')}\n")
    searches = {"users": [f"ou=people,{BASE}?one?(uid=*)", f"ou=guests,{BASE}??(&(uid=*)(!(title=locked)))"]}
    sync.directories(directory(sync.ldap, **searches))
    sync.apply()

    def move():
        to = "guests" if home == "people" else "people"
        sync.ldap.modify(f"dn: {name}\nchangetype: moddn\nnewrdn: cn=Person {who}\ndeleteoldrdn: 1\nnewsuperior: ou={to},{BASE}\n")
        sync.ldap.modify(f"dn: {group_dn('engineers')}\nchangetype: modify\ndelete: member\nmember: {name}\n-\n"
                         f"add: member\nmember: {person(who, to)}\n")

    with Moving(sync.ldap.port, f"ou={before},{BASE}", move) as between:
        sync.directories(directory(sync.ldap, **searches, url=f"ldap://127.0.0.1:{between.port}", starttls="no"))
        assert f"cn=Person {who}," in stays(sync)
    sync.directories(directory(sync.ldap, **searches))
    sync.run("--check", check=0)
    sync.ldap.modify(f"dn: {group_dn('engineers')}\nchangetype: modify\nadd: member\nmember: {person('other', 'guests')}\n")
    sync.ldap.modify(f"dn: {person('other', 'guests')}\nchangetype: modify\nadd: title\ntitle: locked\n")
    assert "1 members of groups are none" in sync.run("--check", check=0).stderr


def test_members_that_the_reader_may_not_see_are_not_gone(sync):
    fill(sync)
    sync.apply()
    sync.ldap.restart(database="access to attrs=member by * none\n" + READABLE)
    assert "members of group" in stays(sync, "--allow-removals=100")


def test_group_that_is_empty_by_the_server_s_word_is_empty(sync):
    """389 Directory Server has such groups, as of the sample entries that it begins with."""
    core = sync.ldap.core_with_empty_groups()
    sync.ldap.restart(core=core)
    fill(sync)
    sync.ldap.group("guests")
    sync.ldap.add(f"dn: cn=unique,ou=groups,{BASE}\nobjectClass: groupOfUniqueNames\ncn: unique\n")
    sync.directories(directory(sync.ldap, groups=f"ou=groups,{BASE}?one?(cn=*)", member_attribute="member, uniqueMember"))
    sync.apply()
    assert sync.host.members("analytics_read") == set(CROWD)
    for level in ("none", "compare"):
        sync.ldap.restart(database=f"access to attrs=member by * {level}\n" + READABLE, core=core)
        assert "members of group" in stays(sync, "--allow-removals=100")
    sync.ldap.restart(core=core)
    sync.ldap.modify(f"dn: {group_dn('engineers')}\nchangetype: modify\nreplace: member\n")
    sync.apply("--allow-removals=100")
    assert sync.host.members("analytics_read") == set()


def test_member_attribute_that_is_not_named_is_no_empty_group(sync):
    sync.ldap.people("alice")
    sync.ldap.add(f"dn: cn=engineers,ou=groups,{BASE}\nobjectClass: groupOfUniqueNames\ncn: engineers\n"
                  f"uniqueMember: {person('alice')}\n")
    every = f"ou=groups,{BASE}?one?(cn=*)"
    sync.directories(directory(sync.ldap, groups=every))
    assert "(uniqueMember: Compare False)" in sync.run("--check", check=3).stderr
    sync.directories(directory(sync.ldap, groups=every, member_attribute="uniqueMember"))
    sync.apply()
    assert sync.host.members("analytics_read") == {"alice"}


def test_names_that_the_reader_may_not_see_are_not_gone(sync):
    fill(sync)
    sync.apply()
    sync.ldap.restart(database="access to attrs=uid by * none\n" + READABLE)
    assert "no username that can be read (username_attribute)" in stays(sync, "--allow-removals=100", code=4)
    sync.directories(directory(sync.ldap, group_attribute="description"))
    assert "cannot be read (group_attribute)" in stays(sync, "--allow-removals=100")


def test_ids_that_cannot_be_read_are_complained_of(sync):
    """Of Active Directory without id_attribute; or of 389 Directory Server, whose own rules hide entryUUID."""
    fill(sync)
    assert "id_attribute" not in sync.apply().stderr
    sync.directories(directory(sync.ldap, id_attribute="objectGUID"))
    assert "id_attribute: 12 people have no objectGUID that can be read" in sync.run("--check", check=0).stderr
    sync.ldap.restart(database="access to attrs=entryUUID by * none\n" + READABLE)
    sync.directories(directory(sync.ldap))
    assert "12 people have no entryUUID" in sync.run("--check", check=0).stderr


def test_emptied_folder_is_refused_by_the_valve(sync):
    fill(sync)
    sync.apply()
    sync.ldap.delete(*map(person, CROWD))
    assert "--allow-removals" in stays(sync, code=5)


def test_sentinel_must_be_there(sync):
    fill(sync)
    sync.apply()
    sync.directories(directory(sync.ldap, sentinel=[person("p00"), group_dn("engineers")]))
    sync.run("--check", check=0)
    sync.directories(directory(sync.ldap, sentinel=person("nobody")))
    assert "sentinel" in stays(sync, "--allow-removals=100")


def test_referral_makes_a_search_incomplete(sync):
    fill(sync)
    sync.apply()
    sync.ldap.add(f"dn: ou=far,ou=people,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: far\n"
                  "ref: ldap://far.example.com/ou=far\n")
    assert "incomplete" in stays(sync, "--allow-removals=100")


def test_filter_that_is_none_is_named(sync):
    fill(sync)
    sync.apply()
    sync.directories(directory(sync.ldap, groups=f"ou=groups,{BASE}??(objectClass=groupOfNames"))
    assert f"below ou=groups,{BASE} for (objectClass=groupOfNames: Bad search filter" in stays(sync)


def test_two_groups_of_one_name_are_not_one(sync):
    fill(sync)
    sync.apply()
    sync.ldap.add(f"dn: ou=more,ou=groups,{BASE}\nobjectClass: organizationalUnit\nou: more\n",
                  f"dn: cn=engineers,ou=more,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: engineers\nmember: {person('p00')}\n")
    sync.directories(directory(sync.ldap, groups=f"ou=groups,{BASE}?sub?(objectClass=groupOfNames)"))
    assert "two groups" in stays(sync)


def test_who_is_found_as_a_person_and_as_a_group_is_not_taken_for_a_group(sync):
    fill(sync)
    sync.apply()
    sync.directories(directory(sync.ldap, groups=f"{BASE}?sub?(cn=*)"))
    assert f"{person('p00')} is found by users and by groups" in stays(sync, "--allow-removals=100")


@pytest.mark.parametrize("attribute", ["entryUUID", "employeeNumber"])
def test_two_people_of_one_name_are_not_one(sync, attribute):
    fill(sync)
    sync.ldap.add(f"dn: ou=guests,{BASE}\nobjectClass: organizationalUnit\nou: guests\n")
    sync.ldap.people("p00", ou="guests")
    sync.ldap.group("writers", person("p00", "guests"))
    sync.directories(directory(sync.ldap, users=f"{BASE}?sub?(uid=*)", id_attribute=attribute))
    assert "rejected p00 - two people are called so" in sync.apply(check=4).stdout
    assert sync.host.members("analytics_write") == set() and sync.host.can_login("p00") is None


def test_one_directory_that_fails_freezes_its_own_people_only(sync):
    fill(sync)
    more = '[directory "more"]\nkind = file\npath = people.json\n'
    sync.people({f"f{number}": ["engineers"] for number in range(20)})
    sync.directories(directory(sync.ldap), more)
    sync.apply()
    sync.ldap.stop()
    sync.people({**{f"f{number}": ["engineers"] for number in range(1, 20)}, "fresh": ["engineers"]})
    sync.run("--apply", check=3)
    assert sync.host.members("analytics_read") == {*CROWD, "fresh", *(f"f{number}" for number in range(1, 20))}
    assert sync.host.can_login("f0") is False


def test_one_name_in_two_directories_is_left_as_it_is(sync):
    fill(sync)
    sync.apply()
    sync.people({"p00": ["engineers", "writers"], "solo": ["engineers"]})
    sync.directories(directory(sync.ldap), '[directory "more"]\nkind = file\npath = people.json\n')
    before = sync.host.roles("p00")
    sync.apply(check=4)
    assert sync.host.roles("p00") == before
    assert "p00" in sync.host.members("analytics_read")
    assert sync.host.members("analytics_write") == set()


def test_one_name_in_two_directories_whatever_each_may(sync):
    """Who may nothing is called so too: when the other one leaves, the role is not theirs."""
    fill(sync)
    sync.apply()
    more = '[directory "more"]\nkind = file\npath = people.json\n'
    sync.people({"p00": ["guests"], "solo": ["engineers"]})
    sync.directories(directory(sync.ldap), more)
    assert "rejected p00" in sync.apply(check=4).stdout
    assert "p00" in sync.host.members("analytics_read")
    sync.people({"p00": ["engineers", "writers"], "solo": ["engineers"]})
    sync.ldap.delete(person("p00"))
    before = sync.host.roles("p00")
    assert 'somebody of "corp"' in sync.apply(check=4).stdout
    assert sync.host.roles("p00") == before and sync.host.members("analytics_write") == set()
    assert sync.host.sql("select source from cortex.roles where name = 'p00'") == [("corp",)]
    sync.apply("--adopt")
    assert sync.host.sql("select source from cortex.roles where name = 'p00'") == [("more",)]
    assert sync.host.members("analytics_write") == {"p00"}


def test_people_and_groups_of_a_namespace_are_its_directory_s_to_name(sync):
    sync.policy('permit (principal in Group::"ext/engineers", action == Action::"read", resource);')
    sync.people({"mallory": ["ext/engineers"], "ext.eve": ["engineers"]})
    sync.ldap.people("alice")
    sync.ldap.group("engineers", person("alice"))
    sync.directories(directory(sync.ldap, namespace="ext"), '[directory "more"]\nkind = file\npath = people.json\n')
    said = sync.apply(check=4).stdout
    assert "rejected mallory" in said and "rejected ext.eve" in said
    assert sync.host.members("analytics_read") == {"ext.alice"}
    assert sync.host.can_login("mallory") is None and sync.host.can_login("ext.eve") is None


def call(sync, uid, name):
    """Somebody gets another username."""
    sync.ldap.modify(f"dn: {person(uid)}\nchangetype: modify\nreplace: uid\nuid: {name}\n")


@pytest.mark.parametrize("name", ["postgres", "n" * 64, "a/b", "somebody", "gone", "p03", "analytics_read"])
def test_whose_new_name_cannot_be_had_keeps_the_role_of_the_old_one(sync, name):
    fill(sync, "gone")
    sync.apply()
    sync.ldap.modify(f"dn: {group_dn('engineers')}\nchangetype: modify\ndelete: member\nmember: {person('gone')}\n")
    sync.apply()
    sync.host.sql("create role somebody login")
    try:
        call(sync, "p01", name)
        with sync.host.session("p01") as session:
            said = stays(sync, code=4)
            assert f"rejected {name}" in said and "rejected p01" in said
            assert session.execute("select 1").fetchone() == (1,)
        call(sync, "p01", "p01b")
        sync.apply()
        assert sync.host.can_login("p01") is None and "p01b" in sync.host.members("analytics_read")
    finally:
        sync.host.sql("drop role somebody")


def test_whose_new_name_the_operator_hands_over_has_that_role_alone(sync):
    fill(sync)
    sync.apply()
    sync.host.sql("create role somebody login")
    call(sync, "p01", "somebody")
    sync.apply("--adopt")
    assert sync.host.can_login("p01") is False
    assert "somebody" in sync.host.members("analytics_read") and "p01" not in sync.host.members("analytics_read")


def test_who_may_nothing_any_more_is_cut_by_whatever_name(sync):
    fill(sync)
    sync.apply()
    sync.ldap.modify(f"dn: {group_dn('engineers')}\nchangetype: modify\ndelete: member\nmember: {person('p01')}\n")
    call(sync, "p01", "left/p01")
    sync.apply(check=4)
    assert sync.host.can_login("p01") is False


HOSTILE = ['x" SUPERUSER; CREATE ROLE "pwned', "o'brien", "back\\\\slash", "comma,name", "ünïcode", "%I"]


def test_hostile_names_are_names_or_rejected(sync):
    sync.ldap.people("alice")
    entries = [f"dn: cn=h{number},ou=people,{BASE}\nobjectClass: inetOrgPerson\ncn: h{number}\nsn: x\nuid: {uid}\n"
               for number, uid in enumerate([*HOSTILE, "postgres", "pg_monitor", "n" * 64, "public"])]
    sync.ldap.add(*entries)
    sync.ldap.group("engineers", person("alice"), *(f"cn=h{number},ou=people,{BASE}" for number in range(len(entries))))
    sync.apply(check=4)
    assert sync.host.members("analytics_read") == {"alice", *HOSTILE}
    assert sync.host.sql("select count(*) from pg_roles where rolsuper or rolname = 'pwned'") == [(1,)]


class Cutter(Between):
    """Passes bytes to a port and back, and hangs up after so many of the answer."""

    def __init__(self, port, limit):
        self.limit = limit
        super().__init__(port)

    def carry(self, source, sink, is_question):
        passed = 0
        while data := source.recv(500):
            sink.sendall(data)
            passed += len(data)
            if not is_question and passed > self.limit:
                return


# --- SCIM ---

class Scim(HTTPServer):
    """RFC 7644 lists of what the test says, in pages; broken where it says so."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ScimHandler)
        self.users, self.groups, self.broken, self.largest, self.busy = [], [], None, 5, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def fill(self, *names):
        self.users = [{"id": f"id-{name}", "userName": name, "active": True} for name in names]
        self.groups = [{"id": "g1", "displayName": "engineers",
                        "members": [{"value": f"id-{name}", "type": "User"} for name in names]}]


class ScimHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlparse(self.path)
        asked = {key: int(values[0]) for key, values in parse_qs(url.query).items()}
        resources = self.server.users if url.path.endswith("/Users") else self.server.groups
        begin = asked["startIndex"] - 1
        page = resources[begin:begin + min(asked["count"], self.server.largest)]
        total = len(resources)
        if self.headers["Authorization"] != "Bearer scim-secret":
            return self.answer(401, b"{}")
        if self.server.busy and begin > 0:
            return self.answer(self.server.busy[0][0], b"{}", self.server.busy.pop(0)[1])
        if self.server.broken == "short" and begin > 0:
            page = []
        if self.server.broken == "total" and begin > 0:
            total += 1
        if self.server.broken == "more":
            total -= 1
        if self.server.broken == "status" and begin > 0:
            return self.answer(503, b"{}")
        if self.server.broken == "moved" and resources is self.server.users and begin == 0:
            self.server.users = [*resources[1:], {"id": "id-new", "userName": "new"}]
        body = json.dumps({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": total,
                           "startIndex": begin + 1, "itemsPerPage": len(page), "Resources": page or None}).encode()
        return self.answer(200, body[:-20] if self.server.broken == "cut" and begin > 0 else body)

    def answer(self, status, body, retry_after=None):
        self.send_response(status)
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Type", "application/scim+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def scim(sync):
    server = Scim()
    (sync.folder / "token").write_text("scim-secret\n")
    (sync.folder / "token").chmod(0o600)
    sync.directories(f'[directory "cloud"]\nkind = scim\nurl = http://127.0.0.1:{server.server_port}/scim/v2\n'
                     "token_file = token\n")
    yield server
    server.shutdown()
    server.server_close()


def test_scim_pages_nested_groups_and_inactive_people(sync, scim):
    scim.fill(*CROWD)
    scim.users.append({"id": "id-off", "userName": "off", "active": False})
    scim.groups[0]["members"] += [{"value": "id-off"}, {"value": "g2", "type": "Group"}]
    scim.users.append({"id": "id-deep", "userName": "deep"})
    scim.groups.append({"id": "g2", "displayName": "backend", "members": [{"value": "id-deep"}]})
    sync.apply()
    assert sync.host.members("analytics_read") == {*CROWD, "deep"}
    scim.users[0]["userName"] = "renamed"
    assert json.loads(sync.apply("--json").stdout)["rename"] == [{"from": "p00", "to": "renamed"}]


def test_scim_names_are_names_or_rejected(sync, scim):
    scim.fill("alice")
    bad = ["alice\0", "al\0ice", "\0", "esc\x1b[2J", "n" * 64, "postgres", "a/b", "al\ud83dice", "\ude00\ud83d"]
    good = ['x" SUPERUSER; CREATE ROLE "pwned', "o'brien", "ünïcode", "back\\ud83d", "smile\U0001f600"]
    scim.users[0]["nickName"] = "cut in the middle of \ud83d"
    for number, name in enumerate([*bad, *good]):
        scim.users.append({"id": f"h{number}", "userName": name, "active": None})
        scim.groups[0]["members"].append({"value": f"h{number}"})
    assert len(json.loads(sync.apply("--json", check=4).stdout)["rejected"]) == len(bad)
    assert sync.host.members("analytics_read") == {"alice", *good}


def test_scim_sentinel_that_has_no_members_removes_nothing(sync, scim):
    scim.fill("alice", "bob")
    conf = sync.folder / "cortex.conf"
    conf.write_text(conf.read_text(encoding="utf-8") + "sentinel = g1\nsentinel = id-alice\n", encoding="utf-8")
    sync.apply()
    scim.groups[0]["members"] = []
    assert "sentinel cannot be read: g1" in stays(sync)
    del scim.groups[0]["members"]
    assert "sentinel cannot be read: g1" in stays(sync)


def test_scim_null_is_an_empty_list(sync, scim):
    """RFC 7643 2.5; of members, and (by the server above) of resources."""
    scim.fill("alice")
    scim.groups.append({"id": "g2", "displayName": "empty", "members": None})
    sync.apply()
    assert sync.host.members("analytics_read") == {"alice"}
    scim.groups = []
    sync.apply()
    assert sync.host.members("analytics_read") == set()


def test_scim_page_may_be_longer_than_other_documents(sync, scim):
    scim.fill("alice")
    scim.groups[0]["members"] += [{"value": f"id-{number}", "display": "x" * 1000} for number in range(2000)]
    assert "2000 members" in sync.apply().stderr
    assert sync.host.members("analytics_read") == {"alice"}


def test_scim_active_that_is_no_boolean_removes_nothing(sync, scim):
    scim.fill(*CROWD)
    sync.apply()
    scim.users[3]["active"] = "False"
    scim.users.append({"id": "id-off", "userName": "off", "active": "False"})
    assert "neither true nor false" in stays(sync)


def test_scim_that_changes_between_two_pages_removes_nothing(sync, scim):
    """One goes and one comes: as many as before, and who moved from the second page to the first is on neither."""
    scim.fill(*CROWD)
    sync.apply()
    scim.broken = "moved"
    assert "changed between two pages" in stays(sync, "--allow-removals=100")
    scim.broken = None
    sync.apply("--allow-removals=100")
    assert sync.host.members("analytics_read") == {*CROWD[1:]}


@pytest.mark.parametrize("how", ["short", "total", "more", "status", "cut"])
def test_scim_that_is_not_whole_removes_nothing(sync, scim, how):
    scim.fill(*CROWD)
    sync.apply()
    scim.broken = how
    scim.fill(*CROWD[:9])
    stays(sync, "--allow-removals=100")


def test_scim_that_is_busy_is_asked_again_when_it_says(sync, scim):
    """Where the directory's timeout leaves so much time."""
    scim.fill(*CROWD)
    scim.busy = [(429, "1"), (503, formatdate(time.time() + 2, usegmt=True)), (503, "0")]
    begun = time.monotonic()
    sync.apply()
    assert time.monotonic() - begun > 1 and scim.busy == []
    assert sync.host.members("analytics_read") == {*CROWD}
    scim.fill(*CROWD[:9])
    scim.busy = [(429, "3600")]
    assert "HTTP status 429: it is to be asked again later than timeout allows" in stays(sync, "--allow-removals=100")


def test_scim_with_a_wrong_token_removes_nothing(sync, scim):
    scim.fill(*CROWD)
    sync.apply()
    (sync.folder / "token").write_text("other\n")
    assert "scim-secret" not in stays(sync, "--allow-removals=100")
