"""verify of encrypted tokens.

SPDX-License-Identifier: PostgreSQL
"""
import re
import subprocess

from support import BUILD, ENVIRONMENT, Issuer

DEV = Issuer()
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
