"""What a terminal does with no network: takes fetched lists, refuses wrong ones, and judges by them. Pure.

Source: schemas/codes/README.md §3–4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from haiyiban.codes import deny_list, jws, status_list
from haiyiban.codes.cbor import MalformedCode
from haiyiban.codes.deny_list import DenyList
from haiyiban.codes.envelope import parse
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.offline import SKEW_SECONDS, Checked, verify_offline
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.status_list import StatusList
from haiyiban.codes.trust import TrustList, read_trust_list
from haiyiban.signatures import PublicKey

_SKEW = timedelta(seconds=SKEW_SECONDS)


class ClockBehind(UntrustedList):
    """The lists are of a later time than this clock shows: no code can be judged in time."""


class Held(msgspec.Struct, frozen=True):
    """The lists that a terminal holds, their signatures checked."""

    trust: TrustList
    deny: DenyList
    status: Mapping[str, StatusList]
    issuer: str | None = None
    """Whose lists these are, a division; None where a terminal trusts one issuer alone."""

    @property
    def trust_is_outdated(self) -> bool:
        """Whether the deny-list, which is newer, tells of a newer trust list."""
        newest = self.deny.trust_issued_at
        return newest is not None and newest > self.trust.issued_at


class LastSeen(msgspec.Struct, frozen=True, rename="camel"):
    """When the newest lists that a terminal ever held were made, in seconds since 1970."""

    trust_list: int = 0
    deny_list: int = 0


def hold(
    trust: str,
    deny: str,
    status: Sequence[str],
    *,
    root: PublicKey,
    at: datetime,
    last_seen: LastSeen | None = None,
) -> Held:
    """Check fetched lists at an instant. Raises UntrustedList, and ClockBehind for lists of the future."""
    trusted = read_trust_list(trust, root)
    _not_of_the_future("trust list", trusted.issued_at, at)
    denied = deny_list.read(deny, trusted, at=at)
    if not isinstance(denied, DenyList):
        raise UntrustedList("these are changes of a deny-list; give the whole list")
    _not_of_the_future("deny-list", denied.issued_at, at)
    seen = last_seen or LastSeen()
    for name, issued_at, newest in (
        ("trust list", trusted.issued_at, seen.trust_list),
        ("deny-list", denied.issued_at, seen.deny_list),
    ):
        if issued_at.timestamp() < newest:
            raise UntrustedList(f"this {name} is older than one held before; fetch it again")
    lists = [status_list.read(each, trusted, at=at) for each in status]
    for each in lists:
        _not_of_the_future("status list", each.issued_at, at)
    return Held(trusted, denied, {each.uri: each for each in lists})


class Fetched(msgspec.Struct, frozen=True):
    """The lists of one issuer as they were fetched, and the root that is pinned for it."""

    trust: str
    deny: str
    root: PublicKey
    issuer: str | None = None
    last_seen: LastSeen | None = None


def hold_all(fetched: Sequence[Fetched], status: Sequence[str], *, at: datetime) -> list[Held]:
    """The lists of several issuers, each under its own root; a status list goes to whose key signed it.

    Raises UntrustedList and ClockBehind.
    """
    trusted = [read_trust_list(one.trust, one.root) for one in fetched]
    of_issuer: list[list[str]] = [[] for _ in fetched]
    for text in status:
        kid = jws.kid_of_signer(text)
        known = [at_ for at_, one in enumerate(trusted) if any(entry.kid == kid for entry in one.entries)]
        # One that nobody's list knows is refused by the first, in the words for it.
        of_issuer[known[0] if known else 0].append(text)
    return [
        msgspec.structs.replace(
            hold(one.trust, one.deny, own, root=one.root, at=at, last_seen=one.last_seen), issuer=one.issuer
        )
        for one, own in zip(fetched, of_issuer, strict=True)
    ]


def judge_by(
    text: str,
    held: Sequence[Held],
    *,
    at: datetime,
    expected_kind: int | None = None,
    challenge: bytes | None = None,
) -> tuple[Checked, Held]:
    """Judge a scanned text by the lists of the issuer whose key signed it, and say by whose.

    One issuer's key vouches for no code of another's: what such a code says counts for nothing.
    """
    try:
        kid = parse(text).kid.hex()
    except MalformedCode:
        kid = ""
    known = [one for one in held if any(entry.kid == kid for entry in one.trust.entries)]
    judge_ = (known or held)[0]
    checked = judge(text, judge_, at=at, expected_kind=expected_kind, challenge=challenge)
    if judge_.issuer is not None and checked.claims is not None and checked.claims.iss != judge_.issuer:
        return Checked(Outcome.UNKNOWN_ISSUER), judge_
    return checked, judge_


def seen_with(held: Held) -> LastSeen:
    """What to remember, so that nobody can hand this terminal older lists."""
    return LastSeen(int(held.trust.issued_at.timestamp()), int(held.deny.issued_at.timestamp()))


def judge(
    text: str,
    held: Held,
    *,
    at: datetime,
    expected_kind: int | None = None,
    challenge: bytes | None = None,
) -> Checked:
    """Judge a scanned text by the lists held."""
    trust = held.trust
    if held.trust_is_outdated:
        # A key that it still trusts may be revoked by now: it judges nothing, as a list past its end.
        trust = TrustList((), issued_at=trust.issued_at, expires_at=trust.issued_at)
    return verify_offline(
        text,
        trust=trust,
        now=at,
        deny=held.deny.entries,
        lists_age=at - held.deny.issued_at,
        expected_kind=expected_kind,
        challenge=challenge,
        status_lists=held.status,
    )


def _not_of_the_future(name: str, issued_at: datetime, at: datetime) -> None:
    if issued_at > at + _SKEW:
        raise ClockBehind(
            f"the {name} was made at {issued_at:%F %T} UTC and it is {at:%F %T} UTC here: "
            "set the clock of this machine"
        )
