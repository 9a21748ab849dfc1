"""The status lists as this process publishes them: read from the certificates at most every half minute."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import NamedTuple

from haiyiban.certificates import Status
from haiyiban.codes import status_list
from haiyiban.codes.printed import LIST_SIZE
from haiyiban.codes.signing import CodeKeys
from haiyiban.codes.status_list import StatusCode
from haiyiban.db import database
from haiyiban.errors import NotFound, Words

_FRESH_SECONDS = 30.0
_LAST = 2**31
_CODES = {
    Status.REVOKED: StatusCode.REVOKED,
    Status.SUPERSEDED: StatusCode.REVOKED,
    Status.SUSPENDED: StatusCode.SUSPENDED,
}


class StatusListMissing(NotFound):
    """No certificate was printed with a place in this list."""

    type = "codes/status-list-not-found"
    title = Words("没有这个状态列表", "There is no such status list")


class _Kept(NamedTuple):
    text: str
    read_at: float
    issued_at: datetime


_kept: dict[int, _Kept] = {}
_lock = asyncio.Lock()


async def text(list_id: int, *, keys: CodeKeys, now: datetime) -> str:
    """The signed list. Raises StatusListMissing."""
    if not 0 <= list_id <= _LAST:
        raise StatusListMissing
    async with _lock:
        kept = _kept.get(list_id)
        if kept is None or time.monotonic() - kept.read_at > _FRESH_SECONDS or now < kept.issued_at:
            kept = _kept[list_id] = await _read(list_id, keys=keys, now=now)
        return kept.text


def newest() -> datetime | None:
    """When this process last read a list; None before the first."""
    return max((kept.issued_at for kept in _kept.values()), default=None)


async def how_many() -> int:
    """How many lists there are; they are numbered from 0 without a gap."""
    async with database().autocommit.connect() as connection:
        found = await connection.exec_driver_sql(_HOW_MANY)
        return int(found.one()[0])


async def _read(list_id: int, *, keys: CodeKeys, now: datetime) -> _Kept:
    read_at = time.monotonic()
    async with database().autocommit.connect() as connection:
        is_there = await connection.exec_driver_sql(_IS_THERE, (list_id,))
        if is_there.first() is None:
            raise StatusListMissing
        rows = (await connection.exec_driver_sql(_NOT_VALID, (list_id,))).fetchall()
    statuses = [(place, _CODES[Status(status)]) for place, status in map(tuple, rows)]
    # A million places take some 10 ms to compress, which others need not wait for.
    lst = await asyncio.to_thread(
        lambda: status_list.compressed(status_list.packed(statuses, size=LIST_SIZE))
    )
    uri = keys.status_list_uri(list_id)
    signed = status_list.sign(uri, lst, issued_at=now, key=keys.list_signer(now))
    return _Kept(signed, read_at, now)


_HOW_MANY = "SELECT coalesce(max(list_id) + 1, 0) FROM codes_printed"
_IS_THERE = "SELECT 1 FROM codes_printed WHERE list_id = $1 LIMIT 1"
_NOT_VALID = """
SELECT printed.index, certificate.status
FROM codes_printed AS printed JOIN certificates_certificate AS certificate ON certificate.id = certificate_id
WHERE list_id = $1 AND certificate.status <> 'valid'
"""
