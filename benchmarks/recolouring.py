"""Everybody's health code decided anew after the rules changed, by the program's own batches.

Most people's registers were asked that day and their facts are held: of them every colour changes in one
run, and none but the mark of the rules in another. In turn with both: one UPDATE … FROM over the same rows,
which is the least that changing them can cost; the program judges, withdraws what phones hold and writes the
audit too. A few more people are asked about, which says what asking costs. The command is also killed
(SIGKILL) in the middle and begun again: nobody may be left out or done twice. 33 million are not run: they
take as long as rate and exponent say. To reach: half of the UPDATE, growth n^1.1.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update

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

SIZES = ((2_000, 20_000), (33_000, 330_000))
"""Quick, full."""
ASKED = 500
"""People of whom nothing is held."""
AT_ONCE = 5_000
"""People written at once."""
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
    """In one database: those who are asked about, then two sizes with held facts, then a kill."""
    smaller, larger = SIZES[full]
    sampled = (clock.today() - timedelta(days=1)).isoformat() + "T20:00:00+08:00"
    facts = {
        "tests": [{"result": "negative", "sampledAt": sampled}],
        "vaccinations": [{"product": "inactivated"}, {"product": "inactivated"}],
    }
    with town.running_town(ASKED, facts) as place:
        asked, small, large, lost = asyncio.run(_all(place, smaller, larger))
    return Outcome(
        (
            _ratio(
                f"recolour {larger:,} people by held facts, every colour another, audited", large, "other"
            ),
            _ratio(f"recolour {larger:,} people by held facts, every colour as before", large, "same"),
            Ratio(
                name=f"recolour {ASKED:,} people, four registers asked of each, audited",
                against="one UPDATE … FROM",
                rounds=(round(asked["update"] / asked["other"], 5),),
                value=round(ASKED / asked["other"], 1),
                unit="people/s",
                cpu_ratio=round(asked["updateCpu"] / asked["otherCpu"], 5),
            ),
            Ratio(
                name=f"recolour {larger:,}, killed in the middle: left out or done twice",
                against="everybody",
                rounds=(lost / larger,),
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
                costs=(round(small["otherCpu"], 3), round(large["otherCpu"], 3)),
                reach=1.1,
            ),
        ),
    )


def _ratio(name: str, figures: dict[str, float], run: str) -> Ratio:
    return Ratio(
        name=name,
        against="one UPDATE … FROM",
        rounds=(round(figures["update"] / figures[run], 5),),
        reach=REACH,
        value=round(figures["people"] / figures[run], 1),
        unit="people/s",
        cpu_ratio=round(figures["updateCpu"] / figures[f"{run}Cpu"], 5),
    )


async def _all(
    place: Town, smaller: int, larger: int
) -> tuple[dict[str, float], dict[str, float], dict[str, float], int]:
    async with running(Settings.from_env()) as database:
        print(f"recolour {ASKED:,}, asked …", flush=True)
        await _settle(database, 0, ASKED, facts=None)
        asked = await _measured(place, database, ASKED)
        # By now the facts of these are held, as the program keeps them; the others are like them.
        async with database.reading() as session:
            facts = (await session.scalars(select(Status).limit(1))).one().facts
        figures = []
        settled = ASKED
        for people in (smaller, larger):
            print(f"recolour {people:,} …", flush=True)
            await _settle(database, settled, people, facts=facts)
            settled = people
            figures.append(await _measured(place, database, people))
        await _update(database)
        lost = await _killed(database, larger)
        await registers.close()
    small, large = figures
    return asked, small, large, lost


async def _settle(database: Database, first: int, people: int, *, facts: dict[str, Any] | None) -> None:
    """The people from `first` on, some at a time."""
    for start in range(first, people, AT_ONCE):
        ids = await town.settle(database, min(AT_ONCE, people - start), first=start)
        await town.write(database, [_status(person_id, facts) for person_id in ids])
    async with database.transaction() as session:
        await session.execute(text("DROP TABLE IF EXISTS bench"))
        await session.execute(text(_BENCH))
    async with database.autocommit.connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))


async def _measured(place: Town, database: Database, people: int) -> dict[str, float]:
    """The UPDATE, a run in which every colour becomes another, and one in which none does."""
    figures: dict[str, float] = {"people": people}

    async def timed(name: str, work: Awaitable[None]) -> None:
        began, cpu = time.perf_counter(), cpu_seconds(place.postgres) + time.process_time()
        await work
        figures[name] = time.perf_counter() - began
        figures[f"{name}Cpu"] = cpu_seconds(place.postgres) + time.process_time() - cpu

    await _update(database)  # the first one makes the space that the others use again
    await timed("update", _update(database))
    await timed("other", _recolour(database, people, changed=people))
    async with database.transaction() as session:
        await session.execute(update(Status).values(rules="before"))
    await timed("same", _recolour(database, people, changed=0))
    return figures


async def _update(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text(_UPDATE))


async def _recolour(database: Database, people: int, *, changed: int) -> None:
    async with database.transaction() as session:
        await recolouring.begin(session, now=clock.now())
    run = await recolouring.run_on()
    if run is None or (run.state, run.done, run.changed, run.unanswered) != ("finished", people, changed, 0):
        raise RuntimeError(f"not everybody was judged: {run and (run.state, run.done, run.changed)}")


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


def _status(person_id: UUID, facts: dict[str, Any] | None) -> Status:
    now = clock.now()
    status = Status(
        person_id=person_id,
        colour="yellow",
        reasons=["affected-area"],
        rules="before",
        golden=False,
        reminder=False,
        decided_at=now,
        asked_at=now,
    )
    status.facts = facts
    return status
