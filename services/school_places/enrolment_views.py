"""What everybody reads of an enrolment: its seats, what makes its draw checkable, and its draws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from haiyiban import clock
from haiyiban.wire import Output
from services.school_places.models import AllocationRun, Enrolment, EnrolmentSchool
from services.school_places.placement_views import named
from services.school_places.service import enrolments


class BeaconRule(Output):
    """The public event that the draw waits for."""

    source: str
    draw_after: datetime


class Seats(Output):
    """The seats of a school in an enrolment."""

    school_id: UUID
    capacity: int


class RunRead(Output, kw_only=True):
    """A draw of an enrolment; annulled ones stay here with their reason."""

    run_id: UUID
    state: str
    roll_hash: str
    commitment: str
    beacon: str | None = None
    seed: str | None = None
    annulment_reason: str | None = None


class EnrolmentRead(Output, kw_only=True, omit_defaults=False):
    """A round of admissions."""

    id: UUID
    code: str
    name: str
    school_year: int
    division: str
    opens_at: datetime
    closes_at: datetime
    state: str
    """upcoming, open, closed, committed, drawn, publishing or published."""
    commitment: str
    """SHA-256 of the secret that the draw will reveal."""
    beacon_rule: BeaconRule
    schools: list[Seats]
    runs: list[RunRead]
    follows: UUID | None
    """The enrolment whose left seats this one gives away (补录)."""


async def enrolment_reads(session: AsyncSession, found: Sequence[Enrolment]) -> list[EnrolmentRead]:
    """With their schools and runs; rolls and files, megabytes each, stay where they are."""
    ids = [enrolment.id for enrolment in found]
    seats: defaultdict[UUID, list[Seats]] = defaultdict(list)
    for part in await session.execute(
        select(EnrolmentSchool.enrolment_id, EnrolmentSchool.school_id, EnrolmentSchool.capacity)
        .where(EnrolmentSchool.enrolment_id.in_(ids))
        .order_by(EnrolmentSchool.school_id)
    ):
        seats[part.enrolment_id].append(Seats(school_id=part.school_id, capacity=part.capacity))
    runs_of: defaultdict[UUID, list[AllocationRun]] = defaultdict(list)
    for run in await session.scalars(
        select(AllocationRun)
        .where(AllocationRun.enrolment_id.in_(ids))
        .order_by(AllocationRun.id)
        .options(
            *(
                defer(column, raiseload=True)
                for column in (
                    AllocationRun.roll,
                    AllocationRun.bands_sealed,
                    AllocationRun.public_file,
                    AllocationRun.counts,
                )
            )
        )
    ):
        runs_of[run.enrolment_id].append(run)
    return [_enrolment(enrolment, seats[enrolment.id], runs_of[enrolment.id]) for enrolment in found]


def _enrolment(enrolment: Enrolment, seats: list[Seats], rows: Sequence[AllocationRun]) -> EnrolmentRead:
    live = next((run for run in rows if run.state != "annulled"), None)
    return EnrolmentRead(
        id=enrolment.id,
        code=enrolment.code,
        name=named(enrolment),
        school_year=enrolment.school_year,
        division=enrolment.division,
        opens_at=enrolment.opens_at,
        closes_at=enrolment.closes_at,
        state=enrolments.state_of(enrolment, live, now=clock.now()),
        commitment=enrolment.commitment,
        beacon_rule=BeaconRule(source=enrolment.beacon_source, draw_after=enrolment.draw_after),
        schools=seats,
        runs=[_run(run) for run in rows],
        follows=enrolment.follows_id,
    )


def _run(run: AllocationRun) -> RunRead:
    return RunRead(
        run_id=run.id,
        state=run.state,
        roll_hash=run.roll_hash,
        commitment=run.commitment,
        beacon=run.beacon,
        seed=run.seed,
        annulment_reason=run.annulment_reason if run.state == "annulled" else None,
    )
