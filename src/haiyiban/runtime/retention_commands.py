"""`haiyiban retention`: what is kept, for how long and why, and what was deleted.

haiyiban retention report      every class of data, its term, its last run, and what is overdue
haiyiban retention terms       the terms alone, as the table of docs/retention.md; asks no database
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from haiyiban import clock, terms
from haiyiban.clock import SHANGHAI
from haiyiban.db import Database
from haiyiban.retention import report as reporting
from haiyiban.retention.models import Run
from haiyiban.retention.report import Line
from haiyiban.runtime import retention_task
from haiyiban.settings import Settings

_WIDE = 160
"""Columns, where nobody sits at a terminal."""


@click.group()
def retention() -> None:
    """数据保存期限 · How long data are kept, and what was deleted"""


@retention.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def report(as_json: bool) -> None:
    """Show each class of data. Exits with 1 when something should have been deleted more than a day ago."""
    settings = Settings.from_env()
    if not settings.database_url:
        raise click.ClickException("DATABASE_URL is not set")
    clock.shift(settings.clock_offset)
    terms.install(retention_task.declared())
    found, overdue = asyncio.run(_asked(settings.database_url))
    if as_json:
        told = [for_programs(each, overdue.get(each.term.data_class, 0)) for each in found]
        click.echo(msgspec.json.encode(told).decode())
    else:
        console = Console()
        if not console.is_terminal:
            console.width = _WIDE
        tell(console, found, overdue)
    sys.exit(int(bool(overdue)))


@retention.command(name="terms")
def show_terms() -> None:
    """Print the terms as a table in Markdown."""
    click.echo(reporting.markdown(retention_task.declared()), nl=False)


async def _asked(url: str) -> tuple[list[Line], dict[str, int]]:
    database = Database(url, pool_size=1)
    try:
        async with database.reading() as session:
            return await reporting.lines(session), await reporting.overdue(session, now=clock.now())
    finally:
        await database.close()


def for_programs(line: Line, overdue: int) -> dict[str, Any]:
    """A line of the report as JSON; both languages."""
    term, run = line.term, line.run
    return {
        "class": term.data_class,
        "what": term.what._asdict(),
        "kept": term.kept._asdict(),
        "why": term.why._asdict(),
        "isDeleted": term.ending is not None,
        "deletedInAll": line.gone,
        "overdue": overdue,
        "lastRun": run
        and {
            "began": run.began_at,
            "ended": run.ended_at,
            "due": run.due,
            "deleted": run.gone,
            "held": run.held,
            "oldestLeft": run.oldest,
            "failed": run.failed,
        },
    }


def tell(console: Console, found: Sequence[Line], overdue: Mapping[str, int]) -> None:
    """The report for people."""
    table = Table(show_lines=True)
    for heading in ("数据 Data", "保存 Kept", "依据 Why", "上次 Last run"):
        table.add_column(heading, overflow="fold", ratio=3)
    for heading in ("累计删除\nDeleted", "逾期\nOverdue"):
        table.add_column(heading, justify="right")
    for line in found:
        term = line.term
        late = overdue.get(term.data_class)
        table.add_row(
            f"{term.what.zh}\n{term.what.en}",
            f"{term.kept.zh}\n{term.kept.en}",
            f"{term.why.zh}\n{term.why.en}",
            _run(line.run) if term.ending is not None else Text("不由程序删除 by no task", style="dim"),
            str(line.gone) if term.ending is not None else "",
            Text(str(late), style="bold red") if late else "",
        )
    console.print(table)
    if overdue:
        told = f"{sum(overdue.values())} 行已逾期一天以上：请查看 haiyiban worker 的日志。"
        console.print(f"[bold red]{told} Overdue by more than a day: look at the worker's log.[/bold red]")
    else:
        console.print("没有逾期。Nothing is overdue.")


def _run(run: Run | None) -> str:
    if run is None:
        return "尚未运行 never"
    told = f"{run.began_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}\n到期 due {run.due}，删除 deleted {run.gone}"
    if run.failed is not None:
        return f"{told}\n失败 failed: {run.failed}"
    if run.ended_at is None:
        return f"{told}\n进行中 under way"
    return f"{told}\n仍被引用或占用 held {run.held}" if run.held else told
