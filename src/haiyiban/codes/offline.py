"""Is this code good, as far as can be told without asking? Steps 1 to 9 of a verification, in their order.

The server runs this first and then the steps that need the source; an offline terminal and the command
line run this alone. Nothing here reads a clock, a file or a database.

Source: schemas/codes/README.md §3.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

import msgspec

from haiyiban.codes.cbor import MalformedCode
from haiyiban.codes.claims import Claims, DeviceKey, Kind
from haiyiban.codes.envelope import DeviceProof, ParsedCode, is_low_s, parse
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.status_list import StatusCode, StatusList
from haiyiban.codes.trust import TrustList
from haiyiban.signatures import signature_holds

SKEW_SECONDS = 5
_SKEW = timedelta(seconds=SKEW_SECONDS)
PROOF_LIVES_SECONDS = 60
HEALTH_LISTS_LIVE = timedelta(minutes=30)
LISTS_LIVE = timedelta(hours=24)


class Checked(msgspec.Struct, frozen=True):
    """An outcome, and the code where its signatures hold: what an unproven code says is nobody's word."""

    outcome: Outcome
    code: ParsedCode | None = None

    @property
    def claims(self) -> Claims | None:
        """What the issuer says; None unless the signatures hold."""
        return self.code.claims if self.code else None


def verify_offline(
    text: str,
    *,
    trust: TrustList,
    now: datetime,
    deny: AbstractSet[bytes] = frozenset(),
    lists_age: timedelta | None = None,
    expected_kind: int | None = None,
    challenge: bytes | None = None,
    status_lists: Mapping[str, StatusList] | None = None,
) -> Checked:
    """Judge a scanned text at an instant.

    `deny` holds the cti of withdrawn capsules; `lists_age` is the age of the older list held offline, None
    where the lists are live. `challenge` is the verifier's own: a device-bound code must answer it.
    `status_lists` are those held offline by their URI, None where the source is asked instead.
    """
    try:
        code = parse(text)  # steps 1 and 2
    except MalformedCode:
        return Checked(Outcome.MALFORMED)
    at, claims = now.timestamp(), code.claims

    if trust.is_stale(at):
        return Checked(Outcome.STALE_LISTS)
    keys = trust.keys_for(code.kid, alg=code.alg, kind=claims.kind, at=at)  # step 3
    if not keys:
        return Checked(Outcome.UNKNOWN_ISSUER)
    if not any(signature_holds(key, code.signature, code.signed) for key in keys):  # step 4
        return Checked(Outcome.BAD_SIGNATURE)
    if code.proof and not _device_signed(code.proof, claims.cnf, challenge):  # step 5
        return Checked(Outcome.BAD_SIGNATURE)

    outcome = (
        (_proof_is_fresh(code.proof, at) if code.proof else None)
        or _in_its_time(claims, at)  # step 6
        or _not_withdrawn(code, deny, lists_age)  # step 7
        or _of_the_kind(claims, expected_kind)  # step 8
        or _still_stands(claims, status_lists, now)  # step 9
    )
    return Checked(outcome or Outcome.VALID, code)


def _device_signed(proof: DeviceProof, key: DeviceKey | None, challenge: bytes | None) -> bool:
    if key is None or not is_low_s(proof.signature):
        return False
    if challenge is not None and proof.challenge != challenge:
        return False
    try:
        public = key.public()
    except ValueError:
        return False
    return signature_holds(public, proof.signature, proof.signed)


def _proof_is_fresh(proof: DeviceProof, at: float) -> Outcome | None:
    age = at - proof.t
    if age < -SKEW_SECONDS:
        return Outcome.NOT_YET_VALID
    return Outcome.EXPIRED if age > PROOF_LIVES_SECONDS else None


def _in_its_time(claims: Claims, at: float) -> Outcome | None:
    if at < claims.iat - SKEW_SECONDS:
        return Outcome.NOT_YET_VALID
    return Outcome.EXPIRED if at > claims.exp + SKEW_SECONDS else None


def _not_withdrawn(code: ParsedCode, deny: AbstractSet[bytes], lists_age: timedelta | None) -> Outcome | None:
    if code.claims.cti in deny:
        return Outcome.DENIED
    if lists_age is not None and lists_age < -_SKEW:
        return Outcome.NOT_YET_VALID  # lists from the future: the clock here is behind
    # Only a capsule lives long enough for a colour to change behind it; a form-a health code lives a minute.
    is_health_capsule = code.proof is not None and code.claims.kind == Kind.HEALTH
    limit = HEALTH_LISTS_LIVE if is_health_capsule else LISTS_LIVE
    return Outcome.STALE_LISTS if lists_age is not None and lists_age > limit else None


def _of_the_kind(claims: Claims, expected: int | None) -> Outcome | None:
    return None if expected in (None, claims.kind) else Outcome.WRONG_KIND


def _still_stands(
    claims: Claims, status_lists: Mapping[str, StatusList] | None, now: datetime
) -> Outcome | None:
    place = claims.printed_at
    if place is None or status_lists is None:
        return None
    held = status_lists.get(place.list_uri)
    if held is None:
        return Outcome.UNAVAILABLE
    if held.issued_at > now + _SKEW:
        return Outcome.NOT_YET_VALID
    if now >= held.expires_at or now - held.issued_at > LISTS_LIVE:
        return Outcome.STALE_LISTS
    # A place beyond the list, or a status of a later version, says nothing that may be taken for valid.
    return _BY_STATUS.get(held.status_of(place.index), Outcome.UNAVAILABLE)


_BY_STATUS: dict[int | None, Outcome | None] = {
    StatusCode.VALID: None,
    StatusCode.REVOKED: Outcome.REVOKED,
    StatusCode.SUSPENDED: Outcome.SUSPENDED,
}
