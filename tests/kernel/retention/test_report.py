"""The report: every class of data with its term, what was deleted, and by the exit code what was not."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta

import httpx
import msgspec
import pytest
from rich.console import Console

from haiyiban import clock, terms
from haiyiban.cli import main
from haiyiban.db import Database
from haiyiban.identity.models import SmsCode
from haiyiban.identity.terms import TERMS
from haiyiban.ids import new_id
from haiyiban.retention import report
from haiyiban.retention.report import Line
from haiyiban.runtime import retention_commands
from tests import builders
from tests.retention import delete_due

CODES = next(term for term in TERMS if term.data_class == "identity.sms-codes")


async def exit_code() -> int:
    """In a thread, because the command brings an event loop of its own. Nobody reads what it prints, for the
    application prints there too."""
    with pytest.raises(SystemExit) as ended:
        await asyncio.to_thread(main, ["retention", "report", "--json"])
    return int(str(ended.value.code))


async def reported(database: Database) -> dict[str, Line]:
    async with database.reading() as session:
        return {each.term.data_class: each for each in await report.lines(session)}


async def overdue(database: Database) -> dict[str, int]:
    async with database.reading() as session:
        return await report.overdue(session, now=clock.now())


async def printed(database: Database) -> str:
    console = Console(file=io.StringIO(), width=160)
    lines = list((await reported(database)).values())
    retention_commands.tell(console, lines, await overdue(database))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def sent(database: Database, age: timedelta) -> None:
    async with database.transaction() as session:
        session.add(SmsCode(id=new_id(), phone_index=b"p", code_hash=b"c", created_at=clock.now() - age))


async def test_it_says_what_was_deleted_and_fails_where_something_was_not(database: Database) -> None:
    # What other tests have made old, and nobody came by for yet.
    late = await overdue(database)
    for term in terms.installed():
        if term == CODES or term.data_class in late:
            await delete_due(term)
    await sent(database, timedelta(days=2, hours=23))
    assert await overdue(database) == {}, "due, and not for a day yet"
    assert await exit_code() == 0
    await sent(database, timedelta(days=3, hours=1))
    assert await overdue(database) == {CODES.data_class: 1}
    assert await exit_code() == 1
    told = await printed(database)
    assert "1 行已逾期一天以上" in told
    assert "Overdue by more than a day" in told
    run = await delete_due(CODES)
    assert await exit_code() == 0
    line = (await reported(database))[CODES.data_class]
    assert (run.due, run.gone, run.held) == (2, 2, 0)
    assert line.gone == 2, "of this run, the only one that is left of the class"
    shown = msgspec.json.decode(msgspec.json.encode(retention_commands.for_programs(line, 0)))
    assert shown["kept"] == {"zh": "发送后 2 天", "en": "2 days after they were sent"}
    assert "个人信息保护法 第19条" in shown["why"]["zh"]
    assert (shown["lastRun"]["due"], shown["lastRun"]["deleted"], shown["deletedInAll"]) == (2, 2, 2)
    assert shown["lastRun"]["failed"] is None


async def test_an_operator_reads_it_and_no_clerk_does(api: httpx.AsyncClient, database: Database) -> None:
    await delete_due(CODES)
    headers = await builders.staff(api, role="operator")
    answer = await api.get("/desk/retention", headers=headers)
    assert answer.status_code == 200, answer.text
    found = {each["dataClass"]: each for each in answer.json()["items"]}
    assert found.keys() == {term.data_class for term in terms.installed()}
    codes = found[CODES.data_class]
    assert (codes["what"], codes["kept"]) == (CODES.what.zh, "发送后 2 天")
    assert codes["isDeleted"] is True
    assert codes["lastRun"]["gone"] == codes["gone"]
    assert codes["lastRun"]["endedAt"]
    log = found["audit.log"]
    assert (log["isDeleted"], log["gone"], log["lastRun"]) == (False, 0, None)
    told = await api.get("/desk/retention", headers=headers | {"Accept-Language": "en"})
    english = next(each for each in told.json()["items"] if each["dataClass"] == "audit.log")
    assert english["kept"] == "for good, and never changed"
    clerk = await builders.staff(api)
    assert (await api.get("/desk/retention", headers=clerk)).status_code == 403


async def test_it_names_every_class_and_says_of_what_is_kept_for_good_why(database: Database) -> None:
    lines = await reported(database)
    assert list(lines) == [term.data_class for term in terms.installed()]
    audit = retention_commands.for_programs(lines["audit.log"], 0)
    assert (audit["isDeleted"], audit["kept"]["zh"], audit["lastRun"]) == (False, "永久，不删改", None)
    assert "GB/T 22239-2019" in audit["why"]["en"]
    table = await printed(database)
    for words in ("审计日志及其封存", "The audit and its seals", "不由程序删除", "发送后 2 天"):
        assert words in table
