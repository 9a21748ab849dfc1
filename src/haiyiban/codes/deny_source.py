"""What the deny-list holds, asked of the database: all of it, or what may have changed since an earlier list.

Changes are derived from when things happened and not from what this process saw, so any process can tell them
for any terminal's list. A transaction is seen a little after the time it carries, hence the overlap: an entry
named twice does no harm.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from haiyiban.codes.withdrawn import WITHDRAWN
from haiyiban.db import database

OVERLAP = timedelta(minutes=5)
REACH = timedelta(hours=24)
"""How far back changes are told; the rows of capsules are kept for days after their end."""


class Difference(NamedTuple):
    """Capsules that are withdrawn now and those that are not, of all that something happened to."""

    added: frozenset[bytes]
    removed: frozenset[bytes]


async def entries(now: datetime) -> frozenset[bytes]:
    """The cti of every capsule that is withdrawn and has not ended."""
    async with database().autocommit.connect() as connection:
        rows = await connection.exec_driver_sql(_ENTRIES, (now,))
        return frozenset(row[0] for row in rows)


async def difference(since: datetime, now: datetime) -> Difference:
    """What may have come or gone since a list was made."""
    async with database().autocommit.connect() as connection:
        begin = since - OVERLAP
        # The ids of capsules are in the order of their making.
        first = UUID(int=int(begin.timestamp() * 1000) << 80)
        rows = (await connection.exec_driver_sql(_DIFFERENCE, (now, begin, first))).fetchall()
    return Difference(
        frozenset(row.cti for row in rows if row.is_withdrawn),
        frozenset(row.cti for row in rows if not row.is_withdrawn),
    )


_ENTRIES = f"SELECT cti FROM codes_capsule AS capsule WHERE expires_at > $1 AND {WITHDRAWN}"  # noqa: S608
# A certificate's status is of the time it was set; that of its issue withdraws nothing. A capsule may be made
# in the very moment in which what it stands on falls. Of those that ended, only the listed ones are told.
_DIFFERENCE = f"""
WITH touched AS (
  SELECT id FROM codes_capsule WHERE withdrawn_at >= $2
  UNION
  SELECT capsule.id FROM identity_session JOIN codes_capsule AS capsule ON session_id = identity_session.id
  WHERE ended_at >= $2
  UNION
  SELECT capsule.id FROM certificates_certificate AS behind
  JOIN codes_capsule AS capsule ON capsule.kind = 1 AND capsule.ref = behind.ref
  WHERE behind.status_at >= $2 AND behind.status_at > behind.created_at
  UNION
  SELECT id FROM codes_capsule AS capsule WHERE id >= $3 AND {WITHDRAWN}
  UNION
  SELECT id FROM codes_capsule AS capsule WHERE expires_at > $2 AND expires_at <= $1 AND {WITHDRAWN}
)
SELECT cti, expires_at > $1 AND {WITHDRAWN} AS is_withdrawn
FROM codes_capsule AS capsule JOIN touched USING (id)
WHERE expires_at > $2
"""  # noqa: S608
