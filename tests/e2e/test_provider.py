"""The provider is a real one: its tokens verify by an implementation that is not ours.

SPDX-License-Identifier: PostgreSQL
"""
import base64
import json
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from openid import ALGORITHMS, ISSUER, RESOURCE, client_id


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def number(part):
    return int.from_bytes(decode(part), "big")


def verify(key, signature, signed):
    """One JWS signature by one JWK; InvalidSignature when it does not fit."""
    sha256 = hashes.SHA256()
    if key["kty"] == "RSA":
        scheme = padding.PKCS1v15()
        if key["alg"] == "PS256":
            scheme = padding.PSS(padding.MGF1(sha256), sha256.digest_size)
        public = rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
        public.verify(signature, signed, scheme, sha256)
    elif key["kty"] == "EC":
        numbers = ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), ec.SECP256R1())
        halves = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        numbers.public_key().verify(utils.encode_dss_signature(*halves), signed, ec.ECDSA(sha256))
    else:
        ed25519.Ed25519PublicKey.from_public_bytes(decode(key["x"])).verify(signature, signed)


def opened(provider, token):
    """Header and claims of a token that the provider's published key verifies."""
    head, body, signature = token.split(".")
    header = json.loads(decode(head))
    key = next(k for k in provider.jwks()["keys"] if k["kid"] == header["kid"])
    assert header["alg"] == key["alg"]
    verify(key, decode(signature), f"{head}.{body}".encode())
    return header, json.loads(decode(body))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_id_token_says_who_and_for_whom(openid, algorithm):
    header, claims = opened(openid, openid.id_token("alice-1", algorithm))
    assert header["alg"] == algorithm
    assert (claims["iss"], claims["sub"]) == (ISSUER, "alice-1")
    assert claims["aud"] == client_id(algorithm)
    assert claims["groups"] == ["engineers"]
    assert claims["exp"] == claims["iat"] + 3600


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_access_token_is_typed(openid, algorithm):
    header, claims = opened(openid, openid.access_token("alice-1", algorithm))
    assert header["typ"] == "at+jwt"
    assert claims["aud"] == RESOURCE
    assert claims["preferred_username"] == "alice"


def test_program_gets_a_token_of_its_own(openid):
    _, claims = opened(openid, openid.client_token("ES256"))
    assert claims["sub"] == claims["client_id"] == client_id("ES256")


def test_a_changed_claim_breaks_the_signature(openid):
    head, body, signature = openid.id_token("bob-2").split(".")
    claims = json.loads(decode(body))
    claims["preferred_username"] = "alice"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidSignature):
        opened(openid, f"{head}.{forged}.{signature}")


def test_unknown_person_gets_no_token(openid):
    with pytest.raises(AssertionError):
        openid.id_token("nobody")


def test_rotation_leaves_the_old_token_without_a_key(openid):
    old = openid.id_token("alice-1")
    openid.rotate()
    with pytest.raises(StopIteration):
        opened(openid, old)


def test_lifetime_and_clock_are_the_test_s(openid):
    openid.set(ttl=5, clock=-600)
    try:
        _, claims = opened(openid, openid.id_token("alice-1"))
    finally:
        openid.set(ttl=3600, clock=0)
    assert claims["exp"] == claims["iat"] + 5
    assert abs(claims["iat"] - (time.time() - 600)) < 10
