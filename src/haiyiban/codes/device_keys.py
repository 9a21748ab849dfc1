"""A phone's key for one capsule, as it comes over the wire: the public half as a JWK, and the proof that the
phone holds the other half.

Source: schemas/codes/README.md (binding a code to a phone); RFC 7517, RFC 7518 §6.2 (JWK of P-256).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec

from haiyiban.errors import FieldError, Problem, Words
from haiyiban.signatures import signature_holds

_KEY, _PROOF = "/deviceKey", "/deviceProof"
_COORDINATE_BYTES = 32
_SIGNATURE_BYTES = 64


class DeviceKeyMalformed(Problem):
    """The device key is not a public P-256 JWK; the words beside the field say what is wrong."""

    type = "codes/device-key-malformed"
    title = Words("手机公钥的格式不对", "The device key is not a public P-256 JWK")

    def __init__(self, words: Words) -> None:
        super().__init__(errors=[FieldError(_KEY, words)])


class DeviceProofMalformed(Problem):
    """The device proof is not a raw ES256 signature in base64url."""

    type = "codes/device-proof-malformed"
    title = Words("手机签名的格式不对", "The device proof is malformed")

    def __init__(self) -> None:
        words = Words(
            "须为 64 个字节的 ES256 签名（r‖s，不是 DER），base64url 编码",
            "must be an ES256 signature of 64 bytes (r‖s, not DER) in base64url",
        )
        super().__init__(errors=[FieldError(_PROOF, words)])


class DeviceKeyIncomplete(Problem):
    """A device key without its proof, or a proof without its key."""

    type = "codes/device-key-incomplete"
    title = Words("deviceKey 和 deviceProof 须一起提交", "deviceKey and deviceProof come together")

    def __init__(self, missing: str) -> None:
        super().__init__(errors=[FieldError(missing, Words("请补上", "is missing"))])


class BindingKey(NamedTuple):
    """A key that a capsule is to be bound to, and the proof of holding it; the proof is not yet checked."""

    public: ec.EllipticCurvePublicKey
    proof: bytes

    def proves(self, account_id: UUID, nonce: bytes) -> bool:
        """Whether the proof was made for this account over this nonce."""
        return signature_holds(self.public, self.proof, b"HYB1-BIND" + account_id.bytes + nonce)


def read(key: Mapping[str, Any] | None, proof: str | None) -> BindingKey | None:
    """The key and proof of a request; None where it has neither.

    Raises DeviceKeyIncomplete, DeviceKeyMalformed, DeviceProofMalformed.
    """
    if key is None and proof is None:
        return None
    if key is None:
        raise DeviceKeyIncomplete(_KEY)
    if proof is None:
        raise DeviceKeyIncomplete(_PROOF)
    return BindingKey(read_key(key), read_proof(proof))


def read_key(jwk: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    """The public key of a JWK, whose other members (`ext`, `key_ops`) are left alone. Raises
    DeviceKeyMalformed."""
    if "d" in jwk:
        raise DeviceKeyMalformed(
            Words(
                "不能提交私钥（d）。请换一对新密钥，只提交公钥",
                "must not hold the private key (d); make a new pair and send its public half alone",
            )
        )
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise DeviceKeyMalformed(
            Words("须为 P-256 椭圆曲线公钥（kty EC，crv P-256）", "must be of kty EC and crv P-256")
        )
    x, y = _bytes(jwk.get("x")), _bytes(jwk.get("y"))
    try:
        if x is None or y is None or not len(x) == len(y) == _COORDINATE_BYTES:
            raise ValueError("a coordinate of P-256 has 32 bytes")
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1())
        return numbers.public_key()
    except ValueError:
        raise DeviceKeyMalformed(
            Words(
                "x 和 y 须为曲线上一点的坐标，各 32 个字节，base64url 编码",
                "x and y must be a point of the curve, 32 bytes each, in base64url",
            )
        ) from None


def read_proof(proof: str) -> bytes:
    """The raw signature of a proof. Raises DeviceProofMalformed."""
    signature = _bytes(proof)
    if signature is None or len(signature) != _SIGNATURE_BYTES:
        raise DeviceProofMalformed
    return signature


def _bytes(text: Any) -> bytes | None:
    """The bytes of a base64url text, with or without its padding; None where it is none."""
    if not isinstance(text, str):
        return None
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
