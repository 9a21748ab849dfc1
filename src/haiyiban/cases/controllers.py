"""Cases over HTTP, as their applicants use them."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.cases import (
    access,
    choosing,
    drafting,
    opening,
    rating,
    subjects,
    submission,
    views,
    withdrawal,
)
from haiyiban.cases.access import CaseMissing, Seen, VersionConflict
from haiyiban.cases.drafting import FieldFromRegister, InvalidForm
from haiyiban.cases.handlers import Applicant
from haiyiban.cases.inputs import CaseCreate, CasePatch, CaseSeen, IfMatch, RatingCreate
from haiyiban.cases.models import Case
from haiyiban.cases.rating import AlreadyRated, InvalidRating
from haiyiban.cases.states import IllegalMove
from haiyiban.cases.subjects import InvalidNumber, NobodyPossible, NotYourChild, SubjectNeeded
from haiyiban.cases.submission import AlreadyApplied, CorrectionTooLate
from haiyiban.db import database
from haiyiban.errors import FieldError, Problem, Stale, Words
from haiyiban.identity import accounts, persons
from haiyiban.identity.callers import Level, ResidentCaller
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.matters import catalogue
from haiyiban.matters.catalogue import MatterUnknown
from haiyiban.wire import Page, after_cursor, cursor_of, page_limit, problems


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
        if request.user.level < matter.min_level:
            raise StepUpNeeded(members={"needs": matter.min_level, "has": request.user.level.value})
        now = clock.now()
        applicant = await _applicant(request.user)
        chosen = None
        if matter.subject == "child":
            wanted = data.subject.id_number if data.subject else None
            chosen = await subjects.choose(
                matter, applicant, wanted, at="/subject/idNumber", today=clock.local_date(now)
            )
        answers = await opening.ask_registers(matter, applicant, chosen)
        filled = opening.prefill(matter, applicant, chosen, answers, now=now)
        case = await opening.open_case(
            session, matter, applicant=applicant, chosen=chosen, filled=filled, answers=answers, now=now
        )
        return await _shown(session, case, status_code=201)

    @get(summary="My cases")
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

    @get("/{case_id:uuid}", summary="Read a case", responses=problems(CaseMissing))
    async def read(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> Response[views.CaseRead]:
        """The case with its timeline; values that registers supplied are masked."""
        case = await access.own(session, case_id, _person(request))
        if case.subject_id not in {None, case.applicant_id}:
            # A guardian's look at a child's case is a look at another person's data.
            await views.record_look(session, case)
        return await _shown(session, case)

    @patch(
        "/{case_id:uuid}",
        summary="Change a draft",
        responses=problems(
            CaseMissing,
            VersionConflict,
            Stale,
            IllegalMove,
            FieldFromRegister,
            InvalidForm,
            InvalidNumber,
            NotYourChild,
            NobodyPossible,
        ),
    )
    async def change(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[CasePatch],
        if_match: IfMatch = None,
    ) -> Response[views.CaseRead]:
        """Merge `form` into the draft. A locked field opens by a dispute that says what is wrong with it."""
        now = clock.now()
        case = await drafting.patch(
            session,
            case_id,
            person_id=_person(request),
            form=data.form,
            disputes=data.disputes,
            choice=await choosing.learn(await _applicant(request.user), case_id, data.form, now=now),
            seen=Seen(data.version, if_match),
            now=now,
        )
        return await _shown(session, case)

    @post(
        "/{case_id:uuid}/submission",
        status_code=200,
        summary="Hand in",
        responses=problems(
            CaseMissing,
            VersionConflict,
            Stale,
            IllegalMove,
            CorrectionTooLate,
            NotYourChild,
            InvalidForm,
            AlreadyApplied,
        ),
    )
    async def submit(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[CaseSeen],
        if_match: IfMatch = None,
    ) -> Response[views.CaseRead]:
        """Hand in the draft, or the correction that was asked for; every field at fault is listed at once."""
        seen = Seen(data.version, if_match)
        case = await submission.submit(
            session, case_id, person_id=_person(request), seen=seen, now=clock.now()
        )
        return await _shown(session, case)

    @post(
        "/{case_id:uuid}/withdrawal",
        status_code=200,
        summary="Withdraw",
        responses=problems(CaseMissing, VersionConflict, Stale, IllegalMove),
    )
    async def withdraw(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[CaseSeen],
        if_match: IfMatch = None,
    ) -> Response[views.CaseRead]:
        """Take the application back, before it is decided."""
        seen = Seen(data.version, if_match)
        case = await withdrawal.withdraw(
            session, case_id, person_id=_person(request), seen=seen, now=clock.now()
        )
        return await _shown(session, case)

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
    ) -> views.RatingRead:
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
        return views.RatingRead(score=data.score, reasons=data.reasons, comment=data.comment)


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
        return Applicant(person.id, person.name, person.id_number, phone, person.id_type)


async def _shown(session: AsyncSession, case: Case, *, status_code: int = 200) -> Response[views.CaseRead]:
    """The case to its applicant, with the tag that If-Match takes."""
    return Response(
        await views.read(session, case), status_code=status_code, headers={"etag": access.tag_of(case)}
    )
