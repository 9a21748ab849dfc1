"""A record as the log hashes it: one run of bytes for all its columns, the same for sealing and for checking.

An entry is what the person may read whom the record is about, and then the hash of the rest: which member
of staff it was and from where concerns nobody, and is sealed all the same. Among the rest is the request's
random id, so it cannot be guessed from its hash.

Both parts are PostgreSQL's own binary form of a row (`record_send`: for each column the number of its type,
its length or -1 for null, and its value), made by the server in a third of the time that JSON takes it.
entries.py reads them. No two records share an entry, whatever the session's time zone or settings. The first
column is the entry's version: a column added to the table later comes with a new one, and what was sealed
before stays as it was hashed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Table

from haiyiban.audit.models import AuditRecord
from haiyiban.signatures import Hash, sha256

VERSION: Final = 1
_OPEN: Final = (
    "record_send(ROW(1::smallint, record.id, record.at, record.action, record.outcome, record.actor_kind, "
    "record.actor_unit, record.delegation_id, record.subject, record.object_kind, record.object_id, "
    "record.fields, record.reason))"
)
_CLOSED: Final = "record_send(ROW(record.actor_id, record.request_id, record.address, record.xid))"
_IS_THERE: Final = "leaf.version = 1 AND record.id IS NOT NULL"

READ: Final = f"""
SELECT array_agg(seq), array_agg(open), array_agg(closed) FROM (
  SELECT seq, CASE WHEN {_IS_THERE} THEN {_OPEN} END AS open, {_CLOSED} AS closed
  FROM audit_leaf AS leaf LEFT JOIN audit_record AS record ON record.id = leaf.record_id
  WHERE seq >= $1 AND seq < $2
) AS numbered
"""  # noqa: S608
"""Given `first` and `past`; `entries` reads the answer. One row of arrays, because a row for each record
would cost Python more than hashing it; in whatever order they come, which spares a sort."""

# A snapshot's xmin is below every transaction that may still commit, so what is numbered here in the order of
# transactions can never be preceded by a late comer.
_SETTLED: Final = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_LAST = f"""
SELECT xid, id FROM audit_record
WHERE id = (SELECT record_id FROM audit_leaf ORDER BY seq DESC LIMIT 1) AND xid < {_SETTLED}
"""  # noqa: S608
_NUMBER = f"""
WITH fresh AS MATERIALIZED (
  SELECT record.*, row_number() OVER (ORDER BY record.xid, record.id) - 1 + $1 AS seq
  FROM (
    SELECT * FROM audit_record AS each
    WHERE (xid, id) > ($3, $4) AND xid < {_SETTLED}
      AND NOT EXISTS (SELECT FROM audit_leaf WHERE record_id = each.id)
    ORDER BY xid, id LIMIT $2
  ) AS record
), numbered AS (
  INSERT INTO audit_leaf (seq, record_id, version) SELECT seq, id, {VERSION} FROM fresh
)
SELECT array_agg(seq), array_agg(open), array_agg(closed)
FROM (SELECT seq, {_OPEN} AS open, {_CLOSED} AS closed FROM fresh AS record) AS made
"""  # noqa: S608


_WAITING = """
SELECT count(*), min(at) FROM audit_record AS record
WHERE (xid, id) > ($1, $2) AND NOT EXISTS (SELECT FROM audit_leaf WHERE record_id = record.id)
"""


async def read(driver: Any, first: int, past: int, hashed: Hash = sha256) -> list[bytes | None]:
    """The entries of numbers `first` up to but not with `past`; None where number or record is gone."""
    return entries(await driver.fetchrow(READ, first, past), first, past, hashed)


async def number(driver: Any, size: int, *, most: int, hashed: Hash = sha256) -> list[bytes | None]:
    """Give the next numbers, from `size` on, to records that no transaction can precede any more. Their
    entries."""
    # Where the last record is gone, or the database is a copy whose transactions count from the beginning
    # again, everything that has no number yet is looked for.
    last = await driver.fetchrow(_LAST) or (0, UUID(int=0))
    made = await driver.fetchrow(_NUMBER, size, most, *last)
    return entries(made, size, size + len(made[0] or ()), hashed)


async def waiting(driver: Any) -> tuple[int, datetime | None]:
    """How many records have no number yet, and when the oldest of them was written."""
    last = await driver.fetchrow(_LAST) or (0, UUID(int=0))
    count, since = await driver.fetchrow(_WAITING, *last)
    return count, since


def columns() -> set[str]:
    """The columns that an entry holds."""
    names = {column.name for column in cast("Table", AuditRecord.__table__).columns}
    return {name for name in names if re.search(rf"record\.{name}\b", _OPEN + _CLOSED)}


def entries(row: Sequence[Any], first: int, past: int, hashed: Hash = sha256) -> list[bytes | None]:
    """The entries of numbers `first` up to but not with `past`, out of the row that READ gives."""
    numbers, opens, closeds = (each or () for each in row)
    found = {
        number: open_ + hashed(closed)
        for number, open_, closed in zip(numbers, opens, closeds, strict=True)
        if open_ is not None
    }
    return [found.get(number) for number in range(first, past)]
