"""The counter for picking up on return."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, registers
from haiyiban.codes.answers import HolderRead, VerificationRead
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.scanning import scan
from haiyiban.codes.verifying import VerificationCreate
from haiyiban.context import current
from haiyiban.db import database
from haiyiban.errors import Malformed, NotAllowed, NotSignedIn
from haiyiban.identity import persons
from haiyiban.identity.guards import VerifierRequest, verifier
from haiyiban.wire import Input, Output, problems
from services.duty_free.allowance import reading
from services.duty_free.allowance.wire import OrderRead
from services.duty_free.pickup import checking
from services.duty_free.pickup.checking import Checked
from services.duty_free.pickup.words import CONDITION_WORDS, words_of

PURPOSE = "shop"


class PickupCheckCreate(Input):
    """The buyer's pick-up code. `challenge`: base64url of the 8 bytes that the counter showed, for a code
    that the phone drew by itself."""

    text: str
    challenge: Annotated[str, Meta(max_length=20)] | None = None
    place: Annotated[str, Meta(max_length=100)] | None = None


class PickupConditionRead(Output):
    """One condition of handing over."""

    code: str
    met: Literal["yes", "no", "unknown"]
    message: str


class PickupCheckRead(Output):
    """What the check came to. Only `valid` hands anything over, and it has then been noted as handed over.

    `outcome` is of the verifications' own; `not_entitled` where a condition is not met, `unavailable` where
    one cannot be told.
    """

    id: UUID
    outcome: Outcome
    reason: str
    advice: str
    verified_at: datetime
    holder: HolderRead | None = None
    conditions: list[PickupConditionRead] | None = None
    order: OrderRead | None = None


class PickupChecksController(Controller):
    """Checks of buyers who came back."""

    path = "/zones/duty-free/pickup-checks"
    tags = ["duty-free"]
    guards = [verifier()]
    security = [{"verifier": []}]

    @post(
        status_code=200,
        summary="Check a buyer who picks up on return",
        responses=problems(NotSignedIn, NotAllowed, Malformed),
    )
    async def check(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[PickupCheckCreate],
    ) -> PickupCheckRead:
        """The buyer's own code with a fresh face behind it, a departure after the purchase and a return by
        the register of trips, and the three months, all at once. The code is used up by the check.

        All met: the goods are noted as handed over and the quota as consumed. A register that cannot be asked
        gives `unavailable`, never a yes.
        """
        now = clock.now()
        asked = VerificationCreate(
            text=data.text,
            purpose=PURPOSE,
            expected_kind="pickup",
            place=data.place,
            challenge=data.challenge,
        )
        scanned = await scan(asked, request.user, now=now)
        if scanned.subject is None:
            return _of_the_code(scanned.answer)
        async with database().reading() as look:
            order = await checking.order_of(look, scanned.subject.ref)
            buyer = await persons.get(look, order.person_id)
        if order.merchant_id != request.user.verifier_id:
            return _read(scanned.answer, Checked(Outcome.NOT_ENTITLED, order, None))
        answer = await registers.current().ask("trips", buyer.id_number, buyer.id_type)
        checked = await checking.check(
            session,
            order.id,
            registers.trips_of(answer),
            verification_id=scanned.answer.id,
            now=now,
        )
        return _read(scanned.answer, checked)


def _of_the_code(answer: VerificationRead) -> PickupCheckRead:
    """A code that was not accepted, or whose standing could not be told, answers as any verification does."""
    outcome = Outcome.UNAVAILABLE if answer.outcome is Outcome.VALID else answer.outcome
    return PickupCheckRead(
        id=answer.id,
        outcome=outcome,
        reason=answer.reason,
        advice=answer.advice,
        verified_at=answer.verified_at,
    )


def _read(answer: VerificationRead, checked: Checked) -> PickupCheckRead:
    language = current().language
    reason, advice = words_of(checked.outcome, checked.conditions)
    found = checked.conditions
    return PickupCheckRead(
        id=answer.id,
        outcome=checked.outcome,
        reason=reason.in_language(language),
        advice=advice.in_language(language),
        verified_at=answer.verified_at,
        holder=answer.holder,
        conditions=[
            PickupConditionRead(code=name.replace("_", "-"), met=met, message=_condition(name, met, language))
            for name, met in found._asdict().items()
        ]
        if found
        else None,
        order=reading.order_read(checked.order, language=language)
        if checked.outcome is Outcome.VALID
        else None,
    )


def _condition(name: str, met: str, language: str) -> str:
    return CONDITION_WORDS[name][met].in_language(language)
