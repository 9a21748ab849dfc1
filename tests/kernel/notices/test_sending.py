"""Notices through the outbox: sent once, late rather than never, recalled in time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from haiyiban import clock, outbox
from haiyiban.db import Database
from haiyiban.identity import accounts, persons
from haiyiban.ids import new_id
from haiyiban.notices import tasks, tell_person, tell_phone
from haiyiban.notices.templates import UnknownTemplate
from haiyiban.outbox import OutboxMessage
from tests.people import Resident, at_level_three, step_by_step, texts

VALUES = {"matter": "入学报名", "number": "460105-2026-000001-7"}


async def test_a_person_is_told_in_under_a_second(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    resident, _ = await at_level_three(api, sandbox)
    async with database.transaction() as session:
        person = await persons.by_id_number(session, resident.id_number)
        assert person is not None
        assert await tell_person(session, person.id, "cases.submitted", **VALUES)
    async with asyncio.timeout(1):
        told = await texts(sandbox, resident.phone)
    assert "【海易办】您的「入学报名」申请已提交" in told[0]["text"]


async def test_an_account_is_told_in_its_language(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    resident = await Resident().register(sandbox)
    api.headers["Accept-Language"] = "en"
    await step_by_step(api, sandbox, resident)
    assert (await texts(sandbox, resident.phone))[0]["text"].startswith("[Haiyiban] Your code is")
    async with database.transaction() as session:
        person = await persons.by_id_number(session, resident.id_number)
        assert person is not None
        await tell_person(session, person.id, "cases.submitted", **VALUES)
    assert "was submitted" in (await texts(sandbox, resident.phone, count=2))[0]["text"]


async def test_a_person_without_a_phone_is_told_nothing(api: httpx.AsyncClient, database: Database) -> None:
    child = Resident()
    async with database.transaction() as session:
        person = await persons.find_or_create(session, "王一", id_number=child.id_number)
        assert not await tell_person(session, person.id, "cases.submitted", **VALUES)
        assert await accounts.of_person(session, person.id) is None


async def test_a_text_that_cannot_be_written_is_found_where_it_is_promised(database: Database) -> None:
    with pytest.raises(UnknownTemplate):
        async with database.transaction() as session:
            await tell_phone(session, "13800138000", "cases.accepted", VALUES, language="zh-CN")


async def test_what_is_rolled_back_is_never_sent(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    phone = Resident().phone
    async with database.reading() as session:
        await tell_phone(session, phone, "cases.submitted", VALUES, language="zh-CN")
        await session.rollback()
    async with database.transaction() as session:
        await tell_phone(session, phone, "cases.withdrawn", VALUES, language="zh-CN")
    assert "已撤回" in (await texts(sandbox, phone))[0]["text"]
    assert len(await texts(sandbox, phone)) == 1


async def test_a_job_that_runs_twice_sends_once(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    phone = Resident().phone
    async with database.transaction() as session:
        message_id = await tell_phone(session, phone, "cases.submitted", VALUES, language="zh-CN")
    await asyncio.gather(*(tasks.send(message_id.bytes) for _ in range(3)))
    assert len(await texts(sandbox, phone)) == 1
    message = await settled(database, message_id)
    assert message.outcome == "sent"
    assert message.payload == {"template": "cases.submitted"}


async def test_a_gateway_that_fails_is_tried_again(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    phone = Resident().phone
    await sandbox.post("/faults", json={"register": "sms", "mode": "error"})
    async with database.transaction() as session:
        message_id = await tell_phone(session, phone, "cases.submitted", VALUES, language="zh-CN")
    for _ in range(200):
        if (await read(database, message_id)).last_error:
            break
        await asyncio.sleep(0.05)
    await sandbox.post("/faults", json={"register": "sms", "mode": "off"})
    message = await settled(database, message_id)
    assert message.outcome == "sent"
    assert message.attempts >= 2
    assert len(await texts(sandbox, phone)) == 1


async def test_a_number_that_the_gateway_refuses_is_given_up(
    api: httpx.AsyncClient, database: Database
) -> None:
    async with database.transaction() as session:
        message_id = await tell_phone(session, "12345", "cases.submitted", VALUES, language="zh-CN")
    message = await settled(database, message_id)
    assert message.outcome == "given-up"
    assert "12345" not in (message.last_error or "")


async def test_a_code_that_came_too_late_is_not_sent(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    phone = Resident().phone
    async with database.transaction() as session:
        message_id = await tell_phone(
            session,
            phone,
            "identity.sms-code",
            {"code": "123456", "minutes": "5"},
            language="zh-CN",
            useless_after=clock.now() - timedelta(seconds=1),
        )
    assert (await settled(database, message_id)).outcome == "given-up"
    assert (await sandbox.get("/sms", params={"phone": phone})).json() == []


async def test_what_waits_can_be_recalled_and_what_is_out_cannot(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    phone, case = Resident().phone, new_id()
    started = clock.now()
    async with database.transaction() as session:
        waiting = await tell_phone(
            session,
            phone,
            "cases.denied",
            VALUES,
            language="zh-CN",
            about=case,
            delay=timedelta(seconds=60),
        )
    async with database.transaction() as session:
        assert await outbox.recall(session, case, since=started)
    await tasks.send(waiting.bytes)
    assert (await read(database, waiting)).outcome == "recalled"
    async with database.transaction() as session:
        out = await tell_phone(session, phone, "cases.approved", VALUES, language="zh-CN", about=case)
    await settled(database, out)
    async with database.transaction() as session:
        assert not await outbox.recall(session, case, since=started)
    assert ["已通过" in text["text"] for text in await texts(sandbox, phone)] == [True]


async def test_a_message_whose_job_was_lost_is_found_and_sent(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    phone = Resident().phone
    async with database.transaction() as session:
        message_id = await tell_phone(
            session, phone, "cases.submitted", VALUES, language="zh-CN", delay=timedelta(hours=1)
        )
        await session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == message_id)
            .values(due_at=clock.now() - timedelta(minutes=1))
        )
    await tasks.repair(b"")
    assert (await settled(database, message_id)).outcome == "sent"
    assert len(await texts(sandbox, phone)) == 1


async def read(database: Database, message_id: UUID) -> OutboxMessage:
    async with database.reading() as session:
        return (await session.scalars(select(OutboxMessage).where(OutboxMessage.id == message_id))).one()


async def settled(database: Database, message_id: UUID) -> OutboxMessage:
    """The message once it is done. A gateway that failed often, for other messages too, rests for a while."""
    for _ in range(1200):
        message = await read(database, message_id)
        if message.done_at is not None:
            return message
        await asyncio.sleep(0.05)
    raise AssertionError("the message is still waiting")
