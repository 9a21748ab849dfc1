"""A log of its own: an empty database, keys, a folder for the seals. What tests do to it hurts nobody."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from haiyiban import audit, context, db
from haiyiban.audit import keys, sealing, verifying
from haiyiban.audit.notes import PublicKey
from haiyiban.audit.seals import Seals
from haiyiban.audit.verifying import Bad, Verified
from haiyiban.context import Context
from haiyiban.crypto import FileKeys
from haiyiban.db import Database
from haiyiban.runtime import migrate
from haiyiban.settings import Settings
from haiyiban.signatures import Suite


@dataclass
class Log:
    """A log, and somebody with every right in its database."""

    url: str
    owner: asyncpg.Connection
    database: Database
    settings: Settings

    @property
    def seals(self) -> Seals:
        return Seals(self.settings)

    @property
    def trusted(self) -> list[PublicKey]:
        return keys.public(self.settings)

    async def write(self, count: int, **said: Any) -> None:
        """Write records, each in a transaction of its own, as requests do."""
        for _ in range(count):
            async with self.database.transaction() as session:
                await audit.record(
                    session,
                    "cases.read",
                    **{"object_kind": "case", "object_id": uuid4(), "fields": ["form", "phone"]} | said,
                )

    async def seal(self) -> None:
        """Seal all that was written."""
        await self.settle()
        await sealing.seal()

    async def settle(self) -> None:
        """Wait until no transaction of the server can come before what was written: those of other databases
        count too."""
        for _ in range(200):
            if await self.owner.fetchval(_SETTLED):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("a writing transaction stays open")

    async def verify(self, **with_: Any) -> Verified:
        other = await asyncpg.connect(self.url)
        try:
            return await verifying.verify([self.owner, other], self.seals, self.trusted, **with_)
        finally:
            await other.close()

    async def finds(self) -> Bad:
        """What the verification finds; it must find something."""
        with pytest.raises(Bad) as found:
            await self.verify()
        assert found.value.words.zh
        assert found.value.words.en
        return found.value

    async def record_id(self, number: int) -> UUID:
        id_: UUID = await self.owner.fetchval("SELECT record_id FROM audit_leaf WHERE seq = $1", number)
        return id_

    def files(self) -> list[Path]:
        """The seals, in order."""
        return sorted((self.settings.home / "audit" / "seals").iterdir())


_SETTLED = (
    "SELECT coalesce(max(xid), 0) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint FROM audit_record"
)


@pytest.fixture(scope="module")
def log_url(database_url: str) -> Iterator[str]:
    """A migrated database of its own on the same server."""
    name = f"audit_{os.getpid()}"

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run(f"CREATE DATABASE {name}"))
    url = urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))
    migrate.upgrade(url)
    yield url
    asyncio.run(run(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def log(
    request: pytest.FixtureRequest, log_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Log]:
    """An empty log, of the suite that a test asks for. This process uses its database meanwhile."""
    FileKeys.create(tmp_path / "keys", getattr(request, "param", Suite.INTERNATIONAL))
    for name, value in {
        "HAIYIBAN_ENV": "test",
        "HAIYIBAN_HOME": str(tmp_path),
        "DATABASE_URL": log_url,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HAIYIBAN_AUDIT_URL", raising=False)
    owner, database = await asyncpg.connect(log_url), Database(log_url, pool_size=4)
    await owner.execute("TRUNCATE audit_record, audit_subject, audit_leaf, audit_tile, audit_checkpoint")
    before, said_before = db._database, context.current()
    db.install(database)
    staff = uuid4()
    context.enter(Context(request_id="r-1", actor_kind="staff", actor_id=staff, actor_unit="education"))
    yield Log(log_url, owner, database, Settings.from_env())
    context.enter(said_before)
    db._database = before
    await database.close()
    await owner.close()
