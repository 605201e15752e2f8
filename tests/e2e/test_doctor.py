"""cortexctl doctor beside a real server: each fault of pg_hba.conf and of the server, provoked once.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import time

import pytest

from cortex import Cortex
from harness import PRODUCTION, STAGING, Folder, PamService, Postgres
from world import write_services

GOOD = (f"hostssl analytics_staging +cortex_managed all pam pamservice=cortex-{STAGING}",
        f"hostssl analytics_production +cortex_managed all pam pamservice=cortex-{PRODUCTION}",
        "local all all reject")
LINE = GOOD[0]


class Patient:
    def __init__(self, folder):
        self.cortex, self.pam = Cortex(folder), PamService(folder)
        write_services(self.pam, self.cortex)
        self.pooler = folder.path / "pgbouncer.ini"
        self.postgres = Postgres(folder, {})
        self.postgres.start()
        self.postgres.sql("create role cortex_managed; create role dba superuser login; "
                          "create role standby replication login; create role carol login in role cortex_managed")

    def doctor(self, lines=GOOD, reload=True, conninfo=None):
        """The findings about server and pg_hba.conf, by name: the first of each."""
        self.postgres.write_hba(*lines)
        if reload:
            self.postgres.reload()
        else:  # the server tells a file's time in whole seconds
            later = time.time() + 2
            os.utime(self.postgres.data / "pg_hba.conf", (later, later))
        server = conninfo or (f"host={self.postgres.sockets} port={self.postgres.port} user=postgres dbname=postgres")
        done = self.cortex.run("doctor", "--json", "--offline", "--config", self.cortex.conf, "--pam-folder",
                               self.pam.folder, "--pooler", self.pooler, "--database", server)
        answer = json.loads(done.stdout)
        return {f["name"]: f for f in reversed(answer["findings"])
                if f["name"].split("_")[0] in ("hba", "ssl", "extension", "server", "database", "pooler")}


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
        assert "pooler_forwards" not in patient.doctor((own, *GOOD))
    finally:
        patient.pooler.unlink()


def test_role_that_may_not_read_the_lines_learns_that(patient):
    patient.postgres.sql("create role nobody login")
    lines = ("local all nobody trust", *GOOD)
    patient.postgres.write_hba(*lines)
    server = f"host={patient.postgres.sockets} port={patient.postgres.port} user=nobody dbname=postgres"
    assert "permission denied" in patient.doctor(lines, conninfo=server)["database_unreachable"]["what"]
