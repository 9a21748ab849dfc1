"""What cases need before the first one: the published years of the calendar."""

from __future__ import annotations

from haiyiban.cases.calendar import seed_calendar
from haiyiban.db import database


async def seed() -> None:
    """Write the calendar; what is there stays."""
    async with database().transaction() as session:
        await seed_calendar(session)
