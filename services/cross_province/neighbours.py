"""The neighbours of this deployment, believed only as far as their agreements hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.crypto import FileKeys, KeyMissing, SigningKey
from haiyiban.divisions import PROVINCE
from haiyiban.errors import NotFound, Problem, Words
from haiyiban.settings import Settings
from services.cross_province import directory, line
from services.cross_province.directory import Agreement, NotAgreed, Party
from services.cross_province.messages import Place
from services.cross_province.models import Neighbour


class NoSuchNeighbour(NotFound):
    """We exchange cases with no such place."""

    type = "cross-province/no-such-neighbour"
    title = Words("暂未与该省开通跨省通办", "We do not exchange cases with that province yet")


class NeighbourAway(Problem):
    """The agreement has ended or is suspended: nothing is sent and nothing is taken."""

    type = "cross-province/agreement-not-in-force"
    title = Words(
        "与该省的跨省通办协议不在有效期内，请稍后再试或向办理地直接申请",
        "The agreement with that province is not in force; try later, or apply there",
    )


@dataclass(frozen=True, slots=True)
class Known:
    """A neighbour whose agreement has been checked."""

    row: Neighbour
    agreement: Agreement
    other: Party

    def is_open(self, now: datetime) -> bool:
        """Whether cases may go to and fro now."""
        return self.row.suspended_at is None and self.agreement.is_in_force(now)

    def key(self, kid: str) -> ec.EllipticCurvePublicKey | None:
        """A key of the other side by its id."""
        return self.other.publics().get(kid)

    @property
    def own(self) -> Party:
        """Our side, as it stands in the agreement."""
        return self.agreement.other(self.other.division)

    @property
    def places(self) -> tuple[Place, Place]:
        """We and they."""
        own, other = self.own, self.other
        return (
            Place(division=own.division, uscc=own.uscc),
            Place(division=other.division, uscc=other.uscc),
        )


def own_keys() -> Sequence[SigningKey]:
    """Our keys for messages; none at a deployment that was set up before there were any."""
    try:
        return FileKeys(Settings.from_env().keys_dir).signing("exchange")
    except KeyMissing:
        return ()


def newest_key() -> SigningKey:
    """The key that a new agreement names last. Raises NotAgreed where there is none."""
    if not (keys := own_keys()):
        raise NotAgreed("there are no keys for messages yet; run haiyiban keys create")
    return keys[-1]


def signer(known: Known, now: datetime) -> SigningKey:
    """Our newest key that the agreement names: the other side knows no other. Raises NotAgreed."""
    named = known.own.publics()
    usable = [key for key in own_keys() if key.kid in named and key.not_before <= now]
    if not usable:
        raise NotAgreed("no key of ours is named in the agreement; make a new agreement")
    return usable[-1]


def read(row: Neighbour, keys: Sequence[SigningKey] | None = None) -> Known:
    """A row, checked. Raises NotAgreed."""
    agreement = directory.check(row.agreement, own=PROVINCE, keys=keys or own_keys())
    other = agreement.other(PROVINCE)
    if other.division != row.division:
        raise NotAgreed(f"the agreement of {row.division} is with {other.division}")
    return Known(row, agreement, other)


async def all_known(session: AsyncSession) -> list[Known]:
    """Those whose agreement holds, in force or not; one that does not hold is nobody's."""
    keys = own_keys()
    found = []
    for row in await session.scalars(select(Neighbour).order_by(Neighbour.division)):
        try:
            found.append(read(row, keys))
        except NotAgreed:
            continue
    return found


async def get(session: AsyncSession, division: str, *, lock: bool = False) -> Known:
    """A neighbour. `lock`: until the end of the transaction, so that its numbers have no gap and no twin.

    Raises NoSuchNeighbour.
    """
    row = await session.get(Neighbour, division, with_for_update=lock or None)
    if row is None:
        raise NoSuchNeighbour
    try:
        return read(row)
    except NotAgreed:
        raise NoSuchNeighbour from None


async def of_key(session: AsyncSession, kid: str) -> Known | None:
    """Whose key this is."""
    return next((one for one in await all_known(session) if one.key(kid) is not None), None)


async def accept(
    session: AsyncSession,
    document: Any,
    *,
    now: datetime,
    own: str = PROVINCE,
    keys: Sequence[SigningKey] | None = None,
) -> Party:
    """Take an agreement that both sides signed into the directory of `own`, whose `keys` these are. Returns
    the other side. A newer one replaces the older, and the messages go on counting. Raises NotAgreed."""
    agreement = directory.check(document, own=own, keys=keys or own_keys())
    other = agreement.other(own)
    if not line.is_safe(other.origin):
        raise NotAgreed(f"{other.origin}: in production messages go over https")
    line.pinned(other)
    plain = msgspec.to_builtins(msgspec.convert(document, directory.Signed))
    await session.execute(
        upsert(Neighbour)
        .values(division=other.division, agreement=plain, accepted_at=now, sent=0, taken=0)
        .on_conflict_do_update(
            index_elements=["division"],
            set_={"agreement": plain, "accepted_at": now, "suspended_at": None},
        )
    )
    await audit.record(
        session, "cross-province.accept-agreement", object_kind="neighbour", reason=other.division
    )
    return other
