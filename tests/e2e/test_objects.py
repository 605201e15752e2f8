"""cortex-sync: privileges of group roles on objects, and leavers who are dropped.

SPDX-License-Identifier: PostgreSQL
"""
import psycopg
import pytest

from synchost import SyncHost, service

DATABASE = """
[database "sales"]
schemas = public, "Odd schema"
creators = maker
leaver_owner = maker
grant = "reporting: analysts"
[profile "reporting"]
schemas = USAGE
tables = SELECT
[role "analysts"]
"""

SALES = service("sales", {"read": ["sales_read"], "write": ["sales_write"]})

SCENE = """
create schema if not exists "Odd schema";
grant create on schema "Odd schema" to maker;
create table if not exists public.orders (n int, secret int);
create table if not exists "Odd schema"."Odd ""table" (n int);
create sequence if not exists public.numbers;
create or replace function public.work(n int) returns int language sql as 'select n';
revoke execute on function public.work(int) from public;
"""


@pytest.fixture(scope="module")
def shared():
    made = SyncHost()
    made.host.sql("create database sales")
    made.host.sql("create extension cortex", database="sales")
    yield made
    made.close()


@pytest.fixture
def sync(shared):
    shared.host.sql('drop schema if exists "Odd schema" cascade; drop table if exists public.orders cascade; '
                    "drop function if exists public.work(int); drop sequence if exists public.numbers; "
                    "drop table if exists public.mine", database="sales")
    for name in ("sales_read", "sales_write", "analysts", "maker", "bob", "alice"):
        if shared.host.can_login(name) is not None:
            shared.host.sql(f"drop owned by {name} cascade", database="sales")
    shared.reset()
    shared.host.sql("create role maker; grant create on database sales to maker")
    shared.host.sql(SCENE, database="sales")
    shared.services(SALES)
    shared.policy("")
    shared.configure(more=DATABASE)
    shared.people({"alice": ["engineers"]})
    shared.policy('@id("r") permit (principal in Group::"engineers", action == Action::"read", resource);')
    yield shared


def may(sync, role, *wanted):
    """Which of (function, object, privilege) the role has in the database."""
    return [sync.host.sql(f"select has_{kind}_privilege(%s, %s, %s)", role, thing, privilege, database="sales")[0][0]
            for kind, thing, privilege in wanted]


ORDERS = [("table", "public.orders", "select"), ("table", "public.orders", "insert"), ("table", "public.orders", "truncate")]


def test_profiles_become_privileges_and_the_second_run_sends_nothing(sync):
    said = sync.run("--check", check=1).stdout
    assert "grant    SELECT on table public.orders to sales_read  (database sales)" in said
    assert 'SELECT on future tables of maker in schema "Odd schema" to analysts' in said
    sync.apply()
    assert may(sync, "sales_read", *ORDERS) == [True, False, False]
    assert may(sync, "sales_write", *ORDERS) == [True, True, False]
    assert may(sync, "analysts", ("table", '"Odd schema"."Odd ""table"', "select"), ("schema", "Odd schema", "usage"),
               ("sequence", "public.numbers", "select")) == [True, True, False]
    assert may(sync, "sales_write", ("function", "public.work(int)", "execute")) == [True]
    assert may(sync, "sales_read", ("function", "public.work(int)", "execute")) == [False]
    sync.host.sql('set role maker; create table "Odd schema".later (n int)', database="sales")
    assert may(sync, "analysts", ("table", '"Odd schema".later', "select")) == [True]
    records = sync.records()
    assert {"role": "sales_write", "detail": "DELETE, INSERT, SELECT, UPDATE on table public.orders", "database": "sales"}.items() <= [
        r for r in records if r["event"] == "privilege_granted" and r["detail"].endswith("public.orders")
        and r["role"] == "sales_write"][0].items()
    plan = sync.plan("--apply", check=0)
    assert plan["databases"][0]["in_sync"] is True and plan["databases"][0]["lines"] == []
    assert len(sync.records()) == len(records)


def test_what_somebody_took_is_given_again_and_what_no_rule_says_goes_with_strict_only(sync):
    sync.apply()
    sync.host.sql("revoke select on public.orders from sales_read; grant update on public.orders to analysts; "
                  "grant insert (n) on public.orders to sales_read; grant select on public.orders to sales_write "
                  "with grant option; grant delete on public.orders to maker, public", database="sales")
    said = sync.run("--check", check=1).stdout
    assert "extra    UPDATE on table public.orders of analysts" in said
    assert "extra    INSERT on table public.orders (n) of sales_read" in said
    sync.apply()
    assert may(sync, "sales_read", *ORDERS)[0] is True
    assert may(sync, "analysts", ("table", "public.orders", "update")) == [True]
    sync.run("--check", check=0)
    sync.run("--check", "--strict", check=1)
    sync.apply("--strict")
    assert may(sync, "analysts", ("table", "public.orders", "update")) == [False]
    sync.run("--check", "--strict", check=0)
    assert sync.host.sql("select has_column_privilege('sales_read', 'public.orders', 'n', 'insert'), "
                         "has_table_privilege('sales_write', 'public.orders', 'select with grant option'), "
                         "has_table_privilege('maker', 'public.orders', 'delete')", database="sales") == [(False, False, True)]
    assert [r["event"] for r in sync.records()].count("privilege_revoked") == 3


def test_what_a_group_role_owns_is_neither_given_to_it_nor_taken(sync):
    sync.apply()
    sync.host.sql("create table public.mine (n int); alter table public.mine owner to sales_read; "
                  "grant select on public.mine to maker", database="sales")
    sync.apply("--strict")
    assert may(sync, "sales_read", ("table", "public.mine", "insert")) == [True]
    assert may(sync, "sales_write", ("table", "public.mine", "select")) == [True]
    sync.run("--check", "--strict", check=0)


def test_what_somebody_else_than_the_owner_granted_stays_and_is_told(sync):
    sync.apply()
    sync.host.sql("grant select, update on public.orders to maker with grant option; set role maker; "
                  "grant select on public.orders to analysts with grant option; grant update on public.orders to analysts",
                  database="sales")
    said = sync.apply("--strict").stdout
    assert "extra    UPDATE on table public.orders of analysts  (database sales; not the owner granted it, so it stays)" in said
    assert may(sync, "analysts", ("table", "public.orders", "update"),
               ("table", "public.orders", "select with grant option")) == [True, True]
    sync.run("--check", "--strict", check=0)


def test_strict_is_held_by_a_valve(sync):
    sync.apply()
    sync.configure(more=DATABASE.replace('schemas = public, "Odd schema"', "schemas = public").replace(
        "levels = yes", "") + '[profile "write"]\nschemas = USAGE\n')
    result = sync.run("--apply", "--strict", check=5)
    assert "--allow-removals=" in result.stdout
    assert may(sync, "sales_write", *ORDERS) == [True, True, False]
    sync.apply("--strict", "--allow-removals=100")
    assert may(sync, "sales_write", *ORDERS) == [False, False, False]


def test_functions_of_every_kind_get_their_privilege(sync):
    """An ordered-set aggregate, whose arguments GRANT does not take as the server writes them."""
    sync.host.sql("""
        create aggregate public.middle(float8 order by anyelement)
          (sfunc = ordered_set_transition, stype = internal, finalfunc = percentile_disc_final, finalfunc_extra);
        create aggregate public.counted(*) (sfunc = int8inc, stype = int8, initcond = '0');
        create function public."odd (""f"(a int, variadic b text[], out c int) language sql as 'select 1';
        create procedure public.step(inout a int, inout b int) language plpgsql as 'begin b := 1; end';
        revoke execute on all routines in schema public from public""", database="sales")
    try:
        sync.apply()
        sync.run("--check", check=0)
        assert sync.host.sql("select bool_and(has_function_privilege('sales_write', oid, 'execute')), count(*) from pg_proc "
                             "where pronamespace = 'public'::regnamespace", database="sales") == [(True, 5)]
    finally:
        sync.host.sql('drop aggregate public.middle(float8 order by anyelement); drop aggregate public.counted(*); '
                      'drop function public."odd (""f"; drop procedure public.step', database="sales")


def test_privileges_that_were_not_committed_are_recorded_as_undone(sync):
    """And the roles, which were made before, are not."""
    sync.host.sql("""
        create table public.late (n int);
        create function public.fail() returns trigger language plpgsql as $$ begin raise exception 'late'; end $$;
        create constraint trigger t after insert on public.late deferrable initially deferred
          for each row execute function public.fail();
        create function public.note() returns event_trigger language plpgsql as $$ begin insert into public.late values (1); end $$;
        create event trigger noting on ddl_command_end when tag in ('GRANT') execute function public.note()""",
                  database="sales")
    try:
        assert "late" in sync.run("--apply", check=3).stderr
        last = sync.records()[-1]
        assert (last["event"], last["database"]) == ("sync_undone", "sales") and "privileges" in last["detail"]
        assert sync.host.can_login("alice") is True and may(sync, "sales_read", ORDERS[0]) == [False]
    finally:
        sync.host.sql("drop event trigger noting; drop function public.note(); drop table public.late; "
                      "drop function public.fail()", database="sales")


def test_privilege_on_a_column_that_was_dropped_is_none(sync):
    """PostgreSQL keeps it with what is left of the column, and no statement takes it back."""
    sync.apply()
    sync.host.sql("grant select (secret), insert (secret) on public.orders to sales_read; "
                  "alter table public.orders drop column secret", database="sales")
    sync.run("--check", "--strict", check=0)


def test_schema_or_role_that_is_not_there_is_said(sync):
    sync.configure(more=DATABASE.replace("public,", "public, nowhere,").replace("reporting: analysts", "reporting: analysts, maker"))
    result = sync.run("--apply", check=4)
    assert "rejected schema nowhere" in result.stdout and "rejected maker" in result.stdout
    assert may(sync, "sales_read", *ORDERS) == [True, False, False]


def test_database_that_is_away_keeps_nobody_waiting(sync):
    sync.configure(more=DATABASE + '[database "nowhere"]\nschemas = public\n')
    assert "database nowhere:" in sync.run("--apply", check=3).stderr
    assert may(sync, "sales_read", *ORDERS) == [True, False, False]
    assert sync.host.can_login("alice") is True


def test_database_without_the_extension_says_what_to_do(sync):
    sync.host.sql("create database bare")
    try:
        sync.configure(more='[database "bare"]\nschemas = public\n')
        assert "CREATE EXTENSION cortex" in sync.run("--apply", check=3).stderr
    finally:
        sync.host.sql("drop database bare")


def test_caller_cannot_make_a_statement_of_his_own(sync):
    sync.apply()
    oid = sync.host.sql("select 'public.orders'::regclass::oid::int", database="sales")[0][0]
    for verb, kind, privilege, holder in (("grant", "table", "ALL ON pg_authid TO x; --", "sales_read"),
                                          ("grant; drop", "table", "SELECT", "sales_read"),
                                          ("grant", "table; --", "SELECT", "sales_read"),
                                          ("grant", "table", "SELECT", "postgres"), ("grant", "table", "SELECT", "alice")):
        with pytest.raises((psycopg.errors.InvalidParameterValue, psycopg.errors.InsufficientPrivilege)):
            sync.host.sql("select cortex.change_privileges(array[%s], array[%s], array[%s::oid], array[0], array[''], "
                          "array[%s], array[%s])", verb, kind, oid, holder, privilege, user="cortex_runner", database="sales")
    authid = sync.host.sql("select 'pg_authid'::regclass::oid::int")[0][0]
    assert sync.host.sql("select cortex.change_privileges(array['grant'], array['table'], array[%s::oid], array[0], "
                         "array[''], array['sales_read'], array['SELECT'])", authid, user="cortex_runner",
                         database="sales") == [(0,)]


@pytest.mark.parametrize("makers", ["array[null]", "array[]", "array['', '']"])
def test_caller_gets_no_privilege_on_what_is_called_like_a_schema(sync, makers):
    sync.apply()
    sync.host.sql("create schema lo_export; grant usage on schema lo_export to public", database="sales")
    space = sync.host.sql("select 'lo_export'::regnamespace::oid::int", database="sales")[0][0]
    try:
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            sync.host.sql(f"select cortex.change_privileges(array['grant'], array['function'], array[%s::oid], array[0], "
                          f"{makers}::text[], array['sales_read'], array['EXECUTE'])", space, user="cortex_runner",
                          database="sales")
        assert sync.host.sql("select has_function_privilege('sales_read', 'pg_catalog.lo_export(oid, text)', 'EXECUTE')",
                             database="sales") == [(False,)]
    finally:
        sync.host.sql("drop schema lo_export; revoke execute on function lo_export(oid, text) from sales_read", database="sales")


def test_table_of_many_grantees_is_warned_of(sync):
    sync.host.sql("do $$ begin for i in 1..1250 loop execute format('create role many%s', i); "
                  "execute format('grant select on public.orders to many%s', i); end loop; end $$", database="sales")
    try:
        assert "wide     table public.orders has privileges of 125" in sync.apply().stdout
    finally:
        sync.host.sql("drop table public.orders", database="sales")
        sync.host.sql("do $$ begin for i in 1..1250 loop execute format('drop role many%s', i); end loop; end $$")


# --- leavers ---

def leave(sync, days, *names):
    """These have left, and were cut so many days ago."""
    everybody = {f"p{number:02}": ["engineers"] for number in range(20)}
    sync.people({**everybody, **{name: ["engineers"] for name in names}})
    sync.apply("--quiet")
    yield
    sync.people(everybody)
    sync.apply("--quiet")
    for name in names:
        sync.host.sql("update cortex.role_data set cut_at = cut_at - make_interval(days => %s) where name = %s", days, name)
    yield


def with_grace(sync, more=DATABASE):
    sync.configure(more="leaver_grace = 30d\n" + more)


def test_leaver_who_owns_tables_is_dropped_after_the_grace_time(sync):
    with_grace(sync)
    steps = leave(sync, 31, "bob", "carl")
    next(steps)
    sync.host.sql("grant create on schema public to bob; create table public.mine (n int); "
                  "insert into public.mine values (7); alter table public.mine owner to bob; "
                  "grant select on public.orders to carl", database="sales")
    next(steps)
    sync.host.sql("update cortex.role_data set cut_at = now() - interval '29 days' where name = 'carl'")
    said = sync.run(check=0).stdout
    assert "drop     bob" in said and "drop     carl" not in said
    sync.apply()
    assert sync.host.can_login("bob") is None and sync.host.can_login("carl") is False
    assert sync.host.sql("select tableowner, (select n from public.mine) from pg_tables where tablename = 'mine'",
                         database="sales") == [("maker", 7)]
    assert [r["role"] for r in sync.records() if r["event"] == "role_dropped"] == ["bob"]
    assert sync.host.sql("select count(*) from cortex.role_data where name = 'bob'") == [(0,)]
    sync.apply()


@pytest.mark.parametrize("owner, why", [(None, "no leaver_owner"), ("postgres", "cannot get what leavers own"),
                                        ("nobody", "cannot get what leavers own"),
                                        ("pg_monitor", "cannot get what leavers own"),
                                        ("cortex_managed", "cannot get what leavers own"),
                                        ("bob", "is a leaver itself"), ("carl", "is a leaver itself")])
def test_leaver_whose_things_nobody_may_get_stays(sync, owner, why):
    with_grace(sync, DATABASE.replace("leaver_owner = maker", f"leaver_owner = {owner}" if owner else ""))
    steps = leave(sync, 31, "bob", "carl")
    next(steps)
    sync.host.sql("create table public.mine (n int); alter table public.mine owner to bob", database="sales")
    next(steps)
    result = sync.run("--apply", check=3 if owner else 4)
    assert why in result.stdout + result.stderr
    assert sync.host.can_login("bob") is False and sync.host.can_login("carl") is None
    assert sync.host.sql("select tableowner from pg_tables where tablename = 'mine'", database="sales") == [("bob",)]


def test_what_belongs_to_no_database_is_the_home_s_to_take_back(sync):
    with_grace(sync)
    steps = leave(sync, 31, "bob", "carl")
    next(steps)
    sync.host.sql("grant connect on database sales to bob; grant create on tablespace pg_default to bob")
    next(steps)
    said = sync.apply(check=4).stdout
    assert "rejected bob - a leaver that stays" in said and "(database postgres)" in said
    assert sync.host.can_login("bob") is False and sync.host.can_login("carl") is None
    with_grace(sync, DATABASE + '[database "postgres"]\n')
    sync.apply()
    assert sync.host.can_login("bob") is None


def test_database_that_takes_no_connections_holds_up_only_who_owns_something_there(sync):
    sync.host.sql("create database closed")
    sync.host.sql("create extension cortex", database="closed")
    with_grace(sync, DATABASE + '[database "closed"]\nleaver_owner = maker\n')
    steps = leave(sync, 31, "bob", "carl")
    next(steps)
    for name, database in (("bob", "sales"), ("carl", "closed")):
        sync.host.sql(f"create table public.mine (n int); alter table public.mine owner to {name}", database=database)
    next(steps)
    sync.host.sql("alter database closed allow_connections false")
    try:
        result = sync.run("--apply", check=3)
        assert "rejected carl - a leaver that stays" in result.stdout and "(database closed)" in result.stdout
        assert "not currently accepting connections" in result.stderr
        assert sync.host.can_login("bob") is None and sync.host.can_login("carl") is False
        sync.host.sql("alter database closed allow_connections true")
        sync.apply()
        assert sync.host.can_login("carl") is None
    finally:
        sync.host.sql("drop database closed")


def test_many_drops_are_held_by_a_valve_but_nothing_else_is(sync):
    with_grace(sync)
    names = [f"q{number}" for number in range(7)]
    steps = leave(sync, 31, *names)
    next(steps)
    sync.configure(more="leaver_grace = 30d\n" + DATABASE)
    people = {f"p{number:02}": ["engineers"] for number in range(20)}
    sync.people(people)
    sync.apply("--allow-removals=14", "--quiet")
    sync.host.sql("update cortex.role_data set cut_at = cut_at - interval '31 days' where cut_at is not null")
    sync.people({**people, "new": ["engineers"]})
    result = sync.run("--apply", check=5)
    assert "--allow-removals=7" in result.stdout
    assert sync.host.can_login("q0") is False and sync.host.can_login("new") is True
    sync.apply("--allow-removals=7")
    assert sync.host.can_login("q0") is None


def test_only_leavers_can_be_released_or_dropped(sync):
    sync.apply()
    for call, arguments in (("drop_leavers", (["alice"],)), ("release_leavers", (["alice"], "maker")),
                            ("drop_leavers", (["maker"],)), ("release_leavers", (["postgres"], "maker"))):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            sync.host.call(call, *arguments)
    sync.host.sql("alter role alice nologin")  # by a DBA
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sync.host.call("drop_leavers", ["alice"])


def test_names_of_leavers_and_of_who_gets_their_things_are_no_part_of_a_statement(sync):
    leaver, owner = "; ALTER ROLE cortex_runner SUPERUSER; --", "g%1$s"
    sync.host.call("create_logins", [leaver], ["1"], "", "corp")
    sync.host.call("create_groups", ["g", owner])
    sync.host.call("cut_logins", [leaver])
    sync.host.sql(f'create table public.mine (n int); alter table public.mine owner to "{leaver}"', database="sales")
    sync.host.call("release_leavers", [leaver], owner, database="sales")
    assert sync.host.sql("select rolsuper from pg_roles where rolname = 'cortex_runner'") == [(False,)]
    assert sync.host.sql("select tableowner from pg_tables where tablename = 'mine'", database="sales") == [(owner,)]
    sync.host.sql("drop table public.mine", database="sales")
