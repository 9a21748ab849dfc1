"""The settlement statement of a shop, as a list and as CSV, and the operator's look at the books."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.context import current
from haiyiban.errors import Malformed, NotAllowed, NotSignedIn
from haiyiban.identity.guards import VerifierRequest, staff, verifier
from haiyiban.wire import Output, problems
from services.duty_free.vouchers import books, settlement
from services.duty_free.vouchers.settlement import KINDS, Statement

Day = Annotated[date | None, QueryParameter(name="day")]


class SettlementLineRead(Output):
    """One act. `amountFen` is owed to the shop; what is taken back is negative."""

    serial: int
    at: datetime
    kind: str
    """redemption, reversal, refund."""
    what: str
    """The same in words."""
    order_number: str
    number: str
    """Of the voucher; of a refund the shop's own."""
    goods_fen: int
    """The whole order; of a refund the goods taken back."""
    amount_fen: int


class SettlementRead(Output, omit_defaults=False):
    """A day of a shop, complete; `next` is always null. `isFinal`: the day is over, and nothing is added.

    `ledgerFen` is what the ledger has for the day. Where it does not agree nothing should be paid.
    """

    day: date
    merchant: str
    is_final: bool
    redeemed_fen: int
    reversed_fen: int
    refunded_fen: int
    owed_fen: int
    ledger_fen: int
    agrees: bool
    items: list[SettlementLineRead]
    next: str | None = None


class ShopSettlementRead(Output):
    """A shop's day in sums."""

    merchant_id: UUID
    merchant: str
    lines: int
    owed_fen: int
    ledger_fen: int
    agrees: bool


class SettlementsRead(Output, omit_defaults=False):
    """A day of all shops, complete; `next` is always null."""

    day: date
    is_final: bool
    owed_fen: int
    agree: bool
    items: list[ShopSettlementRead]
    next: str | None = None


class BookDifferenceRead(Output):
    """Two sides that must be equal and are not."""

    kind: str
    """stock, days, voucher, redemption, refund."""
    id: UUID
    expected: int
    found: int


class BooksRead(Output, omit_defaults=False):
    """Whether the books of all campaigns and shops balance, as of now; at most 100 differences of a kind."""

    agree: bool
    items: list[BookDifferenceRead]
    next: str | None = None


class SettlementController(Controller):
    """What is owed to my shop."""

    path = "/zones/duty-free"
    tags = ["duty-free"]
    guards = [verifier()]
    security = [{"verifier": []}]

    @get(
        "/settlement",
        summary="My settlement statement of a day",
        responses=problems(NotSignedIn, NotAllowed, Malformed),
    )
    async def statement(
        self, request: VerifierRequest, session: NamedDependency[AsyncSession], day: Day = None
    ) -> SettlementRead:
        """Redemptions, reversals and refunds of a day (Asia/Shanghai), the earliest first; today unless `day`
        says otherwise. Reversed redemptions stay, with the line that takes them back."""
        found = await settlement.of_day(session, request.user.verifier_id, day or clock.today())
        return _read(found, request.user.name)

    @get(
        "/settlement.csv",
        summary="My settlement statement as a table",
        media_type="text/csv",
        responses=problems(NotSignedIn, NotAllowed, Malformed),
    )
    async def table(
        self, request: VerifierRequest, session: NamedDependency[AsyncSession], day: Day = None
    ) -> Response[bytes]:
        """The same as CSV (UTF-8 with its mark), amounts in yuan, with the sum and what the ledger says."""
        wanted = day or clock.today()
        return Response(
            settlement.as_csv(await settlement.of_day(session, request.user.verifier_id, wanted)),
            media_type="text/csv",
            headers={"content-disposition": f'attachment; filename="settlement-{wanted.isoformat()}.csv"'},
        )


class BooksController(Controller):
    """The books of vouchers."""

    path = "/zones/duty-free"
    tags = ["duty-free"]
    guards = [staff("operator")]

    @get(
        "/desk/settlements",
        summary="What is owed to the shops for a day",
        responses=problems(NotSignedIn, NotAllowed, Malformed),
    )
    async def settlements(self, session: NamedDependency[AsyncSession], day: Day = None) -> SettlementsRead:
        """Every shop that did anything with vouchers that day (Asia/Shanghai), by name; yesterday unless
        `day` says otherwise. Pay where the ledger agrees."""
        wanted = day or clock.today() - timedelta(days=1)
        found = await _shops(session, wanted)
        return SettlementsRead(
            day=wanted,
            is_final=wanted < clock.today(),
            owed_fen=sum(statement.owed_fen for *_, statement in found),
            agree=all(statement.agrees for *_, statement in found),
            items=[
                ShopSettlementRead(
                    merchant_id=shop,
                    merchant=name,
                    lines=len(statement.lines),
                    owed_fen=statement.owed_fen,
                    ledger_fen=sum(statement.ledger.values()),
                    agrees=statement.agrees,
                )
                for shop, name, statement in found
            ],
        )

    @get(
        "/desk/settlements.csv",
        summary="What is owed to the shops, as a table",
        media_type="text/csv",
        responses=problems(NotSignedIn, NotAllowed, Malformed),
    )
    async def table_of_shops(
        self, session: NamedDependency[AsyncSession], day: Day = None
    ) -> Response[bytes]:
        """The same as CSV (UTF-8 with its mark): a line for each shop, amounts in yuan."""
        wanted = day or clock.today() - timedelta(days=1)
        rows = [(name, statement) for _, name, statement in await _shops(session, wanted)]
        return Response(
            settlement.shops_as_csv(rows),
            media_type="text/csv",
            headers={"content-disposition": f'attachment; filename="settlements-{wanted.isoformat()}.csv"'},
        )

    @get("/books", summary="Do the books of vouchers balance?", responses=problems(NotSignedIn, NotAllowed))
    async def read(self) -> BooksRead:
        """Stock and vouchers, vouchers and redemptions, redemptions and the ledger, in one snapshot. A task
        looks each hour and fails where they differ."""
        found = await books.look()
        return BooksRead(
            agree=not found,
            items=[
                BookDifferenceRead(
                    kind=each.kind, id=UUID(each.object_id), expected=each.expected, found=each.found
                )
                for each in found
            ],
        )


async def _shops(session: AsyncSession, day: date) -> list[tuple[UUID, str, Statement]]:
    """Each shop that did anything with vouchers on a day: its name in the reader's language, and its day."""
    language = current().language
    return [
        (shop, name.in_language(language), await settlement.of_day(session, shop, day))
        for shop, name in await settlement.shops_of_day(session, day)
    ]


def _read(found: Statement, merchant: str) -> SettlementRead:
    language = current().language
    return SettlementRead(
        day=found.day,
        merchant=merchant,
        is_final=found.day < clock.today(),
        redeemed_fen=found.sum_of("redemption"),
        reversed_fen=found.sum_of("reversal"),
        refunded_fen=found.sum_of("refund"),
        owed_fen=found.owed_fen,
        ledger_fen=sum(found.ledger.values()),
        agrees=found.agrees,
        items=[
            SettlementLineRead(
                serial=serial,
                at=line.at,
                kind=line.kind,
                what=KINDS[line.kind].in_language(language),
                order_number=line.order_number,
                number=line.number,
                goods_fen=line.goods_fen,
                amount_fen=line.amount_fen,
            )
            for serial, line in enumerate(found.lines, 1)
        ],
    )
