"""A status list (状态列表): how each printed certificate of the list stands, two bits a place, signed.

Places are drawn at random and a list has a million of them, so fetching it tells nobody which certificate is
asked about.

Source: Token Status List (draft-ietf-oauth-status-list) §4 (bits, zlib), §5.1 (JWT), §7.1 (0, 1, 2);
schemas/codes/README.md §4.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import IntEnum

import msgspec

from haiyiban.codes import jws
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.trust import TrustList
from haiyiban.crypto import SigningKey

TYP = "statuslist+jwt"
LIFE = timedelta(hours=24)
CACHED_SECONDS = 60
_BITS = 2
_BYTES_MOST = 1 << 22


class StatusCode(IntEnum):
    """How a printed certificate stands."""

    VALID = 0
    REVOKED = 1
    """Also replaced by a corrected version."""
    SUSPENDED = 2


class StatusList(msgspec.Struct, frozen=True):
    """The statuses of one list, named by its URI, as of `issued_at`."""

    uri: str
    packed: bytes
    issued_at: datetime
    expires_at: datetime

    def status_of(self, index: int) -> int | None:
        """The two bits of a place; None beyond the end of the list."""
        byte, place = divmod(index, 8 // _BITS)
        return self.packed[byte] >> place * _BITS & 3 if byte < len(self.packed) else None


def packed(statuses: Iterable[tuple[int, StatusCode]], *, size: int) -> bytes:
    """A list of so many places, of which these are not valid."""
    bits = bytearray(size * _BITS // 8)
    for index, status in statuses:
        bits[index // 4] |= status << index % 4 * _BITS
    return bytes(bits)


def compressed(bits: bytes) -> str:
    """As it is written into the token."""
    return jws.base64url(zlib.compress(bits, 9))


def sign(uri: str, lst: str, *, issued_at: datetime, key: SigningKey) -> str:
    """The token of a list that was packed and compressed."""
    iat = int(issued_at.timestamp())
    said = _Payload(
        sub=uri,
        iat=iat,
        exp=iat + int(LIFE.total_seconds()),
        ttl=CACHED_SECONDS,
        status_list=_Statuses(bits=_BITS, lst=lst),
    )
    return jws.sign(msgspec.json.encode(said), typ=TYP, key=key)


def read(signed: str, trust: TrustList, *, at: datetime) -> StatusList:
    """A fetched list, signature checked at an instant. Raises UntrustedList."""
    try:
        said = msgspec.json.decode(trust.payload_of(signed, typ=TYP, at=at), type=_Payload)
        if said.status_list.bits != _BITS:
            raise UntrustedList("a status list of ours has two bits a place")
        return StatusList(
            uri=said.sub,
            packed=_unpacked(said.status_list.lst),
            issued_at=datetime.fromtimestamp(said.iat, UTC),
            expires_at=datetime.fromtimestamp(said.exp, UTC),
        )
    except (msgspec.MsgspecError, ValueError, OverflowError, OSError, RecursionError, zlib.error) as error:
        raise UntrustedList(f"the status list cannot be read: {error}") from error


def _unpacked(lst: str) -> bytes:
    engine = zlib.decompressobj()
    bits = engine.decompress(jws.from_base64url(lst), _BYTES_MOST)
    if not engine.eof:
        raise UntrustedList("the status list is cut off or too long")
    return bits


class _Statuses(msgspec.Struct):
    bits: int
    lst: str


class _Payload(msgspec.Struct):
    sub: str
    iat: int
    exp: int
    ttl: int
    status_list: _Statuses
