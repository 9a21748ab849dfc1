"""My allowance and my duty-free orders."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.context import current
from haiyiban.errors import Malformed, NotSignedIn
from haiyiban.identity import persons
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import Page, after_cursor, cursor_of, page_limit, problems
from services.duty_free.allowance import reading
from services.duty_free.allowance.ordering import RulesMissing, rules_on
from services.duty_free.allowance.wire import AllowanceRead, MyOrderRead


class AllowanceController(Controller):
    """What I may buy free of duty, and what I bought."""

    path = "/zones/duty-free"
    tags = ["duty-free"]
    guards = [resident(Level.L3)]

    @get(
        "/allowance",
        summary="My duty-free allowance of this year",
        responses=problems(NotSignedIn, StepUpNeeded, RulesMissing),
    )
    async def allowance(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession]
    ) -> AllowanceRead:
        """The yearly quota with what is reserved and used of it, the limits of a trip and the ways of picking
        up, by the rules of today. `rule.unset` names the figures that nobody has found."""
        today = clock.today()
        person = await persons.get(session, person_of(request))
        return await reading.allowance(
            session, person, rules_on(today), today=today, language=current().language
        )

    @get(
        "/orders",
        summary="My duty-free orders",
        responses=problems(NotSignedIn, StepUpNeeded, Malformed),
    )
    async def orders(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[MyOrderRead]:
        """The newest first. Of one that is picked up on return, POST /codes `{kind: "pickup", subjectId}`
        shows the code for the counter."""
        most = page_limit(limit)
        found = await reading.orders(session, person_of(request), after=after_cursor(cursor), limit=most)
        shown = found[:most]
        return Page(
            items=[
                reading.my_order_read(order, parcel, language=current().language) for order, parcel in shown
            ],
            next=cursor_of(shown[-1][0].id) if len(found) > most else None,
        )


def person_of(request: ResidentRequest) -> UUID:
    """Who asks."""
    person_id = request.user.person_id
    assert person_id is not None, "the guard lets nobody in below L3"
    return person_id
