"""Cases over HTTP, as their applicants use them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.cases import (
    access,
    applying,
    choosing,
    drafting,
    rating,
    submission,
    summaries,
    views,
    withdrawal,
)
from haiyiban.cases.access import CaseMissing, Seen, VersionConflict
from haiyiban.cases.acting import EnterpriseNeeded, NoDelegation
from haiyiban.cases.commitments import CommitmentNeeded
from haiyiban.cases.drafting import FieldFromRegister, InvalidForm
from haiyiban.cases.inputs import (
    CaseCreate,
    CasePatch,
    CaseSeen,
    CaseSubmission,
    IfMatch,
    RatingCreate,
)
from haiyiban.cases.models import Case
from haiyiban.cases.rating import AlreadyRated, InvalidRating
from haiyiban.cases.states import IllegalMove
from haiyiban.cases.subjects import InvalidNumber, NobodyPossible, NotYourChild, SubjectNeeded
from haiyiban.cases.submission import AlreadyApplied, CorrectionTooLate
from haiyiban.delegations import Actor
from haiyiban.delegations.rules import (
    DelegationEnded,
    DelegationExpired,
    DelegationNotAgreed,
    DelegationUsedUp,
    MatterNotDelegated,
)
from haiyiban.enterprises import NotInBusiness
from haiyiban.errors import Stale
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.matters.catalogue import MatterUnknown
from haiyiban.texts import TextOutdated
from haiyiban.wire import Page, after_cursor, cursor_of, page_limit, problems


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
            NoDelegation,
            DelegationEnded,
            DelegationExpired,
            DelegationNotAgreed,
            DelegationUsedUp,
            MatterNotDelegated,
            EnterpriseNeeded,
            NotInBusiness,
        ),
    )
    async def create(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], data: JSONBody[CaseCreate]
    ) -> Response[views.CaseRead]:
        """A draft, filled in from the registers. With several possible children and none named, `choicesFor`
        lists them; patch `child.idNumber` to choose. `onBehalfOf`: the id of a delegation that I take; the
        case is its giver's, and uses the delegation once."""
        case = await applying.begin(
            session, data, actor=Actor.of(request.user), level=request.user.level, now=clock.now()
        )
        return await shown(session, case, Actor.of(request.user), status_code=201)

    @get(summary="My cases")
    async def mine(
        self,
        request: ResidentRequest,
        reader: NamedDependency[AsyncSession],
        on_behalf_of: Annotated[UUID | None, QueryParameter(name="onBehalfOf")] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[summaries.CaseSummary]:
        """Newest first: my own, those that others opened for me among them. `onBehalfOf`: those that I reach
        under this delegation while it is in force, all of the enterprise's under a role in one."""
        actor, size = Actor.of(request.user), page_limit(limit)
        before = after_cursor(cursor)
        if on_behalf_of is None:
            rows = await summaries.of_applicant(actor.id, before=before, limit=size + 1)
        else:
            within = access.of_delegation(actor, clock.today(), only=on_behalf_of)
            rows = await summaries.newest(reader, within, before=before, limit=size + 1)
        return Page(
            items=[summaries.summary(case) for case in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @get(
        "/{case_id:uuid}",
        summary="Read a case",
        responses=problems(CaseMissing, DelegationEnded, DelegationExpired),
    )
    async def read(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> Response[views.CaseRead]:
        """The case with its timeline; values that registers supplied are masked."""
        actor = Actor.of(request.user)
        case = await access.own(session, case_id, actor, today=clock.today())
        if case.subject_id not in {None, actor.id}:
            # A look at a child's or a giver's case is a look at another person's data.
            await views.record_look(session, case)
        return await shown(session, case, Actor.of(request.user))

    @patch(
        "/{case_id:uuid}",
        summary="Change a draft",
        responses=problems(
            CaseMissing,
            DelegationEnded,
            DelegationExpired,
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
            actor=Actor.of(request.user),
            form=data.form,
            disputes=data.disputes,
            choice=await choosing.learn(Actor.of(request.user), case_id, data.form, now=now),
            seen=Seen(data.version, if_match),
            now=now,
        )
        return await shown(session, case, Actor.of(request.user))

    @post(
        "/{case_id:uuid}/submission",
        status_code=200,
        summary="Hand in",
        responses=problems(
            CaseMissing,
            DelegationEnded,
            DelegationExpired,
            VersionConflict,
            Stale,
            IllegalMove,
            CorrectionTooLate,
            NotYourChild,
            InvalidForm,
            AlreadyApplied,
            CommitmentNeeded,
            TextOutdated,
        ),
    )
    async def submit(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[CaseSubmission],
        if_match: IfMatch = None,
    ) -> Response[views.CaseRead]:
        """Hand in the draft, or the correction that was asked for; every field at fault is listed at once."""
        seen = Seen(data.version, if_match)
        case = await submission.submit(
            session,
            case_id,
            actor=Actor.of(request.user),
            seen=seen,
            commitment=data.commitment,
            now=clock.now(),
        )
        return await shown(session, case, Actor.of(request.user))

    @post(
        "/{case_id:uuid}/withdrawal",
        status_code=200,
        summary="Withdraw",
        responses=problems(
            CaseMissing, DelegationEnded, DelegationExpired, VersionConflict, Stale, IllegalMove
        ),
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
            session, case_id, actor=Actor.of(request.user), seen=seen, now=clock.now()
        )
        return await shown(session, case, Actor.of(request.user))

    @post(
        "/{case_id:uuid}/rating",
        status_code=201,
        summary="Rate",
        responses=problems(
            CaseMissing, DelegationEnded, DelegationExpired, IllegalMove, InvalidRating, AlreadyRated
        ),
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
            actor=Actor.of(request.user),
            score=data.score,
            reasons=data.reasons,
            comment=data.comment,
            now=clock.now(),
        )
        return views.RatingRead(score=data.score, reasons=data.reasons, comment=data.comment)


async def shown(
    session: AsyncSession, case: Case, actor: Actor, *, status_code: int = 200
) -> Response[views.CaseRead]:
    """The case to whoever handles it, with the tag that If-Match takes."""
    return Response(
        await views.read(session, case, reader=actor.id),
        status_code=status_code,
        headers={"etag": access.tag_of(case)},
    )
