"""The manual's recipe for JDBC pools, with the drivers of Debian.

By hand, as Java is not among what the tests install: CORTEX_JDBC=1, openjdk-17-jdk-headless,
libpostgresql-jdbc-java and libhikaricp-java.

SPDX-License-Identifier: PostgreSQL
"""
import subprocess

from harness import DATABASES, HERE, STAGING, wait_until
from test_cortex_login import alice, database, local, machine  # pylint: disable=unused-import

JARS = ":".join(f"/usr/share/java/{name}.jar" for name in ("HikariCP", "postgresql", "slf4j-api", "scram-client",
                                                           "scram-common", "stringprep", "saslprep"))


def test_pool_takes_the_renewed_token_for_its_next_connection(
        database, machine, alice, local, tmp_path):  # pylint: disable=redefined-outer-name
    file = tmp_path / "pgpass"
    place = {"host": "localhost", "user": "alice", "renew_before": "2"}
    local.set(ttl=4)
    try:
        machine.write(corp={**machine.person, **place})
        assert machine.log_in(alice, "--passfile", file, "corp").returncode == 0
        first = file.read_text(encoding="utf-8")
        tls = database.postgres.tls.ca
        url = (f"jdbc:postgresql://localhost:{database.postgres.port}/{DATABASES[STAGING]}"
               f"?user=alice&sslmode=verify-full&sslrootcert={tls}")
        with subprocess.Popen(["java", "-cp", JARS, HERE / "jdbc" / "Pool.java", url], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env={"PATH": "/usr/bin:/bin", "PGPASSFILE": str(file)}) as pool:
            assert pool.stdout.readline() == "2\n"
            local.set(ttl=3600)
            renewer = machine.start("--passfile", file, "--renew", "corp")
            wait_until("a new line", lambda: file.read_text(encoding="utf-8") != first)
            pool.stdin.write("\n")
            pool.stdin.flush()
            assert pool.stdout.readline() == "2\n"
            pool.stdin.close()
            assert pool.wait() == 0
        renewer.terminate()
        machine.finish(renewer)
    finally:
        local.set(ttl=3600)
    assert len({record["token_id"] for record in database.cortex.records()[-2:]}) == 2
