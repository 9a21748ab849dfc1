"""A shop's side of the allowance: registering what it sold, handing it over, taking it back."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, registers
from haiyiban.codes.scanning import scan
from haiyiban.codes.verifying import VerificationCreate
from haiyiban.context import current
from haiyiban.db import database
from haiyiban.errors import Malformed, NotAllowed, NotSignedIn, Words
from haiyiban.identity import persons
from haiyiban.identity.guards import VerifierRequest, verifier
from haiyiban.identity.models import Person
from haiyiban.wire import Nothing, problems
from services.duty_free.allowance import ordering, reading, settling
from services.duty_free.allowance.order_rules import (
    Reason,
    Wish,
    against_the_basket,
    against_the_buyer,
)
from services.duty_free.allowance.ordering import OrderExists, OrderRefused, OverAllowance, RulesMissing
from services.duty_free.allowance.residency import Residency, lives_on_the_island
from services.duty_free.allowance.rule_table import RuleSet
from services.duty_free.allowance.settling import CheckNeeded, OrderMissing, OrderOver, ParcelNeeded
from services.duty_free.allowance.wire import OrderCreate, OrderRead
from services.duty_free.refusals import CodeRefused
from services.duty_free.vouchers import refunding

PURPOSE = "duty-free-order"
NOT_A_RESIDENT = Reason(
    "not-a-resident",
    "/pickUp",
    Words(
        "返岛提取只限岛内居民（海南身份证、居住证或社保），请改用其他提货方式",
        "Only residents of Hainan may pick up on return; choose another way",
    ),
)


class ShopOrdersController(Controller):
    """Orders of a duty-free shop."""

    path = "/zones/duty-free/orders"
    tags = ["duty-free"]
    guards = [verifier()]
    security = [{"verifier": []}]

    @post(
        status_code=201,
        summary="Register a duty-free order",
        responses=problems(
            NotSignedIn,
            NotAllowed,
            Malformed,
            CodeRefused,
            OrderExists,
            OrderRefused,
            OverAllowance,
            RulesMissing,
            registers.RegisterUnavailable,
        ),
    )
    async def register(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[OrderCreate],
    ) -> OrderRead:
        """With the buyer's identity code, form a or over the counter's challenge. The free part of the price
        is reserved of the buyer's quota; what lies over it or over a limit of the trip is excess, taxed at
        the dated rates. Goods taken at once are consumed at once.

        Everything that can be said without the buyer is looked at before the code is used up.
        """
        now = clock.now()
        rules = ordering.rules_on(clock.today())
        wish = Wish(tuple(data.lines), data.pick_up, data.departure, data.delivery, now)
        _require(list(against_the_basket(wish, rules)))
        async with database().reading() as look:
            if await ordering.exists(look, request.user.verifier_id, data.order_number):
                raise OrderExists
        buyer = await _buyer(request, data)
        reasons = list(
            against_the_buyer(
                wish, rules, birth=persons.birth_of(buyer, today=clock.today()), name=buyer.name
            )
        )
        residency = await _residency(buyer, wish, rules)
        _require([*reasons, *([] if residency.answer == "yes" else [NOT_A_RESIDENT])])
        sale = ordering.Sale(
            person_id=buyer.id,
            merchant=request.user,
            order_number=data.order_number,
            wish=wish,
            taxes_excess=data.excess == "tax",
            read=residency.read,
        )
        order = await ordering.take(session, sale, rules)
        return reading.order_read(order, language=current().language)

    @get(
        "/{order_id:uuid}",
        summary="An order of this shop",
        responses=problems(NotSignedIn, NotAllowed, OrderMissing),
    )
    async def order(
        self, request: VerifierRequest, session: NamedDependency[AsyncSession], order_id: FromPath[UUID]
    ) -> OrderRead:
        """As it stands now."""
        order = await settling.read(session, order_id, request.user.verifier_id)
        return reading.order_read(order, language=current().language)

    @post(
        "/{order_id:uuid}/pick-up",
        status_code=200,
        summary="The goods were handed over",
        responses=problems(NotSignedIn, NotAllowed, OrderMissing, OrderOver, CheckNeeded, ParcelNeeded),
    )
    async def hand_over(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        order_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002
    ) -> OrderRead:
        """Behind security or at the airport: the quota is consumed. Goods picked up on return are handed over
        by POST /zones/duty-free/pickup-checks alone, mailed ones by registering their parcel."""
        order = await settling.hand_over(session, order_id, request.user.verifier_id, now=clock.now())
        return reading.order_read(order, language=current().language)

    @post(
        "/{order_id:uuid}/refund",
        status_code=200,
        summary="The order was refunded",
        responses=problems(NotSignedIn, NotAllowed, OrderMissing, OrderOver),
    )
    async def refund(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        order_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002
    ) -> OrderRead:
        """The whole of it, before or after it was handed over: what it used of the quota is free again, and
        vouchers that were redeemed for its number are refunded with it."""
        order = await settling.refund(session, order_id, request.user.verifier_id, now=clock.now())
        await refunding.refund_whole(session, order.merchant_id, order.order_number, now=clock.now())
        return reading.order_read(order, language=current().language)


def _require(reasons: list[Reason]) -> None:
    """Raises OrderRefused for any reason."""
    if reasons:
        raise OrderRefused(reasons)


async def _buyer(request: VerifierRequest, data: OrderCreate) -> Person:
    """Who shows the code. Raises CodeRefused, Malformed."""
    asked = VerificationCreate(
        text=data.text,
        purpose=PURPOSE,
        expected_kind="identity",
        place=data.place,
        challenge=data.challenge,
    )
    scanned = await scan(asked, request.user, now=clock.now())
    if scanned.subject is None:
        raise CodeRefused(scanned.answer)
    async with database().reading() as look:
        return await persons.get(look, scanned.subject.holder_id)


async def _residency(buyer: Person, wish: Wish, rules: RuleSet) -> Residency:
    """Asks the registers where only residents may pick up so. Raises RegisterUnavailable."""
    way = rules.way(wish.mode)
    if way is None or not way.residents_only:
        return Residency("yes")
    found = await lives_on_the_island(buyer, today=clock.today())
    if found.answer == "unknown":
        raise registers.RegisterUnavailable(Words("居民身份数据源", "The registers of residents"))
    return found
