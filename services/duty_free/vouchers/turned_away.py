"""How many claims of a campaign were refused, and why: counted in memory, for the operator's desk.

A refusal in the rush must cost nothing, so no row is written for one: each process adds up what it refused
and hands it to the counts that are written every few seconds (haiyiban/tallies.py). What is counted are
answers: who tries again is refused again. A process that is killed loses its last seconds; counts are kept
for 400 days, as the hall's are. Source: docs/duty-free.md "The rush".
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import tallies
from haiyiban.errors import Problem
from haiyiban.hall.models import Count
from haiyiban.identity.guards import StepUpNeeded
from services.duty_free.vouchers import claiming

REASONS: Final[dict[type[Problem], str]] = {
    claiming.SoldOut: "sold-out",
    claiming.AlreadyClaimed: "already-claimed",
    claiming.LimitReached: "limit-reached",
    claiming.NotOpen: "not-open",
    claiming.NotForVisitors: "not-for-visitors",
    StepUpNeeded: "level-too-low",
    claiming.TooManyWaiting: "too-many-waiting",
}
"""Why a claim may be refused, as the counts call it. Anything else is no answer to a claim."""
_names: dict[tuple[UUID, type[Problem]], str] = {}


def saw(campaign_id: UUID, problem: Problem) -> None:
    """One more of a campaign that exists was refused."""
    kind = type(problem)
    name = _names.get((campaign_id, kind))
    if name is None:
        if kind not in REASONS:
            return
        # Put together once: a crowd is refused in the same words.
        name = _names[campaign_id, kind] = _name(campaign_id, REASONS[kind])
    tallies.saw(name)


async def of_campaigns(session: AsyncSession, campaign_ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """Reason → refused claims, for each campaign; a reason that never occurred is left out."""
    wanted = {_name(id_, reason): (id_, reason) for id_ in campaign_ids for reason in REASONS.values()}
    rows = await session.execute(
        select(Count.name, func.sum(Count.count)).where(Count.name.in_(wanted)).group_by(Count.name)
    )
    found: dict[UUID, dict[str, int]] = {id_: {} for id_ in campaign_ids}
    for name, number in rows:
        id_, reason = wanted[name]
        found[id_][reason] = int(number)
    return found


def _name(campaign_id: UUID, reason: str) -> str:
    return f"duty-free.refused.{campaign_id.hex}.{reason}"
