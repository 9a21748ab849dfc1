"""`make bench`: the benchmarks, their table, and what moved since the result that is checked in.

`python -m benchmarks [--full] [NAME …]`. The quick form takes under five minutes on two cores, the full one
under an hour. Results go to benchmarks/results/bench.json, where those stay that were not measured again,
tables and plots to docs/performance.md.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from typing import cast

import click
import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks import page, report
from benchmarks.catalogue import NAMES, ONLY_FULL, RESULTS
from benchmarks.report import Outcome, Ratio, Report, Taken

_console = Console(width=150)


@click.command()
@click.option("--full", is_flag=True, help="Every size and more rounds: up to an hour.")
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
def main(full: bool, names: tuple[str, ...]) -> None:
    """Measure, and say what came out."""
    before = msgspec.json.decode(RESULTS.read_bytes(), type=Report) if RESULTS.exists() else None
    benchmarks = dict(before.benchmarks) if before else {}
    taken = dict(before.taken) if before else {}
    for name in names or [name for name in NAMES if full or name not in ONLY_FULL]:
        began = time.monotonic()
        _console.rule(name)
        measure = cast("Callable[[bool], Outcome]", importlib.import_module(f"benchmarks.{name}").measure)
        benchmarks[name] = measure(full)
        taken[name] = Taken(at=report.now(), full=full, seconds=round(time.monotonic() - began, 1))
    made = Report(
        at=report.now(),
        machine=report.machine(),
        versions=report.versions(),
        benchmarks={name: benchmarks[name] for name in NAMES if name in benchmarks},
        taken={name: taken[name] for name in NAMES if name in taken},
    )
    _tell(made, before)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
    page.write(made)
    if any(ratio.is_reached is False for ratio in _ratios(made).values()):
        _console.print("[yellow]有的比值没有达到。Some ratios are not reached; docs/performance.md says why.")
    sys.exit(0)


def _tell(made: Report, before: Report | None) -> None:
    table = Table(title=f"{made.machine['processor']}, load {made.machine['loadAverage']}")
    for head in ("", "against", "ratio", "spread", "to reach", "CPU", "here", "since"):
        table.add_column(head, justify="left" if head in {"", "against"} else "right")
    known = _ratios(before) if before else {}
    for name, ratio in _ratios(made).items():
        change = report.moved(known[name], ratio) if name in known else None
        sign = "≥" if ratio.better == "more" else "≤"
        style = "red" if ratio.is_reached is False else None
        table.add_row(
            ratio.name,
            ratio.against,
            f"{ratio.ratio:.3g}",
            "–".join(f"{each:.3g}" for each in ratio.spread),
            f"{sign} {ratio.reach:g}" if ratio.reach is not None else "",
            f"{ratio.cpu_ratio:.2f}" if ratio.cpu_ratio is not None else "",
            f"{ratio.value:,.6g} {ratio.unit}" if ratio.value is not None else "",
            f"{change:+.0%}" if change is not None else "",
            style=style,
        )
    for outcome in made.benchmarks.values():
        for growth in outcome.growths:
            reached = growth.exponent <= growth.reach
            table.add_row(
                growth.name,
                growth.work,
                f"n^{growth.exponent:.2f}",
                "",
                f"≤ n^{growth.reach:g}",
                "",
                f"{growth.costs[-1]:,.4g} {growth.unit} at {growth.sizes[-1]:,}",
                "",
                style=None if reached else "red",
            )
    _console.print(table)


def _ratios(made: Report) -> dict[tuple[str, str], Ratio]:
    return {
        (name, ratio.name + ratio.against): ratio
        for name, outcome in made.benchmarks.items()
        for ratio in outcome.ratios
    }


main()
