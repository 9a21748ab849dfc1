"""What time does to orders: goods that nobody fetched by their last day release the quota (no-show)."""

from __future__ import annotations

from sqlalchemy import select

from haiyiban import clock
from haiyiban.db import database
from haiyiban.zone import Task
from services.duty_free.allowance import settling
from services.duty_free.allowance.models import Order

BATCH = 500


async def release_no_shows(_: bytes) -> None:
    """Give up orders whose last day is over, each in a transaction of its own."""
    today = clock.today()
    while True:
        async with database().reading() as look:
            over = list(
                await look.scalars(
                    select(Order.id)
                    .where(Order.state == "reserved", Order.collect_by < today)
                    .order_by(Order.collect_by)
                    .limit(BATCH)
                )
            )
        for order_id in over:
            async with database().transaction() as session:
                await settling.give_up(session, order_id, today=today, now=clock.now())
        if len(over) < BATCH:
            return


RELEASE_NO_SHOWS = Task(name="duty_free.release_no_shows", run=release_no_shows, schedule="10 * * * *")
