"""Everybody's health code decided anew after the rules changed, by the program's own batches.

In turn with it: one UPDATE … FROM over the same rows, which is the least that changing them can cost. The
program asks four registers about each person, judges, withdraws what phones hold and writes the audit; the
UPDATE does none of it. At the smaller size the command is also killed (SIGKILL) in the middle and begun
again: nobody may be left out or done twice. 33 million are not run: they take as long as rate and exponent
say. To reach: half of the UPDATE, growth n^1.1.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, text

from benchmarks import town
from benchmarks.processes import cpu_seconds
from benchmarks.report import Growth, Outcome, Ratio
from benchmarks.town import Town
from haiyiban import clock, registers
from haiyiban.audit.models import AuditRecord
from haiyiban.db import Database
from haiyiban.runtime.start import running
from haiyiban.settings import Settings
from services.health_code import recolouring
from services.health_code.models import Status

SIZES = ((300, 3_000), (3_000, 30_000))
"""Quick, full."""
REACH = 0.5
_UPDATE = """
UPDATE health_code_status AS status
SET colour = bench.colour, reasons = bench.reasons, rules = bench.rules, decided_at = now(), asked_at = now()
FROM bench WHERE bench.person_id = status.person_id
"""
_BENCH = """
CREATE TABLE bench AS
SELECT person_id, 'yellow' AS colour, ARRAY['affected-area'] AS reasons, 'before' AS rules
FROM health_code_status ORDER BY person_id
"""


def measure(full: bool) -> Outcome:
    """Two sizes, each with a database of its own, and a kill at the smaller one."""
    smaller, larger = SIZES[full]
    small, lost = _measured(smaller, with_kill=True)
    large, _ = _measured(larger, with_kill=False)
    return Outcome(
        (
            Ratio(
                name=f"recolour {larger:,} people, registers asked, audited",
                against="one UPDATE … FROM",
                rounds=(round(large["update"] / large["recolour"], 5),),
                reach=REACH,
                value=round(larger / large["recolour"], 1),
                unit="people/s",
                cpu_ratio=round(large["updateCpu"] / large["recolourCpu"], 5),
            ),
            Ratio(
                name=f"recolour {smaller:,}, killed in the middle: left out or done twice",
                against="everybody",
                rounds=(lost / smaller,),
                better="less",
                reach=0.0,
                value=lost,
                unit="people",
            ),
        ),
        (
            Growth(
                name="recolour",
                unit="s CPU, application and PostgreSQL",
                work="people",
                sizes=(smaller, larger),
                costs=(round(small["recolourCpu"], 3), round(large["recolourCpu"], 3)),
                reach=1.1,
            ),
        ),
    )


def _measured(people: int, *, with_kill: bool) -> tuple[dict[str, float], int]:
    sampled = (clock.today() - timedelta(days=1)).isoformat() + "T20:00:00+08:00"
    facts = {
        "tests": [{"result": "negative", "sampledAt": sampled}],
        "vaccinations": [{"product": "inactivated"}, {"product": "inactivated"}],
    }
    print(f"recolour {people:,} …", flush=True)
    with town.running_town(people, facts) as place:
        return asyncio.run(_both(place, people, with_kill=with_kill))


async def _both(place: Town, people: int, *, with_kill: bool) -> tuple[dict[str, float], int]:
    async with running(Settings.from_env()) as database:
        ids = await town.settle(database, people)
        await town.write(database, [_status(person_id) for person_id in ids])
        async with database.transaction() as session:
            await session.execute(text(_BENCH))
        await _update(database)  # the first one makes the space that the others use again
        began, cpu = time.perf_counter(), cpu_seconds(place.postgres)
        await _update(database)
        figures = {"update": time.perf_counter() - began, "updateCpu": cpu_seconds(place.postgres) - cpu}
        began, cpu = time.perf_counter(), cpu_seconds(place.postgres) + time.process_time()
        await _recolour(database, people)
        figures["recolour"] = time.perf_counter() - began
        figures["recolourCpu"] = cpu_seconds(place.postgres) + time.process_time() - cpu
        lost = 0
        if with_kill:
            await _update(database)
            lost = await _killed(database, people)
        await registers.close()
    return figures, lost


async def _update(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text(_UPDATE))


async def _recolour(database: Database, people: int) -> None:
    async with database.transaction() as session:
        await recolouring.begin(session, now=clock.now())
    run = await recolouring.run_on()
    if run is None or (run.state, run.done, run.changed, run.unanswered) != ("finished", people, people, 0):
        raise RuntimeError(f"not everybody became another colour: {run}")


async def _killed(database: Database, people: int) -> int:
    """Kill the command once a third is done and run it again; how many were left out or done twice."""
    before = await _decided(database)
    process = await _command()
    while True:
        done = await _done(database)
        if done >= people / 3 or process.returncode is not None:
            break
        await asyncio.sleep(0.02)
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
    if not 0 < await _done(database) < people:
        raise RuntimeError("it was not killed in the middle")
    # A process that vanished has the run to itself for a minute; so much later the next one takes it.
    process = await _command(HAIYIBAN_CLOCK_OFFSET=str(recolouring.TAKEN.total_seconds() + 1))
    if await process.wait():
        raise RuntimeError("the second run failed")
    async with database.reading() as session:
        left = await session.scalar(select(func.count()).where(Status.colour == "yellow")) or 0
    return left + abs(await _decided(database) - before - people)


async def _command(**environ: str) -> Process:
    """`haiyiban health-code recolour`, as an operator runs it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "haiyiban.cli", "health-code", "recolour"),
        env=os.environ | environ,
        stdout=DEVNULL,
    )


async def _done(database: Database) -> int:
    """How far the run that is under way is; 0 before it began."""
    async with database.reading() as session:
        run = await recolouring.latest(session)
        return run.done if run is not None and run.state == "running" else 0


async def _decided(database: Database) -> int:
    """Colours that were changed so far, by the audit: one record each."""
    async with database.reading() as session:
        query = select(func.count()).where(AuditRecord.action == "health-code.decide")
        return await session.scalar(query) or 0


def _status(person_id: UUID) -> Status:
    now = clock.now()
    return Status(
        person_id=person_id,
        colour="yellow",
        reasons=["affected-area"],
        rules="before",
        golden=False,
        reminder=False,
        decided_at=now,
        asked_at=now,
    )
