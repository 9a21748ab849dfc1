"""A phone as its maker would write one: makes a key for each capsule, binds it, and shows codes by itself.

schemas/codes/README.md tells the same in words. Nothing of the server's code signs here.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from haiyiban.codes import base45, cbor

Headers = dict[str, str]
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key pair for one capsule."""
    return ec.generate_private_key(ec.SECP256R1())


def base64url(data: bytes) -> str:
    """As bytes cross the wire."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    """The bytes again."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """The public half, as WebCrypto's exportKey writes it."""
    numbers = key.public_key().public_numbers()
    return {
        "crv": "P-256",
        "ext": True,
        "key_ops": ["verify"],
        "kty": "EC",
        "x": base64url(numbers.x.to_bytes(32)),
        "y": base64url(numbers.y.to_bytes(32)),
    }


def raw(key: ec.EllipticCurvePrivateKey, message: bytes, *, low: bool = True) -> bytes:
    """An ES256 signature of 64 bytes, of its two twins the one with the low s, or the other."""
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    if (s > ORDER // 2) == low:
        s = ORDER - s
    return r.to_bytes(32) + s.to_bytes(32)


@dataclass
class Phone:
    """A signed-in phone."""

    api: httpx.AsyncClient
    headers: Headers
    account_id: UUID
    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    id: str = ""
    capsule: bytes = b""
    expires_at: str = ""

    async def nonce(self) -> bytes:
        """A fresh nonce."""
        answer = await self.api.post("/codes/nonces", headers=self.headers)
        assert answer.status_code == 201, answer.text
        return unbase64url(answer.json()["nonce"])

    def proof(self, nonce: bytes, *, account_id: UUID | None = None) -> str:
        """That this phone holds the key, for its own account unless told otherwise."""
        return base64url(raw(self.key, b"HYB1-BIND" + (account_id or self.account_id).bytes + nonce))

    async def ask(self, kind: str, *, key: str | None = None, **body: Any) -> httpx.Response:
        """Ask for a capsule with whatever is given; a fresh nonce and this phone's key where nothing is."""
        if "deviceProof" not in body:
            body["deviceProof"] = self.proof(await self.nonce())
        wanted = {"kind": kind, "deviceKey": jwk(self.key)} | body
        return await self.api.post(
            "/codes", json=wanted, headers=self.headers | ({"Idempotency-Key": key} if key else {})
        )

    async def bind(self, kind: str, **body: Any) -> Phone:
        """Bind a code of this kind to a new key, and keep the capsule."""
        self.key = new_key()
        answer = await self.ask(kind, **body)
        assert answer.status_code == 201, answer.text
        issued = answer.json()
        self.id, self.expires_at = issued["id"], issued["expiresAt"]
        self.capsule = unbase64url(issued["capsule"])
        return self

    def show(self, t: int, *, challenge: bytes | None = None, low: bool = True) -> str:
        """The text that the phone draws at second `t`."""
        message = b"HYB1-DEVICE" + len(self.capsule).to_bytes(4) + self.capsule + t.to_bytes(8)
        signature = raw(self.key, message + (challenge or b""), low=low)
        parts: list[Any] = [self.capsule, t, signature]
        if challenge is not None:
            parts.append(challenge)
        return "HYB1:" + base45.encode(cbor.encode(parts))
