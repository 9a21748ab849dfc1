"""Checks by identity card, as terminals send them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.errors import NotAllowed, NotSignedIn
from haiyiban.identity.guards import VerifierRequest, verifier
from haiyiban.registers import RegisterUnavailable
from haiyiban.wire import Input, Output, problems
from services.health_code import card_checks
from services.health_code.card_checks import UnreadableCard
from services.health_code.rules import Colour

PURPOSE = "gate"


class CardCheckCreate(Input):
    """What the reader read off an identity card. `place`: where, if not where the terminal stands."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    id_number: Annotated[str, Meta(min_length=1, max_length=30)]
    place: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class CardSubject(Output, omit_defaults=False):
    """The health code of who carries the card."""

    colour: Colour
    golden: bool
    negative_within_hours: int | None
    as_of: datetime


class CardCheckRead(Output, omit_defaults=False):
    """`outcome`: valid, or not_found where name and number do not belong together; `name` is masked."""

    outcome: str
    verified_at: datetime
    name: str | None = None
    subject: CardSubject | None = None


class CardCheckController(Controller):
    """Who carries no phone is checked by their card."""

    path = "/zones/health-code/card-checks"
    tags = ["health-code"]
    guards = [verifier()]

    @post(
        status_code=200,
        summary="Check somebody by identity card",
        responses=problems(NotSignedIn, NotAllowed, UnreadableCard, RegisterUnavailable),
    )
    async def check(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[CardCheckCreate],
    ) -> CardCheckRead:
        """By an enrolled terminal at a gate. The person reads of it among their checks and in their access
        log; medical care is never refused for a colour."""
        terminal, now = request.user.terminal, clock.now()
        if terminal is None or PURPOSE not in request.user.purposes:
            raise NotAllowed
        found = await card_checks.check(
            session,
            data.name.strip(),
            data.id_number,
            terminal=terminal,
            place=data.place or terminal.place,
            now=now,
        )
        if found is None:
            return CardCheckRead(outcome="not_found", verified_at=now)
        return CardCheckRead(
            outcome="valid",
            verified_at=now,
            name=found.name,
            subject=CardSubject(
                colour=Colour(found.status.colour),
                golden=found.status.golden,
                negative_within_hours=found.negative_within_hours,
                as_of=found.status.decided_at,
            ),
        )
