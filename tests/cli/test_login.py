"""cortex-login: the command line, jobs, the cache and renewal, exec, logout.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import time

from login import CORTEX_LOGIN, SECRET, Home, Script, assert_exit, error, jwt
from server import Answer, Server, redirect
from support import cases

PROVIDER = Script()


def job(**keys):
    home = Home()
    home.write(corp={"flow": "client_credentials", "issuer": PROVIDER.url, "client_id": "me",
                     "client_secret_file": home.secret, **keys})
    return home


def log_in():
    """Somebody who has just logged in, with a refresh token."""
    home = Home(issuer=PROVIDER.url, client_id="me", flow="device")
    answer = {"device_code": "d", "user_code": "U", "verification_uri": PROVIDER.url, "interval": 1}
    PROVIDER.set(device=Answer(answer), token=PROVIDER.tokens(refresh_token="refresh-1"))
    assert_exit(home.run("token"), 0)
    return home


LOGGED_IN = log_in()


def person(expires=None):
    """The same, without the second that a login takes."""
    home = Home(issuer=PROVIDER.url, client_id="me", flow="device")
    home.cache.parent.mkdir()
    shutil.copytree(LOGGED_IN.cache, home.cache)
    if expires:
        kept = {**home.kept(), "id_expires": expires}
        (home.cache / "corp.json").write_text(json.dumps(kept), encoding="utf-8")
    return home


# --- command line ---

@cases("token", "exec", "status", "logout")
def test_every_command_has_help_and_version(command):
    home = Home()
    assert home.run(command, "--help").stdout.startswith(f"Usage: cortex-login {command} ")
    assert home.run(command, "--version").stdout.startswith("cortex-login (Cortex PostgreSQL) ")


@cases(("no-such",), ("token", "--no-such"), ("token", "a", "b"), ("exec", "corp"), ("exec", "corp", "--"),
       ("exec", "corp", "psql"), ("token", "--renew"), ("--renew",), ())
def test_wrong_usage_is_refused(*arguments):
    done = assert_exit(job().run(*arguments), 2)
    assert done.stdout == "" and "--help' for more information" in done.stderr


def test_command_word_may_be_left_out_before_an_option():
    PROVIDER.set(token=PROVIDER.tokens(access_token="the-token"))
    assert assert_exit(job().run("--fresh", "corp"), 0).stdout == "the-token\n"


def test_answer_that_cannot_be_written_is_a_failure():
    PROVIDER.set(token=PROVIDER.tokens())
    home = job()
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(CORTEX_LOGIN), "token"], stdout=full, stderr=subprocess.PIPE,
                              env=home.environment, check=False)
    assert done.returncode == 3 and b"standard output" in done.stderr


# --- client credentials ---

def test_job_gets_the_access_token_by_its_secret():
    PROVIDER.set(token=PROVIDER.tokens(access_token="the-token"))
    done = assert_exit(job(scope="db", audience="pg", resource="https://pg.test").run("token"), 0)
    assert done.stdout == "the-token\n" and done.stderr == ""
    (_, form, headers), = PROVIDER.server.posted
    assert form == {"grant_type": "client_credentials", "scope": "db", "audience": "pg",
                    "resource": "https://pg.test"}
    assert base64.b64decode(headers["Authorization"].split()[1]).decode() == f"me:{SECRET}"


def test_basic_encodes_name_and_secret_first():
    home = job(client_id="a:b c")
    home.secret.write_text("x:%y z\r\n", encoding="utf-8")
    PROVIDER.set(token=PROVIDER.tokens(id_token=None))
    assert_exit(home.run("token"), 0)
    sent = PROVIDER.server.posted[0][2]["Authorization"].split()[1]
    assert base64.b64decode(sent).decode() == "a%3Ab%20c:x%3A%25y%20z"


def test_secret_can_be_posted():
    PROVIDER.set(token=PROVIDER.tokens())
    assert_exit(job(client_auth="post").run("token"), 0)
    _, form, headers = PROVIDER.server.posted[0]
    assert form["client_secret"] == SECRET and form["client_id"] == "me"
    assert "Authorization" not in headers


@cases("", "two\nlines\n", "nul\0", None)
def test_secret_file_that_is_none_is_refused(content):
    home = job()
    home.secret.unlink()
    if content is not None:
        home.secret.write_text(content, encoding="utf-8")
    PROVIDER.set(token=PROVIDER.tokens())
    assert_exit(home.run("token"), 2, "secret")
    assert PROVIDER.server.posted == []


@cases(("invalid_client", 401, 1), ("invalid_scope", 400, 1), ("server_error", 500, 3),
       ("temporarily_unavailable", 503, 3), ("temporarily_unavailable", 400, 3))
def test_error_is_told_and_the_code_fits(code, status, exit_code):
    PROVIDER.set(token=error(code, status, error_description="so\nit \033[31mis"))
    done = assert_exit(job().run("token"), exit_code, f"{code}: so?it ?[31mis")
    assert done.stdout == ""


@cases(b"", b"[]", b"{", b"null", b'{"a":1,"a":2}', b"\xff", b"<html>")
def test_answer_that_is_none_is_refused(body):
    PROVIDER.set(token=Answer(body))
    assert assert_exit(job().run("token"), 3).stdout == ""


@cases({"token_type": None}, {"token_type": "DPoP"}, {"token_type": 1}, {"access_token": 1},
       {"access_token": ""}, {"access_token": None}, {"access_token": "a b"}, {"access_token": "a\nb"},
       {"access_token": "a\0b"}, {"access_token": "x" * 65531}, {"access_token": "\u00e9"},
       {"refresh_token": ["x"]})
def test_tokens_that_are_none_are_refused(changes):
    PROVIDER.set(token=PROVIDER.tokens(**changes))
    assert assert_exit(job().run("token"), 3).stdout == ""


def test_largest_token_passes():
    PROVIDER.set(token=PROVIDER.tokens(access_token="x" * 65530))
    assert len(assert_exit(job().run("token"), 0).stdout) == 65531


def test_huge_answer_is_refused():
    PROVIDER.set(token=Answer(b" " * (1024 * 1024 + 1)))
    assert_exit(job().run("token"), 3, "more than 1048576 bytes")


def test_redirect_of_the_token_endpoint_is_not_followed():
    elsewhere = Server()
    PROVIDER.set(token=redirect(elsewhere.url + "/token"))
    assert_exit(job().run("token"), 3, "HTTP status 302")
    assert elsewhere.asked == []


# --- discovery ---

@cases({"issuer": "https://other.invalid"}, {"issuer": None}, {"token_endpoint": None},
       {"token_endpoint": "http://example.invalid/token"}, {"token_endpoint": PROVIDER.url + "/t\u009b"}, {"token_endpoint": "file:///etc/passwd"},
       {"token_endpoint": 7})
def test_discovery_document_that_cannot_be_trusted_is_refused(changes):
    PROVIDER.set(token=PROVIDER.tokens(), **changes)
    assert assert_exit(job().run("token"), 3).stdout == ""
    assert PROVIDER.server.posted == []


def test_provider_that_is_not_there_is_told():
    assert_exit(job(issuer="http://localhost:1").run("token"), 3, "http://localhost:1")


# --- the cache ---

def test_token_is_kept_and_handed_out_again():
    home = job()
    PROVIDER.set(token=PROVIDER.tokens())
    first = assert_exit(home.run("token"), 0).stdout
    assert assert_exit(home.run("token"), 0).stdout == first
    assert len(PROVIDER.forms) == 1
    assert_exit(home.run("token", "--fresh"), 0)
    assert len(PROVIDER.forms) == 2


def test_cache_is_private():
    home = job()
    PROVIDER.set(token=PROVIDER.tokens())
    os.umask(0)
    assert_exit(home.run("token"), 0)
    os.umask(0o022)
    assert stat.S_IMODE(home.cache.stat().st_mode) == 0o700
    for file in home.cache.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert sorted(file.name for file in home.cache.iterdir()) == ["corp.json", "corp.lock"]


@cases("folder", "file", "lock", "link", "hard link")
def test_cache_that_others_may_touch_is_refused(what):
    home = job()
    PROVIDER.set(token=PROVIDER.tokens())
    assert_exit(home.run("token"), 0)
    kept = home.cache / "corp.json"
    if what == "folder":
        home.cache.chmod(0o750)
    elif what == "file":
        kept.chmod(0o640)
    elif what == "lock":
        (home.cache / "corp.lock").chmod(0o606)
    elif what == "link":
        kept.rename(home.path / "elsewhere")
        kept.symlink_to(home.path / "elsewhere")
    else:
        os.link(kept, home.path / "second-name")
    done = home.run("token")
    assert done.returncode in (2, 3) and done.stdout == "" and str(home.cache) in done.stderr, done


def test_cache_of_somebody_else_is_refused():
    """As that of a person whose home sudo keeps; its mode is right."""
    if os.geteuid() != 0:
        return
    home = job()
    PROVIDER.set(token=PROVIDER.tokens())
    assert_exit(home.run("token"), 0)
    os.chown(home.cache, 65534, 65534)
    done = assert_exit(home.run("token"), 2, "owned by somebody else")
    assert "chmod" not in done.stderr


@cases(b"", b"{", b"[]", b'{"for":1}', b"\0", b'{"for":"x","id_token":"y"}')
def test_broken_cache_is_replaced(content):
    home = job()
    PROVIDER.set(token=PROVIDER.tokens())
    assert_exit(home.run("token"), 0)
    (home.cache / "corp.json").write_bytes(content)
    assert_exit(home.run("token"), 0)
    assert home.kept()["access_token"]


@cases("scope", "audience", "resource")
def test_changed_profile_gets_a_token_of_its_own(key):
    home = job()
    PROVIDER.set(token=PROVIDER.tokens())
    assert_exit(home.run("token"), 0)
    text = home.config.read_text(encoding="utf-8")
    home.write_text(text + f"{key} = https://other.test/\n")
    assert_exit(home.run("token"), 0)
    assert len(PROVIDER.forms) == 2


def test_job_does_not_go_on_with_the_token_of_a_person():
    home = person()
    home.write_text(home.config.read_text(encoding="utf-8") + f"client_secret_file = {home.secret}\nuse = id\n")
    PROVIDER.set(token=PROVIDER.tokens())
    assert_exit(home.run("token", "--flow", "client_credentials"), 0)
    assert [form["grant_type"] for form in PROVIDER.forms] == ["client_credentials"]


def test_cache_that_has_no_place_is_told():
    """The folder that is missing is not the reason why it cannot be made."""
    home = job()
    PROVIDER.set(token=PROVIDER.tokens())
    place = home.path / "file"
    place.touch()
    done = assert_exit(home.run("token", environment={"XDG_CACHE_HOME": str(place / "x")}), 2, "cache = no")
    assert f"{place}/x/cortex-login: there is no place for the cache: Not a directory" in done.stderr
    assert_exit(home.run("token", environment={"XDG_CACHE_HOME": "", "HOME": ""}), 2, "cache = no")


def test_nothing_is_kept_without_a_cache():
    home = job(cache="no")
    PROVIDER.set(token=PROVIDER.tokens())
    assert_exit(home.run("token"), 0)
    assert not home.cache.exists()


def test_two_processes_renew_once():
    home = job()
    PROVIDER.set(token=[Answer(PROVIDER.tokens().body, pause=0.5), PROVIDER.tokens()])
    both = [home.start("token") for _ in range(3)]
    outputs = {assert_exit(Home.finish(process), 0).stdout for process in both}
    assert len(outputs) == 1 and len(PROVIDER.forms) == 1


# --- renewal ---

def test_token_is_renewed_before_its_end():
    home = person(expires=int(time.time()) + 30)
    PROVIDER.set(token=PROVIDER.tokens(refresh_token="refresh-2"))
    done = assert_exit(home.run("token", "--unattended"), 0)
    assert PROVIDER.forms == [{"grant_type": "refresh_token", "refresh_token": "refresh-1",
                               "client_id": "me"}]
    assert home.kept()["refresh_token"] == "refresh-2" and home.kept()["id_token"] == done.stdout.strip()


def test_refresh_token_that_is_not_replaced_is_kept():
    home = person()
    PROVIDER.set(token=PROVIDER.tokens())
    assert_exit(home.run("token", "--fresh"), 0)
    assert home.kept()["refresh_token"] == "refresh-1"


@cases("invalid_grant", "interaction_required", "login_required", "consent_required")
def test_dead_refresh_token_needs_a_person_and_is_forgotten(name):
    """Expired, or (as Entra answers once a second factor is asked for) of no use before somebody has done something."""
    home = person()
    PROVIDER.set(token=error(name))
    assert_exit(home.run("token", "--fresh", "--unattended"), 1, "needs a person")
    assert "refresh_token" not in home.kept()
    assert_exit(home.run("token", "--fresh", "--unattended"), 1, "needs a person")
    assert len(PROVIDER.forms) == 1


def test_dead_refresh_token_leads_to_a_new_login():
    home = person()
    answer = {"device_code": "d", "user_code": "U", "verification_uri": PROVIDER.url, "interval": 1}
    PROVIDER.set(device=Answer(answer), token=[error("invalid_grant"), PROVIDER.tokens()])
    assert_exit(home.run("token", "--fresh"), 0, "enter the code: U")


@cases(error("server_error", 500), Answer(b"", 503), error("invalid_client", 401), Answer(b"{"))
def test_outage_keeps_refresh_token_and_token(answer):
    home = person(expires=int(time.time()) + 30)
    before = home.kept()
    PROVIDER.set(token=answer)
    done = assert_exit(home.run("token"), 0, "going on with the token that is there")
    assert done.stdout.strip() == before["id_token"] and home.kept() == before


def test_outage_hands_over_no_token_that_is_over():
    home = person(expires=int(time.time()) - 1)
    PROVIDER.set(token=Answer(b"", 503))
    assert assert_exit(home.run("token"), 3).stdout == ""


@cases((300, 600, 300), (600, 300, 300), (None, 300, 300), (300, None, 300))
def test_access_token_ends_when_it_says_or_the_answer_says_before(own, said, expected):
    home = job()
    now = int(time.time())
    token = jwt(exp=now + own) if own else "opaque"
    PROVIDER.set(token=PROVIDER.tokens(access_token=token, expires_in=said))
    assert_exit(home.run("token"), 0)
    assert 0 <= home.kept()["access_expires"] - now - expected <= 5


@cases((0, 600), (-60, 540), (7200, 600))
def test_id_token_lasts_no_longer_where_this_machine_s_clock_is_behind(ahead, expected):
    home = person()
    now = int(time.time())
    PROVIDER.set(token=PROVIDER.tokens(claims={"iat": now + ahead, "exp": now + ahead + 600}))
    assert_exit(home.run("token", "--fresh"), 0)
    assert 0 <= home.kept()["id_expires"] - now - expected <= 5


def test_renewal_of_another_person_is_refused():
    home = person()
    PROVIDER.set(token=PROVIDER.tokens(claims={"sub": "mallory"}))
    assert assert_exit(home.run("token", "--fresh"), 3, "another person").stdout == ""
    assert home.kept()["subject"] == "alice-1"


def test_renewal_without_id_token_needs_a_person():
    home = person()
    PROVIDER.set(token=PROVIDER.tokens(id_token=None))
    assert_exit(home.run("token", "--fresh", "--unattended"), 1, "without a new ID token")


@cases({"iss": "https://other.invalid"}, {"aud": "other"}, {"aud": ["a", "b"]}, {"aud": None},
       {"azp": "other"}, {"sub": None}, {"sub": ""}, {"exp": 1}, {"exp": None}, {"exp": "9999999999"})
def test_id_token_that_is_not_ours_is_refused(claims):
    home = person()
    PROVIDER.set(token=PROVIDER.tokens(claims=claims))
    assert assert_exit(home.run("token", "--fresh"), 3, "the ID token").stdout == ""


# --- status and logout ---

def test_status_tells_what_is_kept_and_no_secret():
    home = person()
    done = assert_exit(home.run("status", "corp"), 0)
    assert "corp: token until 2" in done.stdout and "renewable" in done.stdout
    assert "alice-1" in done.stdout
    told = json.loads(assert_exit(home.run("status", "--json"), 0).stdout)
    assert told["valid"] and told["renewable"] and told["ready"] and told["subject"] == "alice-1"
    assert all(value not in done.stdout for key, value in home.kept().items() if "token" in key)


def test_subject_cannot_command_the_terminal():
    home = person()
    kept = {**home.kept(), "subject": "a\u009b\033[2J\nb\u00e9"}
    (home.cache / "corp.json").write_text(json.dumps(kept), encoding="utf-8")
    assert "subject a???[2J?b\u00e9," in assert_exit(home.run("status"), 0).stdout


def test_status_is_a_no_when_a_person_is_needed():
    assert_exit(Home(issuer=PROVIDER.url, client_id="me").run("status", "corp"), 1)
    assert_exit(job().run("status", "corp"), 0)


def test_logout_revokes_and_forgets():
    home = person()
    PROVIDER.set()
    assert_exit(home.run("logout"), 0)
    (path, form, _), = PROVIDER.server.posted
    assert path == "/revoke" and form["token"] == "refresh-1" and form["client_id"] == "me"
    assert form["token_type_hint"] == "refresh_token"
    assert not (home.cache / "corp.json").exists()
    assert_exit(home.run("logout"), 0)


def test_logout_forgets_when_the_provider_cannot_be_told():
    home = person()
    PROVIDER.set(revoke=error("server_error", 500))
    assert_exit(home.run("logout"), 3, "forgotten here")
    assert not (home.cache / "corp.json").exists()


# --- exec ---

def test_command_gets_the_token_in_its_environment_alone():
    home = job(host="db.test", port="5433", database="d", user="u", sslmode="verify-full",
               sslrootcert="/ca")
    PROVIDER.set(token=PROVIDER.tokens(access_token="the-token"))
    done = assert_exit(home.run("exec", "corp", "--", "sh", "-c",
                                'env; cat /proc/$$/cmdline | tr "\\0" " "'), 0)
    for line in ("PGPASSWORD=the-token", "PGHOST=db.test", "PGPORT=5433", "PGDATABASE=d",
                 "PGUSER=u", "PGSSLMODE=verify-full", "PGSSLROOTCERT=/ca"):
        assert line in done.stdout.splitlines(), done.stdout
    assert "the-token" not in done.stdout.splitlines()[-1]


def test_environment_does_not_lead_the_token_elsewhere():
    """libpq takes what a service says, and an address, before PGHOST."""
    home = job(host="db.test", sslmode="verify-full")
    PROVIDER.set(token=PROVIDER.tokens())
    elsewhere = {"PGSERVICE": "other", "PGHOSTADDR": "192.0.2.1"}
    done = assert_exit(home.run("exec", "corp", "--", "env", environment=elsewhere), 0)
    assert "PGSERVICE" not in done.stdout and "PGHOSTADDR" not in done.stdout
    done = assert_exit(job().run("exec", "corp", "--", "env", environment=elsewhere), 0)
    assert {"PGSERVICE=other", "PGHOSTADDR=192.0.2.1"} < set(done.stdout.splitlines())


def test_token_goes_to_nobody_who_does_not_show_to_be_the_host():
    PROVIDER.set(token=PROVIDER.tokens())

    def sslmode(home, **environment):
        done = assert_exit(home.run("exec", "corp", "--", "env", environment=environment), 0)
        return re.findall("(?m)^PGSSLMODE=(.*)", done.stdout)

    assert sslmode(job(host="db.test")) == ["verify-full"]
    assert sslmode(job(host="db.test"), PGSSLMODE="require") == ["require"]
    assert sslmode(job(host="db.test", sslmode="disable"), PGSSLMODE="require") == ["disable"]
    assert sslmode(job()) == []


def test_exit_code_of_the_command_is_passed_on():
    PROVIDER.set(token=PROVIDER.tokens())
    home = job()
    assert_exit(home.run("exec", "--", "sh", "-c", "exit 7"), 7)
    assert_exit(home.run("exec", "--", "sh", "-c", "kill -TERM $$"), -signal.SIGTERM)
    assert_exit(home.run("exec", "--", "/nonexistent"), 127, "/nonexistent")
    assert_exit(home.run("exec", "--", "/etc/passwd"), 126, "/etc/passwd")


def test_options_of_the_command_are_its_own():
    PROVIDER.set(token=PROVIDER.tokens())
    done = assert_exit(job().run("exec", "--", "echo", "--help", "--", "-x"), 0)
    assert done.stdout == "--help -- -x\n"


def test_command_is_not_run_without_a_token():
    PROVIDER.set(token=error("invalid_client", 401))
    assert assert_exit(job().run("exec", "--", "echo", "ran"), 1).stdout == ""


# --- token file ---

def test_token_file_is_handed_over():
    home = Home()
    token = jwt(exp=int(time.time()) + 60)
    home.write(corp={"flow": "token_file", "token_file": "token"})
    (home.config.parent / "token").write_text(token + "\n", encoding="utf-8")
    assert assert_exit(home.run("token"), 0).stdout == token + "\n"
    assert not home.cache.exists()


@cases(("", 2), ("two words", 2), ("a\nb", 2), ("x" * 65531, 2), (jwt(exp=1), 1))
def test_token_file_without_usable_token_is_refused(content, code):
    home = Home()
    home.write(corp={"flow": "token_file", "token_file": "token"})
    (home.config.parent / "token").write_text(content, encoding="utf-8")
    assert assert_exit(home.run("token"), code, "token").stdout == ""
