"""Filling a made-up province: what a row costs to make, and how near loading comes to a bare binary COPY.

`python -m benchmarks.filling [PEOPLE]`. The same rows each time, in turns: `copy` sends buffers that were
made before, straight to a table like it; `load` makes them on the way, as `haiyiban seed --scale` does;
`records` gives the driver Python values instead (`copy_records_to_table`); `keyed` loads with every index and
key in place, `built` without and builds them after. One connection each, fsync on.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg

from haiyiban import clock
from haiyiban.loads import Load
from haiyiban.population import Sizes, World
from haiyiban.runtime import migrate
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.scale import bare, making, plan
from haiyiban.runtime.scale.filling import loads_of
from haiyiban.runtime.start import prepare
from haiyiban.settings import Settings

PEOPLE = 600_000
ROUNDS = 3
_SAMPLE = 60_000
TABLES = ("identity_person", "identity_account", "health_code_status", "duty_free_voucher")
RESULTS = Path(__file__).parent / "results" / "filling.json"


def main(people: int = PEOPLE) -> None:
    """Measure, print, write benchmarks/results/filling.json."""
    with (
        tempfile.TemporaryDirectory(prefix="haiyiban-bench-") as folder,
        EmbeddedPostgres(Path(folder)) as postgres,
    ):
        os.environ.update({"HAIYIBAN_ENV": "test", "HAIYIBAN_HOME": folder, "DATABASE_URL": postgres.url})
        migrate.upgrade(postgres.url)
        found = asyncio.run(_measure(people))
    print(json.dumps(found, indent=1))
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


async def _measure(people: int) -> dict[str, Any]:
    settings = Settings.from_env()
    await prepare(settings).close()
    world = World(1, Sizes(people // 3, people, people, 15, 1), at=clock.now())
    loads = {load.table: load for load in loads_of(settings)}
    connection = await plan.connect(settings.database_url)
    async with connection.transaction():
        await plan.begin(connection, "hamlet", number=1, at=world.at)
    await connection.execute("SET synchronous_commit = on")
    found: dict[str, Any] = {table: await _of_table(connection, world, loads[table]) for table in TABLES}
    found["keys"] = {
        table: await _keys(connection, world, loads[table]) for table in ("audit_subject", "identity_person")
    }
    await connection.close()
    return found


async def _of_table(connection: asyncpg.Connection[Any], world: World, load: Load) -> dict[str, float]:
    """Microseconds a row: made alone, sent alone, both; and the loading's rate against the sending's."""
    numbers = range(min(load.items(world.sizes), _SAMPLE))
    began = time.perf_counter()
    made = list(load.rows(world, numbers))
    making_seconds = time.perf_counter() - began
    buffers = list(making.buffers(iter(made)))
    await connection.execute(f"CREATE TEMP TABLE bench (LIKE {load.table} INCLUDING IDENTITY)")
    times: dict[str, list[float]] = {"copy": [], "load": []}
    for _ in range(ROUNDS):
        for name, source in (
            ("copy", lambda: iter(buffers)),
            ("load", lambda: making.buffers(load.rows(world, numbers))),
        ):
            await connection.execute("TRUNCATE bench")
            began = time.perf_counter()
            await connection.copy_to_table(
                "bench", source=_pieces(source), columns=load.names, format="binary"
            )
            times[name].append(time.perf_counter() - began)
    values = [tuple(row) for row in await connection.fetch(f"SELECT {load.columns} FROM bench")]
    await connection.execute("TRUNCATE bench")
    began = time.perf_counter()
    await connection.copy_records_to_table("bench", records=values, columns=load.names)
    records = time.perf_counter() - began
    await connection.execute("DROP TABLE bench")
    rows = len(made)
    copy, loading = (statistics.median(times[name]) for name in ("copy", "load"))
    return {
        "rows": rows,
        "bytesARow": round(sum(map(len, buffers)) / rows),
        "makingMicros": round(making_seconds / rows * 1e6, 2),
        "copyMicros": round(copy / rows * 1e6, 2),
        "loadMicros": round(loading / rows * 1e6, 2),
        "recordsMicros": round(records / rows * 1e6, 2),
        "loadToCopy": round(copy / loading, 2),
        "recordsToCopy": round(copy / records, 2),
    }


async def _keys(connection: asyncpg.Connection[Any], world: World, load: Load) -> dict[str, float]:
    """Microseconds a row of sending alone: with keys and indexes in place, and with them built after."""
    numbers = range(load.items(world.sizes))
    buffers = list(making.buffers(load.rows(world, numbers)))

    async def send() -> float:
        await connection.execute(f"TRUNCATE {load.table} CASCADE")
        began = time.perf_counter()
        await connection.copy_to_table(
            load.table, source=_pieces(lambda: iter(buffers)), columns=load.names, format="binary"
        )
        return time.perf_counter() - began

    keyed = await send()
    await bare.set_aside(connection, [load.table])
    alone = await send()
    began = time.perf_counter()
    await bare.build(connection, lambda _: None)
    built = alone + time.perf_counter() - began
    return {
        "rows": len(numbers),
        "keyedMicros": round(keyed / len(numbers) * 1e6, 2),
        "bareMicros": round(alone / len(numbers) * 1e6, 2),
        "builtMicros": round(built / len(numbers) * 1e6, 2),
    }


async def _pieces(source: Callable[[], Any]) -> AsyncIterator[bytes]:
    for piece in source():
        yield piece


if __name__ == "__main__":
    main(*[int(number) for number in sys.argv[1:]])
