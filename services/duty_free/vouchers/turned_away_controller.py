"""Refused claims of each campaign, for the operator."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.errors import Malformed, NotAllowed, NotSignedIn
from haiyiban.identity.guards import staff
from haiyiban.wire import Output, Page, after_cursor, cursor_of, page_limit, problems
from services.duty_free.vouchers import turned_away
from services.duty_free.vouchers.models import Campaign


class RefusedClaims(Output, omit_defaults=False):
    """How many claims of a campaign were refused within 400 days."""

    campaign_id: UUID
    total: int
    reasons: dict[str, int]
    """sold-out, already-claimed, limit-reached, not-open, not-for-visitors, level-too-low and
    too-many-waiting (429); what never occurred is left out."""


class RefusedClaimsController(Controller):
    """Who came for a voucher and went without one, as numbers."""

    path = "/zones/duty-free/desk/refused-claims"
    tags = ["duty-free"]
    guards = [staff("operator")]

    @get(summary="Refused claims by campaign", responses=problems(NotSignedIn, NotAllowed, Malformed))
    async def refused_claims(
        self,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[RefusedClaims]:
        """The same campaigns in the same pages as the list of campaigns. Answers are counted, so who tries
        again is counted again; each process adds its own every five seconds."""
        most, after = page_limit(limit), after_cursor(cursor)
        statement = select(Campaign.id).order_by(Campaign.id.desc()).limit(most + 1)
        if after is not None:
            statement = statement.where(Campaign.id < after)
        ids = list(await session.scalars(statement))
        shown = ids[:most]
        found = await turned_away.of_campaigns(session, shown)
        return Page(
            items=[
                RefusedClaims(campaign_id=each, total=sum(found[each].values()), reasons=found[each])
                for each in shown
            ],
            next=cursor_of(shown[-1]) if len(ids) > most else None,
        )
