"""A whole allocation of school places as an officer goes through it: roll, draw with matching, publication.

`python -m benchmarks.allocation CHILDREN` measures one size alone, 150,000 too. Each size is a process and a
database of its own, filled with the families of a made-up province (docs/province-scale.md), whose forms and
registers' answers are sealed as in a real one. What is told of each step are seconds by the clock, CPU of
application and PostgreSQL together, and by how much the process grew at its height.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.matching import grown_megabytes
from benchmarks.processes import cpu_seconds
from benchmarks.report import Growth, Outcome, Ratio
from haiyiban import clock, divisions
from haiyiban.cases.models import Case
from haiyiban.db import Database
from haiyiban.identity.callers import StaffCaller
from haiyiban.ids import new_id
from haiyiban.loads import Load
from haiyiban.population import Sizes, World
from haiyiban.population.world import BLOCK
from haiyiban.runtime import ceremony, migrate
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.scale import making, plan
from haiyiban.runtime.scale.filling import loads_of
from haiyiban.runtime.start import running
from haiyiban.settings import Settings
from services.school_places.models import AllocationRun, RollEntry
from services.school_places.scale.ground import AGENCY, enrolment_key
from services.school_places.service import publication, runs

SIZES = ((500, 1_500), (5_000, 15_000))
"""Quick, full: two each, for the growth."""
PROVINCE = 150_000
STEPS = ("roll", "draw", "publish", "publication task")
PEOPLE = ("identity_person", "audit_subject", "identity_account")
OFFICER = StaffCaller(
    staff_id=new_id(),
    session_id=new_id(),
    roles=frozenset({"officer"}),
    agency=AGENCY,
    division=divisions.PROVINCE,
)
Costs = dict[str, dict[str, float]]
T = TypeVar("T")


def measure(full: bool) -> Outcome:
    """Both sizes; what the roll takes of the whole, and how each step grows."""
    measured = {size: _alone(size) for size in SIZES[full]}
    largest = measured[SIZES[full][-1]]
    whole = sum(step["cpuSeconds"] for step in largest.values())
    return Outcome(
        tuple(
            Ratio(
                name=f"{step}, of an allocation of {SIZES[full][-1]:,} children",
                against="the whole allocation, CPU",
                rounds=(round(largest[step]["cpuSeconds"] / whole, 3),),
                better="less",
                value=largest[step]["seconds"],
                unit="s",
            )
            for step in STEPS
        ),
        tuple(
            Growth(
                name=f"allocation: {step}",
                unit="s CPU, application and PostgreSQL",
                work="children",
                sizes=tuple(measured),
                costs=tuple(costs[step]["cpuSeconds"] for costs in measured.values()),
                reach=1.1,
            )
            for step in STEPS
        ),
    )


def _alone(children: int) -> Costs:
    print(f"{children:,} children …", flush=True)
    command = [sys.executable, "-m", "benchmarks.allocation", str(children)]
    costs: Costs = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return costs


def main(children: int) -> None:
    """One size in this process, its costs on stdout."""
    with (
        tempfile.TemporaryDirectory(prefix="haiyiban-bench-") as folder,
        EmbeddedPostgres(Path(folder), {"autovacuum": "off"}) as postgres,
    ):
        environ = {
            "HAIYIBAN_ENV": "test",
            "HAIYIBAN_HOME": folder,
            "DATABASE_URL": postgres.url,
            "REDIS_URL": "",
        }
        os.environ.update(environ)
        migrate.upgrade(postgres.url)
        ceremony.play(Settings.from_env(environ), clock.now())
        print(json.dumps(asyncio.run(_measure(children, postgres.process.popen.pid)), indent=1))


async def _measure(children: int, postgres: int) -> Costs:
    async with running(Settings.from_env()) as database:
        world = World(1, Sizes(children * BLOCK, children * BLOCK, 0, children, 0), at=clock.now())
        await _fill(world)
        enrolment = UUID(bytes=enrolment_key(world))
        costs: Costs = {}

        async def step(name: str, work: Callable[[], Awaitable[T]]) -> T:
            answer, costs[name] = await _measured(work, postgres)
            return answer

        async def committed(session: AsyncSession) -> UUID:
            return (await runs.commit(session, enrolment, caller=OFFICER, now=clock.now())).id

        async def drawn(session: AsyncSession) -> None:
            await runs.draw_lots(session, enrolment, run, beacon="1", caller=OFFICER, now=clock.now())

        async def published(session: AsyncSession) -> None:
            await publication.publish(session, enrolment, run, caller=OFFICER, now=clock.now())

        run = await step("roll", lambda: _within(database, committed))
        # As PostgreSQL has done by itself before the beacon: it would take the roll for empty.
        await _within(database, lambda session: session.execute(text("ANALYZE school_places_roll_entry")))
        await step("draw", lambda: _within(database, drawn))
        await step("publish", lambda: _within(database, published))
        await step("publication task", lambda: publication.carry_out(run.bytes))
        await _check(database, run, children)
    return costs


async def _within(database: Database, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    async with database.transaction() as session:
        return await work(session)


async def _measured(work: Callable[[], Awaitable[T]], postgres: int) -> tuple[T, dict[str, float]]:
    grown = grown_megabytes()
    began, cpu = time.perf_counter(), time.process_time() + cpu_seconds(postgres)
    answer = await work()
    return answer, {
        "seconds": round(time.perf_counter() - began, 2),
        "cpuSeconds": round(time.process_time() + cpu_seconds(postgres) - cpu, 2),
        "megabytes": grown(),
    }


async def _fill(world: World) -> None:
    """The families of the children and no one else, then the enrolment with a case for each child."""
    loads = {load.table: load for load in loads_of(Settings.from_env())}
    connection = await plan.connect(Settings.from_env().database_url)
    families = [
        range(world.pupil(number) - 2, world.pupil(number) + 1) for number in range(world.sizes.applications)
    ]
    for table in PEOPLE:
        load = loads[table]
        await _copy(connection, load, chain.from_iterable(load.rows(world, family) for family in families))
    for load in loads.values():
        if load.table.startswith(("school_places_", "cases_")):
            await _copy(connection, load, load.rows(world, range(load.items(world.sizes))))
    await connection.execute("ANALYZE")
    await connection.close()
    # Its process takes its CPU time along when it ends, which must not be while a step is measured.
    await asyncio.sleep(1)


async def _copy(connection: asyncpg.Connection[Any], load: Load, rows: Iterator[bytes]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in making.buffers(rows):
            yield piece

    await connection.copy_to_table(load.table, source=pieces(), columns=load.names, format="binary")


async def _check(database: Database, run_id: UUID, children: int) -> None:
    """Every child is on the roll once, and was decided: those with a place have its certificate."""
    async with database.reading() as session:
        run = await session.get_one(AllocationRun, run_id)
        decided, placed, told = (
            await session.execute(
                select(
                    func.count(RollEntry.decided_at),
                    func.count(RollEntry.school_id),
                    func.count(RollEntry.certificate_id),
                ).where(RollEntry.run_id == run_id)
            )
        ).one()
        open_ = await session.scalar(select(func.count()).where(Case.state == "accepted"))
        if run.state != "published" or decided != children or placed != told or not placed or open_:
            raise RuntimeError(f"{run.state}: {decided} decided, {placed} placed, {told} told, {open_} open")


if __name__ == "__main__":
    main(int(sys.argv[1]))
