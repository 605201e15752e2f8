"""ECDSA's two halves as DER, as OpenSSL writes them.

SPDX-License-Identifier: PostgreSQL
"""
import base64

from cryptography.hazmat.primitives.asymmetric import utils


def encode(value):
    raw = base64.b64decode(value)
    half = len(raw) // 2
    return base64.b64encode(utils.encode_dss_signature(
        int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))).decode()
