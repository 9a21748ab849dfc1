"""The working-day calendar as the operators keep it.

Seeded with the yearly notices of the State Council; an operator adds the next year's and local days
(三月三). Source: docs/domain.md §14.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, Boolean, Date, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.batching import Batcher
from haiyiban.cases.models import Workday
from haiyiban.prepared import Prepared
from haiyiban.workdays import Calendar, national_rows, published_years

FIRST_YEAR, LAST_YEAR = 2018, 2026
NATION = "000000"


# A row for each division: hundreds of days as rows cost a list more than its cases do.
_OF_YEARS = (
    select(
        Workday.division,
        func.array_agg(Workday.day, type_=ARRAY(Date())).label("days"),
        func.array_agg(Workday.is_off, type_=ARRAY(Boolean())).label("offs"),
    )
    .where(Workday.day >= bindparam("since", type_=Date()))
    .group_by(Workday.division)
)
_prepared = Prepared(_OF_YEARS)


async def calendar_from(session: AsyncSession, day: date) -> Calendar:
    """The calendar of a day's year and the years after it."""
    return _calendar((await session.execute(_OF_YEARS, {"since": _new_year(day)})).all())


async def calendar_now(day: date) -> Calendar:
    """The same for a look at a list, in which nothing is promised: read once for all who look meanwhile."""
    return await _reading.ask(day)


async def _read(days: Sequence[date]) -> list[Calendar]:
    return [_calendar(await _prepared.rows(since=_new_year(min(days))))] * len(days)


_reading: Batcher[date, Calendar] = Batcher(_read, in_flight=2)


def _new_year(day: date) -> date:
    return date(day.year, 1, 1)


def _calendar(rows: Iterable[Any]) -> Calendar:
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
