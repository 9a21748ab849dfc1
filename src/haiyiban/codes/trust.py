"""Whose signature counts for which kinds of code: the trust list (信任列表).

Terminals fetch the list as a compact JWS signed by a root key, whose public half is pinned in them and
whose private half is kept off the servers that sign codes. It also names the keys that sign the other lists
of a terminal. When a key comes and goes: rotation.py.

Source: schemas/codes/README.md §4; RFC 7515 (JWS), RFC 7517 (JWK).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from haiyiban import signatures
from haiyiban.codes import jws
from haiyiban.codes.jws import UntrustedList
from haiyiban.crypto import SigningKey
from haiyiban.signatures import PublicKey, algorithm_of, kid_of, public_jwk

TYP = "trust-list+jwt"
USE_LISTS = "lists"
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""With its offset: without one it would be another instant on each machine."""


class TrustEntry(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One key, the kinds of code it may sign, and when; `kid` is hex; `alg` is ES256 (on P-256) or SM2.

    `use` is "lists" for a key that signs deny-lists and status lists; such a key signs no code.
    """

    kid: str
    alg: str
    jwk: dict[str, Any]
    kinds: tuple[int, ...]
    not_before: Instant
    not_after: Instant
    revoked_at: Instant | None = None
    use: str | None = None

    @classmethod
    def of(
        cls,
        public: PublicKey,
        *,
        kinds: Iterable[int],
        not_before: datetime,
        not_after: datetime,
        revoked_at: datetime | None = None,
        use: str | None = None,
    ) -> "TrustEntry":
        """The entry for a key."""
        return cls(
            kid=kid_of(public),
            alg=algorithm_of(public).name,
            jwk=public_jwk(public),
            kinds=tuple(sorted(int(kind) for kind in kinds)),
            not_before=not_before,
            not_after=not_after,
            revoked_at=revoked_at,
            use=use,
        )

    @property
    def ends(self) -> datetime:
        """From when on nothing that the key signed counts, whatever a code's own dates say: who stole the
        key can write any date."""
        return min(self.not_after, self.revoked_at) if self.revoked_at else self.not_after


class _UsableKey(msgspec.Struct, frozen=True):
    public: PublicKey
    kinds: frozenset[int]
    starts: float
    ends: float


class TrustList:
    """The entries of a list with their keys parsed once; the server's own copy has no `expires_at`.

    A terminal replaces its list only by one with a later `issued_at`. Raises UntrustedList for an entry
    whose kid is not its key's. Entries of suites and uses that this version does not know are left out.
    """

    def __init__(
        self, entries: Iterable[TrustEntry], *, issued_at: datetime, expires_at: datetime | None = None
    ) -> None:
        self.entries = tuple(entries)
        self.issued_at = issued_at
        self.expires_at = expires_at
        # Two keys may share a kid, and one key may have two entries: a kid leads to a list.
        self._keys: dict[tuple[bytes, int], list[_UsableKey]] = {}
        self._list_keys: dict[str, list[_UsableKey]] = {}
        for entry in self.entries:
            if (algorithm := signatures.BY_NAME.get(entry.alg)) is None:
                continue
            key = _usable(entry)
            if entry.use == USE_LISTS:
                self._list_keys.setdefault(entry.kid, []).append(key)
            elif entry.use is None:
                place = (bytes.fromhex(entry.kid), algorithm.cose)
                self._keys.setdefault(place, []).append(key)

    def is_stale(self, at: float) -> bool:
        """Whether the list has passed its own end at an instant (seconds since 1970)."""
        return self.expires_at is not None and at >= self.expires_at.timestamp()

    def keys_for(self, kid: bytes, *, alg: int, kind: int, at: float) -> list[PublicKey]:
        """The keys that may have signed a code of this kind, judged at an instant (seconds since 1970)."""
        return [
            key.public
            for key in self._keys.get((kid, alg), ())
            if key.starts <= at < key.ends and kind in key.kinds
        ]

    def list_keys_for(self, kid: bytes, *, at: float) -> list[PublicKey]:
        """The keys for lists that may have signed something under this kid at an instant."""
        return [key.public for key in self._list_keys.get(kid.hex(), ()) if key.starts <= at < key.ends]

    def payload_of(self, signed: str, *, typ: str, at: datetime) -> bytes:
        """What a list says that one of the keys for lists signed. Raises UntrustedList."""
        kid, instant = jws.kid_of_signer(signed), at.timestamp()
        for key in self._list_keys.get(kid, ()):
            if key.starts <= instant < key.ends:
                return jws.payload_of(signed, key.public, typ=typ)
        raise UntrustedList(f"the trust list names no key {kid} that may sign lists now")


def sign_trust_list(trust: TrustList, root: SigningKey) -> str:
    """The list as a compact JWS. Raises ValueError for a list without an end."""
    if trust.expires_at is None:
        raise ValueError("a published trust list has an end")
    payload = _Payload(
        entries=trust.entries, iat=int(trust.issued_at.timestamp()), exp=int(trust.expires_at.timestamp())
    )
    return jws.sign(msgspec.json.encode(payload), typ=TYP, key=root)


def read_trust_list(signed: str, root: PublicKey) -> TrustList:
    """A fetched list, its signature checked; its age is judged at each verification. Raises UntrustedList."""
    try:
        payload = msgspec.json.decode(jws.payload_of(signed, root, typ=TYP), type=_Payload)
        return TrustList(
            payload.entries,
            issued_at=datetime.fromtimestamp(payload.iat, UTC),
            expires_at=datetime.fromtimestamp(payload.exp, UTC),
        )
    except (msgspec.MsgspecError, ValueError, OverflowError, OSError, RecursionError) as error:
        raise UntrustedList(str(error)) from error


class _Payload(msgspec.Struct, frozen=True):
    entries: tuple[TrustEntry, ...]
    iat: int
    exp: int


def public_key_of(jwk: dict[str, Any]) -> PublicKey:
    """The key that a JWK holds. Raises UntrustedList."""
    try:
        return signatures.public_key_of(jwk)
    except ValueError as error:
        raise UntrustedList(str(error)) from error


def _usable(entry: TrustEntry) -> _UsableKey:
    public = public_key_of(entry.jwk)
    if algorithm_of(public).name != entry.alg:
        raise UntrustedList(f"key {entry.kid} does not sign as {entry.alg}")
    if kid_of(public) != entry.kid:
        raise UntrustedList(f"key {entry.kid} goes by another key's id")
    return _UsableKey(
        public=public,
        kinds=frozenset(entry.kinds),
        starts=entry.not_before.timestamp(),
        ends=entry.ends.timestamp(),
    )
