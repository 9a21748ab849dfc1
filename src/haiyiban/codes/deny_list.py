"""The deny-list (收回名单) as terminals hold it: the cti of capsules withdrawn before their end, exactly.

A terminal fetches it whole once and then only what changed since; both are compact JWS by a key for lists.
It also says from when the newest trust list is, so that nobody is kept on an old one.

Source: schemas/codes/README.md §4.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from haiyiban.codes import jws
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.trust import TrustList
from haiyiban.crypto import SigningKey

TYP = "deny-list+jwt"
LIFE = timedelta(hours=24)
CTI_BYTES = 16


class DenyList(msgspec.Struct, frozen=True):
    """What is withdrawn, as of `issued_at`. `trust_issued_at`: terminals with an older trust list need the
    newer one."""

    entries: frozenset[bytes]
    issued_at: datetime
    trust_issued_at: datetime | None = None


class Changes(msgspec.Struct, frozen=True):
    """What makes the list of `since` the one of `issued_at`. May name what was there, or gone, before."""

    since: int
    added: frozenset[bytes]
    removed: frozenset[bytes]
    issued_at: datetime
    trust_issued_at: datetime | None = None


def sign(listed: DenyList | Changes, key: SigningKey) -> str:
    """A list or its changes as terminals fetch it."""
    iat = int(listed.issued_at.timestamp())
    said = _Payload(
        iat=iat,
        exp=iat + int(LIFE.total_seconds()),
        trust_iat=int(listed.trust_issued_at.timestamp()) if listed.trust_issued_at else msgspec.UNSET,
    )
    if isinstance(listed, DenyList):
        said.entries = _written(listed.entries)
    else:
        said.since = listed.since
        said.added, said.removed = _written(listed.added), _written(listed.removed)
    return jws.sign(msgspec.json.encode(said), typ=TYP, key=key)


def read(signed: str, trust: TrustList, *, at: datetime) -> DenyList | Changes:
    """A fetched list or its changes, signature checked at an instant. Raises UntrustedList."""
    try:
        said = msgspec.json.decode(trust.payload_of(signed, typ=TYP, at=at), type=_Payload)
        issued_at = datetime.fromtimestamp(said.iat, UTC)
        trust_at = datetime.fromtimestamp(said.trust_iat, UTC) if said.trust_iat else None
        if said.entries is not msgspec.UNSET:
            return DenyList(_read(said.entries), issued_at, trust_at)
        if msgspec.UNSET in (said.since, said.added, said.removed):
            raise UntrustedList("neither a deny-list nor changes of one")
        return Changes(
            said.since or 0, _read(said.added or ()), _read(said.removed or ()), issued_at, trust_at
        )
    except (msgspec.MsgspecError, ValueError, OverflowError, OSError, RecursionError) as error:
        raise UntrustedList(f"the deny-list cannot be read: {error}") from error


def changed(held: DenyList, changes: Changes) -> DenyList:
    """The list after its changes. Raises UntrustedList for changes since another list."""
    if changes.since != int(held.issued_at.timestamp()):
        raise UntrustedList("these are the changes since another list")
    if changes.issued_at < held.issued_at:
        raise UntrustedList("these changes are older than the list")
    entries = (held.entries - changes.removed) | changes.added
    return DenyList(entries, changes.issued_at, changes.trust_issued_at)


class _Payload(msgspec.Struct, rename="camel", omit_defaults=True):
    iat: int
    exp: int
    trust_iat: int | msgspec.UnsetType = msgspec.UNSET
    entries: list[str] | msgspec.UnsetType = msgspec.UNSET
    since: int | msgspec.UnsetType = msgspec.UNSET
    added: list[str] | msgspec.UnsetType = msgspec.UNSET
    removed: list[str] | msgspec.UnsetType = msgspec.UNSET


def _written(entries: Iterable[bytes]) -> list[str]:
    return [jws.base64url(cti) for cti in sorted(entries)]


def _read(entries: Iterable[str]) -> frozenset[bytes]:
    read = frozenset(map(jws.from_base64url, entries))
    if any(len(cti) != CTI_BYTES for cti in read):
        raise UntrustedList(f"a cti has {CTI_BYTES} bytes")
    return read
