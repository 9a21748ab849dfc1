"""SM2, SM3 and SM4, the national suite (国密), by GmSSL and OpenSSL: what needs more than one call of them.

SM2 signs with the identifier that GM/T 0009 gives to whoever has none of their own. A signature is raw r‖s,
64 bytes, as ES256 has it.

Source: GB/T 32918.2 and .5 (SM2), GB/T 32905 (SM3), GB/T 32907 (SM4), GB/T 36624 (GCM), GB/T 35276;
docs/decisions/0028-the-national-suite.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import gmssl_pyx
from asn1crypto import pem
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SM4_KEY_BYTES: Final = 16
_TAG_BYTES: Final = 16
_IDENTIFIER: Final = b"1234567812345678"
_CURVE: Final = bytes.fromhex(
    "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc"  # a
    "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93"  # b
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"  # x of G
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"  # y of G
)
_SPKI: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
"""A SubjectPublicKeyInfo up to the point: id-ecPublicKey on the curve 1.2.156.10197.1.301."""
_PKCS8: Final = bytes.fromhex(
    "308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420",
)
_PKCS8_PUBLIC: Final = bytes.fromhex("a14403420004")


def sm3(data: bytes) -> bytes:
    """The hash of these bytes, 32 bytes."""
    digest: bytes = gmssl_pyx.sm3_hash(data)
    return digest


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC with SM3 (GB/T 15852.2), 32 bytes."""
    code: bytes = gmssl_pyx.sm3_hmac(key, data)
    return code


class Sm4Gcm:
    """SM4 in GCM, called as `AESGCM` is. By OpenSSL, for GmSSL encrypts no empty text."""

    def __init__(self, key: bytes) -> None:
        if len(key) != SM4_KEY_BYTES:
            raise ValueError("an SM4 key has 16 bytes")
        self._cipher = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Ciphertext and tag."""
        encryptor = Cipher(self._cipher, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """What was encrypted. Raises InvalidTag where key, bytes or associated data are not those."""
        if len(data) < _TAG_BYTES:
            raise InvalidTag
        body, tag = data[:-_TAG_BYTES], data[-_TAG_BYTES:]
        decryptor = Cipher(self._cipher, modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(body) + decryptor.finalize()


@dataclass(frozen=True)
class Sm2PublicKey:
    """A point of the curve: x‖y, 64 bytes."""

    point: bytes

    def __post_init__(self) -> None:
        """Raises ValueError for what is no point of the curve."""
        if len(self.point) != 64 or not _is_on_curve(self.point):
            raise ValueError("not a public key of SM2")

    @classmethod
    def from_spki(cls, der: bytes) -> Sm2PublicKey:
        """The key of a SubjectPublicKeyInfo. Raises ValueError."""
        if not der.startswith(_SPKI):
            raise ValueError("not a public key of SM2")
        return cls(der[len(_SPKI) :])

    @property
    def spki(self) -> bytes:
        """The SubjectPublicKeyInfo, DER."""
        return _SPKI + self.point

    @cached_property
    def _signer(self) -> bytes:
        """Z of GB/T 32918.2 §5.5, by which a signature is bound to its signer's key."""
        return sm3(
            (8 * len(_IDENTIFIER)).to_bytes(2) + _IDENTIFIER + _CURVE + self.point,
        )

    def digest(self, data: bytes) -> bytes:
        """What is signed of these bytes (e of GB/T 32918.2 §6)."""
        return sm3(self._signer + data)

    def holds(self, signature: bytes, data: bytes) -> bool:
        """Whether a raw signature is this key's over these bytes."""
        if len(signature) != 64 or not (any(signature[:32]) and any(signature[32:])):
            return False
        return bool(gmssl_pyx.sm2_verify_sm3_digest(self.point, self.digest(data), der_of(signature)))


@dataclass(frozen=True)
class Sm2PrivateKey:
    """A key that signs."""

    secret: bytes
    """32 bytes, big-endian."""
    point: bytes

    @classmethod
    def generate(cls) -> Sm2PrivateKey:
        """A new key."""
        point, secret = gmssl_pyx.sm2_key_generate()
        return cls(secret, point)

    @classmethod
    def from_pem(cls, text: str) -> Sm2PrivateKey | None:
        """A key as `pem` writes it (PKCS#8); None for a key of another kind. Raises ValueError for no PEM."""
        _, _, der = pem.unarmor(text.encode())
        at = len(_PKCS8)
        if der[:at] != _PKCS8 or der[at + 32 : at + 38] != _PKCS8_PUBLIC or len(der) != at + 102:
            return None
        return cls(der[at : at + 32], der[at + 38 :])

    @property
    def pem(self) -> str:
        """PKCS#8, as OpenSSL and GmSSL read it."""
        der = _PKCS8 + self.secret + _PKCS8_PUBLIC + self.point
        text: bytes = pem.armor("PRIVATE KEY", der)
        return text.decode()

    def public_key(self) -> Sm2PublicKey:
        """Whose signatures these are."""
        return Sm2PublicKey(self.point)

    def sign(self, data: bytes) -> bytes:
        """The raw signature over these bytes, another one each time."""
        der = gmssl_pyx.sm2_sign_sm3_digest(self.secret, self.public_key().digest(data))
        return raw_of(der)


def der_of(raw: bytes) -> bytes:
    """A raw signature, r‖s, as X.509 and CMS write it."""
    r, s = _der_integer(raw[:32]), _der_integer(raw[32:])
    return b"\x30" + bytes((len(r) + len(s),)) + r + s


def raw_of(der: bytes) -> bytes:
    """The raw signature that a DER one holds. Raises ValueError."""
    if len(der) < 8 or der[0] != 0x30 or der[1] != len(der) - 2:
        raise ValueError("not a signature")
    at, numbers = 2, []
    while at < len(der):
        if der[at] != 2 or at + 1 >= len(der):
            raise ValueError("not a signature")
        past = at + 2 + der[at + 1]
        numbers.append(int.from_bytes(der[at + 2 : past]))
        at = past
    if at != len(der) or len(numbers) != 2 or max(numbers) >> 256:
        raise ValueError("not a signature")
    return numbers[0].to_bytes(32) + numbers[1].to_bytes(32)


def _der_integer(magnitude: bytes) -> bytes:
    short = magnitude.lstrip(b"\0")
    if not short or short[0] & 0x80:
        short = b"\0" + short
    return b"\x02" + bytes((len(short),)) + short


_P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A, _B = int.from_bytes(_CURVE[:32]), int.from_bytes(_CURVE[32:64])


def _is_on_curve(point: bytes) -> bool:
    x, y = int.from_bytes(point[:32]), int.from_bytes(point[32:])
    return x < _P and y < _P and (y * y - (x * x + _A) * x - _B) % _P == 0
