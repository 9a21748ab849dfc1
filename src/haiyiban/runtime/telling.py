"""What the person at the terminal sees while the platform starts, when it is up and when it cannot start."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from haiyiban.errors import Words
from haiyiban.runtime.refusal import CannotStart


class Steps:
    """The steps of a start, as a bar on a terminal and as lines in a file."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._bar = self._progress.add_task("", total=total)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the bar while inside."""
        with self._progress:
            yield

    @contextmanager
    def step(self, words: Words) -> Iterator[None]:
        """One step; a line with its duration stays when it is done."""
        self._progress.update(self._bar, description=f"{words.zh} {words.en}")
        begun = time.monotonic()
        yield
        self._progress.advance(self._bar)
        self._console.print(f"  ✓ {words.zh} {words.en} [dim]{time.monotonic() - begun:.1f} s[/dim]")


def tell_arrival(console: Console, demo: Mapping[str, Any], home: str) -> None:
    """The addresses, who to sign in as, and the address as a QR."""
    # It brings all of codes along, which a refusal told by this module need not wait for.
    from haiyiban.codes.drawing import qr_terminal

    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_row("手机端 Phone", f"{demo['web']}/m/")
    table.add_row("工作台 Desk", f"{demo['web']}/desk/")
    table.add_row("平台 API", f"{demo['api']}")
    table.add_row("接口文档 Docs", f"{demo['api']}/docs")
    table.add_row("沙箱 Sandbox", f"{demo['sandbox']}")
    if beside := demo.get("neighbour"):
        table.add_row("邻省平台 Neighbour", f"{beside['api']}  {beside['division']}")
    for name, account in demo.get("accounts", {}).items():
        table.add_row(
            f"账号 {name}", Text("  ".join(f"{key}: {value}" for key, value in account.items() if value))
        )
    for resident in demo.get("residents", ())[:3]:
        table.add_row("居民 resident", Text(f"{resident['name']}  {resident['phone']}  {resident['about']}"))
    console.print("\n[bold]海易办已就绪 Haiyiban is ready[/bold]")
    console.print(table)
    console.print(Text(qr_terminal(f"{demo['web']}/m/")), soft_wrap=True)
    console.print(
        f"数据目录 state folder: {home}\n完整的演示账号 all demo accounts: {home}/demo.json\n"
        "按 Ctrl-C 停止。Press Ctrl-C to stop.",
        highlight=False,
        soft_wrap=True,
    )


def tell_refusal(console: Console, refusal: CannotStart) -> None:
    """Why it cannot start and what to do, with the log lines that show it."""
    console.print(Text(f"\n✗ {refusal.words.zh}\n  {refusal.words.en}", style="red"), soft_wrap=True)
    if refusal.log_lines:
        console.print(Text(refusal.log_lines, style="dim"), soft_wrap=True)
