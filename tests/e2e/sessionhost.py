"""A server whose databases are entered through Cortex, with roles made just in time.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import pwd
import subprocess

import psycopg

from cortex import service_entity
from harness import BUILD, DATABASES, IS_ROOT, PRODUCTION, STAGING, Folder, built
from pgtree import private_tree
from world import make_world

CORTEX_SYNC = built.program(BUILD, "cortex-sync")
GROUPS = {"read": "analytics_read", "write": "analytics_write", "admin": "analytics_admin"}
POLICY = """
@id("readers") permit (principal in Group::"engineers", action == Action::"read", resource);
@id("writers-with-mfa") permit (principal in Group::"engineers", action == Action::"write", resource)
when { context.mfa };
@id("admins") @max_session("15m") permit (principal in Group::"admins", action == Action::"admin", resource)
when { context.mfa };
"""
WHOAMI = "select (cortex.whoami()).username"


class Host:
    """A server with the extension, entered through Cortex, whose roles Cortex makes."""

    def __init__(self, openid, system=False):
        self.folder = Folder()
        self.world = make_world(self.folder, openid, system, programs=private_tree(self.folder.make("postgresql")))
        self.postgres, self.cortex = self.world.postgres, self.world.cortex
        me = pwd.getpwuid(os.geteuid()).pw_name
        server = "postgres" if IS_ROOT else me
        with open(self.postgres.data / "pg_ident.conf", "a", encoding="utf-8") as file:
            file.write(f"jit {server} cortex_jit\nrunner {me} cortex_runner\n")
        lines = ["local postgres cortex_jit peer map=jit", "local postgres,analytics_staging cortex_runner peer map=runner",
                 "local postgres,analytics_staging stranger trust"]
        for service, database in DATABASES.items():
            how = f"pam pamservice={self.world.pam.name('cortex-' + service)}"
            lines += [f"hostssl {database} all 127.0.0.1/32 {how}", f"local {database} all {how}"]
        self.postgres.write_hba(*lines)
        self.postgres.reload()
        for database in ("postgres", *DATABASES.values()):
            self.sql("create extension cortex; insert into cortex.option values ('sessions', '/nonexistent')", database)
        self.sql("create role stranger login")
        self.jit = (f'"host={self.postgres.sockets} port={self.postgres.port} user=cortex_jit '
                    f'dbname=postgres requirepeer={server}"')
        self.runner = (f'"host={self.postgres.sockets} port={self.postgres.port} user=cortex_runner '
                       'dbname=postgres"')

    def sql(self, statement, database="postgres"):
        return self.postgres.sql(statement, database)

    def reset(self):
        self.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename ~ '^(alice|bob|eve)'")
        self.cortex.reset({"keys": []})
        for database in ("postgres", *DATABASES.values()):
            self.sql(f"update cortex.option set value = '{self.cortex.state / 'sessions'}'", database)
        self.cortex.write(self.cortex.policies / "analytics.cedar", POLICY)
        self.services(GROUPS, {**GROUPS, "read": "production_read"})
        self.configure()
        for name in self.sql("select quote_ident(rolname) from pg_roles where rolname ~ '^(alice|bob|eve)'").split():
            for database in ("postgres", *DATABASES.values()):
                self.sql(f"drop owned by {name}", database)
            self.sql(f"drop role {name}")
        self.sql("delete from cortex.role_data; delete from cortex.login_grant; delete from cortex.login_lock; "
                 "delete from cortex.grant_data; delete from cortex.grant_source; delete from cortex.run_data")

    def services(self, *grants):
        entities = []
        for (name, environment), granted in zip(((STAGING, "staging"), (PRODUCTION, "production")), grants):
            entity = service_entity(name, environment)
            entity["attrs"]["grants"] = {level: [role] for level, role in granted.items()}
            entities.append(entity)
        self.cortex.write_entities(entities)

    def configure(self, roles=None, session=None, **sections):
        self.cortex.configure(roles={"jit": "yes", "jit_conninfo": self.jit, **(roles or {})},
                              session=session or {}, sync={"conninfo": self.runner}, **sections)

    def token(self, person="alice", groups=("engineers",), mfa=False, **claims):
        claims.update(groups=list(groups), **({"amr": ["mfa"]} if mfa else {}))
        return self.cortex.dev_token("--user", person, *(f"--claim={name}={json.dumps(value)}"
                                                         for name, value in claims.items()))

    def connect(self, role="alice", token=None, service=STAGING, tls=True, **how):
        """A session of a real client that stays."""
        info = self.postgres.conninfo(role, DATABASES[service], tls)
        token = token or self.token(role.partition("/")[0], **how)
        self.postgres.need_room(token)
        return psycopg.connect(**info, password=token, autocommit=True)

    def login(self, role="alice", token=None, service=STAGING, sql="select 1", **how):
        return self.world.login(role, service, token or self.token(role.partition("/")[0], **how), sql=sql)

    def members(self, role):
        return set(filter(None, self.sql(
            "select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.roleid "
            f"join pg_roles a on a.oid = m.member where a.rolname = '{role}'").split())) - {"cortex_managed"}

    def forget_notes(self):
        """What logins noted as ready: the next one asks the server."""
        for path in (self.cortex.state / "sessions").glob("ready-*"):
            path.unlink()

    def exists(self, role):
        return self.sql(f"select rolcanlogin from pg_roles where rolname = '{role}'") == "t"

    def reaper(self, *arguments):
        return subprocess.Popen([str(CORTEX_SYNC), "--config", str(self.cortex.conf), "--reap", *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def reap(self, *arguments, check=0):
        reaper = self.reaper(*arguments)
        said, complaint = reaper.communicate(timeout=60)
        assert reaper.returncode == check, (reaper.returncode, said, complaint)
        return said

    def events(self, event):
        lines = self.cortex.trail.read_text(encoding="utf-8").splitlines()
        return [record for record in map(json.loads, lines) if record["event"] == event]

    def stamp(self, connection):
        return self.cortex.state / "sessions" / str(connection.info.backend_pid)

    def edit_stamp(self, connection, change):
        """As somebody who may write there would; a new file, with the old one's owner."""
        path = self.stamp(connection)
        text, status = path.read_text(encoding="ascii"), path.stat()
        path.unlink()
        path.write_text(change(text), encoding="ascii")
        path.chmod(0o640)
        os.chown(path, status.st_uid, status.st_gid)


def one(connection, sql, *parameters):
    return connection.execute(sql, parameters or None).fetchone()[0]


def is_ended(connection):
    try:
        connection.execute("select 1")
        return False
    except psycopg.OperationalError:
        return True
