"""How cases like this one were decided: the same matter, the same findings. No names, no values."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases import access
from haiyiban.cases.models import Case
from haiyiban.identity.callers import StaffCaller

DECIDED = ("approved", "denied", "refused")
LOOKED_THROUGH = 200
"""The newest of the matter: older ones were decided under other rules, and a look must stay cheap."""
SHOWN = 5


class Decided(NamedTuple):
    """One case that was decided, and which findings it has in common."""

    id: UUID
    number: str
    outcome: str
    at: datetime
    common: list[str]


class Similar(NamedTuple):
    """Outcomes of all that share the findings, and the nearest of them."""

    outcomes: dict[str, int]
    nearest: list[Decided]


async def similar_to(session: AsyncSession, case: Case, caller: StaffCaller) -> Similar:
    """Of this clerk's decided cases of the matter those with the same findings; where it has none, those
    without any."""
    rows = await session.execute(
        select(Case.id, Case.number, Case.outcome, Case.updated_at, Case.findings)
        .where(
            access.of_staff(caller), Case.matter == case.matter, Case.id != case.id, Case.outcome.in_(DECIDED)
        )
        .order_by(Case.id.desc())
        .limit(LOOKED_THROUGH)
    )
    wanted = _codes(case.findings)
    found = [
        Decided(row.id, row.number or "", row.outcome, row.updated_at, sorted(wanted & _codes(row.findings)))
        for row in rows
        if wanted & _codes(row.findings) or wanted == _codes(row.findings)
    ]
    # The nearest share most; of equals the newest is first, as they were read.
    nearest = sorted(found, key=lambda each: -len(each.common))[:SHOWN]
    return Similar(dict(Counter(each.outcome for each in found)), nearest)


def _codes(findings: list[dict[str, str]]) -> frozenset[str]:
    return frozenset(finding["code"] for finding in findings)
