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
from services.school_places.classification import DRAWN_ONLY, Priority
from services.school_places.models import AllocationRun, Enrolment, EnrolmentSchool, School
from services.school_places.public_file import PublicFile


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
    runs = await _runs(session, {year - 1 for _, _, year in rows})
    return [
        Offered(
            school,
            part.capacity,
            msgspec.convert(part.catchment, Catchment),
            next((cut for run in runs.get(year - 1, ()) if (cut := _cut_off(run, str(school.id)))), None),
        )
        for part, school, year in rows
    ]


def catchment_words(catchment: Catchment) -> Words:
    """What a school serves, as a parent reads it."""
    names = "、".join((*catchment.streets, *(f"{name}小区" for name in catchment.communities)))
    return Words(names, names)


async def _runs(session: AsyncSession, years: AbstractSet[int]) -> dict[int, list[AllocationRun]]:
    rows = await session.execute(
        select(Enrolment.school_year, AllocationRun)
        .join(Enrolment, Enrolment.id == AllocationRun.enrolment_id)
        .where(Enrolment.school_year.in_(years), AllocationRun.state == "published")
    )
    found: dict[int, list[AllocationRun]] = {}
    for year, run in rows:
        found.setdefault(year, []).append(run)
    return found


def _cut_off(run: AllocationRun, school: str) -> Words | None:
    """The last class and number that a school took; None where it turned nobody away."""
    file = msgspec.json.decode(run.public_file or b"", type=PublicFile)
    for position, (offered_school, cutoff) in enumerate(zip(file.roll.schools, file.cutoffs, strict=True)):
        if offered_school.id == school and cutoff is not None:
            priority = Priority.of_packed(run.bands[position][cutoff.priority])
            return class_words(priority, lottery=cutoff.lottery)
    return None


def class_words(priority: Priority, *, lottery: int) -> Words:
    """A cut-off as it is published."""
    if priority.rank == DRAWN_ONLY:
        return Words(f"抽签号 {lottery}", f"lottery number {lottery}")
    place = Words("片区外", "outside") if priority.outside else Words("片区内", "inside")
    return Words(
        f"{place.zh}第{priority.rank}类、抽签号 {lottery}",
        f"class {priority.rank} {place.en} the catchment, lottery number {lottery}",
    )
