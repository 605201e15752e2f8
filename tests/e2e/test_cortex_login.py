"""cortex-login with a real provider, and what it hands over opens a real database.

SPDX-License-Identifier: PostgreSQL
"""
import json
import re

import psycopg
import pytest

from harness import BUILD, DATABASES, HERE, STAGING, dsn, wait_until
from openid import RESOURCE, Provider
from person import Machine, Person

NATIVE = {
    "client_id": "cortex-login", "application_type": "native", "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token",
                    "urn:ietf:params:oauth:grant-type:device_code"],
    "redirect_uris": ["http://127.0.0.1/"], "response_types": ["code"],
}
JOB = {
    "client_id": "job", "client_secret": "not-a-secret", "grant_types": ["client_credentials"],
    "redirect_uris": [], "response_types": [], "token_endpoint_auth_method": "client_secret_basic",
}
JOB_POLICY = """\
@id("the-job-reads")
permit (principal == User::"job", action == Action::"read", resource in Database::"analytics");
"""
MANUAL = HERE.parents[1] / "tools" / "cortex-login" / "cortex-login.1"


@pytest.fixture(scope="module")
def local():
    """A provider under its own address, as cortex-login must reach it."""
    installed = BUILD / "tests" / "e2e-provider"
    if not (installed / "node_modules").is_dir():
        pytest.skip(f"no oidc-provider in {installed} (make check-e2e installs it)")
    provider = Provider(installed, [NATIVE, JOB], local=True)
    provider.account("alice-1", preferred_username="alice", groups=["engineers"])
    yield provider
    provider.stop()


@pytest.fixture
def alice(local):
    return Person(local, "alice-1")


@pytest.fixture
def machine(tmp_path, local):
    made = Machine(tmp_path)
    made.secret = tmp_path / "secret"
    made.secret.write_text(JOB["client_secret"] + "\n", encoding="utf-8")
    made.person = {"issuer": local.issuer, "client_id": "cortex-login", "prompt": "consent",
                   "scope": "openid profile offline_access"}
    made.job = {"flow": "client_credentials", "issuer": local.issuer, "client_id": "job",
                "client_secret_file": made.secret, "scope": "db", "resource": RESOURCE}
    made.write(corp=made.person, job=made.job)
    return made


@pytest.fixture
def database(world, local, machine):
    """The database trusts the local provider; the profiles name the database."""
    world.cortex.write(world.cortex.jwks, json.dumps(local.jwks()))
    world.cortex.configure(op={"issuer": local.issuer, "audience": f"cortex-login, {RESOURCE}"})
    place = {"host": "localhost", "port": world.postgres.port, "database": DATABASES[STAGING],
             "sslmode": "verify-full", "sslrootcert": world.postgres.tls.ca}
    machine.write(corp={**machine.person, **place, "user": "alice"},
                  job={**machine.job, **place, "user": "job"})
    return world


def kept(machine, name="corp"):
    return json.loads((machine.path / "cache" / "cortex-login" / f"{name}.json").read_text())


def psql(world, sql="select count(*) from orders"):
    return [str(world.postgres.bin / "psql"), "-X", "-q", "-A", "-t", "-w", "-c", sql]


# --- tokens of a real provider ---

def test_browser_login_then_renewal_with_rotation_then_revocation(machine, alice):
    done = machine.log_in(alice, "token", "corp")
    assert done.returncode == 0, done.stderr
    first = kept(machine)
    assert done.stdout.strip() == first["id_token"] and first["subject"] == "alice-1"
    renewed = machine.run("token", "--fresh", "--unattended", "corp")
    assert renewed.returncode == 0, renewed.stderr
    second = kept(machine)
    assert second["refresh_token"] != first["refresh_token"], "the provider rotates"
    assert renewed.stdout.strip() == second["id_token"] != first["id_token"]
    out = machine.run("logout", "corp")
    assert out.returncode == 0, out.stderr
    # What was taken back opens nothing any more, wherever a copy of it went.
    machine.write(corp=machine.person)
    folder = machine.path / "cache" / "cortex-login"
    (folder / "corp.json").write_text(json.dumps(second))
    (folder / "corp.json").chmod(0o600)
    dead = machine.run("token", "--fresh", "--unattended", "corp")
    assert (dead.returncode, dead.stdout) == (1, "") and "needs a person" in dead.stderr


def test_stolen_refresh_token_that_was_rotated_is_dead(machine, alice):
    assert machine.log_in(alice, "token", "corp").returncode == 0
    old = kept(machine)
    assert machine.run("token", "--fresh", "corp").returncode == 0
    place = machine.path / "cache" / "cortex-login" / "corp.json"
    place.write_text(json.dumps(old))
    assert machine.run("token", "--fresh", "--unattended", "corp").returncode == 1


def test_device_login(machine, alice):
    done = machine.log_in(alice, "token", "--flow", "device", "corp")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == kept(machine)["id_token"]


def test_job_gets_its_token(machine):
    done = machine.run("token", "job")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(".") == 2


def test_wrong_secret_is_a_clear_no(machine):
    machine.secret.write_text("wrong\n", encoding="utf-8")
    done = machine.run("token", "job")
    assert (done.returncode, done.stdout) == (1, "") and "invalid_client" in done.stderr


# --- into the database ---

def test_person_logs_in_by_exec(database, machine, alice):
    done = machine.log_in(alice, "exec", "corp", "--", *psql(database))
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
    assert database.cortex.records()[-1]["username"] == "alice"
    token = kept(machine)["id_token"]
    assert token not in done.stderr
    again = machine.run("exec", "--unattended", "corp", "--", *psql(database, "select 1/0"))
    assert again.returncode == 1 and "division by zero" in again.stderr


def test_job_logs_in_by_exec_as_cron_runs_it(database, machine):
    database.make_role("job")
    database.cortex.configure(op={"issuer": machine.job["issuer"], "audience": RESOURCE,
                                  "username_claim": "sub"})
    database.cortex.write(database.cortex.policies / "job.cedar", JOB_POLICY)
    done = machine.run("exec", "--unattended", "job", "--", *psql(database))
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


def test_drivers_log_in_by_the_password_file(database, machine, alice, tmp_path):
    file = tmp_path / "pgpass"
    assert machine.log_in(alice, "--passfile", file, "corp").returncode == 0
    # The form that pgjdbc and libpq read: five fields, ":" and "\\" escaped, one line.
    assert re.fullmatch(rf"localhost:{database.postgres.port}:{DATABASES[STAGING]}:alice:[\w.-]+\n",
                        file.read_text(encoding="utf-8"))
    conninfo = dsn(database.postgres.conninfo("alice", DATABASES[STAGING]))
    with psycopg.connect(conninfo, passfile=str(file)) as connection:
        assert connection.execute("select count(*) from orders").fetchone() == (2,)


def test_renewed_file_opens_the_database_after_the_first_token_has_ended(database, machine, alice,
                                                                        local, tmp_path):
    file = tmp_path / "pgpass"
    local.set(ttl=4)
    try:
        machine.write(corp={**machine.person, "renew_before": "2", "host": "localhost", "user": "alice"})
        assert machine.log_in(alice, "--passfile", file, "corp").returncode == 0
        first = file.read_text(encoding="utf-8")
        local.set(ttl=3600)
        renewer = machine.start("--passfile", file, "--renew", "corp")
        wait_until("a new line", lambda: file.read_text(encoding="utf-8") != first)
        renewer.terminate()
        machine.finish(renewer)
    finally:
        local.set(ttl=3600)
    line = file.read_text(encoding="utf-8")
    assert line.startswith("localhost:*:*:alice:") and line.count("\n") == 1
    conninfo = dsn(database.postgres.conninfo("alice", DATABASES[STAGING]))
    with psycopg.connect(conninfo, passfile=str(file)) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


# --- the manual's recipes ---

def recipe(title):
    text = MANUAL.read_text(encoding="utf-8").split(f".Ss {title}\n")[1]
    text = re.search(r"\.Bd -literal -offset indent\n(.*?)\.Ed", text, re.DOTALL).group(1)
    return text.replace("\\&", "")


def test_pool_of_the_manual(database, machine, alice, monkeypatch):
    assert machine.log_in(alice, "token", "corp").returncode == 0
    for name, value in machine.environment.items():
        monkeypatch.setenv(name, value)
    conninfo = dsn(database.postgres.conninfo("alice", DATABASES[STAGING]))
    source = recipe("A pool in Python").replace('"analytics"]', '"corp"]')
    source, count = re.subn(r'"host=db1[^"]*"', lambda _: repr(conninfo), source)
    assert count == 1
    names = {}
    exec(source, names)  # pylint: disable=exec-used
    with names["pool"] as pool:
        with pool.connection() as connection:
            assert connection.execute("select count(*) from orders").fetchone() == (2,)


def test_projected_token_of_the_manual(database, machine):
    """As the kubelet writes it: a link that is changed to a new file."""
    text = MANUAL.read_text(encoding="utf-8").split(".Ss Kubernetes\n")[1]
    profile = re.search(r'(\[profile "analytics"\].*?)\.Ed', text, re.DOTALL).group(1)
    where = machine.path / "projected"
    for version, user in (("..1", "bob"), ("..2", "alice")):
        (where / version).mkdir(parents=True)
        token = database.cortex.dev_token("--user", user, "--groups", "engineers")
        (where / version / "token").write_text(token, encoding="utf-8")
    (where / "token").symlink_to("..1/token")
    for old, new in (("/var/run/secrets/db/token", where / "token"), ("db1.example.com", "localhost"),
                     ("database = analytics", f"database = {DATABASES[STAGING]}"),
                     ("user = reports", f"user = alice\nport = {database.postgres.port}\n"
                                        f"sslrootcert = {database.postgres.tls.ca}")):
        assert old in profile
        profile = profile.replace(old, str(new))
    machine.config.write_text(profile, encoding="utf-8")
    assert machine.run("exec", "analytics", "--", *psql(database)).returncode == 2, "bob is not alice"
    fresh = where / "token.new"
    fresh.symlink_to("..2/token")
    fresh.rename(where / "token")
    done = machine.run("exec", "analytics", "--", *psql(database))
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
