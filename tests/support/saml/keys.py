"""The key pairs of the cases: kept beside this file, made where one is missing.

Certificates have fixed numbers and dates, so that a second run writes the same.
SPDX-License-Identifier: PostgreSQL
"""
import base64
import datetime
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

FOLDER = Path(__file__).parent / "keys"


def _rsa(bits, exponent=65537):
    return lambda: rsa.generate_private_key(exponent, bits)


# What each is for; "idp" signs the base of every case.
KINDS = {
    "idp": _rsa(2048),
    "idp-second": _rsa(3072),
    "idp-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "idp-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "idp-encryption": _rsa(2048),
    "idp-weak": _rsa(1024),
    "idp-ed25519": ed25519.Ed25519PrivateKey.generate,
    "other": _rsa(2048),
    "stranger": _rsa(2048),
    "stranger-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "sp": _rsa(2048),
    "sp-other": _rsa(2048),
}


@lru_cache(None)
def private(name):
    path = FOLDER / f"{name}.key"
    if not path.exists():
        FOLDER.mkdir(exist_ok=True)
        key = KINDS[name]()
        path.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return serialization.load_pem_private_key(path.read_bytes(), None)


def public(name):
    return private(name).public_key()


@lru_cache(None)
def certificate(name, first=2020, last=2049):
    """Base64 of the DER form. Certificates of EC keys are signed by the RSA one: that is repeatable."""
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by = name if isinstance(private(name), rsa.RSAPrivateKey) else "idp"
    made = (x509.CertificateBuilder().subject_name(own)
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]))
            .public_key(public(name)).serial_number(1 + list(KINDS).index(name))
            .not_valid_before(datetime.datetime(first, 1, 1))
            .not_valid_after(datetime.datetime(last, 1, 1)).sign(private(by), hashes.SHA256()))
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def certificate_pem(name):
    text = certificate(name)
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    return "-----BEGIN CERTIFICATE-----\n" + "\n".join(lines) + "\n-----END CERTIFICATE-----\n"


def rsa_numbers(name):
    """Modulus and exponent as XML-DSig writes them."""
    numbers = public(name).public_numbers()
    return {part: base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode()
            for part, number in (("Modulus", numbers.n), ("Exponent", numbers.e))}


def public_spki(name):
    return public(name).public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def public_pem(name):
    return public(name).public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
