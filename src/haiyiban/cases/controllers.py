"""Cases over HTTP, as their applicants use them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Controller, Response, patch, post
from litestar import get as get_handler
from litestar.di import NamedDependency
from litestar.params import FromHeader, FromPath, FromQuery, JSONBody
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.cases import access, drafting, opening, rating, submission, views, withdrawal
from haiyiban.cases.access import CaseMissing, VersionConflict
from haiyiban.cases.drafting import FieldFromRegister, InvalidForm
from haiyiban.cases.handlers import Applicant
from haiyiban.cases.models import Case
from haiyiban.cases.opening import InvalidNumber, NobodyPossible, NotYourChild, SubjectNeeded
from haiyiban.cases.rating import AlreadyRated, InvalidRating
from haiyiban.cases.states import IllegalMove
from haiyiban.cases.submission import AlreadyApplied
from haiyiban.db import database
from haiyiban.errors import FieldError, Problem, Stale, Words
from haiyiban.forms import get
from haiyiban.identity import accounts, persons
from haiyiban.identity.callers import Level, ResidentCaller
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.matters import catalogue
from haiyiban.matters.catalogue import MatterUnknown
from haiyiban.wire import Input, Page, after_cursor, cursor_of, page_limit, problems


class Subject(Input):
    """Whom the case is about."""

    id_number: str


class CaseCreate(Input):
    """Open a case for a matter."""

    matter: str
    subject: Subject | None = None
    on_behalf_of: UUID | None = None
    """A delegation under which somebody else is represented."""


class CasePatch(Input):
    """Change a draft."""

    form: dict[str, Any] = {}
    """An RFC 7396 merge patch."""
    version: int | None = None
    disputes: dict[str, str] = {}
    """Pointer of a locked field → what is wrong with it."""


class RatingCreate(Input):
    """Rate a case; 5 is best."""

    score: int
    reasons: list[str] = []
    comment: str = ""


class NotOffered(Problem):
    """Acting for others is arranged by a delegation, and there is none."""

    type = "cases/no-delegation"
    title = Words(
        "没有有效的委托，请先由本人办理委托", "There is no delegation; ask the person to make one first"
    )


class CasesController(Controller):
    """My cases (办件)."""

    path = "/cases"
    tags = ["cases"]
    guards = [resident(Level.L3)]

    @post(
        status_code=201,
        summary="Open a case",
        responses=problems(
            MatterUnknown,
            StepUpNeeded,
            NotYourChild,
            NobodyPossible,
            SubjectNeeded,
            InvalidNumber,
            NotOffered,
        ),
    )
    async def create(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], data: JSONBody[CaseCreate]
    ) -> Response[views.CaseRead]:
        """A draft, filled in from the registers. With several possible children and none named, `choicesFor`
        lists them; patch `child.idNumber` to choose."""
        if data.on_behalf_of is not None:
            raise NotOffered(errors=[FieldError("/onBehalfOf", NotOffered.title)])
        matter = catalogue().get(data.matter)
        now = clock.now()
        applicant = await _applicant(request.user)
        chosen = None
        if matter.subject == "child":
            wanted = data.subject.id_number if data.subject else None
            chosen = await opening.choose_subject(matter, applicant, wanted, today=clock.today())
        answers = await opening.ask_registers(matter, applicant, chosen)
        filled = opening.prefill(matter, applicant, chosen, answers, now=now)
        case = await opening.open_case(
            session, matter, applicant=applicant, chosen=chosen, filled=filled, answers=answers, now=now
        )
        answer = await views.read(session, case)
        if chosen is not None and chosen.child is None:
            answer.choices_for = {"/child": opening.choices(chosen.choices)}
        return Response(answer, status_code=201, headers=_tag(case))

    @get_handler(summary="My cases")
    async def mine(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[views.CaseSummary]:
        """Newest first."""
        size = page_limit(limit)
        query = select(Case).where(access.of_applicant(_person(request))).order_by(Case.id.desc())
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Case.id < after)
        rows = list(await session.scalars(query.limit(size + 1)))
        return Page(
            items=[views.summary(case) for case in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @get_handler("/{case_id:uuid}", summary="Read a case", responses=problems(CaseMissing))
    async def read(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> Response[views.CaseRead]:
        """The case with its timeline; values that registers supplied are masked."""
        case = await access.own(session, case_id, _person(request))
        return Response(await views.read(session, case), headers=_tag(case))

    @patch(
        "/{case_id:uuid}",
        summary="Change a draft",
        responses=problems(CaseMissing, VersionConflict, Stale, IllegalMove, FieldFromRegister, InvalidForm),
    )
    async def change(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[CasePatch],
        if_match: FromHeader[str | None] = None,
    ) -> Response[views.CaseRead]:
        """Merge `form` into the draft. A locked field opens by a dispute that says what is wrong with it."""
        learned = await _learn_subject(request.user, case_id, data.form)
        if if_match is not None:
            await _require_match(session, case_id, _person(request), if_match)
        if learned is not None:
            await learned(session)
        case = await drafting.patch(
            session,
            case_id,
            person_id=_person(request),
            form=data.form if learned is None else _without_child(data.form),
            version=data.version,
            disputes=data.disputes,
            now=clock.now(),
        )
        return Response(await views.read(session, case), headers=_tag(case))

    @post(
        "/{case_id:uuid}/submission",
        status_code=200,
        summary="Hand in",
        responses=problems(CaseMissing, IllegalMove, InvalidForm, AlreadyApplied),
    )
    async def submit(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
    ) -> views.CaseRead:
        """Hand in the draft, or the correction that was asked for; every field at fault is listed at once."""
        case = await submission.submit(session, case_id, person_id=_person(request), now=clock.now())
        return await views.read(session, case)

    @post(
        "/{case_id:uuid}/withdrawal",
        status_code=200,
        summary="Withdraw",
        responses=problems(CaseMissing, IllegalMove),
    )
    async def withdraw(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
    ) -> views.CaseRead:
        """Take the application back, before it is decided."""
        case = await withdrawal.withdraw(session, case_id, person_id=_person(request), now=clock.now())
        return await views.read(session, case)

    @post(
        "/{case_id:uuid}/rating",
        status_code=201,
        summary="Rate",
        responses=problems(CaseMissing, IllegalMove, InvalidRating, AlreadyRated),
    )
    async def rate(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[RatingCreate],
    ) -> RatingCreate:
        """Rate a decided case (好差评)."""
        await rating.rate(
            session,
            case_id,
            person_id=_person(request),
            score=data.score,
            reasons=data.reasons,
            comment=data.comment,
            now=clock.now(),
        )
        return data


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard lets nobody in below L2 without a person"
    return person_id


async def _applicant(caller: ResidentCaller) -> Applicant:
    """The caller's own data, read before any register is asked."""
    assert caller.person_id is not None
    async with database().reading() as session:
        person = await persons.get(session, caller.person_id)
        account = await accounts.of_person(session, caller.person_id)
        phone = account.phone if account else None
        return Applicant(person.id, person.name, person.id_number, phone)


async def _learn_subject(
    caller: ResidentCaller, case_id: UUID, form: dict[str, Any]
) -> Callable[[AsyncSession], Awaitable[None]] | None:
    """Where a patch chooses the child of a draft that has none: ask the registers about that child first,
    and return what then writes it in the request's transaction."""
    number = get(form, "/child/idNumber")
    if not isinstance(number, str):
        return None
    assert caller.person_id is not None
    async with database().reading() as reading:
        case = await access.own(reading, case_id, caller.person_id)
    if case.subject_id is not None:
        return None
    matter = catalogue().version(case.matter, case.matter_version)
    applicant = await _applicant(caller)
    chosen = await opening.choose_subject(matter, applicant, number, today=clock.today())
    answers = await opening.ask_registers(matter, applicant, chosen)
    filled = opening.prefill(matter, applicant, chosen, answers, now=clock.now())

    async def write(session: AsyncSession) -> None:
        locked = await access.own_for_change(session, case_id, applicant.id)
        if locked.subject_id is None:
            await opening.settle_subject(
                session, locked, matter, applicant=applicant, chosen=chosen, filled=filled, answers=answers
            )

    return write


def _without_child(form: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in form.items() if name != "child"}


def _tag(case: Case) -> dict[str, str]:
    return {"etag": f'"{case.version}"'}


async def _require_match(session: AsyncSession, case_id: UUID, person_id: UUID, if_match: str) -> None:
    case = await access.own_for_change(session, case_id, person_id)
    if if_match.strip() not in {"*", f'"{case.version}"'}:
        raise Stale(members={"state": case.state, "version": case.version})
