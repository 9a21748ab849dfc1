"""Which home a place was given by: that home is used up for other families (一户一生)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.ids import new_id
from services.school_places.models import Enrolment, HomeUse, RollEntry
from services.school_places.service.standings import Standing, class_table


async def use(session: AsyncSession, entries: Sequence[RollEntry], *, year: int) -> None:
    """Write down the homes by which these children got their places; done again, nothing changes."""
    rows = [row for entry in entries for row in _rows(entry, year)]
    if rows:
        await session.execute(upsert(HomeUse).on_conflict_do_nothing(), rows)


async def keep(session: AsyncSession, entry: RollEntry, enrolment: Enrolment) -> None:
    """Write down the home by which the child's present place was given, and only that."""
    child = bytes.fromhex(msgspec.convert(entry.standing, Standing).child)
    await session.execute(
        delete(HomeUse).where(HomeUse.child == child, HomeUse.school_year == enrolment.school_year)
    )
    await use(session, [entry], year=enrolment.school_year)


def _rows(entry: RollEntry, year: int) -> Iterator[dict[str, Any]]:
    """The one row of a place that was given by a home; none of another."""
    standing = msgspec.convert(entry.standing, Standing)
    if entry.choice is None or standing.home is None:
        return
    if standing.choices[entry.choice].priority.rank in class_table().home_rule.applies_to:
        yield {
            "id": new_id(),
            "home": bytes.fromhex(standing.home),
            "school_year": year,
            "child": bytes.fromhex(standing.child),
            "guardians": standing.guardians,
        }
