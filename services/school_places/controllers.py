"""School places over HTTP, as everybody and as families use them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, divisions
from haiyiban.errors import FieldError, Malformed, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, resident
from haiyiban.wire import Output, Page, after_cursor, cursor_of, page_limit, problems
from services.school_places.models import AllocationRun, Enrolment
from services.school_places.placement_views import PlacementRead, language, named, placement_read
from services.school_places.service import enrolments, results, runs, schools
from services.school_places.service.enrolments import EnrolmentMissing
from services.school_places.service.published import FileMissing, file_of
from services.school_places.service.runs import RunMissing


class SchoolRead(Output, kw_only=True, omit_defaults=False):
    """A school of the current or latest enrolment."""

    id: UUID
    name: str
    kind: str
    """public or private; a family applies to one or the other."""
    division: str
    address: str
    capacity: int
    catchment: str
    """The streets and communities it serves, in words; empty where it serves the whole area."""
    last_cut_off: str | None
    """The class and lottery number that last year's draw reached; null where everybody got in."""


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
    """upcoming, open, closed, committed, drawn or published."""
    commitment: str
    """SHA-256 of the secret that the draw will reveal."""
    beacon_rule: BeaconRule
    schools: list[Seats]
    runs: list[RunRead]
    follows: UUID | None
    """The enrolment whose left seats this one gives away (补录)."""


class SchoolPlacesController(Controller):
    """Schools and enrolments for everybody; results for the family."""

    path = "/zones/school-places"
    tags = ["school-places"]

    @get("/schools", summary="Schools", responses=problems(Malformed))
    async def schools(
        self,
        session: NamedDependency[AsyncSession],
        division: FromQuery[str | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[SchoolRead]:
        """The schools of a division and below, with seats and catchment of the newest enrolment."""
        size = page_limit(limit)
        within = None
        if division is not None:
            if divisions.find(division) is None:
                unknown = Words("没有这个行政区划代码", "There is no such division")
                raise Malformed(errors=[FieldError("/division", unknown)])
            within = divisions.subtree(division)
        rows = await schools.offered(session, within=within, after=after_cursor(cursor), limit=size + 1)
        items = [
            SchoolRead(
                id=row.school.id,
                name=named(row.school),
                kind=row.school.kind,
                division=row.school.division,
                address=row.school.address,
                capacity=row.capacity,
                catchment=schools.catchment_words(row.catchment).in_language(language()),
                last_cut_off=row.cut_off.in_language(language()) if row.cut_off else None,
            )
            for row in rows[:size]
        ]
        return Page(items=items, next=cursor_of(items[-1].id) if len(rows) > size else None)

    @get("/enrolments", summary="Enrolments")
    async def enrolments(
        self,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[EnrolmentRead]:
        """Rounds of admissions, newest first, each with what makes its draw checkable."""
        size = page_limit(limit)
        query = select(Enrolment).order_by(Enrolment.id.desc()).limit(size + 1)
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Enrolment.id < after)
        rows = list(await session.scalars(query))
        items = [await _enrolment(session, row) for row in rows[:size]]
        return Page(items=items, next=cursor_of(items[-1].id) if len(rows) > size else None)

    @get(
        "/enrolments/{enrolment_id:uuid}",
        summary="An enrolment",
        responses=problems(EnrolmentMissing),
    )
    async def enrolment(
        self, session: NamedDependency[AsyncSession], enrolment_id: FromPath[UUID]
    ) -> EnrolmentRead:
        """One round of admissions."""
        return await _enrolment(session, await enrolments.find(session, enrolment_id))

    @get(
        "/enrolments/{enrolment_id:uuid}/allocation-runs/{run_id:uuid}/public",
        summary="The public file of a draw",
        media_type="application/json",
        responses=problems(RunMissing, FileMissing),
    )
    async def public(
        self, session: NamedDependency[AsyncSession], enrolment_id: FromPath[UUID], run_id: FromPath[UUID]
    ) -> Response[bytes]:
        """The file with which anybody recomputes draw and matching (`haiyiban draw verify FILE`), from the
        draw until the appeal window ends."""
        run = await runs.find_run(session, enrolment_id, run_id)
        enrolment = await enrolments.find(session, enrolment_id)
        return Response(file_of(run, enrolment, now=clock.now()), media_type="application/json")

    @get("/placements", summary="My placements", guards=[resident(Level.L3)])
    async def placements(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[PlacementRead]:
        """My applications on a roll: at first the pseudonym, once published school, notice and reasons."""
        size = page_limit(limit)
        person_id = request.user.person_id
        assert person_id is not None, "the guard lets nobody in below L2 without a person"
        rows = await results.places_of(session, person_id, after=after_cursor(cursor), limit=size + 1)
        for place in rows[:size]:
            await results.record_look(session, place)
        return Page(
            items=[await placement_read(session, row, now=clock.now()) for row in rows[:size]],
            next=cursor_of(rows[size - 1].entry.id) if len(rows) > size else None,
        )


async def _enrolment(session: AsyncSession, enrolment: Enrolment) -> EnrolmentRead:
    ground = await enrolments.ground_of(session, enrolment)
    rows = list(
        await session.scalars(
            select(AllocationRun).where(AllocationRun.enrolment_id == enrolment.id).order_by(AllocationRun.id)
        )
    )
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
        schools=[
            Seats(school_id=offer.school.id, capacity=offer.capacity) for offer in ground.offers.values()
        ],
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
