"""Filling a made-up province: how near loading comes to a bare binary COPY, and to sealing the same values.

The same rows each time, in turns: `copy` sends buffers that were made before, straight to a table like it;
`load` makes them on the way, as `haiyiban seed --scale` does; `seal` does to as many values of their length
what no row can do without, an AES-GCM for each sealed column and an HMAC for each blind index. `keyed` sends
with every index and key in place, `built` without and builds them after. One connection, fsync on.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from benchmarks.report import Outcome, Ratio
from haiyiban import clock
from haiyiban.crypto import vault
from haiyiban.loads import Load
from haiyiban.population import Sizes, World
from haiyiban.runtime import migrate
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.scale import bare, making, plan
from haiyiban.runtime.scale.filling import loads_of
from haiyiban.runtime.start import prepare
from haiyiban.settings import Settings

PEOPLE = (60_000, 600_000)
ROWS = (10_000, 60_000)
"""Quick, full: people whose keys are built, and rows of each table that are loaded."""
ROUNDS = 3
_REACH = 0.7


class Sealed(NamedTuple):
    """What has to be sealed of a row."""

    values: tuple[str, ...]
    """Of the length of those that are encrypted."""
    indexes: int


TABLES = {
    "identity_person": Sealed(("陈榕汐", "46990019900101001X"), 1),
    "identity_account": Sealed(("15400000001",), 1),
    "health_code_status": Sealed((), 0),
    "duty_free_voucher": Sealed((), 0),
}


def measure(full: bool) -> Outcome:
    """Four tables loaded, and two with and without their keys."""
    with (
        tempfile.TemporaryDirectory(prefix="haiyiban-bench-") as folder,
        EmbeddedPostgres(Path(folder)) as postgres,
    ):
        os.environ.update({"HAIYIBAN_ENV": "test", "HAIYIBAN_HOME": folder, "DATABASE_URL": postgres.url})
        migrate.upgrade(postgres.url)
        return Outcome(tuple(asyncio.run(_measure(PEOPLE[full], ROWS[full]))))


async def _measure(people: int, rows: int) -> list[Ratio]:
    settings = Settings.from_env()
    await prepare(settings).close()
    world = World(1, Sizes(people // 3, people, people, 15, 1), at=clock.now())
    loads = {load.table: load for load in loads_of(settings)}
    connection = await plan.connect(settings.database_url)
    async with connection.transaction():
        await plan.begin(connection, "hamlet", number=1, at=world.at)
    await connection.execute("SET synchronous_commit = on")
    found = []
    for table, sealed in TABLES.items():
        found += await _of_table(connection, world, loads[table], sealed, rows)
    found += [await _keys(connection, world, loads[table]) for table in ("audit_subject", "identity_person")]
    await connection.close()
    return found


async def _of_table(
    connection: asyncpg.Connection[Any], world: World, load: Load, sealed: Sealed, rows: int
) -> list[Ratio]:
    numbers = range(min(load.items(world.sizes), rows))
    made = list(load.rows(world, numbers))
    buffers = list(making.buffers(iter(made)))
    await connection.execute(f"CREATE TEMP TABLE bench (LIKE {load.table} INCLUDING IDENTITY)")
    copy, load_seconds, seal = [], [], []
    for _ in range(ROUNDS):
        copy.append(await _seconds(connection, load, lambda: iter(buffers)))
        load_seconds.append(
            await _seconds(connection, load, lambda: making.buffers(load.rows(world, numbers)))
        )
        seal.append(_seal(sealed, len(made)))
    await connection.execute("DROP TABLE bench")
    micros = round(statistics.median(load_seconds) / len(made) * 1e6, 2)
    name = f"load {load.table}"
    ratios = [
        Ratio(
            name=name,
            against="binary COPY of rows made before",
            rounds=_by_round(copy, load_seconds),
            reach=_REACH,
            value=micros,
            unit="µs a row",
        )
    ]
    if sealed.values:
        both = [one + other for one, other in zip(copy, seal, strict=True)]
        ratios.append(
            Ratio(
                name=name,
                against="that COPY, and sealing as many values",
                rounds=_by_round(both, load_seconds),
                value=micros,
                unit="µs a row",
            )
        )
    return ratios


def _by_round(ceiling: list[float], ours: list[float]) -> tuple[float, ...]:
    return tuple(round(one / other, 3) for one, other in zip(ceiling, ours, strict=True))


def _seal(sealed: Sealed, rows: int) -> float:
    seal, blind = vault().seal, vault().blind
    values = [value.encode() for value in sealed.values]
    began = time.perf_counter()
    for _ in range(rows):
        for value in values:
            seal(value, where="identity_person|id_number_sealed|019a0000-0000-7000-8000-000000000000")
        for _ in range(sealed.indexes):
            blind("id-number", sealed.values[-1])
    return time.perf_counter() - began


async def _keys(connection: asyncpg.Connection[Any], world: World, load: Load) -> Ratio:
    """Sending with keys and indexes in place, against sending without and building them after."""
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
    built = await send()
    began = time.perf_counter()
    await bare.build(connection, lambda _: None)
    built += time.perf_counter() - began
    return Ratio(
        name=f"send {len(numbers):,} rows of {load.table}, keys built after",
        against="keys in place",
        rounds=(round(keyed / built, 2),),
        value=round(built / len(numbers) * 1e6, 2),
        unit="µs a row",
    )


async def _seconds(connection: asyncpg.Connection[Any], load: Load, source: Callable[[], Any]) -> float:
    await connection.execute("TRUNCATE bench")
    began = time.perf_counter()
    await connection.copy_to_table("bench", source=_pieces(source), columns=load.names, format="binary")
    return time.perf_counter() - began


async def _pieces(source: Callable[[], Any]) -> AsyncIterator[bytes]:
    for piece in source():
        yield piece
