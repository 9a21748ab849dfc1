"""Cross-province service over HTTP, for applicants."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.cases.acting import NoDelegation
from haiyiban.delegations import Actor
from haiyiban.delegations.rules import (
    DelegationEnded,
    DelegationExpired,
    DelegationNotAgreed,
    DelegationUsedUp,
    MatterNotDelegated,
)
from haiyiban.errors import Malformed
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import Input, Page, after_cursor, cursor_of, page_limit, problems
from services.cross_province import acting, applying, cases, neighbours, offers, views, wire
from services.cross_province.applying import (
    AlreadySent,
    Application,
    CardNeeded,
    InvalidApplication,
    OnlyAtACounter,
    OutdatedForm,
)
from services.cross_province.cases import CrossCaseMissing, NotNow
from services.cross_province.models import CrossCase
from services.cross_province.neighbours import NeighbourAway, NoSuchNeighbour
from services.cross_province.offers import NotOffered

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class CrossCaseCreate(Input):
    """An application for a matter of another province."""

    division: Annotated[str, msgspec.Meta(pattern="^[0-9]{2}0000$")]
    matter: Code
    version: int
    """Of the matter, as it was read: the form is that version's."""
    form: dict[str, Any]
    on_behalf_of: UUID | None = None
    """A delegation that I take: the application is its giver's."""


class CrossCorrection(Input):
    """What was corrected: merged into the form (RFC 7396)."""

    form: dict[str, Any]


class CrossProvinceController(Controller):
    """Apply here for what another province handles (跨省通办)."""

    path = "/zones/cross-province"
    tags = ["cross-province"]

    @get("/matters", summary="Matters of other provinces", responses=problems(Malformed))
    async def matters(
        self, session: NamedDependency[AsyncSession], division: FromQuery[str | None] = None
    ) -> Page[wire.CrossMatterRead]:
        """What can be applied for here and is handled in another province, as that province last published
        it; an empty list where there is none. The handling place's version, limits and fees apply."""
        now = clock.now()
        return Page(
            items=[
                views.matter_read(known, matter)
                for known in await neighbours.all_known(session)
                if known.is_open(now) and division in (None, known.other.division)
                for matter in offers.offers_of(known.row)
            ],
            next=None,
        )

    @post(
        "/cases",
        status_code=201,
        summary="Apply in another province",
        guards=[resident(Level.L3)],
        responses=problems(
            StepUpNeeded,
            NoSuchNeighbour,
            NeighbourAway,
            NotOffered,
            OutdatedForm,
            OnlyAtACounter,
            CardNeeded,
            InvalidApplication,
            AlreadySent,
            NoDelegation,
            MatterNotDelegated,
            DelegationUsedUp,
            DelegationEnded,
            DelegationExpired,
            DelegationNotAgreed,
        ),
    )
    async def create(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[CrossCaseCreate],
    ) -> wire.CrossCaseRead:
        """Taken in here and sent to the handling place, whose clock begins when it accepts. Who applies is
        filled in from the sign-in. `onBehalfOf`: for the giver of a delegation that covers the matter of that
        code; the other place is shown who acts."""
        now, me = clock.now(), _person(request)
        delegation = None
        if data.on_behalf_of is not None:
            delegation = await acting.delegation_of(me, data.on_behalf_of, data.matter, now=now)
        application = Application(
            division=data.division,
            matter=data.matter,
            version=data.version,
            form=data.form,
            delegation=delegation,
        )
        applicant = delegation.giver_id if delegation else me
        case = await applying.apply(session, application, applicant, now=now)
        return await views.read(session, case, reader=me)

    @get(
        "/cases",
        summary="My cases in other provinces",
        guards=[resident(Level.L3)],
        responses=problems(StepUpNeeded, Malformed),
    )
    async def mine(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        on_behalf_of: Annotated[UUID | None, QueryParameter(name="onBehalfOf")] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[wire.CrossCaseSummary]:
        """Newest first: my own, those that others opened for me among them. `onBehalfOf`: those that I opened
        under this delegation."""
        size = page_limit(limit)
        mine = CrossCase.person_id == _person(request)
        if on_behalf_of is not None:
            mine = cases.of_delegation(Actor(_person(request)), clock.today(), only=on_behalf_of)
        query = select(CrossCase).where(mine, CrossCase.side == "receiving").order_by(CrossCase.id.desc())
        if (after := after_cursor(cursor)) is not None:
            query = query.where(CrossCase.id < after)
        rows = list(await session.scalars(query.limit(size + 1)))
        return Page(
            items=[views.summary(case) for case in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @get(
        "/cases/{case_id:uuid}",
        summary="Read a case in another province",
        guards=[resident(Level.L3)],
        responses=problems(StepUpNeeded, CrossCaseMissing, DelegationEnded, DelegationExpired),
    )
    async def read(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> wire.CrossCaseRead:
        """How it stands, with the timeline of both places. Reading a result that has come is its delivery
        (送达), of which the handling place is told. Who acts for somebody sees no certificate of theirs."""
        me = _person(request)
        case = await cases.own(session, case_id, me, lock=True)
        if case.taken_by is None and case.person_id == me:
            await applying.hand_over(session, case, now=clock.now())
        return await views.read(session, case, reader=me)

    @post(
        "/cases/{case_id:uuid}/correction",
        status_code=200,
        summary="Send what was corrected",
        guards=[resident(Level.L3)],
        responses=problems(
            StepUpNeeded,
            CrossCaseMissing,
            NotNow,
            InvalidApplication,
            NoSuchNeighbour,
            NeighbourAway,
            DelegationEnded,
            DelegationExpired,
        ),
    )
    async def correct(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[CrossCorrection],
    ) -> wire.CrossCaseRead:
        """The handling place asks once, for everything; the corrected form goes back to it."""
        case = await cases.own(session, case_id, _person(request), lock=True)
        await applying.correct(session, case, data.form, now=clock.now())
        return await views.read(session, case, reader=_person(request))

    @post(
        "/cases/{case_id:uuid}/withdrawal",
        status_code=200,
        summary="Withdraw from another province",
        guards=[resident(Level.L3)],
        responses=problems(StepUpNeeded, CrossCaseMissing, NotNow, DelegationEnded, DelegationExpired),
    )
    async def withdraw(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> wire.CrossCaseRead:
        """Asked once, before a result has come. The handling place ends the case; `withdrawn` comes back as
        its result; where it has decided meanwhile, the decision stands."""
        case = await cases.own(session, case_id, _person(request), lock=True)
        await applying.withdraw(session, case, now=clock.now())
        return await views.read(session, case, reader=_person(request))


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard asks for L3"
    return person_id
