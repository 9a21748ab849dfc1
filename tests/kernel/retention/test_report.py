"""The report: every class of data with its term, what was deleted, and by the exit code what was not."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta

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
        return {each.term.data_class: each for each in await report.lines(session, now=clock.now())}


def printed(lines: dict[str, Line]) -> str:
    console = Console(file=io.StringIO(), width=160)
    retention_commands.tell(console, list(lines.values()))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def sent(database: Database, age: timedelta) -> None:
    async with database.transaction() as session:
        session.add(SmsCode(id=new_id(), phone_index=b"p", code_hash=b"c", created_at=clock.now() - age))


async def test_it_says_what_was_deleted_and_fails_where_something_was_not(database: Database) -> None:
    # What other tests have made old, and nobody came by for yet.
    overdue = [line.term for line in (await reported(database)).values() if line.overdue]
    for term in {CODES, *overdue}:
        await delete_due(term)
    await sent(database, timedelta(days=2, hours=23))
    assert (await reported(database))[CODES.data_class].overdue == 0, "due, and not for a day yet"
    assert await exit_code() == 0
    await sent(database, timedelta(days=3, hours=1))
    lines = await reported(database)
    assert lines[CODES.data_class].overdue == 1
    assert await exit_code() == 1
    told = printed(lines)
    assert "1 行已逾期一天以上" in told
    assert "Overdue by more than a day" in told
    run = await delete_due(CODES)
    assert await exit_code() == 0
    line = (await reported(database))[CODES.data_class]
    assert (run.due, run.gone, run.held) == (2, 2, 0)
    assert line.gone == 2, "of this run, the only one that is left of the class"
    shown = msgspec.json.decode(msgspec.json.encode(retention_commands.for_programs(line)))
    assert shown["kept"] == {"zh": "发送后 2 天", "en": "2 days after they were sent"}
    assert "个人信息保护法 第19条" in shown["why"]["zh"]
    assert (shown["lastRun"]["due"], shown["lastRun"]["deleted"], shown["deletedInAll"]) == (2, 2, 2)
    assert shown["lastRun"]["failed"] is None


async def test_it_names_every_class_and_says_of_what_is_kept_for_good_why(database: Database) -> None:
    lines = await reported(database)
    assert list(lines) == [term.data_class for term in terms.installed()]
    audit = retention_commands.for_programs(lines["audit.log"])
    assert (audit["isDeleted"], audit["kept"]["zh"], audit["lastRun"]) == (False, "永久，不删改", None)
    assert "GB/T 22239-2019" in audit["why"]["en"]
    table = printed(lines)
    for words in ("审计日志及其封存", "The audit and its seals", "不由程序删除", "发送后 2 天"):
        assert words in table
