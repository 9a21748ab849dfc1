"""Waiting until what was written is in the sealed log of this run."""

from __future__ import annotations

import asyncio

from sqlalchemy import func, select

from haiyiban import audit
from haiyiban.audit import sealing
from haiyiban.audit.models import AuditCheckpoint, AuditLeaf, AuditRecord
from haiyiban.db import Database
from haiyiban.ids import new_id


async def grow(database: Database) -> int:
    """Write a record more and wait until it and all before it are sealed, by this process or by the worker.
    How many records are in the log now."""
    mark = new_id().hex
    async with database.transaction() as session:
        await audit.record(session, "test.grow", reason=mark)
    for _ in range(600):
        await sealing.seal()
        async with database.reading() as session:
            number = await session.scalar(
                select(AuditLeaf.seq)
                .join(AuditRecord, AuditRecord.id == AuditLeaf.record_id)
                .where(AuditRecord.reason == mark, AuditRecord.action == "test.grow")
            )
            size = await session.scalar(select(func.max(AuditCheckpoint.size)))
        if number is not None and size is not None and number < size:
            return int(size)
        await asyncio.sleep(0.05)
    raise AssertionError("the record was not sealed within half a minute")
