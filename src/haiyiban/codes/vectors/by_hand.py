"""SM2 as the standard writes it, for the test keys alone: made from words, and the same signature each time.

Slow, and in a time that depends on the key: never for a key that is secret. It shares nothing with the
library that signs elsewhere, so that the vectors are a second opinion on it.

Source: GB/T 32918.1 §4.2 (the curve's group), GB/T 32918.2 §6 (signing).
"""

import hashlib
import hmac
from dataclasses import dataclass

from haiyiban.sm import Sm2PrivateKey

_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
_Point = tuple[int, int] | None
"""None is the point at infinity."""


@dataclass(frozen=True)
class KeyOfWords(Sm2PrivateKey):
    """A test key that anyone can make again from its words."""

    @classmethod
    def of(cls, words: str) -> "KeyOfWords":
        """The key of these words."""
        secret = int.from_bytes(hashlib.sha256(words.encode()).digest()) % (_N - 2) + 1
        x, y = _known(_multiple(secret, _G))
        return cls(secret.to_bytes(32), x.to_bytes(32) + y.to_bytes(32))

    def sign(self, data: bytes) -> bytes:
        """The raw signature, with a k that key and message tell."""
        digest, secret = self.public_key().digest(data), int.from_bytes(self.secret)
        k = int.from_bytes(hmac.digest(self.secret, digest, "sha256")) % (_N - 1) + 1
        x, _ = _known(_multiple(k, _G))
        r = (int.from_bytes(digest) + x) % _N
        s = pow(1 + secret, -1, _N) * (k - r * secret) % _N
        assert r, "else another k"
        assert s, "else another k"
        assert r + k != _N, "else another k"
        return r.to_bytes(32) + s.to_bytes(32)


def _multiple(number: int, point: _Point) -> _Point:
    found: _Point = None
    for bit in f"{number:b}":
        found = _sum(found, found)
        if bit == "1":
            found = _sum(found, point)
    return found


def _sum(one: _Point, other: _Point) -> _Point:
    if one is None or other is None:
        return other if one is None else one
    if one[0] == other[0] and (one[1] + other[1]) % _P == 0:
        return None
    if one == other:
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, _P)  # a is -3
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, _P)
    x = (slope * slope - one[0] - other[0]) % _P
    return x, (slope * (one[0] - x) - one[1]) % _P


def _known(point: _Point) -> tuple[int, int]:
    assert point is not None, "no multiple below the order is infinity"
    return point
