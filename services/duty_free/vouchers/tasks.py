"""What time does to vouchers: those whose time is over are noted as expired."""

from __future__ import annotations

from sqlalchemy import select, update

from haiyiban import clock
from haiyiban.db import database
from haiyiban.zone import Task
from services.duty_free.vouchers.models import Voucher

BATCH = 1000


async def expire(_: bytes) -> None:
    """Note what every till says already. Vouchers that a till holds this moment are left to the next run."""
    while True:
        async with database().transaction() as session:
            over = (
                select(Voucher.id)
                .where(Voucher.state == "claimed", Voucher.valid_until < clock.now())
                .order_by(Voucher.valid_until)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            )
            found = (await session.scalars(over)).all()
            await session.execute(update(Voucher).where(Voucher.id.in_(found)).values(state="expired"))
        if len(found) < BATCH:
            return


EXPIRE_VOUCHERS = Task(name="duty_free.expire_vouchers", run=expire, schedule="*/10 * * * *")
