"""The key pair that a terminal makes for itself: reading its public half, and what it has signed. Pure.

A terminal signs JSON: base64url of the raw ES256 signature (r‖s, 64 bytes) over the RFC 8785 form of the
object without its member `signature`. Source: schemas/codes/README.md "What a terminal signs"; RFC 7518 §3.4.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

import jwt
import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from haiyiban import signatures
from haiyiban.errors import FieldError, Problem, Words

_MEMBERS = ("kty", "crv", "x", "y")


class UnusableKey(Problem):
    """The public key is not one on P-256, or the private half came with it."""

    type = "verifiers/unusable-key"
    title = Words("终端公钥不能使用", "The terminal's public key cannot be used")


def read_public_key(jwk: Mapping[str, Any]) -> dict[str, str]:
    """The four members that make a P-256 public key, others left out. Raises UnusableKey."""
    if "d" in jwk:
        raise _unusable(
            "请求里带有私钥：这对密钥已泄露，请在终端上重新生成，只提交公钥",
            "the private half came along and is no secret any more: make a new pair, send the public half",
        )
    document = {name: str(jwk.get(name, "")) for name in _MEMBERS}
    try:
        key = public_key(document)
    except (jwt.InvalidKeyError, ValueError):
        key = None
    if key is None:
        raise _unusable(
            "须为 P-256 公钥的 JWK（kty 为 EC，crv 为 P-256，带 x 和 y）",
            "must be the JWK of a P-256 public key (kty EC, crv P-256, with x and y)",
        )
    # Written by us, so that one key has one form.
    return signatures.public_jwk(key)


def public_key(jwk: Mapping[str, Any]) -> ec.EllipticCurvePublicKey | None:
    """The key of a JWK; None for one on another curve. Raises InvalidKeyError, ValueError."""
    key = ECAlgorithm(ECAlgorithm.SHA256).from_jwk(dict(jwk))
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    return None


def thumbprint(jwk: Mapping[str, Any]) -> bytes:
    """What tells one key from every other. Source: RFC 7638."""
    return hashlib.sha256(rfc8785.dumps({name: jwk[name] for name in _MEMBERS})).digest()


def to_sign(document: Mapping[str, Any]) -> bytes:
    """The bytes of a JSON object that its signature is over."""
    return rfc8785.dumps({name: value for name, value in document.items() if name != "signature"})


def sign(document: Mapping[str, Any], private: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """The object with its signature, as a terminal sends it."""
    raw = signatures.raw_signature(private, to_sign(document))
    return {**document, "signature": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}


def signature_holds(signed: bytes, signature: str, jwk: Mapping[str, Any]) -> bool:
    """Whether this is the key's signature over these bytes, in the one spelling that a signature has."""
    try:
        raw = base64.b64decode(signature + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    if (
        len(raw) != signatures.SIGNATURE_BYTES
        or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != signature
    ):
        return False
    key = public_key(jwk)
    assert key is not None, "only usable keys are enrolled"
    return signatures.signature_holds(key, raw, signed)


def _unusable(zh: str, en: str) -> UnusableKey:
    return UnusableKey(errors=[FieldError("/publicKey", Words(zh, en))])
