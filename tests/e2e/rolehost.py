"""A private cluster with the extension `cortex`, and what its catalogs say about roles.

SPDX-License-Identifier: PostgreSQL
"""
from contextlib import contextmanager

import psycopg

from harness import Folder, Postgres, dsn
from pgtree import private_tree

HOME = "postgres"
OPTIONS = ("coalesce((to_jsonb(m)->>'inherit_option'), ''), "
           "coalesce((to_jsonb(m)->>'set_option'), '')")


def quote(name):
    return '"' + name.replace('"', '""') + '"'


class RoleHost:
    """One cluster; everybody comes in over its socket without a password."""

    def __init__(self, installed=None, home=HOME):
        self.folder = Folder()
        self.programs = private_tree(self.folder.path, installed)
        self.postgres = Postgres(self.folder, {}, self.programs)
        self.postgres.write_hba("local all all trust")
        self.postgres.start()
        self.home = home
        if home != HOME:
            self.sql(f"create database {quote(home)}", database=HOME)
        self.sql("create extension cortex")

    def close(self):
        self.postgres.stop()
        self.folder.remove()

    def dsn(self, user="cortex_runner", database=None):
        return dsn(self.postgres.conninfo(user, database or self.home, tls=False))

    def connect(self, user="cortex_runner", database=None):
        return psycopg.connect(self.dsn(user, database), autocommit=True)

    def sql(self, statement, *parameters, user="postgres", database=None):
        """All rows, [] for a statement without any."""
        with self.connect(user, database) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def call(self, function, *arguments, user="cortex_runner", database=None):
        """A function of the schema as the runner calls it; its first value."""
        places = ", ".join(["%s" + cast(argument) for argument in arguments])
        return self.sql(f"select cortex.{function}({places})", *arguments,
                        user=user, database=database)[0][0]

    @contextmanager
    def session(self, user, database=None):
        connection = self.connect(user, database)
        try:
            yield connection
        finally:
            connection.close()

    # --- what the catalogs say ---

    def roles(self, like="%"):
        return self.sql("select rolname, to_jsonb(r) - 'oid' from pg_roles r "
                        "where rolname like %s and rolname !~ '^pg_' order by 1", like)

    def can_login(self, name):
        rows = self.sql("select rolcanlogin from pg_roles where rolname = %s", name)
        return rows[0][0] if rows else None

    def memberships(self):
        """(role, member, grantor, admin) of everything but PostgreSQL's own."""
        return set(self.sql(
            "select r.rolname, a.rolname, g.rolname, m.admin_option from pg_auth_members m "
            "join pg_roles r on r.oid = m.roleid join pg_roles a on a.oid = m.member "
            "join pg_roles g on g.oid = m.grantor where a.rolname !~ '^pg_'"))

    def members(self, role):
        """Who is a member by a grant of ours."""
        return {member for granted, member, grantor, _ in self.memberships()
                if granted == role and grantor == "cortex_grantor"}


def cast(argument):
    if isinstance(argument, list):
        return "::int[]" if argument and isinstance(argument[0], int) else "::text[]"
    return ""
