"""What may be some seconds old is read from a streaming standby, as long as one is there and keeps up."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.db import Database
from haiyiban.errors import NotFound
from haiyiban.runtime import replica
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.postgres_seat import find_programs, take_seat
from haiyiban.runtime.replica import Freshness, Replica
from haiyiban.settings import Settings
from tests.runtime.edge_app import EdgeApp, serving, slug

pytestmark = pytest.mark.skipif("DATABASE_URL" in os.environ, reason="a server of one's own is not copied")
SECONDS = 1.5


@pytest.mark.parametrize(
    ("replayed", "shown"), [(99, None), (100, 1.0), (149, 1.0), (150, 3.0), (10_000, 3.0)]
)
def test_a_standby_is_as_new_as_the_newest_mark_that_it_has_replayed(
    replayed: int, shown: float | None
) -> None:
    freshness = Freshness(kept_seconds=10)
    freshness.mark(100, at=1.0)
    freshness.mark(150, at=3.0)
    assert freshness.shown(replayed) == shown
    freshness.mark(200, at=12.5)
    assert freshness.shown(149) is None, "marks that are too old say nothing any more"


class Things(Controller):
    path = "/things"

    @get("/old")
    async def old(self, replica_reader: NamedDependency[AsyncSession]) -> bool:
        return bool(await replica_reader.scalar(text("SELECT pg_is_in_recovery()")))

    @get("/new")
    async def new(self, session: NamedDependency[AsyncSession]) -> bool:
        return bool(await session.scalar(text("SELECT pg_is_in_recovery()")))

    @get("/missing/{name:str}")
    async def missing(self, replica_reader: NamedDependency[AsyncSession], name: FromPath[str]) -> None:
        await replica_reader.scalar(text("SELECT 1"))
        raise NotFound


class Standby(NamedTuple):
    server: EmbeddedPostgres
    url: str

    async def run(self, statement: str) -> Any:
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()


@pytest.fixture
def standby(database_url: str, home: Path, tmp_path: Path) -> Iterator[Standby]:
    """A copy of the tests' server that follows it."""
    folder = tmp_path / "standby"
    folder.mkdir()
    tmp_path.chmod(0o755)
    seat = take_seat(find_programs(), folder / "postgres")
    data = seat.folder / "data"
    seat.own(seat.folder)
    command = ["--dbname", database_url, "--pgdata", str(data), "--checkpoint=fast", "--write-recovery-conf"]
    subprocess.run(
        seat.command("pg_basebackup", *command),
        cwd="/",
        check=True,
        user=seat.user,
        group=seat.user,
        extra_groups=None if seat.user is None else [],
    )
    shutil.copy(home / "postgres" / "cluster.json", seat.folder)
    with EmbeddedPostgres(folder, {"fsync": "off", "hot_standby": "on"}) as server:
        parts = urlsplit(server.url)
        yield Standby(server, urlunsplit(parts._replace(path=urlsplit(database_url).path)))


@pytest.fixture
async def served(
    settings: Settings, database: Database, standby: Standby
) -> AsyncIterator[tuple[EdgeApp, Replica]]:
    read = Replica(standby.url, most_seconds=SECONDS, pool_size=2)
    replica.install(read)
    watching = asyncio.create_task(read.watch())
    try:
        async with serving(settings, database, Things) as app:
            yield app, read
    finally:
        watching.cancel()
        replica.install(None)
        await read.close()


async def until(read: Replica, *, is_fresh: bool) -> None:
    for _ in range(300):
        if read.is_fresh is is_fresh:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"still {'not ' if is_fresh else ''}fresh after fifteen seconds")


async def test_what_may_be_old_is_read_from_a_standby_that_keeps_up(
    served: tuple[EdgeApp, Replica], standby: Standby
) -> None:
    app, read = served

    async def from_standby(path: str) -> bool:
        return (await app.http.get(path)).json() is True

    assert not await from_standby("/things/old"), "nothing is known of it yet"
    await until(read, is_fresh=True)
    assert await from_standby("/things/old")
    assert not await from_standby("/things/new"), "whoever did not say so gets the primary"
    # A refusal is recorded where something can be written.
    refused = await app.http.get("/things/missing/x")
    assert slug(refused) == "not-found"
    assert [record.outcome for record in await app.audited(refused)] == ["not-found"]
    # It falls behind, and catches up.
    await standby.run("SELECT pg_wal_replay_pause()")
    async with app.database.transaction() as session:
        await session.execute(text("SELECT pg_logical_emit_message(true, 'test', 'something new')"))
    await until(read, is_fresh=False)
    assert not await from_standby("/things/old")
    await standby.run("SELECT pg_wal_replay_resume()")
    await until(read, is_fresh=True)
    assert await from_standby("/things/old")
    # It dies: whoever comes in that moment is not told of it.
    standby.server.process.popen.kill()
    standby.server.process.popen.wait()
    for _ in range(3):
        answer = await app.http.get("/things/old")
        assert (answer.status_code, answer.json()) == (200, False)
