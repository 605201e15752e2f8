"""A server whose two analytics databases are entered through Cortex.

SPDX-License-Identifier: PostgreSQL
"""
from dataclasses import dataclass

from cortex import Cortex, Login
from harness import DATABASES, PRODUCTION, STAGING, PamService, Postgres
from openid import Provider

TABLE = """
create table orders (id int);
insert into orders select generate_series(1, {rows});
grant select on orders to analytics_reader;
"""


@dataclass
class World:
    """Server, PAM services, Cortex's files and the provider, all of one test run."""

    postgres: Postgres
    pam: PamService
    cortex: Cortex
    openid: Provider

    def login(self, role, service=STAGING, token=None, **how):
        return Login(self.postgres, self.cortex, role, service, token, **how)

    def use_services(self, by_service=None):
        """pg_hba lines, by TLS and on the socket: each database through a PAM service."""
        lines = []
        for service, database in DATABASES.items():
            name = self.pam.name((by_service or {}).get(service, "cortex-" + service))
            lines += [f"hostssl {database} all 127.0.0.1/32 pam pamservice={name}",
                      f"local {database} all pam pamservice={name}"]
        self.postgres.write_hba(*lines)

    def make_role(self, name):
        """A login role that may read, unless it is there."""
        quoted = '"' + name.replace('"', '""') + '"'
        literal = "'" + name.replace("'", "''") + "'"
        if self.postgres.sql(f"select count(*) from pg_roles where rolname = {literal}") == "0":
            self.postgres.sql(f"create role {quoted} login in role analytics_reader")


def write_services(pam, cortex):
    """One file per service, and the stacks that an operator could get wrong."""
    config = f"config={cortex.conf}"
    staging = f"service={STAGING}"
    for service in (STAGING, PRODUCTION):
        pam.write("cortex-" + service, *cortex.pam_lines(service))
    pam.write("permit", "auth required pam_permit.so", "account required pam_permit.so")
    pam.write("account-permit", cortex.pam_line("auth", staging, config),
              "account required pam_permit.so")
    pam.write("auth-permit", "auth required pam_permit.so",
              cortex.pam_line("account", staging, config))
    for name, arguments in {
            "unknown-option": (staging, config, "alwaysok"),
            "unknown-service": ("service=nowhere", config),
            "missing-service": (config,),
            "missing-config": (staging, "config=/nonexistent/cortex.conf"),
            "relative-config": (staging, "config=cortex.conf"),
    }.items():
        pam.write(name, *(cortex.pam_line(line, *arguments) for line in ("auth", "account")))
    if not pam.system:
        pam.write("other", "auth required pam_deny.so", "account required pam_deny.so")


def make_world(folder, openid, system=False, programs=None):
    """Started, with the databases and the people in it. The caller stops and removes.
    programs: of another PostgreSQL than the installed one."""
    cortex = Cortex(folder)
    pam = PamService(folder, system)
    write_services(pam, cortex)
    postgres = Postgres(folder, {**pam.environment(), **cortex.environment()}, programs)
    world = World(postgres, pam, cortex, openid)
    world.use_services()
    postgres.start()
    postgres.sql("create role analytics_reader")
    for rows, service in ((1, PRODUCTION), (2, STAGING)):
        postgres.sql("create database " + DATABASES[service])
        postgres.sql(TABLE.format(rows=rows), DATABASES[service])
    for person in ("alice", "bob"):
        world.make_role(person)
    return world
