"""Whether grants, batches and the bank's statements tell the same, to the fen.

Source: docs/domain.md §7.5.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, func, select

from haiyiban import registers
from haiyiban.db import database
from services.unemployment.models import Batch, Grant, Payment
from services.unemployment.payments.iso20022 import read_statement

_PAID_MONTH = and_(Payment.grant_id == Grant.id, Payment.state == "paid", Payment.move_id.is_(None))


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two books tell differently. Amounts in fen."""

    what: str
    """batch, payment or grant."""
    id: UUID
    ours: int
    theirs: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The sums of each book in fen, and where they part."""

    paid_fen: int
    """Of payments that are paid."""
    bank_fen: int
    """Left the fund's account and did not come back."""
    differences: list[Difference]


async def reconcile() -> Reconciliation:
    """Hold our books against the bank's statements. Raises RegisterUnavailable, NotTheDocument.

    A batch is the sum of its payments; a paid payment left the bank once and no other did; a grant has used
    as many months as were paid.
    """
    async with database().reading() as look:
        batches = (await look.scalars(select(Batch).where(Batch.state.in_(["sent", "settled"])))).all()
        payments = {
            each.id: each for each in await look.scalars(select(Payment).where(Payment.batch_id.is_not(None)))
        }
        used = await look.execute(
            select(Grant.id, Grant.used, func.count(Payment.id))
            .outerjoin(Payment, _PAID_MONTH)
            .group_by(Grant.id)
        )
        grants = [Difference("grant", id_, ours, paid) for id_, ours, paid in used if ours != paid]
    moved: Counter[UUID] = Counter()
    for batch in batches:
        for entry in read_statement(await registers.bank_statement(batch.message_id)):
            moved[UUID(hex=entry.end_to_end)] += (
                entry.amount_fen if entry.direction == "debit" else -entry.amount_fen
            )
    in_batch: Counter[UUID] = Counter()
    for payment in payments.values():
        if payment.batch_id is not None:
            in_batch[payment.batch_id] += payment.amount_fen
    paid = {id_: each.amount_fen for id_, each in payments.items() if each.state == "paid"}
    differences = [
        Difference("batch", batch.id, in_batch[batch.id], batch.total_fen)
        for batch in batches
        if in_batch[batch.id] != batch.total_fen
    ]
    differences += [
        Difference("payment", id_, paid.get(id_, 0), moved[id_])
        for id_ in sorted(paid.keys() | moved.keys())
        if paid.get(id_, 0) != moved[id_]
    ]
    return Reconciliation(sum(paid.values()), sum(moved.values()), differences + grants)
