"""Cross-province service at the counter and the desk."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.errors import FieldError, Malformed, Words
from haiyiban.identity import persons
from haiyiban.identity.accounts import InvalidPhone, parse_phone
from haiyiban.identity.callers import StaffCaller
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.wire import Page, after_cursor, cursor_of, page_limit, problems
from services.cross_province import applying, joint, views, wire
from services.cross_province.applying import (
    AlreadySent,
    Application,
    CardNeeded,
    InvalidApplication,
    OnlyAtACounter,
    OutdatedForm,
)
from services.cross_province.cases import CrossCaseMissing, NotNow
from services.cross_province.controllers import CrossCorrection
from services.cross_province.desk_inputs import (
    CounterCaseCreate,
    ExpressCreate,
    InvalidIntake,
    JointDecisionCreate,
    checked,
)
from services.cross_province.messages import CrossMaterial
from services.cross_province.models import Alert, CrossCase
from services.cross_province.neighbours import NeighbourAway, NoSuchNeighbour
from services.cross_province.offers import NotOffered
from services.cross_province.rules import State


class CrossDeskController(Controller):
    """The cross-province counter (跨省通办窗口)."""

    path = "/desk/cross-province"
    tags = ["cross-province", "desk"]
    guards = [staff("clerk", "officer")]

    @post(
        "/cases",
        status_code=201,
        summary="Take an application in at a counter",
        responses=problems(
            InvalidIntake,
            InvalidPhone,
            NoSuchNeighbour,
            NeighbourAway,
            NotOffered,
            OutdatedForm,
            OnlyAtACounter,
            CardNeeded,
            InvalidApplication,
            AlreadySent,
        ),
    )
    async def create(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[CounterCaseCreate],
    ) -> wire.CrossCaseRead:
        """收受分离: this counter checks form and identity and sends; the owning place accepts and decides."""
        number = checked(data)
        phone = parse_phone(data.phone)
        person = await persons.find_or_create(session, data.name.strip(), id_number=number)
        if person.name != data.name.strip():
            raise InvalidIntake(
                errors=[FieldError("/name", Words("姓名与证件号码不符", "This number has another name"))]
            )
        application = Application(
            division=data.division,
            matter=data.matter,
            version=data.version,
            form=data.form,
            mode=2,
            taken_by=request.user.staff_id,
            phone=phone,
            materials=tuple(
                CrossMaterial(code="paper", name=paper.name, form="paper", sha256=paper.sha256)
                for paper in data.papers
            ),
        )
        case = await applying.apply(session, application, person.id, now=clock.now())
        return await views.read(session, case)

    @get("/cases", summary="Cross-province cases of my agency", responses=problems(Malformed))
    async def queue(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        side: FromQuery[Literal["receiving", "handling"] | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[wire.CrossCaseSummary]:
        """Taken in here for others (`receiving`), and come from others (`handling`); newest first, nothing of
        the persons. What came from others is decided at the ordinary desk."""
        size = page_limit(limit)
        query = select(CrossCase).where(_of(request.user)).order_by(CrossCase.id.desc())
        if side is not None:
            query = query.where(CrossCase.side == side)
        if (after := after_cursor(cursor)) is not None:
            query = query.where(CrossCase.id < after)
        rows = list(await session.scalars(query.limit(size + 1)))
        return Page(
            items=[views.summary(case) for case in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @get("/cases/{case_id:uuid}", summary="Read a cross-province case", responses=problems(CrossCaseMissing))
    async def read(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> wire.CrossCaseRead:
        """With its timeline and its result. The look is recorded."""
        case = await _get(session, case_id, request.user)
        await audit.record(
            session,
            "cross-province.read",
            subject=case.person_id,
            object_kind="cross-case",
            object_id=case.id,
            fields=["agent", "certificate", "form", "news"],
            reason=case.matter,
        )
        return await views.read(session, case)

    @post(
        "/cases/{case_id:uuid}/correction",
        status_code=200,
        summary="Send what was corrected at the counter",
        responses=problems(CrossCaseMissing, NotNow, InvalidApplication, NoSuchNeighbour, NeighbourAway),
    )
    async def correct(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[CrossCorrection],
    ) -> wire.CrossCaseRead:
        """For an application that was taken in at a counter."""
        case = await _taken_in(session, case_id, request.user)
        await applying.correct(session, case, data.form, now=clock.now())
        return await views.read(session, case)

    @post(
        "/cases/{case_id:uuid}/express",
        status_code=200,
        summary="Say that originals are on their way",
        responses=problems(CrossCaseMissing, NotNow),
    )
    async def express(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[ExpressCreate],
    ) -> wire.CrossCaseRead:
        """The handling place is told the number."""
        case = await _taken_in(session, case_id, request.user)
        if case.outcome is not None or case.state == State.RETURNED:
            raise NotNow(members={"state": case.state})
        await applying.announce(session, case, data.express, now=clock.now())
        return await views.read(session, case)

    @post(
        "/cases/{case_id:uuid}/delivery",
        status_code=200,
        summary="Hand the result over at the counter",
        responses=problems(CrossCaseMissing, NotNow),
    )
    async def deliver(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> wire.CrossCaseRead:
        """送达 at a counter; the handling place is told. A second time changes nothing."""
        case = await _taken_in(session, case_id, request.user)
        if case.state not in {State.RESULT_RETURNED, State.DELIVERED}:
            raise NotNow(members={"state": case.state})
        await applying.hand_over(session, case, now=clock.now())
        return await views.read(session, case)

    @post(
        "/cases/{case_id:uuid}/joint-decision",
        status_code=200,
        summary="Decide our part of a joint case",
        responses=problems(CrossCaseMissing, NotNow, InvalidIntake),
    )
    async def decide(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[JointDecisionCreate],
    ) -> wire.CrossCaseRead:
        """多地联办: the handling place may approve only once the receiving place has agreed to the step that
        the agreement gives it. Decided once."""
        case = await _get(session, case_id, request.user, lock=True)
        if case.side != "receiving":
            raise CrossCaseMissing
        if not data.agrees and not data.opinion.strip():
            raise InvalidIntake(
                errors=[FieldError("/opinion", Words("不同意须写明理由", "An objection needs its reason"))]
            )
        await joint.decide(
            session,
            case,
            agrees=data.agrees,
            opinion=data.opinion.strip(),
            caller=request.user,
            now=clock.now(),
        )
        await audit.record(
            session,
            "cross-province.joint-decision",
            subject=case.person_id,
            object_kind="cross-case",
            object_id=case.id,
            outcome="agreed" if data.agrees else "objected",
            reason=case.matter,
        )
        return await views.read(session, case)

    @get("/alerts", summary="Hops that take too long", responses=problems(Malformed))
    async def alerts(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[wire.AlertRead]:
        """Cases of my agency in which a hop has taken longer than one working day; gone once it moves on."""
        size = page_limit(limit)
        query = (
            select(Alert, CrossCase)
            .join(CrossCase, CrossCase.id == Alert.case_id)
            .where(Alert.ended_at.is_(None), _of(request.user))
            .order_by(Alert.id)
        )
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Alert.id > after)
        rows = list(await session.execute(query.limit(size + 1)))
        return Page(
            items=[await views.alert_read(session, alert, case) for alert, case in rows[:size]],
            next=cursor_of(rows[size - 1][0].id) if len(rows) > size else None,
        )


def _of(caller: StaffCaller) -> ColumnElement[bool]:
    """The cases of a clerk's agency, and those that the clerk took in for another."""
    return (CrossCase.agency == caller.agency) | (CrossCase.taken_by == caller.staff_id)


async def _get(session: AsyncSession, case_id: UUID, caller: StaffCaller, *, lock: bool = False) -> CrossCase:
    query = select(CrossCase).where(CrossCase.id == case_id, _of(caller))
    found = await session.scalar(query.with_for_update(of=CrossCase) if lock else query)
    if found is None:
        raise CrossCaseMissing
    return found


async def _taken_in(session: AsyncSession, case_id: UUID, caller: StaffCaller) -> CrossCase:
    """A case that a counter of ours took in, for change. Raises CrossCaseMissing."""
    case = await _get(session, case_id, caller, lock=True)
    if case.side != "receiving" or case.taken_by is None:
        raise CrossCaseMissing
    return case
