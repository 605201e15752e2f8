"""cortex-login's files: profiles right and wrong, password files, key files.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import json
import os
import pathlib
import re
import stat
import subprocess
import time

from login import CORTEX_LOGIN, Home, Script, assert_exit, error, jwt
from support import cases

PROVIDER = Script()
FILE = {"flow": "token_file", "token_file": "token"}


def with_token(token=None, **keys):
    home = Home(**{**FILE, **keys})
    home.token = token or jwt(exp=int(time.time()) + 600)
    put(home, home.token)
    return home


def put(home, token):
    fresh = home.config.parent / "token.new"
    fresh.write_text(token, encoding="utf-8")
    fresh.rename(home.config.parent / "token")


# --- profiles ---

@cases(("[profile corp]\n", 1), ("[profile]\n", 1), ('[profile ""]\n', 1), ('[profile "a b"]\n', 1),
       ('[profile ".x"]\n', 1), ('[profile "a/b"]\n', 1), (f'[profile "{"x" * 33}"]\n', 1),
       ('[other "a"]\n', 1), ("flow = device\n", 1), ('[profile "a"]\nflow = no\n', 2),
       ('[profile "a"]\nno_such = 1\n', 2), ('[profile "a"]\nissuer = http://example.org\n', 2),
       ('[profile "a"]\nissuer = ftp://example.org\n', 2), ('[profile "a"]\nuse = any\n', 2),
       ('[profile "a"]\nissuer = https://a\nissuer = https://a\n', 3),
       ('[profile "a"]\n\n[profile "a"]\n', 3), ('[profile "a"]\nissuer = https://a\n', 1),
       ('[profile "a"]\nclient_id = a\n', 1), ('[profile "a"]\nflow = token_file\n', 1),
       ('[profile "a"]\nflow = saml\n', 1), ('[profile "a"]\nrenew_before = soon\n', 2),
       ('[profile "a"]\ntimeout = 2d\n', 2), ('[profile "a"]\nsslmode = yes\n', 2),
       ('[profile "a"]\nredirect_uri = https://127.0.0.1/\n', 2),
       ('[profile "a"]\nredirect_uri = http://127.0.0.1.example/\n', 2),
       ('[profile "a"]\nredirect_uri = http://10.0.0.1/\n', 2),
       ('[profile "a"]\nredirect_uri = http://localhost:99999/\n', 2),
       ('[profile "a"]\nredirect_uri = http://localhost/?x\n', 2),
       ('[profile "a"]\nparameter = state=x\n', 2), ('[profile "a"]\nparameter = x\n', 2),
       ('[profile "a"]\nissuer = https://a\nclient_id = a\nflow = client_credentials\n', 1),
       ('[profile "a"]\nissuer = https://a\nclient_id = a\nclient_auth = private_key_jwt\n', 1))
def test_fault_is_told_with_file_and_line(text, line):
    home = Home()
    home.write_text(text)
    done = assert_exit(home.run("token"), 2, f"{home.config}:{line}: ")
    assert done.stdout == "" and done.stderr.count("\n") == 1


def run_where_the_systems_folder_is_shut(home, *arguments):
    """As on a database host, whose /etc/cortex only the server's group enters; names of users are not to be had there."""
    hint = Home().run("token").stderr
    system = pathlib.Path(re.search(r" or (/\S*)/login.conf,", hint).group(1))
    return subprocess.run(
        ["unshare", "--mount", "sh", "-ec", 'mount -t tmpfs none "$0"; mkdir -m 0700 "$1"; chown 65534 "$1"; shift; '
         'exec setpriv --bounding-set=-dac_override,-dac_read_search "$@"', system.parent, system, CORTEX_LOGIN, *arguments],
        env=home.environment, capture_output=True, text=True, timeout=30, check=False)


def test_own_profiles_count_where_the_systems_folder_is_shut():
    if os.geteuid() != 0:
        return  # only root can shut a folder for a while
    home = with_token()
    assert assert_exit(run_where_the_systems_folder_is_shut(home, "token", "corp"), 0).stdout == home.token + "\n"
    done = assert_exit(run_where_the_systems_folder_is_shut(home, "token", "other"), 2, "no profile 'other', but: corp")
    assert "login.conf: Permission denied" in done.stderr
    assert_exit(run_where_the_systems_folder_is_shut(Home(), "token"), 2, "login.conf: cannot be opened: Permission denied")


def test_file_that_others_may_write_is_refused():
    home = with_token()
    home.config.chmod(0o646)
    assert_exit(home.run("token"), 2, "writable by everybody")


def test_profile_is_the_one_named_default_or_only():
    home = with_token()
    home.write(a=FILE, b=FILE)
    assert_exit(home.run("token"), 2, "which profile? There are: a, b")
    assert_exit(home.run("token", "b"), 0)
    assert_exit(home.run("token", "c"), 2, "no profile 'c', but: a, b")
    home.write(a={**FILE, "token_file": "/nonexistent"}, default=FILE)
    assert_exit(home.run("token"), 0)


def test_file_may_be_named():
    home = with_token()
    other = home.path / "other"
    other.write_text(f'[profile "x"]\nflow = token_file\ntoken_file = "{home.config.parent}/token"\n',
                     encoding="utf-8")
    assert_exit(home.run("token", "--config", other, "x"), 0)
    assert_exit(home.run("token", "--config", other, "corp"), 2)
    assert_exit(home.run("token", "--config", "/nonexistent"), 2, "/nonexistent: ")


def test_home_is_where_a_tilde_says():
    home = with_token(token_file="~/mine")
    (home.path / "mine").write_text("abc", encoding="utf-8")
    assert assert_exit(home.run("token"), 0).stdout == "abc\n"


def test_no_profile_at_all_is_told():
    assert_exit(Home().run("token"), 2, "there is no profile")


# --- password files ---

def test_password_file_has_the_line_and_nothing_is_printed():
    home = with_token(host="db.test", port="5433", database="d", user="u")
    file = home.path / "pgpass"
    done = assert_exit(home.run("--passfile", file), 0)
    assert (done.stdout, done.stderr) == ("", "")
    assert file.read_text(encoding="utf-8") == f"db.test:5433:d:u:{home.token}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in home.path.iterdir() if "pgpass" in entry.name] == ["pgpass"]


def test_cache_is_below_home_where_no_variable_says():
    """A relative path is none (XDG Base Directory)."""
    for folder in ("", "cache"):
        home = with_token()
        assert_exit(home.run("--passfile", home.path / "pgpass", environment={"XDG_CACHE_HOME": folder}), 0)
        assert (home.path / ".cache" / "cortex-login" / ".passfile.lock").exists() and not home.cache.exists()


def test_colon_and_backslash_are_escaped():
    home = with_token(token="a:b\\c", host="fe80::1", database="d\\e")
    file = home.path / "pgpass"
    assert_exit(home.run("token", "--passfile", file), 0)
    assert file.read_text(encoding="utf-8") == "fe80\\:\\:1:*:d\\\\e:*:a\\:b\\\\c\n"


def test_socket_has_the_line_that_libpq_looks_for():
    home = with_token(host="/var/run/postgresql", port="5432", user="u")
    file = home.path / "pgpass"
    for _ in range(2):
        assert_exit(home.run("--passfile", file), 0)
        assert file.read_text(encoding="utf-8") == \
            f"localhost:5432:*:u:{home.token}\n/var/run/postgresql:5432:*:u:{home.token}\n"


def test_other_lines_stay():
    home = with_token(host="db.test")
    file = home.path / "pgpass"
    file.write_text("# mine\na:*:*:*:x\ndb.test:*:*:*:old\nb:*:*:*:y\n", encoding="utf-8")
    file.chmod(0o600)
    assert_exit(home.run("--passfile", file), 0)
    assert file.read_text(encoding="utf-8") == \
        f"# mine\na:*:*:*:x\ndb.test:*:*:*:{home.token}\nb:*:*:*:y\n"
    file.write_text("a:*:*:*:x", encoding="utf-8")
    assert_exit(home.run("--passfile", file), 0)
    assert file.read_text(encoding="utf-8") == f"db.test:*:*:*:{home.token}\na:*:*:*:x\n"


@cases("readable", "link", "second name", "folder", "no folder")
def test_password_file_that_is_not_ours_alone_is_refused(what):
    home = with_token()
    file = home.path / "pgpass"
    if what == "readable":
        file.write_text("a:*:*:*:x\n", encoding="utf-8")
        file.chmod(0o644)
    elif what == "link":
        file.symlink_to(home.path / "elsewhere")
    elif what == "second name":
        file.write_text("", encoding="utf-8")
        file.chmod(0o600)
        (home.path / "pgpass.other").hardlink_to(file)
    elif what == "folder":
        file.mkdir()
    else:
        file = home.path / "none" / "pgpass"
    done = home.run("--passfile", file)
    assert done.returncode in (2, 3) and "pgpass" in done.stderr, done
    assert ("is a symbolic link" in done.stderr) == (what == "link"), done
    assert not (home.path / "elsewhere").exists()


@cases({"HOME": "/proc", "XDG_CACHE_HOME": ""}, {"HOME": "", "XDG_CACHE_HOME": ""})
def test_password_file_needs_no_place_for_a_cache(places):
    """As in a container with nothing to write but the folder of that file."""
    home = with_token()
    file = home.path / "pgpass"
    assert_exit(home.run("--passfile", file, environment=places), 0)
    assert file.read_text(encoding="utf-8") == f"*:*:*:*:{home.token}\n"


def wait_for(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "waited 30 s"
        time.sleep(0.05)


def test_line_is_renewed_before_its_token_ends():
    secret = Home().secret
    home = Home(flow="client_credentials", issuer=PROVIDER.url, client_id="me", renew_before="1",
                client_secret_file=secret)
    file = home.path / "pgpass"
    PROVIDER.set(token=[PROVIDER.tokens(access_token="one", expires_in=3),
                        PROVIDER.tokens(access_token="two", expires_in=600)])
    process = home.start("--passfile", file, "--renew")
    wait_for(file.exists)
    assert file.read_text(encoding="utf-8") == "*:*:*:*:one\n"
    wait_for(lambda: file.read_text(encoding="utf-8") == "*:*:*:*:two\n")
    process.terminate()
    assert Home.finish(process).returncode == -15


def test_renewing_ends_when_a_person_is_needed():
    home = Home(flow="client_credentials", issuer=PROVIDER.url, client_id="me", renew_before="1",
                client_secret_file=Home().secret)
    PROVIDER.set(token=[PROVIDER.tokens(access_token="one", expires_in=2), error("invalid_client", 401)])
    assert_exit(home.run("--passfile", home.path / "pgpass", "--renew"), 1, "invalid_client")


# --- keys ---

@cases(("RS256", "rsa:2048", ()), ("ES256", "ec", ("-pkeyopt", "ec_paramgen_curve:P-256")),
       ("ES384", "ec", ("-pkeyopt", "ec_paramgen_curve:P-384")), ("EdDSA", "ed25519", ()))
def test_client_may_sign(algorithm, kind, options):
    home = Home(flow="client_credentials", issuer=PROVIDER.url, client_id="me",
                client_key_file="key.pem", client_key_id="k1")
    key, certificate = home.config.parent / "key.pem", home.path / "certificate"
    subprocess.run(["openssl", "req", "-x509", "-newkey", kind, *options, "-nodes", "-subj", "/CN=x",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    PROVIDER.set(token=PROVIDER.tokens())
    assert_exit(home.run("token"), 0)
    form, = PROVIDER.forms
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    parts = form["client_assertion"].split(".")
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in parts[:2])
    assert header == {"alg": algorithm, "typ": "JWT", "kid": "k1"}
    assert claims["iss"] == claims["sub"] == "me" and claims["aud"] == PROVIDER.url + "/token"
    assert 0 < claims["exp"] - claims["iat"] <= 60 and claims["jti"]
    signature = base64.urlsafe_b64decode(parts[2] + "==")
    assert verifies(algorithm, certificate, signature, ".".join(parts[:2]).encode())


def verifies(algorithm, certificate, signature, signed):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    if algorithm == "RS256":
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    elif algorithm == "EdDSA":
        key.verify(signature, signed)
    else:
        half = len(signature) // 2
        pair = (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
        digest = hashes.SHA256() if algorithm == "ES256" else hashes.SHA384()
        key.verify(utils.encode_dss_signature(*pair), signed, ec.ECDSA(digest))
    return True


@cases(b"", b"x", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n")
def test_key_file_that_is_none_is_refused(content):
    home = Home(flow="client_credentials", issuer=PROVIDER.url, client_id="me", client_key_file="key.pem")
    (home.config.parent / "key.pem").write_bytes(content)
    PROVIDER.set(token=PROVIDER.tokens())
    assert_exit(home.run("token"), 2, "key.pem")
    assert PROVIDER.forms == []
