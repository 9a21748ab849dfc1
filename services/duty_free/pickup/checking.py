"""The check at the counter: the code, the trips and the three months at once; all met, the goods go out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.clock import local_date
from haiyiban.codes.outcomes import Outcome
from haiyiban.registers import Trip
from services.duty_free.allowance import settling
from services.duty_free.allowance.models import Order
from services.duty_free.pickup.models import PickupCheck
from services.duty_free.pickup.rules import Conditions, conditions


class Checked(NamedTuple):
    """What a check came to. `conditions` None where they were not looked at: the goods are another shop's,
    or they have gone out meanwhile."""

    outcome: Outcome
    order: Order
    conditions: Conditions | None


async def order_of(session: AsyncSession, ref: int) -> Order:
    """The order that a code is about."""
    found: Order = (await session.scalars(select(Order).where(Order.ref == ref))).one()
    return found


async def check(
    session: AsyncSession,
    order_id: UUID,
    trips: Sequence[Trip] | None,
    *,
    verification_id: UUID,
    now: datetime,
) -> Checked:
    """Look at the conditions, keep what they came to, and hand the goods over where all are met.

    `trips` was asked before the transaction; None where the register could not be asked.
    """
    order = await settling.lock(session, order_id)
    assert order is not None, "orders are never deleted"
    if order.state != "reserved":
        return Checked(Outcome.DENIED, order, None)
    assert order.collect_by is not None, "only orders for pick-up on return have such codes"
    found = conditions(
        trips,
        purchased_at=order.purchased_at,
        last_day=order.collect_by,
        now=now,
        today=local_date(now),
    )
    outcome = _OUTCOMES[found.result]
    session.add(
        PickupCheck(
            verification_id=verification_id,
            order_id=order.id,
            outcome=outcome.value,
            departed=found.departed,
            returned=found.returned,
            in_time=found.in_time,
            at=now,
        )
    )
    await audit.record(
        session,
        "duty-free.pickup-check",
        subject=order.person_id,
        object_kind="order",
        object_id=order.id,
        fields=[] if trips is None else ["trips.trips"],
        reason="返岛提取",
        outcome=outcome.value,
    )
    if outcome is Outcome.VALID:
        await settling.consume(session, order, now=now)
    return Checked(outcome, order, found)


_OUTCOMES = {"yes": Outcome.VALID, "no": Outcome.NOT_ENTITLED, "unknown": Outcome.UNAVAILABLE}
