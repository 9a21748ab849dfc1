"""What is owed to a shop for the vouchers of a day: a statement read off the acts, held against the ledger.

The lines come from redemptions and refunds, the sums of the ledger from the entries that each act wrote: two
ways to one figure, and a statement says where they differ. Source: docs/domain.md §8.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import spreadsheet
from haiyiban.clock import SHANGHAI
from haiyiban.errors import Words
from haiyiban.money import yuan
from haiyiban.verifiers.models import Verifier
from services.duty_free.vouchers.models import Voucher
from services.duty_free.vouchers.settlement_models import Redemption, Refund, SettlementEntry

KINDS = {
    "redemption": Words("核销", "Redeemed"),
    "reversal": Words("撤销核销", "Reversed"),
    "refund": Words("退款", "Refunded"),
}
COLUMNS = ("序号", "时间", "类型", "订单号", "券号或退款单号", "订单或商品金额（元）", "应结金额（元）")


class Line(NamedTuple):
    """One act."""

    at: datetime
    kind: str
    """A key of KINDS."""
    order_number: str
    number: str
    """Of the voucher; of a refund the shop's own."""
    goods_fen: int
    """The whole order; of a refund the goods taken back."""
    amount_fen: int
    """Owed to the shop; what is taken back is negative."""


class Statement(NamedTuple):
    """A day of a shop. `ledger` holds what the ledger has of each kind, in fen."""

    day: date
    lines: list[Line]
    ledger: dict[str, int]

    def sum_of(self, kind: str) -> int:
        """What the lines of a kind come to."""
        return sum(line.amount_fen for line in self.lines if line.kind == kind)

    @property
    def owed_fen(self) -> int:
        """What all lines come to."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def agrees(self) -> bool:
        """Whether the ledger has the same of every kind."""
        return all(self.sum_of(kind) == self.ledger.get(kind, 0) for kind in KINDS)


async def of_day(session: AsyncSession, merchant_id: UUID, day: date) -> Statement:
    """A shop's day in Hainan, the earliest act first."""
    begins, ends = _bounds(day)
    redemptions = await session.execute(
        select(Redemption, Voucher.number)
        .join(Voucher, Voucher.id == Redemption.voucher_id)
        .where(Redemption.merchant_id == merchant_id, Redemption.day == day)
    )
    lines = [line for row, number in redemptions for line in _of(row, number)]
    refunds = await session.scalars(
        select(Refund).where(Refund.merchant_id == merchant_id, Refund.at >= begins, Refund.at < ends)
    )
    lines += [
        Line(row.at, "refund", row.order_number, row.refund_number, row.goods_fen, -row.voucher_fen)
        for row in refunds
    ]
    entries = await session.execute(
        select(SettlementEntry.kind, func.sum(SettlementEntry.amount_fen))
        .where(SettlementEntry.merchant_id == merchant_id, SettlementEntry.day == day)
        .group_by(SettlementEntry.kind)
    )
    ledger = {kind: int(fen) for kind, fen in entries}
    return Statement(day, sorted(lines, key=lambda line: line.at), ledger)


async def shops_of_day(session: AsyncSession, day: date) -> list[tuple[UUID, Words]]:
    """The shops that did anything with vouchers on a day, by name."""
    begins, ends = _bounds(day)
    acted = union(
        select(Redemption.merchant_id).where(Redemption.day == day),
        select(Refund.merchant_id).where(Refund.at >= begins, Refund.at < ends),
    )
    rows = await session.execute(
        select(Verifier.id, Verifier.name_zh, Verifier.name_en)
        .where(Verifier.id.in_(acted))
        .order_by(Verifier.name_zh)
    )
    return [(shop, Words(zh, en)) for shop, zh, en in rows]


def as_csv(statement: Statement) -> bytes:
    """The statement as a table; its last lines are the sum, and whether the ledger has the same."""
    rows: list[Sequence[str | int]] = [
        [
            serial,
            line.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
            KINDS[line.kind].zh,
            line.order_number,
            line.number,
            _amount(line.goods_fen),
            _amount(line.amount_fen),
        ]
        for serial, line in enumerate(statement.lines, 1)
    ]
    rows.append(["合计", "", "", "", "", "", _amount(statement.owed_fen)])
    rows.append(["与账簿核对", "一致" if statement.agrees else "不一致，请勿付款", "", "", "", "", ""])
    return spreadsheet.as_csv(COLUMNS, rows)


def shops_as_csv(shops: Sequence[tuple[str, Statement]]) -> bytes:
    """A day of all shops as a table, one line for each, and the sum."""
    rows: list[Sequence[str | int]] = [
        [
            name,
            len(statement.lines),
            _amount(statement.owed_fen),
            _amount(sum(statement.ledger.values())),
            "一致" if statement.agrees else "不一致，请勿付款",
        ]
        for name, statement in shops
    ]
    rows.append(
        [
            "合计",
            sum(len(statement.lines) for _, statement in shops),
            _amount(sum(statement.owed_fen for _, statement in shops)),
            _amount(sum(sum(statement.ledger.values()) for _, statement in shops)),
            "",
        ]
    )
    return spreadsheet.as_csv(("商户", "笔数", "应付（元）", "账簿（元）", "与账簿核对"), rows)


class _Amount(int):
    """An amount in fen that a table shows in yuan: ours, so its sign is no formula."""

    def __str__(self) -> str:
        return yuan(self).replace(",", "")


def _amount(fen: int) -> int:
    return _Amount(fen)


def _bounds(day: date) -> tuple[datetime, datetime]:
    begins = datetime.combine(day, time(), tzinfo=SHANGHAI)
    return begins, begins + timedelta(days=1)


def _of(row: Redemption, number: str) -> list[Line]:
    """A redemption of the day, and its reversal, which is of the same day."""
    taken = Line(row.at, "redemption", row.order_number, number, row.order_amount_fen, row.face_fen)
    if row.state != "reversed" or row.settled_at is None:
        return [taken]
    return [taken, taken._replace(at=row.settled_at, kind="reversal", amount_fen=-row.face_fen)]
