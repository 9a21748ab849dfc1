"""The signed lists that terminals hold, as text: a compact JWS (RFC 7515), ES256, told apart by its `typ`.

Signing is deterministic (RFC 6979), so that processes which sign the same list publish the same bytes.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from haiyiban.codes.envelope import raw_signature
from haiyiban.crypto import SigningKey

_jws = jwt.PyJWS()


class UntrustedList(ValueError):
    """A list that the right key did not sign, that is cut off, or that contradicts itself."""


def sign(payload: bytes, *, typ: str, key: SigningKey) -> str:
    """The payload as a compact JWS."""
    header = msgspec.json.encode({"alg": "ES256", "typ": typ, "kid": key.kid})
    signed = f"{base64url(header)}.{base64url(payload)}"
    return f"{signed}.{base64url(raw_signature(key.private, signed.encode()))}"


def payload_of(signed: str, key: ec.EllipticCurvePublicKey, *, typ: str) -> bytes:
    """What this key signed as a list of this `typ`. Raises UntrustedList."""
    try:
        parts = _jws.decode_complete(signed.strip(), key, algorithms=["ES256"])
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
