"""cortexctl doctor beside a real server: each fault of pg_hba.conf and of the server, provoked once.

SPDX-License-Identifier: PostgreSQL
"""
import grp
import json
import os
import subprocess
import time

import pytest

from cortex import CORTEXCTL, Cortex
from harness import IS_ROOT, PRODUCTION, SERVER_USER, STAGING, Folder, PamService, Postgres
from pgtree import private_tree
from world import write_services

GOOD = (f"hostssl analytics_staging +cortex_managed all pam pamservice=cortex-{STAGING}",
        f"hostssl analytics_production +cortex_managed all pam pamservice=cortex-{PRODUCTION}",
        "local all all reject")
LINE = GOOD[0]


def at(address):
    return LINE.replace(" all pam", f" {address} pam")


class Patient:
    def __init__(self, folder):
        self.cortex, self.pam = Cortex(folder), PamService(folder)
        write_services(self.pam, self.cortex)
        self.pooler = folder.path / "pgbouncer.ini"
        self.postgres = Postgres(folder, {}, private_tree(folder.make("postgresql")))
        self.postgres.start()
        self.postgres.sql("create role cortex_managed; create role dba superuser login; "
                          "create role standby replication login; create role carol login in role cortex_managed")

    def look(self, database="postgres", user="postgres"):
        """All findings by name: the first of each."""
        server = f"host={self.postgres.sockets} port={self.postgres.port} user={user} dbname={database}"
        done = self.cortex.run("doctor", "--json", "--offline", "--config", self.cortex.conf, "--pam-folder",
                               self.pam.folder, "--pooler", self.pooler, "--database", server)
        return {f["name"]: f for f in reversed(json.loads(done.stdout)["findings"])}

    def doctor(self, lines=GOOD, reload=True, end="host all all all reject", **how):
        """The findings about server and pg_hba.conf."""
        self.postgres.write_hba(*lines, end=end)
        if reload:
            self.postgres.reload()
        else:  # the server tells a file's time in whole seconds
            later = time.time() + 2
            os.utime(self.postgres.data / "pg_hba.conf", (later, later))
        return {name: finding for name, finding in self.look(**how).items()
                if name.split("_")[0] in ("hba", "jit", "ssl", "extension", "server", "database", "pooler")}

    def pretend(self, function, body):
        """A database of its own where a function of PostgreSQL's gives another answer."""
        name = "pretended_" + function.partition("(")[0]
        self.postgres.sql(f"create database {name}")
        self.postgres.sql("set allow_system_table_mods = on; "
                          f"alter function pg_catalog.{function} rename to real_one; "
                          f"create function pg_catalog.{body}", name)
        return name


@pytest.fixture(scope="module")
def patient():
    folder = Folder()  # of its own: the server of the other tests stays as it is
    made = Patient(folder)
    made.cortex.reset({"keys": []})
    yield made
    made.postgres.stop()
    folder.remove()


def test_lines_that_service_render_prints_are_fine(patient):
    assert patient.doctor() == {}


@pytest.mark.parametrize("name,line,lines", [
    ("hba_clear", 2, (LINE.replace("hostssl", "host"), *GOOD[1:])),
    ("hba_socket", 4, (*GOOD[:2], f"local analytics_staging carol pam pamservice=cortex-{STAGING}", GOOD[2])),
    ("hba_pam_unknown", 2, (LINE.replace(f"cortex-{STAGING}", "cortex-analytics-stagign"), *GOOD[1:])),
    ("hba_pam_unknown", 2, (LINE.split(" pamservice")[0], *GOOD[1:])),
    ("hba_pam_foreign", 4, (*GOOD[:2], "hostssl reports carol all pam pamservice=permit", GOOD[2])),
    ("hba_database", 2, (LINE.replace("analytics_staging", "all"), *GOOD[1:])),
    ("hba_database", 2, (LINE.replace("analytics_staging", "analytics_production", 1), *GOOD[1:])),
    ("hba_replication", 4, (*GOOD[:2], f"hostssl replication all all pam pamservice=cortex-{STAGING}")),
    ("hba_superuser", 2, (LINE.replace("+cortex_managed", "all"), *GOOD[1:])),
    ("hba_superuser", 2, (LINE.replace("+cortex_managed", "dba"), *GOOD)),
    ("hba_shadowed", 3, ("host all all all scram-sha-256", *GOOD)),
    ("hba_shadowed", 3, ("hostssl all +cortex_managed all trust", *GOOD)),
    ("hba_shadowed", 3, ("host all all 10.0.0.0/8 reject", at("10.1.0.0/16"), *GOOD[1:])),
    ("hba_shadowed", 3, ("host all all 2001:db8::/32 reject", at("2001:db8:1::/48"), *GOOD[1:])),
    ("hba_bypass", 5, (*GOOD, "host all all all trust")),
    ("hba_bypass", 2, ("hostssl analytics_staging all 10.0.0.0/8 trust", *GOOD)),
    ("hba_beside", 5, (*GOOD, "host all all all scram-sha-256")),
    ("hba_beside", 4, (*GOOD[:2], "local all all peer")),
    ("hba_service_none", None, (GOOD[0], GOOD[2])),
    ("hba_broken", 5, (*GOOD, "hostssl x all all nonsense")),
])
def test_fault_is_found_at_its_line(patient, name, line, lines):
    broken = name == "hba_broken"
    finding = patient.doctor(lines, reload=not broken).get(name)
    assert finding and finding["line"] == line, finding
    assert finding["file"].endswith("/pg_hba.conf") and finding["fix"]


@pytest.mark.parametrize("above,below", [("10.1.0.0/16", "10.0.0.0/8"), ("10.1.0.0/16", "10.2.0.0/16"),
                                         ("2001:db8:1::/48", "2001:db8::/32"), ("2001:db8:1::/48", "2001:db8:2::/48"),
                                         ("10.0.0.0/8", "2001:db8::/32")])
def test_line_above_for_other_addresses_shadows_nothing(patient, above, below):
    assert "hba_shadowed" not in patient.doctor((f"host all all {above} reject", at(below), *GOOD[1:]))


def test_superuser_that_a_line_above_catches_is_fine(patient):
    lines = ("host all dba,standby all reject", LINE.replace("+cortex_managed", "all"), *GOOD[1:])
    assert "hba_superuser" not in patient.doctor(lines)


def test_file_that_was_not_loaded_is_found(patient):
    patient.doctor()
    assert "hba_unloaded" in patient.doctor((*GOOD, "# a comment"), reload=False)


def test_group_on_a_just_in_time_line_is_found(patient):
    patient.cortex.configure(roles={
        "jit": "yes", "jit_conninfo": '"host=/tmp port=1 user=cortex_jit dbname=postgres requirepeer=postgres"'})
    try:
        findings = patient.doctor()
        assert findings["hba_group"]["line"] == 2 and "CREATE EXTENSION" in findings["extension_absent"]["fix"]
    finally:
        patient.cortex.configure()


@pytest.mark.skipif(not IS_ROOT, reason="only root may become the server's user")
def test_way_by_which_roles_just_in_time_are_made_is_tried(patient):
    def conninfo(database):
        return {"jit": "yes", "jit_conninfo": f'"host={patient.postgres.sockets} port={patient.postgres.port} user=cortex_jit '
                                              f'dbname={database} requirepeer={SERVER_USER.pw_name}"'}
    jit = [line.replace("+cortex_managed", "all") for line in GOOD]
    maker, ident = "local all cortex_jit peer map=cortex", patient.postgres.data / "pg_ident.conf"
    before = ident.read_text(encoding="utf-8")
    patient.postgres.sql("create database home")
    patient.postgres.sql("create extension cortex", "home")
    try:
        patient.cortex.configure(roles=conninfo("home"))
        found = patient.doctor(jit)["jit_unready"]
        assert found["severity"] == "error" and "cortex_jit" in found["what"], found
        assert "jit_unready" in patient.doctor((maker, *jit))  # pg_ident.conf does not say yet who that is
        ident.write_text(f"{before}cortex {SERVER_USER.pw_name} cortex_jit\n", encoding="utf-8")
        assert "jit_unready" not in patient.doctor((maker, *jit))
        patient.cortex.configure(roles=conninfo("postgres"))
        assert "postgres is not the home" in patient.doctor((maker, *jit))["jit_unready"]["what"]
    finally:
        patient.cortex.configure()
        ident.write_text(before, encoding="utf-8")
        patient.postgres.reload()


def test_tls_that_is_off_is_found(patient):
    patient.postgres.sql("alter system set ssl = off")
    try:
        assert "ssl_off" in patient.doctor()
    finally:
        patient.postgres.sql("alter system reset ssl")
        patient.postgres.reload()


def test_pooler_that_sends_tokens_on_is_found_unless_it_has_a_line_of_its_own(patient):
    patient.pooler.write_text("[databases]\n* = host=localhost\n[pgbouncer]\nauth_type = pam\n", encoding="utf-8")
    try:
        assert patient.doctor()["pooler_forwards"]["line"] == 2
        own = "hostssl analytics_staging +cortex_managed 127.0.0.1/32 trust clientcert=verify-ca"
        findings = patient.doctor((own, *GOOD))
        assert "pooler_forwards" not in findings and "hba_bypass" not in findings, findings
        assert findings["hba_beside"]["line"] == 2, findings
    finally:
        patient.pooler.unlink()


def test_role_that_may_not_read_the_lines_learns_that(patient):
    patient.postgres.sql("create role nobody login")
    lines = ("local all nobody trust", *GOOD)
    patient.postgres.write_hba(*lines)
    assert "permission denied" in patient.doctor(lines, user="nobody")["database_unreachable"]["what"]


def test_server_that_nobody_named_and_that_is_not_found_is_said(patient):
    """Without --database it is asked by libpq's defaults; what it knows is left out, not guessed."""
    done = subprocess.run([str(CORTEXCTL), "doctor", "--json", "--config", str(patient.cortex.conf), "--pam-folder",
                           str(patient.pam.folder)], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "PGHOST": "/nonexistent", "LC_ALL": "C.UTF-8"})
    found = {f["name"]: f for f in json.loads(done.stdout)["findings"]}
    assert "/nonexistent" in found["database_unasked"]["what"]
    assert "--database" in found["database_unasked"]["fix"]
    assert not [name for name in found if name.startswith(("hba_", "extension_")) or name == "database_unreachable"]


def test_lines_without_an_end_are_found(patient):
    assert patient.doctor((*GOOD[:2], "local all all reject"), end="host all all 10.0.0.0/8 reject")["hba_reject"]["line"] == 3


@pytest.mark.parametrize("version, names", [("130022", {"server_old", "server_own_grants"}), ("140022", {"server_own_grants"}),
                                            ("150000", set())])
def test_what_an_older_server_does_is_found(patient, version, names):
    """It takes no long token; each role administers itself."""
    old = patient.pretend("current_setting(text)", f"""current_setting(n text) returns text language sql stable as
        $$ select case n when 'server_version_num' then '{version}' else pg_catalog.real_one(n) end $$""")
    found = patient.look(old)
    assert {name for name in found if name.startswith("server_")} == names
    assert all(version in found[name]["what"] for name in names)
    patient.postgres.sql(f"drop database {old}")


def test_clock_of_the_server_that_differs_is_found(patient):
    late = patient.pretend("clock_timestamp()", """clock_timestamp() returns timestamptz language sql volatile as
        $$ select pg_catalog.real_one() - interval '1 hour' $$""")
    assert "clock_differs" not in patient.look()
    assert "s behind" in patient.look(late)["clock_differs"]["what"]


def test_extension_of_an_older_release_is_found(patient):
    patient.postgres.sql("create database older")
    patient.postgres.sql("create extension cortex; update pg_extension set extversion = '0.0' where extname = 'cortex'",
                         "older")
    try:
        finding = patient.look("older")["extension_outdated"]
        assert "older is 0.0" in finding["what"] and finding["fix"] == "psql -d older -c 'ALTER EXTENSION cortex UPDATE'"
    finally:
        patient.postgres.sql("drop database older")


# --- what the server's user may read; without root it is the caller's user, which may read its own ---

@pytest.fixture
def secret(patient):
    """Makes a file readable for root and a group only."""
    kept = {}

    def hide(path, group):
        kept.setdefault(path, path.stat())
        os.chown(path, 0, group)
        path.chmod(0o640)
    yield hide
    for path, status in kept.items():
        os.chown(path, status.st_uid, status.st_gid)
        path.chmod(status.st_mode & 0o7777)


@pytest.mark.skipif(not IS_ROOT, reason="only root can take a file from the server's user")
def test_file_that_the_server_cannot_read_is_found(patient, secret):
    secret(patient.cortex.entities, 0)
    finding = patient.doctor()["server_unreadable"]
    assert finding["file"] == str(patient.cortex.entities) and f"chgrp cortex {patient.cortex.entities}" in finding["fix"]


@pytest.mark.skipif(not IS_ROOT, reason="only root can take a file from the server's user")
def test_file_of_pam_that_the_server_cannot_read_is_found(patient, secret):
    path = patient.pam.folder / f"cortex-{STAGING}"
    assert "pam_file_unreadable" not in patient.look()
    secret(path, 0)
    finding = patient.look()["pam_file_unreadable"]
    assert finding["file"] == str(path) and "mode 0640" in finding["what"] and finding["fix"] == f"chmod 0644 {path}"


@pytest.mark.skipif(not IS_ROOT, reason="only root can take a file from the server's user")
def test_folder_that_the_server_cannot_enter_is_found(patient):
    patient.cortex.folder.chmod(0o750)
    try:
        finding = patient.doctor()["server_unreadable"]
        assert f"cannot enter {patient.cortex.folder} (group root, mode 0750)" in finding["what"], finding
        assert f"chgrp cortex {patient.cortex.folder} && chmod g+x" in finding["fix"]
    finally:
        patient.cortex.folder.chmod(0o755)


@pytest.mark.skipif(not IS_ROOT, reason="only root can take a file from the server's user")
def test_server_that_was_started_before_its_user_joined_the_group_is_found(patient, secret):
    joined = set(os.getgrouplist(SERVER_USER.pw_name, SERVER_USER.pw_gid)) - {SERVER_USER.pw_gid}
    assert joined, "Debian's server package puts postgres into ssl-cert; the tests' server runs without its groups"
    group = min(joined)
    secret(patient.cortex.conf, group)
    finding = patient.doctor()["server_groups"]
    assert f"is not in the group {grp.getgrgid(group).gr_name} of {patient.cortex.conf}, though" in finding["what"], finding
    assert finding["fix"] == "systemctl restart postgresql"


@pytest.mark.skipif(not IS_ROOT, reason="only root can take a file from the server's user")
def test_image_that_the_server_cannot_read_is_found(patient, secret):
    image = patient.cortex.cache / "policy.image"
    patient.cortex.configure(policy={"image": image})
    try:
        patient.cortex.run("policy", "image", "--config", patient.cortex.conf, check=True)
        assert "image_unused" not in patient.look()
        secret(image, 0)
        finding = patient.look()["image_unused"]
        assert finding["file"] == str(image) and "(group root, mode 0640)" in finding["what"], finding
        assert finding["fix"] == f"chgrp cortex {image.parent} {image} && chmod g+r {image}"
    finally:
        patient.cortex.configure()


def test_full_disk_is_found_before_logins_are_refused(patient):
    place = patient.cortex.audit_folder / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mount: " + mounted.stderr.decode().strip())
    try:
        patient.cortex.configure(audit={"file": place / "audit.jsonl"})
        assert "audit_disk" not in patient.look()
        (place / "ballast").write_bytes(bytes(1000 * 1024))
        assert f"{place} has 2 % of its room left" in patient.look()["audit_disk"]["what"]
    finally:
        subprocess.run(["umount", place], check=True)
        patient.cortex.configure()
