"""Cases over HTTP, as a village agent (代办员) handles them for villagers."""

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
    applying,
    certificate_views,
    choosing,
    drafting,
    submission,
    summaries,
    views,
    withdrawal,
)
from haiyiban.cases.access import CaseMissing, Seen, VersionConflict
from haiyiban.cases.acting import EnterpriseNeeded, NoDelegation
from haiyiban.cases.commitments import CommitmentNeeded
from haiyiban.cases.controllers import shown
from haiyiban.cases.drafting import FieldFromRegister, InvalidForm
from haiyiban.cases.inputs import CaseCreate, CasePatch, CaseSeen, CaseSubmission, IfMatch
from haiyiban.cases.models import Case
from haiyiban.cases.states import IllegalMove
from haiyiban.cases.subjects import InvalidNumber, NobodyPossible, NotYourChild, SubjectNeeded
from haiyiban.cases.submission import AlreadyApplied, CorrectionTooLate
from haiyiban.delegations import AGENT_ROLE, Actor
from haiyiban.delegations.rules import (
    DelegationEnded,
    DelegationExpired,
    DelegationUsedUp,
    MatterNotDelegated,
)
from haiyiban.errors import Malformed, Stale
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import StaffRequest, StepUpNeeded, staff
from haiyiban.matters.catalogue import MatterUnknown
from haiyiban.texts import TextOutdated
from haiyiban.wire import Page, after_cursor, cursor_of, page_limit, problems

COUNTS_AS = Level.L3
"""What an agent may apply for: what anybody may whose living face was seen."""


class ErrandsController(Controller):
    """What I do for villagers (代办), each under the villager's own delegation."""

    path = "/desk/errands"
    tags = ["delegations"]
    guards = [staff(AGENT_ROLE)]

    @post(
        status_code=201,
        summary="Open a case for a villager",
        responses=problems(
            MatterUnknown,
            StepUpNeeded,
            NoDelegation,
            DelegationEnded,
            DelegationExpired,
            DelegationUsedUp,
            MatterNotDelegated,
            EnterpriseNeeded,
            NotYourChild,
            NobodyPossible,
            SubjectNeeded,
            InvalidNumber,
        ),
    )
    async def create(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], data: JSONBody[CaseCreate]
    ) -> Response[views.CaseRead]:
        """As `POST /cases`, with `onBehalfOf` always. The case is the villager's; the ledger tells of it."""
        actor = Actor.of(request.user)
        case = await applying.begin(session, data, actor=actor, level=COUNTS_AS, now=clock.now())
        return await shown(session, case, actor, status_code=201)

    @get(summary="Cases that I opened for villagers", responses=problems(Malformed))
    async def mine(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[summaries.CaseSummary]:
        """Newest first, while their delegation is in force."""
        size = page_limit(limit)
        of_others = access.of_delegation(Actor.of(request.user), clock.today())
        query = select(Case).where(of_others).order_by(Case.id.desc())
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Case.id < after)
        rows = list(await session.scalars(query.limit(size + 1)))
        return Page(
            items=[summaries.summary(case) for case in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @get(
        "/{case_id:uuid}",
        summary="Read a villager's case",
        responses=problems(CaseMissing, DelegationEnded, DelegationExpired),
    )
    async def read(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> Response[views.CaseRead]:
        """With values of the registers masked; the villager sees that it was read."""
        case = await access.own(session, case_id, Actor.of(request.user), today=clock.today())
        await views.record_look(session, case)
        return await shown(session, case, Actor.of(request.user))

    @get(
        "/{case_id:uuid}/certificates",
        summary="Certificates that a villager's form takes",
        responses=problems(CaseMissing, DelegationEnded, DelegationExpired),
    )
    async def certificates(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> certificate_views.CertificateChoices:
        """As `GET /cases/{id}/certificates`: the villager's; the villager sees that they were read."""
        actor = Actor.of(request.user)
        case = await access.own(session, case_id, actor, today=clock.today())
        return await certificate_views.choices(session, case, reader=actor.id)

    @patch(
        "/{case_id:uuid}",
        summary="Change a villager's draft",
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
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[CasePatch],
        if_match: IfMatch = None,
    ) -> Response[views.CaseRead]:
        """As `PATCH /cases/{id}`."""
        actor, now = Actor.of(request.user), clock.now()
        case = await drafting.patch(
            session,
            case_id,
            actor=actor,
            form=data.form,
            disputes=data.disputes,
            choice=await choosing.learn(actor, case_id, data.form, now=now),
            seen=Seen(data.version, if_match),
            now=now,
        )
        return await shown(session, case, Actor.of(request.user))

    @post(
        "/{case_id:uuid}/submission",
        status_code=200,
        summary="Hand in for a villager",
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
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[CaseSubmission],
        if_match: IfMatch = None,
    ) -> Response[views.CaseRead]:
        """As `POST /cases/{id}/submission`."""
        seen = Seen(data.version, if_match)
        actor = Actor.of(request.user)
        case = await submission.submit(
            session, case_id, actor=actor, seen=seen, commitment=data.commitment, now=clock.now()
        )
        return await shown(session, case, Actor.of(request.user))

    @post(
        "/{case_id:uuid}/withdrawal",
        status_code=200,
        summary="Withdraw for a villager",
        responses=problems(
            CaseMissing, DelegationEnded, DelegationExpired, VersionConflict, Stale, IllegalMove
        ),
    )
    async def withdraw(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[CaseSeen],
        if_match: IfMatch = None,
    ) -> Response[views.CaseRead]:
        """As `POST /cases/{id}/withdrawal`, when the villager says so."""
        seen = Seen(data.version, if_match)
        actor = Actor.of(request.user)
        case = await withdrawal.withdraw(session, case_id, actor=actor, seen=seen, now=clock.now())
        return await shown(session, case, Actor.of(request.user))
