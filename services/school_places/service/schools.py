"""Schools as families look for them: seats, catchment and last year's cut-off."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.errors import Words
from services.school_places.catchments import Catchment
from services.school_places.models import AllocationRun, Enrolment, EnrolmentSchool, School
from services.school_places.published_counts import CutOff, SchoolCounts, cut_off_words


@dataclass(frozen=True, slots=True)
class Offered:
    """A school with what its newest enrolment offers and how far the one before reached."""

    school: School
    capacity: int
    catchment: Catchment
    cut_off: Words | None


async def offered(
    session: AsyncSession, *, within: AbstractSet[str] | None, after: UUID | None, limit: int
) -> list[Offered]:
    """Schools that take part in an enrolment, oldest first; `within`: codes of divisions."""
    newest = (
        select(EnrolmentSchool, School, Enrolment.school_year)
        .join(School, School.id == EnrolmentSchool.school_id)
        .join(Enrolment, Enrolment.id == EnrolmentSchool.enrolment_id)
        .ext(distinct_on(School.id))
        .order_by(School.id, Enrolment.school_year.desc(), Enrolment.id.desc())
        .limit(limit)
    )
    if within is not None:
        newest = newest.where(School.division.in_(within))
    if after is not None:
        newest = newest.where(School.id > after)
    rows = (await session.execute(newest)).all()
    reached = await _reached(session, {year - 1 for _, _, year in rows})
    return [
        Offered(
            school,
            part.capacity,
            msgspec.convert(part.catchment, Catchment),
            cut_off_words(cut) if (cut := reached.get(year - 1, {}).get(str(school.id))) else None,
        )
        for part, school, year in rows
    ]


def catchment_words(catchment: Catchment) -> Words:
    """What a school serves, as a parent reads it."""
    names = "、".join((*catchment.streets, *(f"{name}小区" for name in catchment.communities)))
    return Words(names, names)


async def _reached(session: AsyncSession, years: AbstractSet[int]) -> dict[int, dict[str, CutOff]]:
    """How far each school reached, year by year, in the draw for all its seats: a second round (补录) gives
    away what is left, and how far that reached says nothing to who applies anew."""
    rows = await session.execute(
        select(Enrolment.school_year, AllocationRun.counts)
        .join(Enrolment, Enrolment.id == AllocationRun.enrolment_id)
        .where(
            Enrolment.school_year.in_(years),
            Enrolment.follows_id.is_(None),
            AllocationRun.state == "published",
        )
        .order_by(Enrolment.id)
    )
    found: dict[int, dict[str, CutOff]] = {}
    for year, counts in rows:
        for school in msgspec.convert(counts or [], list[SchoolCounts]):
            if school.cut_off is not None:
                found.setdefault(year, {})[school.school] = school.cut_off
    return found
