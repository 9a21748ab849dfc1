"""The report: every class of data with its term, what was deleted, and by the exit code what was not."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

from click.testing import CliRunner, Result

from haiyiban import clock, terms
from haiyiban.cli import main
from haiyiban.db import Database
from haiyiban.identity.models import SmsCode
from haiyiban.identity.terms import TERMS
from haiyiban.ids import new_id
from haiyiban.retention import report
from tests.retention import delete_due

CODES = next(term for term in TERMS if term.data_class == "identity.sms-codes")


async def asked(*options: str) -> Result:
    """In a thread, because the command brings an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["retention", "report", *options])


def line(result: Result, name: str) -> dict[str, Any]:
    [found] = [each for each in json.loads(result.stdout) if each["class"] == name]
    return dict(found)


async def sent(database: Database, age: timedelta) -> None:
    async with database.transaction() as session:
        session.add(SmsCode(id=new_id(), phone_index=b"p", code_hash=b"c", created_at=clock.now() - age))


async def test_it_says_what_was_deleted_and_fails_where_something_was_not(database: Database) -> None:
    # What other tests have made old, and nobody came by for yet.
    async with database.reading() as session:
        overdue = [each.term for each in await report.lines(session, now=clock.now()) if each.overdue]
    for term in {CODES, *overdue}:
        await delete_due(term)
    await sent(database, timedelta(days=2, hours=23))
    good = await asked("--json")
    assert good.exit_code == 0, good.output
    found = line(good, CODES.data_class)
    assert found["kept"] == {"zh": "发送后 2 天", "en": "2 days after they were sent"}
    assert "个人信息保护法 第19条" in found["why"]["zh"]
    assert found["overdue"] == 0, "due, and not for a day yet"
    await sent(database, timedelta(days=3, hours=1))
    bad = await asked("--json")
    assert bad.exit_code == 1
    assert line(bad, CODES.data_class)["overdue"] == 1
    told = await asked()
    assert told.exit_code == 1
    assert "1 行已逾期一天以上" in told.output
    assert "Overdue by more than a day" in told.output
    run = await delete_due(CODES)
    again = await asked("--json")
    assert again.exit_code == 0
    found = line(again, CODES.data_class)
    assert (found["lastRun"]["due"], found["lastRun"]["deleted"], found["lastRun"]["held"]) == (2, 2, 0)
    assert found["lastRun"]["began"].startswith(f"{run.began_at:%Y-%m-%dT%H:%M}")
    assert found["deletedInAll"] == 2, "of this run, the only one that is left of the class"


async def test_it_names_every_class_and_says_of_what_is_kept_for_good_why(database: Database) -> None:
    told = await asked("--json")
    lines = json.loads(told.stdout)
    assert [each["class"] for each in lines] == [term.data_class for term in terms.installed()]
    audit = line(told, "audit.log")
    assert (audit["isDeleted"], audit["kept"]["zh"], audit["lastRun"]) == (False, "永久，不删改", None)
    assert "GB/T 22239-2019" in audit["why"]["en"]
    table = (await asked()).output
    for words in ("审计日志及其封存", "The audit and its seals", "不由程序删除", "发送后 2 天"):
        assert words in table
