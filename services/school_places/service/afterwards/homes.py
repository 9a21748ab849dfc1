"""Which home a place was given by (一户一生), kept in step when a child's place changes."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.ids import new_id
from services.school_places.models import Enrolment, HomeUse, RollEntry
from services.school_places.service.standings import Standing, class_table


async def keep(session: AsyncSession, entry: RollEntry, enrolment: Enrolment) -> None:
    """Write down the home by which the child's present place was given, and only that."""
    standing = msgspec.convert(entry.standing, Standing)
    child = bytes.fromhex(standing.child)
    await session.execute(
        delete(HomeUse).where(HomeUse.child == child, HomeUse.school_year == enrolment.school_year)
    )
    if entry.choice is None or standing.home is None:
        return
    if standing.choices[entry.choice].priority.rank not in class_table().home_rule.applies_to:
        return
    await session.execute(
        upsert(HomeUse)
        .values(
            id=new_id(),
            home=bytes.fromhex(standing.home),
            school_year=enrolment.school_year,
            child=child,
            guardians=standing.guardians,
        )
        .on_conflict_do_nothing()
    )
