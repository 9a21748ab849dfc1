"""The signed lists that terminals hold, as text: a compact JWS (RFC 7515), told apart by its `typ`.

ES256 is deterministic (RFC 6979), so processes which sign the same list publish the same bytes; SM2 is not.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import jwt
import msgspec

from haiyiban.crypto import SigningKey
from haiyiban.signatures import (
    SM2,
    PublicKey,
    algorithm_of,
    public_jwk,
    public_key_of,
    raw_signature,
    signature_holds,
)


class _Sm2(jwt.algorithms.Algorithm):
    """SM2 as PyJWT verifies by it."""

    def prepare_key(self, key: PublicKey) -> PublicKey:
        return key

    def sign(self, msg: bytes, key: Any) -> bytes:
        return raw_signature(key, msg)

    def verify(self, msg: bytes, key: PublicKey, sig: bytes) -> bool:
        return signature_holds(key, sig, msg)

    @staticmethod
    def to_jwk(key_obj: PublicKey, as_dict: bool = False) -> Any:
        jwk = public_jwk(key_obj)
        return jwk if as_dict else json.dumps(jwk)

    @staticmethod
    def from_jwk(jwk: str | dict[str, Any]) -> PublicKey:
        return public_key_of(json.loads(jwk) if isinstance(jwk, str) else jwk)


_jws = jwt.PyJWS()
_jws.register_algorithm(SM2.name, _Sm2())


class UntrustedList(ValueError):
    """A list that the right key did not sign, that is cut off, or that contradicts itself."""


def sign(payload: bytes, *, typ: str, key: SigningKey) -> str:
    """The payload as a compact JWS."""
    header = msgspec.json.encode({"alg": algorithm_of(key.private).name, "typ": typ, "kid": key.kid})
    signed = f"{base64url(header)}.{base64url(payload)}"
    return f"{signed}.{base64url(raw_signature(key.private, signed.encode()))}"


def payload_of(signed: str, key: PublicKey, *, typ: str) -> bytes:
    """What this key signed as a list of this `typ`. Raises UntrustedList."""
    try:
        held: Any = key
        parts = _jws.decode_complete(signed.strip(), held, algorithms=[algorithm_of(key).name])
    except (jwt.InvalidTokenError, ValueError) as error:
        raise UntrustedList(str(error)) from None
    if parts["header"].get("typ") != typ:
        raise UntrustedList(f"this is signed as {parts['header'].get('typ')}, not as {typ}")
    payload: bytes = parts["payload"]
    return payload


def kid_of_signer(signed: str) -> str:
    """The key that a list says it is signed by, not yet checked. Raises UntrustedList."""
    try:
        header: dict[str, Any] = jwt.get_unverified_header(signed.strip())
    except (jwt.InvalidTokenError, ValueError) as error:
        raise UntrustedList(str(error)) from None
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise UntrustedList("the list does not say which key signed it")
    return kid


def base64url(data: bytes) -> str:
    """Bytes as the lists write them, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes again. Raises UntrustedList."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise UntrustedList(f"not base64url: {error}") from None
