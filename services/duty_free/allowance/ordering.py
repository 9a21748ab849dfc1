"""Taking an order: what of it is free, what is taxed, and the quota reserved, all in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.clock import local_date
from haiyiban.crypto import vault
from haiyiban.db import violated
from haiyiban.errors import Conflict, FieldError, Problem, Words
from haiyiban.identity.callers import VerifierCaller
from haiyiban.ids import new_id
from haiyiban.money import yuan
from services.duty_free.allowance import ledger
from services.duty_free.allowance.basket import Line, Taken, taken_by
from services.duty_free.allowance.models import Order
from services.duty_free.allowance.order_rules import Departure, Reason, Wish
from services.duty_free.allowance.rule_table import AT_ONCE, RuleSet, allowance_table, tax_table
from services.duty_free.allowance.rules import Split, collect_by, leave_by, split


class OrderExists(Conflict):
    """This shop has registered an order of this number already."""

    type = "duty-free/order-exists"
    title = Words("这个订单号已登记过", "An order of this number is registered already")

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/orderNumber", self.title)])


class OrderRefused(Problem):
    """The rules of the allowance do not let this order be taken; each reason names its field."""

    type = "duty-free/order-refused"
    title = Words("这笔订单不符合离岛免税规定", "This order is not within the rules of duty-free shopping")

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(
            errors=[FieldError(reason.pointer, reason.words) for reason in reasons],
            members={"reasons": [reason.code for reason in reasons]},
        )


class OverAllowance(Problem):
    """Some of it would be taxed, and the shop asked not to sell it then; the members say how much."""

    type = "duty-free/over-allowance"
    title = Words("超出免税额度或限量", "This goes over the allowance")

    def __init__(self, found: Split) -> None:
        super().__init__(
            Words(
                f"其中 {yuan(found.excess_fen)} 元超出免税额度或限量，请减少商品，或选择缴税购买",
                f"{yuan(found.excess_fen)} yuan of it are over the allowance; take less or pay the tax",
            ),
            members={"freeFen": found.free_fen, "excessFen": found.excess_fen},
        )


class RulesMissing(Problem):
    """No rules of the allowance are published for this day."""

    type = "duty-free/no-rules"
    title = Words("当日没有可用的离岛免税规则", "No rules of duty-free shopping are published for this day")


class Sale(NamedTuple):
    """What a shop sells to whom."""

    person_id: UUID
    merchant: VerifierCaller
    order_number: str
    wish: Wish
    taxes_excess: bool
    """False: an order that goes over the allowance is not taken."""
    read: tuple[str, ...] = ()
    """What registers were read for it, such as `population.hukou`."""


def rules_on(day: date) -> RuleSet:
    """The rules of a day. Raises RulesMissing."""
    rules = allowance_table().on(day)
    if rules is None:
        raise RulesMissing
    return rules


async def exists(session: AsyncSession, merchant_id: UUID, order_number: str) -> bool:
    """Whether a shop has an order of this number."""
    found = await session.scalar(
        select(Order.id).where(Order.merchant_id == merchant_id, Order.order_number == order_number)
    )
    return found is not None


async def take(session: AsyncSession, sale: Sale, rules: RuleSet) -> Order:
    """Take an order that nothing speaks against. Raises OverAllowance, OrderExists."""
    wish = sale.wish
    today = local_date(wish.now)
    await ledger.hold_person(session, sale.person_id)
    year = await ledger.hold(session, sale.person_id, today.year, quota_fen=rules.yearly_quota_fen)
    trip_index = _trip_index(sale.person_id, wish.departure)
    found = split(
        wish.lines,
        rules=rules,
        used_fen=year.reserved_fen + year.consumed_fen,
        taken=await _taken(session, sale.person_id, trip_index, rules),
        rates=tax_table().on(today),
    )
    if found.excess_fen and not sale.taxes_excess:
        raise OverAllowance(found)
    order = _order(sale, rules, found, trip_index)
    session.add(order)
    try:
        await ledger.reserve(session, year, found.free_fen)
    except IntegrityError as error:
        if violated(error) == "uq_duty_free_order_merchant_id_order_number":
            raise OrderExists from None
        raise
    await _record(session, order, "duty-free.order")
    if sale.read:
        await audit.record(
            session,
            "registers.read",
            subject=order.person_id,
            object_kind="order",
            object_id=order.id,
            fields=sale.read,
            reason="返岛提取：核对居民身份",
        )
    if wish.mode in AT_ONCE:
        await ledger.consume(session, order)
        order.state, order.settled_at = "picked_up", wish.now
        await _record(session, order, "duty-free.pick-up")
    await session.flush()
    return order


def _order(sale: Sale, rules: RuleSet, found: Split, trip_index: bytes) -> Order:
    wish = sale.wish
    way = rules.way(wish.mode)
    assert way is not None, "a way that is not offered was refused before"
    today = local_date(wish.now)
    order = Order(
        id=new_id(),
        person_id=sale.person_id,
        merchant_id=sale.merchant.verifier_id,
        merchant_name=sale.merchant.name,
        order_number=sale.order_number,
        purchased_at=wish.now,
        year=today.year,
        pick_up=wish.mode.value,
        state="reserved",
        total_fen=found.total_fen,
        free_fen=found.free_fen,
        excess_fen=found.excess_fen,
        tax_fen=found.tax_fen,
        rules_from=rules.from_,
        departs_at=wish.departure.departs_at,
        trip_index=trip_index,
        collect_by=collect_by(
            way.collect, purchased_on=today, departs_on=local_date(wish.departure.departs_at)
        )
        if way.collect
        else None,
        leave_by=leave_by(way, purchased_on=today),
    )
    order.basket = {
        "lines": msgspec.to_builtins(wish.lines),
        "within": list(found.within),
        "departure": msgspec.to_builtins(wish.departure),
    }
    return order


async def _taken(session: AsyncSession, person_id: UUID, trip_index: bytes, rules: RuleSet) -> Taken:
    """What earlier orders of the same journey took of its limits."""
    orders = await session.scalars(
        select(Order).where(
            Order.person_id == person_id,
            Order.trip_index == trip_index,
            Order.state.in_(["reserved", "picked_up"]),
        )
    )
    taken: Counter[int] = Counter()
    for order in orders:
        lines = msgspec.convert(order.basket["lines"], tuple[Line, ...])
        taken.update(taken_by(lines, order.basket["within"], rules.per_trip))
    return taken


def _trip_index(person_id: UUID, departure: Departure) -> bytes:
    """The same journey is the same day, kind and number, however the shop writes the hour."""
    day = local_date(departure.departs_at)
    return vault().blind("duty-free.trip", f"{person_id}:{day}:{departure.mode}:{departure.number.upper()}")


async def _record(session: AsyncSession, order: Order, action: str) -> None:
    await audit.record(session, action, subject=order.person_id, object_kind="order", object_id=order.id)
