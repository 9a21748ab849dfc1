"""Making the rows, in chunks: each is one transaction that also says that it is made, so that whatever is
killed in between has done a chunk or has not."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import asyncpg

from haiyiban.loads import HEADER, TRAILER, Load
from haiyiban.population import World
from haiyiban.runtime.scale import plan

ITEMS = 20_000
"""Of a chunk: a second or two of work, which is what a kill costs."""
_PIECE = 256 * 1024
"""Bytes that go to the server at once."""


async def make(
    connection: asyncpg.Connection[Any],
    world: World,
    loads: Sequence[Load],
    *,
    items: int = ITEMS,
    share: int = 0,
    of: int = 1,
    may_go_on: Callable[[], bool] = lambda: True,
) -> None:
    """Make what is not made yet: the chunks whose number falls to this `share` of so many."""
    for load in loads:
        made = {
            row["chunk"]
            for row in await connection.fetch("SELECT chunk FROM seed.made WHERE load = $1", load.table)
        }
        for chunk, begin in enumerate(range(0, load.items(world.sizes), items)):
            if not may_go_on():
                return
            if chunk % of == share and chunk not in made:
                numbers = range(begin, min(begin + items, load.items(world.sizes)))
                await _make_chunk(connection, world, load, chunk, numbers)


async def _make_chunk(
    connection: asyncpg.Connection[Any], world: World, load: Load, chunk: int, numbers: range
) -> None:
    began = time.perf_counter()
    async with connection.transaction():
        size = 0

        async def pieces() -> AsyncIterator[bytes]:
            nonlocal size
            for piece in buffers(load.rows(world, numbers)):
                size += len(piece)
                yield piece

        status = await connection.copy_to_table(
            load.table, source=pieces(), columns=load.names, format="binary"
        )
        await connection.execute(
            "INSERT INTO seed.made (load, chunk, items, rows, bytes, seconds) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            load.table,
            chunk,
            len(numbers),
            int(status.removeprefix("COPY ")),
            size,
            time.perf_counter() - began,
        )


def buffers(rows: Iterator[bytes]) -> Iterator[bytes]:
    """A whole binary COPY, cut where it suits the network."""
    waiting, size = [HEADER], len(HEADER)
    for row in rows:
        waiting.append(row)
        size += len(row)
        if size >= _PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join([*waiting, TRAILER])


async def make_share(url: str, loads: Sequence[Load], *, share: int, of: int, parent: int) -> None:
    """The same in a process of its own, while its parent lives."""
    connection = await plan.connect(url)
    try:
        world = await plan.world_of(connection)
        await make(connection, world, loads, share=share, of=of, may_go_on=lambda: os.getppid() == parent)
    finally:
        await connection.close()
