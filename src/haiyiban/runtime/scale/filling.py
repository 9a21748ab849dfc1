"""`haiyiban seed --scale`: from an empty database to a made-up province, or on from where it stopped."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess
from typing import Any

import asyncpg
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from haiyiban import clock
from haiyiban.errors import Words
from haiyiban.loads import Load
from haiyiban.matters import scale as matters
from haiyiban.population import World
from haiyiban.runtime import discovery
from haiyiban.runtime.refusal import CannotStart
from haiyiban.runtime.scale import bare, making, plan, space
from haiyiban.runtime.seed import plant
from haiyiban.runtime.start import prepare
from haiyiban.settings import Settings

_LOOK_SECONDS = 1.0


def loads_of(settings: Settings) -> tuple[Load, ...]:
    """What features and zones add, lowest first."""
    folders = (*discovery.features(), *discovery.zones(settings.zones))
    return tuple(load for folder in folders for load in folder.scale)


async def fill(settings: Settings, scale: str, *, number: int, processes: int, console: Console) -> None:
    """Fill the database of the settings. Raises CannotStart with the reason before anything is changed."""
    loads = loads_of(settings)
    connection = await plan.connect(settings.database_url)
    try:
        # One transaction: what is refused leaves no plan behind.
        async with connection.transaction():
            world = await plan.begin(connection, scale, number=number, at=clock.now())
            is_finished = await plan.is_finished(connection)
            if not is_finished:
                await _require_quiet(connection)
                await _require_space(connection, world, loads, console)
        _write_matters(settings, world, console)
        if is_finished:
            console.print("已经填充完毕，无需再做。All of it is there already; nothing to do.")
            return
        await plant(settings)
        await bare.set_aside(connection, [load.table for load in loads])
        await _make(settings, connection, world, loads, processes=processes, console=console)
        await _build(connection, loads, console)
        await plan.finish(connection)
    finally:
        await connection.close()


def _write_matters(settings: Settings, world: World, console: Console) -> None:
    """Matters are files and no rows: those who serve are told where they are."""
    folder = settings.home / "matters"
    matters.write(folder, world.sizes)
    console.print(f"事项 Matters: HAIYIBAN_MATTERS={folder}")


async def _require_space(
    connection: asyncpg.Connection[Any], world: World, loads: Sequence[Load], console: Console
) -> None:
    needs = space.needed(loads, world.sizes, await plan.items_made(connection))
    has = space.free(await connection.fetchval("SHOW data_directory"))
    space.require(needs, has)
    found = space.gigabytes(has) if has is not None else "?"
    console.print(
        f"约需 {space.gigabytes(needs)}，剩余 {found}。About {space.gigabytes(needs)} of {found} free."
    )


async def _require_quiet(connection: asyncpg.Connection[Any]) -> None:
    """Nobody else is in the database: while keys are set aside it would let things in twice."""
    others = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    if others:
        raise CannotStart(
            Words(
                f"数据库还有 {others} 个其他连接。请先停止平台（serve、worker、up）再填充。",
                f"{others} other connections are open in this database. Stop the platform "
                "(serve, worker, up) first.",
            )
        )


async def _make(
    settings: Settings,
    connection: asyncpg.Connection[Any],
    world: World,
    loads: Sequence[Load],
    *,
    processes: int,
    console: Console,
) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_work, args=(settings, share, processes, os.getpid()))
        for share in range(processes)
    ]
    for worker in workers:
        worker.start()
    try:
        with _progress(console) as progress:
            bars = {
                load.table: progress.add_task(load.table, total=load.items(world.sizes)) for load in loads
            }
            while any(worker.is_alive() for worker in workers):
                await asyncio.sleep(_LOOK_SECONDS)
                for table, made in (await plan.items_made(connection)).items():
                    progress.update(bars[table], completed=made)
                _require_well(workers)
            for table, made in (await plan.items_made(connection)).items():
                progress.update(bars[table], completed=made)
            _require_well(workers)
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def _require_well(workers: Sequence[BaseProcess]) -> None:
    """One that failed has told why."""
    if any(worker.exitcode not in (None, 0) for worker in workers):
        raise CannotStart(
            Words(
                "填充进程意外结束，原因见上；再次运行会接着做。",
                "A process ended before its work was done, see above; another run goes on from here.",
            )
        )


def _work(settings: Settings, share: int, of: int, parent: int) -> None:
    """In a process of its own; Ctrl-C is its parent's, who ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare(settings)
    loads = loads_of(settings)
    with suppress(asyncio.CancelledError):
        asyncio.run(making.make_share(settings.database_url, loads, share=share, of=of, parent=parent))


async def _build(connection: asyncpg.Connection[Any], loads: Sequence[Load], console: Console) -> None:
    with _progress(console) as progress:
        bar = progress.add_task("index", total=await bare.to_build(connection))

        def told(name: str) -> None:
            progress.update(bar, advance=1, description=name)

        await bare.build(connection, told)
        for load in loads:
            progress.update(bar, description=f"ANALYZE {load.table}")
            await connection.execute(f"ANALYZE {load.table}")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
