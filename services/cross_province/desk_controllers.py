"""Cross-province service at the counter and the desk."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, residents
from haiyiban.errors import FieldError, Malformed, Problem, Words
from haiyiban.identity import persons
from haiyiban.identity.accounts import InvalidPhone, parse_phone
from haiyiban.identity.callers import StaffCaller
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.wire import Input, Page, after_cursor, cursor_of, page_limit, problems
from services.cross_province import applying, views
from services.cross_province.applying import (
    AlreadySent,
    Application,
    CardNeeded,
    InvalidApplication,
    OnlyAtACounter,
    OutdatedForm,
)
from services.cross_province.cases import CrossCaseMissing, NotNow
from services.cross_province.controllers import Code, CrossCorrection
from services.cross_province.messages import CrossMaterial
from services.cross_province.models import Alert, CrossCase
from services.cross_province.neighbours import NeighbourAway, NoSuchNeighbour
from services.cross_province.offers import NotOffered
from services.cross_province.rules import State


class InvalidIntake(Problem):
    """What a counter must know before it takes an application in."""

    type = "cross-province/invalid-intake"
    title = Words("请补全收件信息", "Please complete what the counter must know")


class PaperSeen(Input):
    """A paper that the clerk saw: what it is, and the hash of its scan where there is one."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None = None


class CounterCaseCreate(Input):
    """An application taken in at a counter for somebody who stands there (异地代收代办)."""

    division: Annotated[str, msgspec.Meta(pattern="^[0-9]{2}0000$")]
    matter: Code
    version: int
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    id_number: Annotated[str, msgspec.Meta(min_length=1, max_length=18)]
    phone: str
    identity_checked: bool
    """The clerk has compared the person with the identity card: the receiving place answers for it."""
    form: dict[str, Any]
    papers: Annotated[list[PaperSeen], msgspec.Meta(max_length=50)] = []


class ExpressCreate(Input):
    """The number under which originals are on their way to the handling place."""

    express: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9]{5,40}$")]


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
    ) -> views.CrossCaseRead:
        """收受分离: this counter checks form and identity and sends; the owning place accepts and decides."""
        number = _checked(data)
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
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[views.CrossCaseSummary]:
        """Taken in here for others, and come from others; newest first, nothing of the persons. What came
        from others is decided at the ordinary desk."""
        size = page_limit(limit)
        query = select(CrossCase).where(_of(request.user)).order_by(CrossCase.id.desc())
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
    ) -> views.CrossCaseRead:
        """With its timeline and its result. The look is recorded."""
        case = await _get(session, case_id, request.user)
        await audit.record(
            session,
            "cross-province.read",
            subject=case.person_id,
            object_kind="cross-case",
            object_id=case.id,
            fields=["certificate", "news"],
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
    ) -> views.CrossCaseRead:
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
    ) -> views.CrossCaseRead:
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
    ) -> views.CrossCaseRead:
        """送达 at a counter; the handling place is told. A second time changes nothing."""
        case = await _taken_in(session, case_id, request.user)
        if case.state not in {State.RESULT_RETURNED, State.DELIVERED}:
            raise NotNow(members={"state": case.state})
        await applying.hand_over(session, case, now=clock.now())
        return await views.read(session, case)

    @get("/alerts", summary="Hops that take too long", responses=problems(Malformed))
    async def alerts(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[views.AlertRead]:
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
            items=[views.alert_read(alert, case) for alert, case in rows[:size]],
            next=cursor_of(rows[size - 1][0].id) if len(rows) > size else None,
        )


def _checked(data: CounterCaseCreate) -> str:
    """The identity number, once the counter has done its part. Raises InvalidIntake with every fault."""
    errors = []
    number = ""
    if not data.identity_checked:
        words = Words("请先核对本人与身份证一致", "Compare the person with the identity card first")
        errors.append(FieldError("/identityChecked", words))
    try:
        number = residents.parse_identity_number(data.id_number, today=clock.today()).number
    except residents.InvalidIdNumber as error:
        errors.append(FieldError("/idNumber", error.words))
    if not data.name.strip():
        errors.append(FieldError("/name", Words("请填写姓名", "The name is needed")))
    if errors:
        raise InvalidIntake(errors=errors)
    return number


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
