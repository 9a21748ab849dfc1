"""The outside is never asked while a transaction is open."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from haiyiban.db import Database
from haiyiban.identity.callers import ANONYMOUS
from haiyiban.registers import (
    Question,
    RegisterClient,
    begin_face_check,
    confirm_identity,
    health,
    redeem_face_token,
)
from haiyiban.registers.health import NOBODY
from haiyiban.runtime.unit import Asked, Unit


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A process's own way to PostgreSQL."""
    own = Database(database_url)
    yield own
    await own.close()


async def test_no_register_is_asked_inside_a_transaction(client: RegisterClient, database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("SELECT 1"))
        for asking in (
            client.ask("birth", NOBODY),
            client.ask_many({"birth": Question("birth", NOBODY)}),
            asyncio.create_task(client.ask("birth", NOBODY)),
            confirm_identity("田字格", NOBODY),
            begin_face_check("check-3", name="陈海", id_number=NOBODY),
            redeem_face_token("any", "pass"),
            health(),
        ):
            with pytest.raises(RuntimeError, match="while a transaction is open"):
                await asking
    assert (await client.ask("birth", NOBODY)).state == "absent"


async def test_a_register_is_asked_after_a_short_look_not_during_it(
    client: RegisterClient, database: Database
) -> None:
    async with database.reading() as session:
        await session.execute(text("SELECT 1"))
        with pytest.raises(RuntimeError):
            await client.ask("birth", NOBODY)
    assert (await client.ask("birth", NOBODY)).state == "absent"


async def test_a_request_asks_before_it_uses_its_session(client: RegisterClient, database: Database) -> None:
    unit = Unit(database, asked=lambda: Asked(None, None, None, ANONYMOUS))
    assert (await client.ask("birth", NOBODY)).state == "absent"
    await unit.session.execute(text("SELECT 1"))
    with pytest.raises(RuntimeError):
        await client.ask("birth", NOBODY)
    await unit.close()
    assert (await client.ask("birth", NOBODY)).state == "absent"


async def test_one_request_does_not_hear_of_the_transaction_of_another(
    client: RegisterClient, database: Database
) -> None:
    began, done = asyncio.Event(), asyncio.Event()

    async def other() -> None:
        async with database.transaction():
            began.set()
            await done.wait()

    task = asyncio.create_task(other())
    await began.wait()
    assert (await client.ask("birth", NOBODY)).state == "absent"
    done.set()
    await task
