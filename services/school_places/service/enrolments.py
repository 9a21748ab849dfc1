"""Enrolments and their schools as the tables hold them, and where an enrolment stands now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.clock import local_date
from haiyiban.errors import NotFound, Words
from services.school_places.catchments import Area, Catchment, CatchmentIndex
from services.school_places.models import AllocationRun, Enrolment, EnrolmentSchool, School
from services.school_places.rules import school_year

EnrolmentState = Literal["upcoming", "open", "closed", "committed", "drawn", "publishing", "published"]


class EnrolmentMissing(NotFound):
    """No such enrolment."""

    type = "school-places/enrolment-not-found"
    title = Words("没有找到这个招生批次", "There is no such enrolment")


@dataclass(frozen=True, slots=True)
class Offer:
    """What one school offers in an enrolment."""

    school: School
    capacity: int
    catchment: Catchment


@dataclass(frozen=True)
class Ground:
    """An enrolment with its schools (by id, as text) and area: all that a standing needs beside the facts."""

    enrolment: Enrolment
    offers: Mapping[str, Offer]
    area: Area
    centres: Mapping[str, tuple[float, float]]
    """Division → latitude and longitude of its middle, for homes in no catchment."""

    @cached_property
    def catchments(self) -> CatchmentIndex:
        """Of its schools, by school; made where somebody asks, for one application needs but its own five."""
        return CatchmentIndex({school: offer.catchment for school, offer in self.offers.items()})


async def find(session: AsyncSession, enrolment_id: UUID) -> Enrolment:
    """An enrolment, for reading. Raises EnrolmentMissing."""
    enrolment = await session.get(Enrolment, enrolment_id)
    if enrolment is None:
        raise EnrolmentMissing
    return enrolment


async def lock(session: AsyncSession, enrolment_id: UUID) -> Enrolment:
    """An enrolment that is about to change: who comes meanwhile waits. Raises EnrolmentMissing."""
    enrolment = await session.get(Enrolment, enrolment_id, with_for_update=True, populate_existing=True)
    if enrolment is None:
        raise EnrolmentMissing
    return enrolment


async def hold(session: AsyncSession, enrolment_id: UUID) -> None:
    """Keep a roll from being fixed until this transaction ends; applications do not wait for each other."""
    await session.execute(select(Enrolment.id).where(Enrolment.id == enrolment_id).with_for_update(read=True))


async def for_application(
    session: AsyncSession, choices: Sequence[str], *, now: datetime
) -> Enrolment | None:
    """The enrolment of this school year to which a list of choices belongs; where none of them is known, the
    one that closes last."""
    of_year = list(
        await session.scalars(
            select(Enrolment)
            .where(Enrolment.school_year == school_year(local_date(now)))
            .order_by(Enrolment.closes_at.desc(), Enrolment.id)
        )
    )
    if not of_year:
        return None
    offered = await session.execute(
        select(EnrolmentSchool.enrolment_id, EnrolmentSchool.school_id).where(
            EnrolmentSchool.enrolment_id.in_([enrolment.id for enrolment in of_year])
        )
    )
    chosen = {row.enrolment_id for row in offered if str(row.school_id) in choices}
    return next((enrolment for enrolment in of_year if enrolment.id in chosen), of_year[0])


async def ground_of(session: AsyncSession, enrolment: Enrolment) -> Ground:
    """An enrolment with everything it covers."""
    rows = await session.execute(
        select(EnrolmentSchool, School)
        .join(School, School.id == EnrolmentSchool.school_id)
        .where(EnrolmentSchool.enrolment_id == enrolment.id)
        .order_by(School.id)
    )
    offers = {
        str(school.id): Offer(school, part.capacity, msgspec.convert(part.catchment, Catchment))
        for part, school in rows
    }
    return Ground(
        enrolment,
        offers,
        Area(frozenset(enrolment.area["divisions"])),
        {division: (at[0], at[1]) for division, at in enrolment.area["centres"].items()},
    )


async def live_run(session: AsyncSession, enrolment_id: UUID) -> AllocationRun | None:
    """The run of an enrolment that was not annulled."""
    run: AllocationRun | None = await session.scalar(
        select(AllocationRun).where(
            AllocationRun.enrolment_id == enrolment_id, AllocationRun.state != "annulled"
        )
    )
    return run


def state_of(enrolment: Enrolment, run: AllocationRun | None, *, now: datetime) -> EnrolmentState:
    """Where an enrolment stands: by its run where there is one, else by the clock."""
    if run is not None:
        of_run: EnrolmentState = msgspec.convert(run.state, EnrolmentState)
        return of_run
    if now < enrolment.opens_at:
        return "upcoming"
    return "open" if now <= enrolment.closes_at else "closed"
