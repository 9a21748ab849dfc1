"""The quota of a year as a ledger: reserved at order, consumed at pick-up, released on refund or no-show.

Every movement is made under the lock of its row, and the row's own check holds the quota.
Source: docs/domain.md §8.2.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.identity.models import Person
from services.duty_free.allowance.models import Order, Year


async def hold_person(session: AsyncSession, person_id: UUID) -> None:
    """Let a person's orders be taken one after the other: the limits of a trip are counted over its orders,
    which may lie in two calendar years."""
    await session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))


async def hold(session: AsyncSession, person_id: UUID, year: int, *, quota_fen: int) -> Year:
    """A person's year, locked until the commit; begun with this quota where nothing was bought yet."""
    await session.execute(
        upsert(Year)
        .values(person_id=person_id, year=year, quota_fen=quota_fen, reserved_fen=0, consumed_fen=0)
        .on_conflict_do_nothing()
    )
    return await _locked(session, person_id, year)


async def reserve(session: AsyncSession, year: Year, amount_fen: int) -> None:
    """An order is taken. IntegrityError, naming `within_quota`, beyond what is left."""
    year.reserved_fen += amount_fen
    await session.flush()


async def consume(session: AsyncSession, order: Order) -> None:
    """The goods of a reserved order are handed over."""
    year = await _locked(session, order.person_id, order.year)
    year.reserved_fen -= order.free_fen
    year.consumed_fen += order.free_fen
    await session.flush()


async def release(session: AsyncSession, order: Order) -> None:
    """What an order used is free again: it was reserved, or consumed and the goods came back."""
    year = await _locked(session, order.person_id, order.year)
    if order.state == "reserved":
        year.reserved_fen -= order.free_fen
    else:
        year.consumed_fen -= order.free_fen
    await session.flush()


async def _locked(session: AsyncSession, person_id: UUID, year: int) -> Year:
    return (
        await session.execute(
            select(Year)
            .where(Year.person_id == person_id, Year.year == year)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one()
