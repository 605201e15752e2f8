"""verify of encrypted tokens: the object that decrypts is loaded when the first one comes.

SPDX-License-Identifier: PostgreSQL
"""
import re
import shutil
import subprocess

from support import BUILD, CORTEXCTL, ENVIRONMENT, Issuer, cases, folder, one_object

DEV = Issuer()
LIBRARY = BUILD / "libcortexauth" / ".libs"
SETTINGS = DEV.conf.read_text(encoding="utf-8")


def encrypted(token, key_file="key.pem"):
    done = subprocess.run([BUILD / "tests" / "cli" / "encrypt", "RSA", "RSA-OAEP", DEV.path / key_file],
                          input=token, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    return done.stdout.rstrip("\n")


def configure(key_file):
    """The issuer's own configuration with a key in its section; None: without."""
    line = f"decryption_key_file = {key_file}\n" if key_file else ""
    DEV.configure(re.sub(r"(?m)^(\[oidc .*\]\n)", lambda found: found.group(1) + line, SETTINGS))


TOKEN = DEV.token()
OUTER = encrypted(TOKEN)
encrypted("", "other.pem")


def test_token_is_opened_and_verified():
    configure("key.pem")
    assert DEV.accept(OUTER)["username"] == "alice"


def test_inner_token_is_as_strict_as_any():
    configure("late.pem")
    DEV.refuse(encrypted(DEV.token("--expires", "1m", "--at", "1000000"), "late.pem"), "token_expired")
    configure("key.pem")
    DEV.refuse(OUTER[:-4] + ("AAAA" if OUTER[-4:] != "AAAA" else "BBBB"), "key_mismatch")


def test_token_to_another_key_is_refused():
    configure("other.pem")
    DEV.refuse(OUTER, "key_mismatch")


def test_encrypted_token_without_a_key_is_refused():
    configure(None)
    DEV.refuse(OUTER, "token_type_refused")


@cases(True, False)
def test_without_the_object_other_tokens_go_on(absolute):
    configure("key.pem")
    library = folder() / "lib"
    library.mkdir()
    shutil.copy(LIBRARY / "libcortexauth.so.0", library)
    if not absolute:  # then what lies beside is not trusted, as the folder may be anybody's
        shutil.copy(LIBRARY / "libcortexauth-jwe.so", library)
    given = library if absolute else library.relative_to(library.parent)

    def run(token):
        return subprocess.run([CORTEXCTL.parent / ".libs" / "cortexctl", "verify", "--config", DEV.conf, "-"],
                              input=token, capture_output=True, text=True, check=False,
                              cwd=library.parent, env={**ENVIRONMENT, "LD_LIBRARY_PATH": str(given)})
    assert one_object(run(TOKEN).stdout)["ok"] is True
    assert one_object(run(OUTER).stdout)["error"] == "config_invalid"
