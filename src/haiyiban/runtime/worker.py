"""The worker: carries out the jobs that transactions queued, and the periodic tasks.

It connects to PostgreSQL directly, because LISTEN does not pass a transaction pooler.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import suppress
from datetime import timedelta

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.models import Job, Schedule

from haiyiban import context
from haiyiban.context import Context
from haiyiban.db import is_away
from haiyiban.ids import new_id
from haiyiban.runtime import discovery, logs, platform_metrics, retention_task, worker_door
from haiyiban.runtime.crashes import trace
from haiyiban.runtime.exposition import Exposition
from haiyiban.runtime.platform_metrics import TASKS
from haiyiban.runtime.start import running
from haiyiban.settings import Settings
from haiyiban.zone import Task

log = logging.getLogger("haiyiban.worker")

_RECONNECT_SECONDS = 2.0
_GIVE_UP_SECONDS = 10.0
"""After its connection was lost a run that has not ended is ended."""
_FIELDS_WITH_SECONDS = 6
_OFTEN = "* * * * * */10"
"""In the demo periodic tasks come every ten seconds at least: nobody waits an hour to see a month paid, and a
clock that was moved shows at once what time has brought."""


async def work(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM; a lost connection is made again."""
    zones = (*discovery.features(), *discovery.zones(settings.zones))
    tasks = [retention_task.RUN, *(task for zone in zones for task in zone.tasks)]
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopping.set)
    connected = asyncio.Event()
    exposition = Exposition(platform_metrics.of(zones))
    async with running(settings), worker_door.answering(settings, exposition, connected.is_set):
        while not stopping.is_set():
            try:
                await _work_until(stopping, settings, tasks, connected)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("the queue is away (%s); trying again", type(error).__name__)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), timeout=_RECONNECT_SECONDS)
            else:
                # The library ends quietly when its connection does, if nothing was under way.
                if not stopping.is_set():
                    log.warning("the queue is away (connection lost); trying again")


async def _work_until(
    stopping: asyncio.Event, settings: Settings, tasks: list[Task], connected: asyncio.Event
) -> None:
    connection = await asyncpg.connect(settings.database_url, timeout=5)
    connected.set()
    try:
        queue = PgQueuer.from_asyncpg_connection(connection)
        for task in tasks:
            _add(queue, task, often=settings.env == "demo")
        running = asyncio.create_task(queue.run(dequeue_timeout=timedelta(seconds=5), batch_size=20))
        await _until_over(running, stopping, connection)
        queue.shutdown.set()
        # Asked to stop it ends what it has begun; without its connection it may wait for what never comes.
        await asyncio.wait([running], timeout=_GIVE_UP_SECONDS if connection.is_closed() else None)
        if not running.done():
            running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    finally:
        connected.clear()
        await connection.close(timeout=5)


async def _until_over(
    running: asyncio.Task[None], stopping: asyncio.Event, connection: asyncpg.Connection
) -> None:
    """Until we are asked to stop, the connection is lost, or the run has ended by itself."""
    while not (stopping.is_set() or connection.is_closed() or running.done()):
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), timeout=1)


def _add(queue: PgQueuer, task: Task, *, often: bool) -> None:
    if task.schedule is None:

        @queue.entrypoint(task.name)
        async def run_job(job: Job) -> None:
            await _run(task, job.payload or b"")

    else:
        by_seconds = len(task.schedule.split()) == _FIELDS_WITH_SECONDS

        @queue.schedule(task.name, _OFTEN if often and not by_seconds else task.schedule)
        async def run_periodic(_: Schedule) -> None:
            await _run(task, b"")


async def _run(task: Task, payload: bytes) -> None:
    context.enter(Context(request_id=f"task-{new_id().hex}"))
    try:
        await _run_over_a_restart(task, payload)
    except Exception as error:  # noqa: BLE001 - one failed job must not end the worker
        # Not raised: the queue would keep the error's words, which may be personal data, and drop the job all
        # the same. What it promised is found and done by the periodic repair.
        log.error("task %s failed: %s", task.name, trace(error))
        TASKS.saw(task.name, "failed")
    else:
        TASKS.saw(task.name, "done")


async def _run_over_a_restart(task: Task, payload: bytes) -> None:
    """Carry it out, a second time where the database went away meanwhile: every task may run twice.

    Else the first job after a restart of PostgreSQL, a sign-in code perhaps, would wait for the repair.
    """
    try:
        await task.run(payload)
    except Exception as error:
        if not is_away(error):
            raise
        await asyncio.sleep(_RECONNECT_SECONDS)
        await task.run(payload)


def main() -> None:
    """`haiyiban worker`."""
    logs.configure()
    asyncio.run(work(Settings.from_env()))


if __name__ == "__main__":
    main()
