"""Deleting what is due of one class now, as the worker does when it is time."""

from __future__ import annotations

import asyncio
import math

from sqlalchemy import delete

from haiyiban import clock
from haiyiban.db import database
from haiyiban.retention import forgetting
from haiyiban.retention.models import Run
from haiyiban.runtime import retention_task
from haiyiban.terms import Term


async def delete_due(term: Term) -> Run:
    """What came of it. The worker of this test run may be at the same class: then after it."""
    assert term.ending is not None
    began = clock.now()
    while True:
        async with database().transaction() as session:
            await session.execute(
                delete(Run).where(Run.data_class == term.data_class, Run.ended_at.is_not(None))
            )
        await retention_task.look_through(term, term.ending, ends=math.inf)
        async with database().reading() as session:
            run = await forgetting.latest(session, term)
        if run is not None and run.ended_at is not None and run.began_at >= began:
            assert run.failed is None
            return run
        await asyncio.sleep(0.05)
