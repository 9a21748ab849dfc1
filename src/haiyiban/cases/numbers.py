"""办件编号: the number of a case that people read out and agencies exchange.

Item code 31 + day 8 + serial 6; the serial starts anew each day for each item. Source: docs/domain.md §3.2.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases.models import Serial

SERIAL_MOST = 999_999


def case_number(task_code: str, day: date, serial: int) -> str:
    """The 45 characters. Raises ValueError past the last serial of a day."""
    if not 1 <= serial <= SERIAL_MOST:
        raise ValueError(f"serial {serial} does not fit in six digits")
    return f"{task_code}{day:%Y%m%d}{serial:06d}"


async def next_number(session: AsyncSession, task_code: str, *, day: date) -> str:
    """The next number of an item on a day; given back if the transaction is rolled back."""
    statement = upsert(Serial).values(task_code=task_code, day=day, last=1)
    serial = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=["task_code", "day"], set_={"last": Serial.last + 1}
        ).returning(Serial.last)
    )
    assert serial is not None
    return case_number(task_code, day, serial)
