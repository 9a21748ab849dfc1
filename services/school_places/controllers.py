"""School places over HTTP, as everybody and as families use them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, divisions
from haiyiban.errors import FieldError, Malformed, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, resident
from haiyiban.wire import Output, Page, after_cursor, cursor_of, page_limit, problems
from services.school_places.conditional import if_changed, not_changed
from services.school_places.counts_views import CountsRead, counts_read
from services.school_places.enrolment_views import EnrolmentRead, enrolment_reads
from services.school_places.models import Enrolment
from services.school_places.placement_views import PlacementRead, language, named, placement_read
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
    latitude: float
    longitude: float
    """Where it stands, so that a phone can say how far that is without telling where the phone is."""
    capacity: int
    catchment: str
    """The streets and communities it serves, in words; empty where it serves the whole area."""
    last_cut_off: str | None
    """The class and lottery number that last year's draw reached; null where everybody got in."""


class SchoolPlacesController(Controller):
    """Schools and enrolments for everybody; results for the family."""

    path = "/zones/school-places"
    tags = ["school-places"]

    @get("/schools", summary="Schools", responses=problems(Malformed))
    async def schools(
        self,
        request: Request[Any, Any, Any],
        replica_reader: NamedDependency[AsyncSession],
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
        rows = await schools.offered(
            replica_reader, within=within, after=after_cursor(cursor), limit=size + 1
        )
        items = [
            SchoolRead(
                id=row.school.id,
                name=named(row.school),
                kind=row.school.kind,
                division=row.school.division,
                address=row.school.address,
                latitude=row.school.latitude,
                longitude=row.school.longitude,
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
        replica_reader: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Response[Page[EnrolmentRead]]:
        """Rounds of admissions, newest first, each with what makes its draw checkable."""
        size = page_limit(limit)
        query = select(Enrolment).order_by(Enrolment.id.desc()).limit(size + 1)
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Enrolment.id < after)
        rows = list(await replica_reader.scalars(query))
        items = await enrolment_reads(replica_reader, rows[:size])
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
        replica_reader: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
    ) -> Response[EnrolmentRead]:
        """One round of admissions."""
        [read] = await enrolment_reads(replica_reader, [await enrolments.find(replica_reader, enrolment_id)])
        return if_changed(request, read)

    @get(
        "/enrolments/{enrolment_id:uuid}/allocation-runs/{run_id:uuid}/public",
        summary="The public file of a draw",
        media_type="application/json",
        responses={200: ResponseSpec(dict[str, Any], generate_examples=False, description="The file")}
        | problems(RunMissing, FileMissing),
    )
    async def public(
        self,
        request: Request[Any, Any, Any],
        replica_reader: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        run_id: FromPath[UUID],
    ) -> Response[bytes]:
        """The file with which anybody recomputes draw and matching (`haiyiban draw verify FILE`), from the
        draw until the appeal window ends."""
        shown = await file_of(
            replica_reader, enrolment_id, run_id, known=request.headers.get("if-none-match"), now=clock.now()
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
        replica_reader: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        run_id: FromPath[UUID],
    ) -> Response[CountsRead]:
        """How many applied and got in, by school and class, and how far each school reached. Classes with
        fewer than five children are merged; these figures stay when the public file has come down."""
        told = await counts_of(replica_reader, enrolment_id, run_id)
        return if_changed(request, counts_read(run_id, told))

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
