"""Keys that sign, of either suite: ES256 on P-256, and SM2 with SM3.

Everything that is signed for others names its algorithm, so a verifier takes both; which one new keys have is
`Settings.suite`. A signature is raw r‖s, 64 bytes.

Source: RFC 7518 §3.4 (ES256); sm.py (SM2); docs/decisions/0028-the-national-suite.md.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jwt.algorithms import ECAlgorithm

from haiyiban import sm
from haiyiban.sm import Sm2PrivateKey, Sm2PublicKey

SIGNATURE_BYTES: Final = 64
Hash = Callable[[bytes], bytes]
PrivateKey = ec.EllipticCurvePrivateKey | Sm2PrivateKey
PublicKey = ec.EllipticCurvePublicKey | Sm2PublicKey
# Deterministic (RFC 6979): a poor random source must not give the issuing key away.
_SIGN: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_VERIFY: Final = ec.ECDSA(hashes.SHA256())


class Suite(StrEnum):
    """What new keys are made for; each key goes on being what it was made for."""

    INTERNATIONAL = "international"
    """ES256, AES, SHA-256."""
    NATIONAL = "national"
    """SM2, SM4, SM3 (国密)."""


class Algorithm(NamedTuple):
    """How a key signs, as those who read its signatures are told."""

    name: str
    """In JWS headers and on the trust list."""
    cose: int
    """In COSE headers; private use (RFC 8152 §16.4) where none is registered."""


ES256: Final = Algorithm("ES256", -7)
SM2: Final = Algorithm("SM2", -70010)
BY_NAME: Final = {each.name: each for each in (ES256, SM2)}


def sha256(data: bytes) -> bytes:
    """The hash of these bytes, 32 bytes."""
    return hashlib.sha256(data).digest()


def algorithm_of(key: PublicKey | PrivateKey) -> Algorithm:
    """How a key signs."""
    return SM2 if isinstance(key, Sm2PublicKey | Sm2PrivateKey) else ES256


def raw_signature(private: PrivateKey, data: bytes) -> bytes:
    """The raw signature over these bytes; ES256 the same each time, SM2 another."""
    if isinstance(private, Sm2PrivateKey):
        return private.sign(data)
    r, s = decode_dss_signature(private.sign(data, _SIGN))
    return r.to_bytes(32) + s.to_bytes(32)


def signature_holds(public: PublicKey, signature: bytes, signed: bytes) -> bool:
    """Whether a raw signature (64 bytes) is this key's over these bytes."""
    if isinstance(public, Sm2PublicKey):
        return public.holds(signature, signed)
    try:
        public.verify(sm.der_of(signature), signed, _VERIFY)
    except InvalidSignature:
        return False
    return True


def spki(public: PublicKey) -> bytes:
    """The SubjectPublicKeyInfo, DER."""
    if isinstance(public, Sm2PublicKey):
        return public.spki
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def kid_of(public: PublicKey) -> str:
    """The key id of codes.md §1a, as hex: a name, not a proof, so it is SHA-256 in either suite."""
    return kid_of_spki(spki(public))


def kid_of_spki(der: bytes) -> str:
    """The id of the key in a SubjectPublicKeyInfo."""
    return hashlib.sha256(der).hexdigest()[:16]


def public_jwk(public: PublicKey) -> dict[str, Any]:
    """A public key as a JWK; the curve of SM2 is called so, for no name is registered."""
    if isinstance(public, Sm2PublicKey):
        x, y = _base64url(public.point[:32]), _base64url(public.point[32:])
        return {"kty": "EC", "crv": "SM2", "x": x, "y": y}
    jwk = ECAlgorithm.to_jwk(public, as_dict=True)
    return {member: jwk[member] for member in ("kty", "crv", "x", "y")}


def public_key_of(jwk: Mapping[str, Any]) -> PublicKey:
    """The key that a JWK holds. Raises ValueError."""
    if jwk.get("crv") == "SM2":
        return Sm2PublicKey(_coordinate(jwk, "x") + _coordinate(jwk, "y"))
    try:
        public = ECAlgorithm(ECAlgorithm.SHA256).from_jwk(dict(jwk))
    except (jwt.InvalidKeyError, ValueError, TypeError) as error:
        raise ValueError(f"a key cannot be read: {error}") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise ValueError("a key is not a public key on P-256 or SM2's curve")
    return public


def new_private_key(suite: Suite) -> PrivateKey:
    """A new key of a suite."""
    return Sm2PrivateKey.generate() if suite is Suite.NATIONAL else ec.generate_private_key(ec.SECP256R1())


def private_pem(private: PrivateKey) -> str:
    """A key as it is kept: PKCS#8."""
    if isinstance(private, Sm2PrivateKey):
        return private.pem
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def private_key_of(pem: str) -> PrivateKey:
    """A key as it was kept. Raises ValueError."""
    if (national := Sm2PrivateKey.from_pem(pem)) is not None:
        return national
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("a signing key is neither P-256 nor SM2")
    return key


def _coordinate(jwk: Mapping[str, Any], member: str) -> bytes:
    text = jwk.get(member)
    if not isinstance(text, str):
        raise ValueError(f"a key has no {member}")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
