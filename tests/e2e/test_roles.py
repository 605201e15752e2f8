"""cortex-sync: roles that come from no directory, attributes, settings and comments.

SPDX-License-Identifier: PostgreSQL
"""
import psycopg
import pytest


SECTIONS = """
[role "shop"]
kind = login
member_of = shop_write, analytics_read
comment = "the shop's o'clock"
connection_limit = 7
valid_until = 2027-01-31
inherit = no
set = search_path=Shop, public
set = work_mem=8MB
[role "shop_write"]
member_of = everybody
comment = writes for the shop
[role "all"]
kind = people
member_of = everybody
set = statement_timeout=5min
"""


def attributes(host, name):
    return host.sql("select rolinherit, rolconnlimit, rolvaliduntil at time zone 'utc', "
                    "shobj_description(r.oid, 'pg_authid'), "
                    "(select array_agg(c order by c) from pg_db_role_setting, unnest(setconfig) c "
                    "where setrole = r.oid and setdatabase = 0) "
                    "from pg_roles r where rolname = %s", name)[0]


def wanted(sync):
    sync.configure(more=SECTIONS)
    sync.people({"alice": ["engineers"]})
    sync.apply()


def test_roles_of_the_configuration_are_made_with_all_that_it_says(sync):
    wanted(sync)
    host = sync.host
    inherit, limit, until, comment, settings = attributes(host, "shop")
    assert (inherit, limit, str(until), comment) == (False, 7, "2027-01-31 00:00:00", "the shop's o'clock")
    assert settings == ["search_path=shop, public", "work_mem=8MB"]
    assert attributes(host, "shop_write")[3] == "writes for the shop"
    assert attributes(host, "alice")[4] == ["statement_timeout=5min"]
    assert host.can_login("shop") is True and host.can_login("shop_write") is False
    assert host.members("everybody") == {"shop_write", "alice"}
    assert host.members("analytics_read") == {"shop", "alice"}
    assert sync.host.sql("select role, policy from cortex.grants where member = 'shop' order by 1") == [
        ("analytics_read", '[role "shop"]'), ("shop_write", '[role "shop"]')]
    assert sync.plan("--check", check=0)["in_sync"] is True


@pytest.mark.parametrize("value, stored", [
    (r'SEARCH_PATH=\"a, B\",c', '"a, B", c'), (r'search_path=\"\"', '""'), (r'search_path=$user , \"q\"\"q\"', '"$user", "q""q"')])
def test_names_of_a_list_may_hold_anything(sync, value, stored):
    sync.configure(more=f'[role "shop"]\nkind = login\nset = "{value}"\n')
    sync.people({"alice": ["engineers"]})
    sync.apply()
    assert attributes(sync.host, "shop")[4] == [f"search_path={stored}"]
    sync.run("--check", check=0)


@pytest.mark.parametrize("value", [r'a, \"b', "a,", "a,,b", "a b"])
def test_list_that_is_none_is_refused(sync, value):
    sync.configure(more=f'[role "shop"]\nkind = login\nset = "search_path={value}"\n')
    sync.people({"alice": ["engineers"]})
    assert "is no list of names" in sync.apply(check=3).stderr


def test_second_run_sends_nothing_that_changes(sync):
    wanted(sync)
    sync.host.sql("alter role shop in database postgres set work_mem = '1MB'")  # that database's own business
    before = sync.host.sql("select max(xmin::text::bigint) from pg_authid"), len(sync.records())
    sync.apply()
    assert (sync.host.sql("select max(xmin::text::bigint) from pg_authid"), len(sync.records())) == before


CHANGES = {
    "alter role shop connection limit 100": "set      shop connection_limit = 7  (was 100)",
    "alter role shop inherit": "inherit = no  (was yes)",
    "alter role shop valid until 'infinity'": "valid_until = 2027-01-31  (was infinity)",
    "alter role shop set work_mem = '1GB'": "set.work_mem = 8MB  (was 1GB)",
    "alter role shop reset search_path": "set.search_path = Shop, public  (was )",
    "comment on role shop is 'mine'": "(was mine)",
    "alter role alice set statement_timeout = 0": "set      alice set.statement_timeout = 5min  (was 0)",
    "revoke everybody from shop_write granted by cortex_grantor": "grant    everybody to shop_write",
}


def test_what_somebody_changed_is_said_and_set_right(sync):
    wanted(sync)
    before = attributes(sync.host, "shop"), attributes(sync.host, "alice")
    for change in CHANGES:
        sync.host.sql(change)
    said = sync.run("--check", check=1).stdout
    for line in CHANGES.values():
        assert line in said, line
    sync.apply()
    assert (attributes(sync.host, "shop"), attributes(sync.host, "alice")) == before
    sync.run("--check", check=0)
    assert [r["event"] for r in sync.records()[-len(CHANGES):]].count("role_changed") == len(CHANGES) - 1


def test_attribute_that_nobody_names_is_left_alone(sync):
    wanted(sync)
    sync.host.sql("alter role shop set lock_timeout = '3s'")
    sync.run("--check", check=0)
    sync.configure(more='[role "shop"]\nkind = login\n')
    sync.apply()
    assert attributes(sync.host, "shop")[1] == 7


def test_setting_without_a_value_is_reset(sync):
    wanted(sync)
    sync.configure(more=SECTIONS.replace("work_mem=8MB", "work_mem=").replace("limit = 7", "limit = unlimited"))
    sync.apply()
    assert attributes(sync.host, "shop")[1] == -1
    assert attributes(sync.host, "shop")[4] == ["search_path=shop, public"]
    sync.run("--check", check=0)


def test_login_that_no_section_makes_any_more_is_cut(sync):
    wanted(sync)
    with sync.host.session("shop") as session:
        sync.configure()
        sync.apply()
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    assert sync.host.can_login("shop") is False
    assert sync.host.can_login("alice") is True
    assert sync.host.members("everybody") == set()


def test_group_that_leaves_a_group_ends_its_members_sessions(sync):
    wanted(sync)
    with sync.host.session("shop") as session:
        session.execute("set role everybody")
        sync.configure(more=SECTIONS.replace("member_of = everybody\ncomment", "comment"))
        sync.apply()
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    assert sync.host.members("everybody") == {"alice"}


def test_setting_that_is_not_everybody_s_is_refused_and_nothing_changes(sync):
    sync.people({"alice": ["engineers"]})
    for setting in ("session_replication_role=replica", "local_preload_libraries=x", "role=postgres", "no_such=1"):
        sync.configure(more=f'[role "shop"]\nkind = login\nset = {setting}\n')
        result = sync.run("--apply", check=3)
        assert "none that Cortex may give a role" in result.stderr, setting
        assert sync.host.can_login("alice") is None and sync.records() == []


def test_person_of_a_rule_s_name_is_not_taken_for_it(sync):
    sync.configure(more='[role "shop"]\nkind = login\n')
    sync.people({"shop": ["engineers"], "alice": ["engineers"]})
    result = sync.run("--apply", check=4)
    assert "shop - a [role] section makes a role of this name" in result.stdout
    assert sync.host.members("analytics_read") == {"alice"}


def test_name_that_no_role_may_have_costs_only_itself(sync):
    sync.configure(more='[role "x"]\nname = pg_monitor\n[role "y"]\nkind = login\nname = cortex_runner\nmember_of = z\n')
    sync.people({"alice": ["engineers"]})
    result = sync.run("--apply", check=4)
    assert result.stdout.count("rejected ") == 2
    assert sync.host.can_login("alice") is True


def test_role_of_somebody_else_keeps_its_attributes(sync):
    sync.host.sql("create role shop login connection limit 3")
    sync.configure(more='[role "shop"]\nkind = login\nconnection_limit = 9\n')
    sync.people({"alice": ["engineers"]})
    sync.run("--apply", check=4)
    assert attributes(sync.host, "shop")[1] == 3
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sync.host.call("change_attributes", ["shop"], ["connection_limit"], ["9"])
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        sync.host.call("change_attributes", ["alice"], ["superuser"], ["yes"])


def test_group_whose_members_the_policy_names_may_be_in_a_group(sync):
    sync.configure(more='[role "analytics_read"]\nmember_of = reporting\n[role "reporting"]\nmember_of = everybody\n')
    sync.people({"alice": ["engineers"]})
    sync.apply()
    assert sync.host.members("reporting") == {"analytics_read"} and sync.host.members("everybody") == {"reporting"}
    sync.run("--check", check=0)


def test_group_that_would_be_its_own_member_is_exit_2(sync):
    sync.configure(more='[role "a"]\nmember_of = b\n[role "b"]\nmember_of = c\n[role "c"]\nmember_of = a\n')
    sync.people({"alice": ["engineers"]})
    assert "a member of itself" in sync.run("--apply", check=2).stderr
