"""`haiyiban health-code`: everybody's colour decided anew after the rules changed.

haiyiban health-code recolour      begins, or goes on where it was left; Ctrl-C stops
haiyiban health-code stop          stops it from elsewhere, after the batch it is in
haiyiban health-code progress      how far it is
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from haiyiban import clock, db, registers
from haiyiban.command_line import in_database
from haiyiban.crypto import KeyMissing
from services.health_code import recolouring
from services.health_code.models import Recolouring

T = TypeVar("T")


@click.group(name="health-code")
def health_code() -> None:
    """健康码 · Health code: everybody's colour after the rules changed"""


@health_code.command()
def recolour() -> None:
    """Decide everybody's colour anew, from where the last run was left."""
    console = Console()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        bar = progress.add_task("重算健康码 Recolouring", total=None)

        def passing(run: Recolouring) -> None:
            progress.update(bar, total=max(run.total or 0, run.done), completed=run.done)

        async def work() -> Recolouring:
            async with db.database().transaction() as session:
                begun = await recolouring.begin(session, now=clock.now())
            passing(begun)
            return await recolouring.run_on(passing) or begun

        try:
            run = _in_database(work)
        except KeyboardInterrupt:
            raise click.ClickException("已中断；再次运行即继续。Stopped; run it again to go on.") from None
    click.echo(_told(run))


@health_code.command()
def stop() -> None:
    """Stop the run after the batch that it is in; `recolour` goes on."""

    async def work() -> None:
        async with db.database().transaction() as session:
            await recolouring.stop(session)

    try:
        _in_database(work)
    except recolouring.NoRecolouring:
        raise click.ClickException("没有正在进行的重算。Nothing runs.") from None
    click.echo("已通知停止。It stops after this batch.")


@health_code.command()
def progress() -> None:
    """How far the last run is."""

    async def work() -> Recolouring | None:
        async with db.database().reading() as session:
            return await recolouring.latest(session)

    run = _in_database(work)
    click.echo(_told(run) if run is not None else "从未重算。There was no run yet.")


def _told(run: Recolouring) -> str:
    total = "?" if run.total is None else run.total
    return (
        f"{run.state}: {run.done}/{total} 人 people, 变色 changed {run.changed}, "
        f"有数据源未答复 a register was silent for {run.unanswered}; {run.rules}"
    )


def _in_database(work: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        try:
            return await work()
        finally:
            await registers.close()

    try:
        return in_database(run, name="health-code")
    except KeyMissing as error:
        raise click.ClickException(str(error)) from None
