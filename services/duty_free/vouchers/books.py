"""Whether the books of vouchers balance: what was given out, used, given back and owed, each from two sides.

One look in one snapshot, so that acts under way cannot make the books look wrong.
Source: docs/domain.md §8.3 (verify: sum(claimed) ≤ stock).
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.db import database
from haiyiban.zone import Task

log = logging.getLogger(__name__)
MOST = 100
"""Differences that one look tells of each kind."""


class Difference(NamedTuple):
    """Where two sides that must be equal are not."""

    kind: str
    """A key of LOOKS."""
    object_id: str
    expected: int
    found: int


LOOKS = {
    "stock": """
        SELECT c.id, c.stock - c.stock_left AS expected, count(v.id) AS found
        FROM duty_free_campaign c LEFT JOIN duty_free_voucher v ON v.campaign_id = c.id GROUP BY c.id
    """,
    "days": """
        SELECT c.id, c.stock - c.stock_left AS expected, coalesce(sum(d.claimed), 0) AS found
        FROM duty_free_campaign c LEFT JOIN duty_free_campaign_day d ON d.campaign_id = c.id GROUP BY c.id
    """,
    "voucher": """
        SELECT v.id, (v.state = 'redeemed')::int AS expected, (r.id IS NOT NULL)::int AS found
        FROM duty_free_voucher v
        FULL JOIN duty_free_redemption r ON r.voucher_id = v.id AND r.state = 'redeemed'
        WHERE v.state = 'redeemed' OR r.id IS NOT NULL
    """,
    "redemption": """
        SELECT r.id,
          CASE WHEN r.state = 'redeemed' THEN r.face_fen ELSE 0 END AS expected,
          coalesce(sum(e.amount_fen) FILTER (WHERE r.state <> 'redeemed' OR e.kind <> 'refund'), 0) AS found
        FROM duty_free_redemption r LEFT JOIN duty_free_settlement_entry e ON e.redemption_id = r.id
        GROUP BY r.id
    """,
    "refund": """
        SELECT f.id, f.voucher_fen AS expected, coalesce(-sum(e.amount_fen), 0) AS found
        FROM duty_free_refund f LEFT JOIN duty_free_settlement_entry e ON e.refund_id = f.id GROUP BY f.id
    """,
}
"""What must be equal: vouchers and what the stock has lost, in all and by the day; a used voucher and one
redemption that stands; a redemption and its lines in the ledger, of one that stands without its refunds; a
refund and its lines."""


async def differences(session: AsyncSession) -> list[Difference]:
    """Where the books do not balance; empty where they do."""
    found = []
    for kind, look in LOOKS.items():
        # S608: constants of ours.
        statement = f"SELECT * FROM ({look}) looked WHERE expected <> found ORDER BY id LIMIT {MOST}"  # noqa: S608
        rows = await session.execute(text(statement))
        found += [Difference(kind, str(row.id), int(row.expected), int(row.found)) for row in rows]
    return found


async def look() -> list[Difference]:
    """The same as things stand now, all looks in one snapshot."""
    async with database().reading() as session:
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        return await differences(session)


async def check(_: bytes) -> None:
    """Say in the log where the books do not balance, line by line, and fail: the task shows as failed."""
    found = await look()
    for each in found:
        log.error(
            "books of vouchers: %s %s has %d, not %d", each.kind, each.object_id, each.found, each.expected
        )
    if found:
        raise BooksDisagree(f"{len(found)} differences in the books of vouchers")


class BooksDisagree(Exception):
    """The books do not balance; the log says where."""


CHECK_BOOKS = Task(name="duty_free.check_books", run=check, schedule="25 * * * *")
