"""Whose signature counts for which kinds of code: the trust list (信任列表).

Terminals fetch the list as a compact JWS signed by a root key, whose public half is pinned in them and
whose private half is kept off the servers that sign codes. Rotation without a gap: a new key is listed a
day before its first use, and an old one stays until its last code has expired.

Source: schemas/codes/README.md §4; RFC 7515 (JWS), RFC 7517 (JWK).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from haiyiban.codes.envelope import ES256
from haiyiban.crypto import SigningKey, kid_of

_TYP = "trust-list+jwt"
_COSE_ALGORITHMS = {"ES256": ES256}
_jws = jwt.PyJWS()


class UntrustedList(ValueError):
    """A trust list that the root key did not sign, or that contradicts itself."""


class TrustEntry(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One key, the kinds of code it may sign, and when; `kid` is hex, and `alg` ES256 means P-256."""

    kid: str
    alg: str
    jwk: dict[str, Any]
    kinds: tuple[int, ...]
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None

    @classmethod
    def of(
        cls,
        public: ec.EllipticCurvePublicKey,
        *,
        kinds: Iterable[int],
        not_before: datetime,
        not_after: datetime,
        revoked_at: datetime | None = None,
    ) -> "TrustEntry":
        """The entry for an ES256 key."""
        jwk = ECAlgorithm.to_jwk(public, as_dict=True)
        return cls(
            kid=kid_of(public),
            alg="ES256",
            jwk={member: jwk[member] for member in ("kty", "crv", "x", "y")},
            kinds=tuple(sorted(int(kind) for kind in kinds)),
            not_before=not_before,
            not_after=not_after,
            revoked_at=revoked_at,
        )


class _UsableKey(msgspec.Struct, frozen=True):
    public: ec.EllipticCurvePublicKey
    kinds: frozenset[int]
    starts: float
    ends: float


class TrustList:
    """The entries of a list with their keys parsed once; the server's own list has no `expires_at`.

    A terminal replaces its list only by one with a later `issued_at`. Raises UntrustedList for an entry
    whose kid is not its key's. Entries of suites that this version does not know are left out.
    """

    def __init__(
        self, entries: Iterable[TrustEntry], *, issued_at: datetime, expires_at: datetime | None = None
    ) -> None:
        self.entries = tuple(entries)
        self.issued_at = issued_at
        self.expires_at = expires_at
        # Two keys may share a kid, and one key may have two entries: a kid leads to a list.
        self._keys: dict[tuple[bytes, int], list[_UsableKey]] = {}
        for entry in self.entries:
            if entry.alg in _COSE_ALGORITHMS:
                key = _usable(entry)
                place = (bytes.fromhex(entry.kid), _COSE_ALGORITHMS[entry.alg])
                self._keys.setdefault(place, []).append(key)

    def is_stale(self, at: float) -> bool:
        """Whether the list has passed its own end at an instant (seconds since 1970)."""
        return self.expires_at is not None and at >= self.expires_at.timestamp()

    def keys_for(self, kid: bytes, *, alg: int, kind: int, at: float) -> list[ec.EllipticCurvePublicKey]:
        """The keys that may have signed a code of this kind, judged at an instant (seconds since 1970)."""
        return [
            key.public
            for key in self._keys.get((kid, alg), ())
            if key.starts <= at < key.ends and kind in key.kinds
        ]


def sign_trust_list(trust: TrustList, root: SigningKey) -> str:
    """The list as a compact JWS. Raises ValueError for a list without an end."""
    if trust.expires_at is None:
        raise ValueError("a published trust list has an end")
    payload = _Payload(
        entries=trust.entries, iat=int(trust.issued_at.timestamp()), exp=int(trust.expires_at.timestamp())
    )
    headers = {"typ": _TYP, "kid": root.kid}
    return _jws.encode(msgspec.json.encode(payload), root.private, algorithm="ES256", headers=headers)


def read_trust_list(signed: str, root: ec.EllipticCurvePublicKey) -> TrustList:
    """A fetched list, its signature checked; its age is judged at each verification. Raises UntrustedList."""
    try:
        parts = _jws.decode_complete(signed, root, algorithms=["ES256"])
        if parts["header"].get("typ") != _TYP:
            raise UntrustedList("the root signed this as something else")
        payload = msgspec.json.decode(parts["payload"], type=_Payload)
        return TrustList(
            payload.entries,
            issued_at=datetime.fromtimestamp(payload.iat, UTC),
            expires_at=datetime.fromtimestamp(payload.exp, UTC),
        )
    except (jwt.InvalidTokenError, msgspec.MsgspecError, OverflowError) as error:
        raise UntrustedList(str(error)) from error


class _Payload(msgspec.Struct, frozen=True):
    entries: tuple[TrustEntry, ...]
    iat: int
    exp: int


def _usable(entry: TrustEntry) -> _UsableKey:
    try:
        public = ECAlgorithm(ECAlgorithm.SHA256).from_jwk(entry.jwk)
    except (jwt.InvalidKeyError, ValueError, TypeError) as error:
        raise UntrustedList(f"key {entry.kid} cannot be read") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise UntrustedList(f"key {entry.kid} is not a public key on P-256")
    if kid_of(public) != entry.kid:
        raise UntrustedList(f"key {entry.kid} goes by another key's id")
    # From its revocation on nothing that a key signed counts, whatever the code's own dates say: who stole
    # the key can write any date.
    ends = min(entry.not_after, entry.revoked_at) if entry.revoked_at else entry.not_after
    return _UsableKey(
        public=public,
        kinds=frozenset(entry.kinds),
        starts=entry.not_before.timestamp(),
        ends=ends.timestamp(),
    )
