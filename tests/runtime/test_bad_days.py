"""PostgreSQL restarts, Valkey goes, connections run out: refused plainly, nothing half done, then fine."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import httpx
import pytest
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.db import Database
from haiyiban.errors import TooMany
from haiyiban.identity.address_limit import AddressLimit
from haiyiban.ids import new_id
from haiyiban.runtime import migrate
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.valkey import EmbeddedValkey
from haiyiban.settings import Settings
from tests.runtime import edge_app
from tests.runtime.edge_app import EdgeApp, bearing, serving, slug


class Things(Controller):
    path = "/things"
    at_work: ClassVar[asyncio.Event]
    go_on: ClassVar[asyncio.Event]

    @post("/{thing:uuid}", status_code=201)
    async def make(self, session: NamedDependency[AsyncSession], thing: FromPath[UUID]) -> None:
        await session.execute(text("INSERT INTO thing VALUES (:id)"), {"id": thing})

    @post("/{thing:uuid}/slowly", status_code=201)
    async def make_slowly(self, session: NamedDependency[AsyncSession], thing: FromPath[UUID]) -> None:
        await session.execute(text("INSERT INTO thing VALUES (:id)"), {"id": thing})
        Things.at_work.set()
        await Things.go_on.wait()


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server that these tests may stop, also where DATABASE_URL names one: that is not ours to stop."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("restarted")) as postgres:
        migrate.upgrade(postgres.url)
        yield postgres


@pytest.fixture
async def served(
    settings: Settings, database: Database, own_postgres: EmbeddedPostgres
) -> AsyncIterator[EdgeApp]:
    """The edge over that server, with two connections."""
    own = Database(own_postgres.url, pool_size=2)
    async with own.transaction() as session:
        await session.execute(text("CREATE TABLE IF NOT EXISTS thing (id uuid PRIMARY KEY)"))
    Things.at_work, Things.go_on = asyncio.Event(), asyncio.Event()
    async with serving(settings, own, Things) as app:
        yield app
    await own.close()


async def kept(served: EdgeApp) -> set[UUID]:
    async with served.database.reading() as session:
        return set(await session.scalars(text("SELECT id FROM thing")))


def assert_come_again(answer: httpx.Response) -> None:
    assert (answer.status_code, slug(answer)) == (503, "unavailable"), answer.text
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_restart_in_mid_request_undoes_it_and_the_next_is_fine(
    served: EdgeApp, own_postgres: EmbeddedPostgres
) -> None:
    before, caught, during, after = (new_id() for _ in range(4))
    headers = bearing(edge_app.resident())
    assert (await served.http.post(f"/things/{before}", headers=headers)).status_code == 201
    key = headers | {"Idempotency-Key": "caught"}
    running = asyncio.create_task(served.http.post(f"/things/{caught}/slowly", headers=key))
    await Things.at_work.wait()

    await asyncio.to_thread(own_postgres.__exit__, None, None, None)
    Things.go_on.set()
    assert_come_again(await running)
    assert_come_again(await served.http.post(f"/things/{during}", headers=headers))
    assert_come_again(
        await served.http.post(f"/things/{during}", headers=headers | {"Idempotency-Key": "during"})
    )
    await asyncio.to_thread(own_postgres.__enter__)

    # Connections that the stop has broken may answer 503 once more; then all is fine.
    for _ in range(3):
        answer = await served.http.post(f"/things/{after}", headers=headers)
        if answer.status_code == 201:
            break
        assert_come_again(answer)
    assert answer.status_code == 201
    assert {before, after} <= await kept(served)
    assert not {caught, during} & await kept(served)
    again = await served.http.post(f"/things/{caught}/slowly", headers=key)
    assert again.status_code == 201, "whoever sends the same request again is served at once"
    assert caught in await kept(served)
    assert {record["status"] for record in served.records()} == {201, 503}


async def test_who_finds_no_connection_is_asked_to_come_again(served: EdgeApp) -> None:
    served.database.engine.pool._timeout = 0.3  # type: ignore[attr-defined]
    first, second, third = (new_id() for _ in range(3))
    busy = [asyncio.create_task(served.http.post(f"/things/{thing}/slowly")) for thing in (first, second)]
    await asyncio.sleep(0.2)
    assert_come_again(await served.http.post(f"/things/{third}"))
    Things.go_on.set()
    assert [answer.status_code for answer in await asyncio.gather(*busy)] == [201, 201]
    assert (await served.http.post(f"/things/{third}")).status_code == 201
    assert {first, second, third} <= await kept(served)


async def test_without_valkey_addresses_are_still_limited_and_with_it_again(tmp_path: Path) -> None:
    now = clock.now().timestamp()
    valkey = EmbeddedValkey(tmp_path)
    with valkey:
        limit = AddressLimit(valkey.url, most=2)
        for _ in range(2):
            await limit.count("192.0.2.1", now=now)
        with pytest.raises(TooMany):
            await limit.count("192.0.2.1", now=now)
    for _ in range(2):
        await limit.count("192.0.2.2", now=now)
    with pytest.raises(TooMany):
        await limit.count("192.0.2.2", now=now)
    await limit.close()


async def test_readiness_says_when_postgresql_is_away(tmp_path: Path, settings: Settings) -> None:
    """In a process of its own, because a process has one database."""
    with EmbeddedPostgres(tmp_path) as postgres:
        url = postgres.url
    program = (
        "import asyncio, httpx\n"
        "from haiyiban.runtime.app import create_app\n"
        "async def ask():\n"
        "    transport = httpx.ASGITransport(app=create_app())\n"
        "    async with httpx.AsyncClient(transport=transport, base_url='http://test') as client:\n"
        "        live, ready = await client.get('/health/live'), await client.get('/health/ready')\n"
        "        print(live.status_code, ready.status_code, ready.headers['retry-after'])\n"
        "asyncio.run(ask())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        env={**os.environ, "DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await asyncio.wait_for(process.communicate(), timeout=60)
    assert told.splitlines()[0] == b"200 503 2"
