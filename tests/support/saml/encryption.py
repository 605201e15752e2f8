"""XML encryption to the service provider's key; the same bytes in every run.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import keys
from document import DS

XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
OAEP, OAEP11, RSA15 = XENC + "rsa-oaep-mgf1p", XENC11 + "rsa-oaep", XENC + "rsa-1_5"


def mask(seed, size, name):
    made = b""
    for number in range(size // hashlib.new(name).digest_size + 1):
        made += hashlib.new(name, seed + number.to_bytes(4, "big")).digest()
    return made[:size]


def mixed(one, other):
    return bytes(a ^ b for a, b in zip(one, other))


def oaep(message, size, name="sha1", mgf="sha1", label=b""):
    """RFC 8017 7.1.1 with a seed that is always the same."""
    length = hashlib.new(name).digest_size
    block = hashlib.new(name, label).digest() + b"\0" * (size - len(message) - 2 * length - 2) + b"\1" + message
    seed = hashlib.new(name, b"seed" + message).digest()
    masked = mixed(block, mask(seed, size - length - 1, mgf))
    return b"\0" + mixed(seed, mask(masked, length, mgf)) + masked


def pkcs1(message, size):
    return b"\0\2" + b"\7" * (size - len(message) - 3) + b"\0" + message


def to_key(padded, name="sp"):
    numbers = keys.public(name).public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    return pow(int.from_bytes(padded, "big"), numbers.e, numbers.n).to_bytes(size, "big")


def b64(data):
    return base64.b64encode(data).decode()


def cbc(secret, plain, padding=None):
    vector = hashlib.sha256(plain).digest()[:16]
    missing = 16 - len(plain) % 16
    plain += padding if padding is not None else b"\0" * (missing - 1) + bytes([missing])
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(vector)).encryptor()
    return vector + encryptor.update(plain) + encryptor.finalize()


def gcm(secret, plain):
    vector = hashlib.sha256(plain).digest()[:12]
    return vector + AESGCM(secret).encrypt(vector, plain, None)


def encrypted_key(secret, how=OAEP, to="sp", inside="", padded=None, extra="", method=None, oaep_digest="sha1", mgf="sha1"):
    if padded is None:
        padded = pkcs1(secret, 256) if how == RSA15 else oaep(secret, 256, oaep_digest, mgf)
    if method is None:
        method = f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{DS}sha1"/>' if how == OAEP else ""
    return (f'<xenc:EncryptedKey xmlns:xenc="{XENC}"{extra}><xenc:EncryptionMethod Algorithm="{how}">{method}</xenc:EncryptionMethod>'
            f"{inside}<xenc:CipherData><xenc:CipherValue>{b64(to_key(padded, to))}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>")


def encrypt(plain, algorithm=XENC11 + "aes256-gcm", size=32, key=None, change=None, padding=None, beside=False,
            data_type=f' Type="{XENC}Element"', key_info=None, cipher=None, wrapper=("<saml:EncryptedAssertion>", "</saml:EncryptedAssertion>"),
            **how):
    """An EncryptedAssertion of this text."""
    secret = hashlib.sha256(algorithm.encode()).digest()[:size]
    plain = plain.encode() if isinstance(plain, str) else plain
    data = cbc(secret, plain, padding) if algorithm.endswith("cbc") else gcm(secret, plain)
    if change:
        data = change(data)
    key = encrypted_key(secret, **how) if key is None else key
    info = f'<ds:KeyInfo xmlns:ds="{DS}">{"" if beside else key}</ds:KeyInfo>' if key_info is None else key_info
    if beside and key_info is None:
        info = ""
    value = f"<xenc:CipherData><xenc:CipherValue>{b64(data)}</xenc:CipherValue></xenc:CipherData>" if cipher is None else cipher
    return (wrapper[0] + f'<xenc:EncryptedData xmlns:xenc="{XENC}"{data_type}><xenc:EncryptionMethod Algorithm="{algorithm}"/>'
            + info + value + "</xenc:EncryptedData>" + (key if beside else "") + wrapper[1])
