"""A worker that carries payments as far as they go, and is killed at a step that its argument names.

`python -m tests.zones.unemployment.dying_worker STEP`: SIGKILL when that step is first reached;
without a step it goes to the end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import select

from haiyiban import clock, registers
from haiyiban.db import database
from haiyiban.ids import new_id
from haiyiban.runtime.start import running
from haiyiban.settings import Settings
from services.unemployment.models import Batch
from services.unemployment.payments import banking, batches, run, suspending

STEPS = (
    "payment made, not committed",
    "payment committed, no batch",
    "batch made, not committed",
    "batch released, not sent",
    "file at the bank, nobody noted it",
    "sent, nothing read back",
    "report read, not committed",
)


def die(step: str) -> None:
    """End here, as a power cut does, if this is the step."""
    if sys.argv[1:] == [step]:
        os.kill(os.getpid(), signal.SIGKILL)


def dying_after(work: Callable[..., Awaitable[Any]], step: str) -> Callable[..., Awaitable[Any]]:
    """The same work; then the end, where this is the step."""

    async def done(*arguments: Any, **named: Any) -> Any:
        answer = await work(*arguments, **named)
        die(step)
        return answer

    return done


async def main() -> None:
    """Every step of a payment, in the order in which a worker and an officer take them."""
    run._judge = dying_after(run._judge, STEPS[0])  # type: ignore[assignment]
    batches._make_one = dying_after(batches._make_one, STEPS[2])  # type: ignore[assignment]
    registers.send_payments = dying_after(registers.send_payments, STEPS[4])  # type: ignore[assignment]
    banking.settle = dying_after(banking.settle, STEPS[6])  # type: ignore[assignment]
    async with running(Settings.from_env()):
        await run.run()
        die(STEPS[1])
        await batches.make()
        async with database().transaction() as session:
            for batch_id in (await session.scalars(select(Batch.id).where(Batch.state == "made"))).all():
                await batches.release(session, batch_id, by=new_id(), now=clock.now())
        die(STEPS[3])
        await banking.send()
        die(STEPS[5])
        await banking.read_back()
        await suspending.stop_what_nobody_objected_to()


if __name__ == "__main__":
    asyncio.run(main())
