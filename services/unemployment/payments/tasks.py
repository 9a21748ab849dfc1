"""The payments in the background: what is due, the files of it, and what the bank says."""

from haiyiban.zone import Task
from services.unemployment import moving
from services.unemployment.payments import banking, batches, run


async def pay_what_is_due(_: bytes) -> None:
    """The monthly run, every hour: it finds what is due and not done."""
    await run.run()
    await batches.make()


TASKS = (
    Task(name="unemployment.monthly-run", run=pay_what_is_due, schedule="20 * * * *"),
    Task(name=batches.SEND, run=banking.send),
    Task(name="unemployment.send-again", run=banking.send, schedule="*/5 * * * *"),
    Task(name="unemployment.carry-out-moves", run=moving.carry_out, schedule="*/5 * * * *"),
    Task(name="unemployment.read-back", run=banking.read_back, schedule="*/10 * * * *"),
)
