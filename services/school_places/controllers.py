"""School places over HTTP, as everybody and as families use them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from haiyiban import clock, divisions
from haiyiban.errors import FieldError, Malformed, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, resident
from haiyiban.wire import Output, Page, after_cursor, cursor_of, page_limit, problems
from services.school_places.conditional import if_changed, not_changed
from services.school_places.models import AllocationRun, Enrolment, EnrolmentSchool
from services.school_places.placement_views import PlacementRead, language, named, placement_read
from services.school_places.published_counts import SchoolCounts, cut_off_words, group_words
from services.school_places.service import enrolments, results, schools
from services.school_places.service.enrolments import EnrolmentMissing
from services.school_places.service.published import CountsMissing, FileMissing, counts_of, file_of
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
    """upcoming, open, closed, committed, drawn, publishing or published."""
    commitment: str
    """SHA-256 of the secret that the draw will reveal."""
    beacon_rule: BeaconRule
    schools: list[Seats]
    runs: list[RunRead]
    follows: UUID | None
    """The enrolment whose left seats this one gives away (补录)."""


class GroupRead(Output, kw_only=True, omit_defaults=False):
    """Children of neighbouring classes at a school."""

    classes: str
    applied: int | None
    """Null: fewer than five, and no more is said."""
    admitted: int | None


class SchoolCountsRead(Output, kw_only=True, omit_defaults=False):
    """A school in a published draw."""

    school_id: UUID
    groups: list[GroupRead]
    cut_off: str | None
    """The classes and the lottery number that the last place went to; null where everybody got in."""


class CountsRead(Output, kw_only=True):
    """The counts of a draw, by school."""

    run_id: UUID
    schools: list[SchoolCountsRead]


class SchoolPlacesController(Controller):
    """Schools and enrolments for everybody; results for the family."""

    path = "/zones/school-places"
    tags = ["school-places"]

    @get("/schools", summary="Schools", responses=problems(Malformed))
    async def schools(
        self,
        request: Request[Any, Any, Any],
        session: NamedDependency[AsyncSession],
        division: FromQuery[str | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Response[Page[SchoolRead]]:
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
        following = cursor_of(items[-1].id) if len(rows) > size else None
        return if_changed(request, Page(items=items, next=following))

    @get("/enrolments", summary="Enrolments")
    async def enrolments(
        self,
        request: Request[Any, Any, Any],
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Response[Page[EnrolmentRead]]:
        """Rounds of admissions, newest first, each with what makes its draw checkable."""
        size = page_limit(limit)
        query = select(Enrolment).order_by(Enrolment.id.desc()).limit(size + 1)
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Enrolment.id < after)
        rows = list(await session.scalars(query))
        items = await _enrolments(session, rows[:size])
        following = cursor_of(items[-1].id) if len(rows) > size else None
        return if_changed(request, Page(items=items, next=following))

    @get(
        "/enrolments/{enrolment_id:uuid}",
        summary="An enrolment",
        responses=problems(EnrolmentMissing),
    )
    async def enrolment(
        self,
        request: Request[Any, Any, Any],
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
    ) -> Response[EnrolmentRead]:
        """One round of admissions."""
        [read] = await _enrolments(session, [await enrolments.find(session, enrolment_id)])
        return if_changed(request, read)

    @get(
        "/enrolments/{enrolment_id:uuid}/allocation-runs/{run_id:uuid}/public",
        summary="The public file of a draw",
        media_type="application/json",
        responses=problems(RunMissing, FileMissing),
    )
    async def public(
        self,
        request: Request[Any, Any, Any],
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        run_id: FromPath[UUID],
    ) -> Response[bytes]:
        """The file with which anybody recomputes draw and matching (`haiyiban draw verify FILE`), from the
        draw until the appeal window ends."""
        shown = await file_of(
            session, enrolment_id, run_id, known=request.headers.get("if-none-match"), now=clock.now()
        )
        headers = {"etag": shown.etag, "cache-control": "no-cache"}
        if shown.content is None:
            return not_changed(headers)
        return Response(shown.content, media_type="application/json", headers=headers)

    @get(
        "/enrolments/{enrolment_id:uuid}/allocation-runs/{run_id:uuid}/counts",
        summary="The counts of a published draw",
        responses=problems(RunMissing, CountsMissing),
    )
    async def counts(
        self,
        request: Request[Any, Any, Any],
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        run_id: FromPath[UUID],
    ) -> Response[CountsRead]:
        """How many applied and got in, by school and class, and how far each school reached. Classes with
        fewer than five children are merged; these figures stay when the public file has come down."""
        told = await counts_of(session, enrolment_id, run_id)
        return if_changed(request, CountsRead(run_id=run_id, schools=[_counts(school) for school in told]))

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


async def _enrolments(session: AsyncSession, found: Sequence[Enrolment]) -> list[EnrolmentRead]:
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


def _counts(school: SchoolCounts) -> SchoolCountsRead:
    cut_off = None if school.cut_off is None else cut_off_words(school.cut_off).in_language(language())
    return SchoolCountsRead(
        school_id=UUID(school.school),
        groups=[
            GroupRead(
                classes=group_words(group.ranks).in_language(language()),
                applied=group.applied,
                admitted=group.admitted,
            )
            for group in school.groups
        ],
        cut_off=cut_off,
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
