"""make chaos: hurt the platform under load, then see whether it kept its word.

    python -m tests.chaos --minutes 20 --seed 1 --json report.json

Exit code 1 where anything was lost, done twice, given out that was not there, or left half done; and where
the checker that says so does not find what is broken on purpose afterwards.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from haiyiban.runtime.start import running
from tests.chaos import breaking, checking, faults
from tests.chaos.broken import BROKEN
from tests.chaos.parts import started
from tests.chaos.people import living, made


@click.command()
@click.option("--minutes", default=20.0, help="For how long parts are hurt.")
@click.option("--seed", default=1, help="Decides the order of the faults and of what people do.")
@click.option("--stock", default=1500, help="Vouchers; fewer than people who want one.")
@click.option("--people", default=16, help="Who are about something at any moment.")
@click.option("--fault", "wanted", multiple=True, help="These alone, once each, however long it takes.")
@click.option("--json", "report", type=click.Path(path_type=Path), help="Where the report goes, too.")
def main(report: Path | None, **how: Any) -> None:
    """Run it in a folder of its own, and say what came out."""
    with tempfile.TemporaryDirectory(prefix="haiyiban-chaos-") as folder:
        home = Path(folder) / "state"
        try:
            told = asyncio.run(_run(home, **how))
        except BaseException:
            for log in (home / "logs").glob("*.log"):
                click.echo(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}", err=True)
            raise
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    if report is not None:
        report.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    if any(told["found"].values()) or told["checkerMissed"]:
        sys.exit(1)


async def _run(
    home: Path, *, minutes: float, seed: int, stock: int, people: int, wanted: Sequence[str]
) -> dict[str, Any]:
    async with started(home) as parts, running(parts.settings):
        world = await made(parts.url, parts.sandbox_url, stock=stock, seed=seed)
        keeping = asyncio.create_task(parts.keep())
        began = time.monotonic()
        dice = random.Random(seed)
        names = wanted or faults.endless(dice, with_disk=parts.disk is not None)
        until = math.inf if wanted else began + minutes * 60
        try:
            async with living(world, people):
                done = await faults.hurt(parts, world.told, names, dice, until=until)
            hurt_seconds = time.monotonic() - began
            await checking.settled()
            settled_seconds = time.monotonic() - began - hurt_seconds
        finally:
            keeping.cancel()
        found = await checking.check(world)
        if audit := await asyncio.to_thread(checking.verify_audit):
            found.half_done.append(audit)
        missed = await breaking.missed(world) if found.nothing else []
        await world.api.aclose()
        await world.sandbox.aclose()
    return {
        "seconds": round(hurt_seconds),
        "settledAfter": round(settled_seconds, 1),
        "seed": seed,
        "disk": parts.disk is not None,
        "longestWait": round(world.told.longest_wait, 1),
        "acknowledged": dict(sorted(world.told.acknowledged.items())),
        "troubles": dict(world.told.troubles.most_common()),
        "faults": done.told(),
        "found": asdict(found),
        "brokenOnPurpose": len(BROKEN) if found.nothing else 0,
        "checkerMissed": missed,
    }


if __name__ == "__main__":
    main()
