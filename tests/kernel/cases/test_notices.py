"""One SMS a step, through the outbox, without personal data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from haiyiban import clock
from haiyiban.cases import tasks
from haiyiban.cases.notices import tell
from haiyiban.cases.states import Verb
from haiyiban.db import database
from haiyiban.notices.templates import TEMPLATES
from haiyiban.outbox import OutboxMessage
from tests.kernel.cases.office import Citizen, Office, act_at, inbox, messages, row

FAR = datetime(2031, 12, 19, 4, tzinfo=UTC)


async def test_a_submission_is_told_at_once_by_its_number(
    citizen: Citizen, sandbox: httpx.AsyncClient
) -> None:
    case = await citizen.handed_in()
    words = await inbox(sandbox, citizen.somebody.phone, containing=case["number"])
    assert "高龄老人长寿津贴" in words
    somebody = citizen.somebody
    for private in (somebody.name, somebody.id_number, somebody.phone, somebody.address):
        assert private not in words


async def test_every_step_of_a_case_is_told_once(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    steps = [
        ("accept", {}),
        ("suspend", {"reason": "检测"}),
        ("resume", {}),
        ("extend", {"days": 3, "who": "officer"}),
        ("approve", {}),
        ("close", {}),
    ]
    for verb, given in steps:
        await office.done(case, verb, **given)
    assert len(await messages(case)) == 1 + len(steps)


async def test_there_are_words_for_every_verb(citizen: Citizen) -> None:
    case = await row(await citizen.handed_in())
    async with database().reading() as session:
        for verb in set(Verb) - {Verb.UNDO}:
            await tell(session, case, verb)
    assert {name for name in TEMPLATES if name.startswith("cases.")} >= {"cases.accepted", "cases.lapsed"}


async def test_a_withdrawal_recalls_news_that_would_come_after_it(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    await office.done(case, "accept")
    assert (await citizen.withdraw(case)).status_code == 200
    submitted, accepted, withdrawn = await messages(case)
    assert accepted.outcome == "recalled"
    assert withdrawn.due_at - withdrawn.created_at < timedelta(seconds=30)
    assert submitted.outcome != "recalled"


async def test_the_tasks_may_run_with_nothing_to_do() -> None:
    for task in (tasks.lapse, tasks.resume, tasks.close, tasks.ask_again):
        await task(b"")


async def test_a_day_beyond_the_published_calendar_is_not_promised_as_certain(citizen: Citizen) -> None:
    for day, said in ((datetime(2023, 3, 1, 4, tzinfo=UTC), "2023-03-15"), (FAR, "2032-01-02（预计）")):
        case = await citizen.handed_in()
        await act_at(case, Verb.ACCEPT, day)
        async with database().reading() as session:
            message = await session.get_one(OutboxMessage, (await messages(case))[-1].id)
            assert message.payload["values"]["due"] == said


async def test_a_correction_is_told_with_its_last_day(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    await office.done(case, "request-correction", note="请核对账号")
    held = await row(case)
    assert held.correction_due_at is not None
    async with database().reading() as session:
        message = await session.get_one(OutboxMessage, (await messages(case))[-1].id)
        assert message.payload["values"]["due"] == clock.local_date(held.correction_due_at).isoformat()
