"""The operator's program on the same files and the same tokens as a login.

SPDX-License-Identifier: PostgreSQL
"""
import json
import time

import pytest

from harness import PRODUCTION, STAGING
from openid import ALGORITHMS, ISSUER


@pytest.fixture
def token_file(world):
    def write(token):
        path = world.cortex.folder.parent / "token"
        path.write_text(token + "\n", encoding="utf-8")
        return path
    return write


def verify(world, path, *arguments):
    done = world.cortex.run("verify", "--config", world.cortex.conf, *arguments, path)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_verify_reads_the_provider_s_token(world, token_file, algorithm):
    code, answer = verify(world, token_file(world.openid.id_token("alice-1", algorithm)))
    assert code == 0
    assert 3500 < answer.pop("expires") - time.time() <= 3600
    assert answer == {"ok": True, "kind": "oidc", "issuer": ISSUER, "config": "op",
                      "subject": "alice-1", "username": "alice", "groups": ["engineers"]}


@pytest.mark.parametrize("error, arguments", [
    ("signature_invalid", ["--forge"]), ("token_expired", ["--expires", "-5m"]),
    ("audience_mismatch", ["--audience", "other"]), ("algorithm_not_allowed", ["--alg", "none"]),
])
def test_verify_refuses_as_a_login_does(world, token_file, error, arguments):
    token = world.cortex.dev_token("--user", "alice", *arguments)
    code, answer = verify(world, token_file(token))
    assert (code, answer["ok"], answer["error"]) == (1, False, error)


def test_verify_at_another_time(world, token_file):
    path = token_file(world.openid.id_token("alice-1"))
    code, answer = verify(world, path, "--at", str(int(time.time()) + 86400))
    assert (code, answer["error"]) == (1, "token_expired")


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 500, b"x" * 200_000, b"..", b"\n"])
def test_verify_of_anything_else_is_a_clean_no(world, folder, content):
    path = folder.path / "nonsense"
    path.write_bytes(content)
    code, answer = verify(world, path)
    assert (code, answer["ok"]) == (1, False)


def test_verify_of_a_missing_file_is_bad_input(world):
    done = world.cortex.run("verify", "--config", world.cortex.conf, "/nonexistent/token")
    assert done.returncode == 2


def test_verify_by_a_missing_configuration_is_bad_input(world, token_file):
    done = world.cortex.run("verify", "--config", "/nonexistent/cortex.conf", token_file("x"))
    assert done.returncode == 2


def test_explain_before_a_login(world, token_file):
    path = token_file(world.openid.id_token("alice-1"))
    codes = {}
    for service in (STAGING, PRODUCTION):
        done = world.cortex.run("explain", "--config", world.cortex.conf, "--service", service,
                                "--role", "alice", path)
        codes[service] = done.returncode
        assert "engineers-read-analytics-staging" in done.stdout, done.stderr
    assert codes == {STAGING: 0, PRODUCTION: 1}
    assert not world.cortex.records(), "explaining leaves no record"


def test_explain_of_a_person_without_a_token(world):
    done = world.cortex.run("explain", "--config", world.cortex.conf, "--service", STAGING,
                            "--role", "alice", "--user", "alice", "--groups", "engineers")
    assert done.returncode == 0, done.stderr


def test_explain_of_an_unknown_service(world):
    done = world.cortex.run("explain", "--config", world.cortex.conf, "--service", "nowhere",
                            "--role", "alice", "--user", "alice", "--groups", "engineers")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "service_unknown" in done.stdout + done.stderr


def test_check_finds_nothing_wrong_and_warns_of_the_development_issuer(world):
    done = world.cortex.run("check", "--config", world.cortex.conf)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "development" in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [
    ["nonsense"], ["verify"], ["check", "--config"], ["check", "--nonsense"], ["explain"],
    ["audit"], ["audit", "verify", "/nonexistent"], ["dev-token", "/nonexistent", "--user", "x"],
])
def test_wrong_use_is_told_apart(world, arguments):
    done = world.cortex.run(*arguments)
    assert done.returncode in (2, 3)
    assert done.stderr
    assert not done.stdout


def rendered(world, service=STAGING):
    """The PAM lines and the pg_hba.conf lines that the operator is told to use."""
    done = world.cortex.run("service", "render", "--config", world.cortex.conf, service)
    assert done.returncode == 0, done.stderr
    pam, _, hba = done.stdout.partition("# pg_hba.conf")
    return [[line.split() for line in part.splitlines() if line and line[0] not in "#,"]
            for part in (pam, hba)]


def test_rendered_pam_file_is_the_one_these_tests_use(world):
    module = str(world.cortex.modules / "pam_cortex.so")
    lines = [" ".join(words).replace("pam_cortex.so", module) for words in rendered(world)[0]]
    assert lines == world.cortex.pam_lines(STAGING)


def test_rendered_pg_hba_lines_open_for_managed_roles_only(world):
    _, hba = rendered(world)
    world.make_role("managed")
    if world.postgres.sql("select count(*) from pg_roles where rolname = 'cortex_managed'") == "0":
        world.postgres.sql("create role cortex_managed")
    world.postgres.sql("grant cortex_managed to managed")
    world.postgres.write_hba(*map(" ".join, hba))
    world.postgres.reload()
    try:
        tokens = {name: world.cortex.dev_token("--user", name, "--groups", "engineers")
                  for name in ("managed", "alice")}
        world.login("managed", token=tokens["managed"]).assert_allowed()
        login = world.login("alice", token=tokens["alice"])
        assert login.result.returncode == 2
        assert "pg_hba.conf rejects" in login.result.stderr
        assert len(world.cortex.records()) == 1
    finally:
        world.use_services()
        world.postgres.reload()


def test_render_of_an_unknown_service_is_bad_input(world):
    done = world.cortex.run("service", "render", "--config", world.cortex.conf, "nowhere")
    assert done.returncode in (1, 2)
    assert not done.stdout
