"""The working-day calendar as the operators keep it.

Seeded with the yearly notices of the State Council; an operator adds the next year's and local days
(三月三). Source: docs/domain.md §14.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases.models import Workday
from haiyiban.workdays import Calendar, national_rows, published_years

FIRST_YEAR, LAST_YEAR = 2018, 2026
NATION = "000000"


async def calendar_from(session: AsyncSession, day: date) -> Calendar:
    """The calendar of a day's year and the years after it."""
    # A row for each division: hundreds of days as rows cost a list more than its cases do.
    of_years = (
        select(Workday.division, func.array_agg(Workday.day), func.array_agg(Workday.is_off))
        .where(Workday.day >= date(day.year, 1, 1))
        .group_by(Workday.division)
    )
    rows = (await session.execute(of_years)).all()
    days: dict[str, dict[date, bool]] = {
        division: dict(zip(days, offs, strict=True)) for division, days, offs in rows
    }
    national = days.pop(NATION, {})
    return Calendar(national, days, published_years(national))


async def seed_calendar(session: AsyncSession) -> None:
    """Write the published years; days that an operator has changed are left alone."""
    rows = [
        {"division": NATION, "day": day, "is_off": is_off, "source": "国务院办公厅放假通知"}
        for day, is_off in national_rows(FIRST_YEAR, LAST_YEAR).items()
    ]
    await session.execute(upsert(Workday).values(rows).on_conflict_do_nothing())
