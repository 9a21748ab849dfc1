"""One complete correction notice, thirty days to answer it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from haiyiban import clock
from haiyiban.cases import tasks
from haiyiban.db import database
from tests.builders import slug
from tests.kernel.cases.office import Citizen, Office, change_row, messages, row

ITEMS = [
    {"pointer": "/bankAccount", "message": "账号与姓名不符，请核对"},
    {"pointer": "/applicant/phone", "message": "电话无法接通，请更新"},
]


async def test_a_correction_names_everything_at_once_and_comes_back_to_the_same_number(
    citizen: Citizen, office: Office
) -> None:
    case = await citizen.handed_in()
    asked = await office.done(case, "request-correction", items=ITEMS, note="请按下列各项补正")
    assert asked["state"] == "correction_requested"
    mine = await citizen.get(case)
    assert mine["timeline"][-1]["items"] == ITEMS
    assert mine["timeline"][-1]["note"] == "请按下列各项补正"
    assert mine["correctionDueAt"] is not None
    assert (await citizen.patch(case, {"bankAccount": "6222021234567899"})).status_code == 200
    again = await citizen.submit(case)
    assert again.status_code == 200, again.text
    assert (again.json()["state"], again.json()["number"]) == ("submitted", case["number"])
    assert again.json()["submittedAt"] == case["submittedAt"]
    second = await office.act(case, "request-correction", items=ITEMS)
    assert (second.status_code, slug(second)) == (409, "one-correction-notice-only")


async def test_a_correction_notice_says_what_in_fields_the_form_has(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    wrong = [{"pointer": "/nothing", "message": "?"}, {"pointer": "/bankAccount", "message": " "}]
    refused = await office.act(case, "request-correction", items=wrong)
    assert [error["pointer"] for error in refused.json()["errors"]] == [
        "/items/0/pointer",
        "/items/1/message",
    ]
    assert slug(await office.act(case, "request-correction")) == "invalid-verb"


async def test_what_a_clerk_wrote_is_not_readable_in_the_tables(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    asked = await office.done(case, "request-correction", items=ITEMS, note="请张三补正")
    assert asked["timeline"][-1]["note"] == "请张三补正"
    async with database().reading() as session:
        rows = await session.execute(
            text("SELECT cases_event::text FROM cases_event WHERE case_id = :id"), {"id": case["id"]}
        )
        stored = " ".join(value for (value,) in rows)
    assert "张三" not in stored
    assert "账号与姓名不符" not in stored


async def test_a_correction_that_does_not_come_lapses_once(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    await office.done(case, "request-correction", items=ITEMS)
    due = (await row(case)).correction_due_at
    assert due is not None
    assert timedelta(days=30) <= due - clock.now() <= timedelta(days=42)
    await tasks.lapse(b"")
    assert (await citizen.get(case))["state"] == "correction_requested"
    await change_row(case, correction_due_at=clock.now() - timedelta(seconds=1))
    late = await citizen.submit(case)
    assert late.status_code == 409
    assert slug(late) in {"correction-too-late", "illegal-transition"}
    await tasks.lapse(b"")
    await tasks.lapse(b"")
    lapsed = await citizen.get(case)
    assert (lapsed["state"], lapsed["outcome"], lapsed["clock"]) == ("closed", "lapsed", "ended")
    assert [step["event"] for step in lapsed["timeline"]].count("lapse") == 1
    assert len(await messages(case)) == 3


async def test_refusing_ending_and_denying_need_a_reason_that_the_applicant_reads(
    citizen: Citizen, office: Office
) -> None:
    case = await citizen.handed_in()
    silent = await office.act(case, "refuse", note="  ")
    assert (silent.status_code, slug(silent)) == (422, "invalid-verb")
    assert [error["pointer"] for error in silent.json()["errors"]] == ["/note"]
    await office.done(case, "accept")
    for verb in ("deny", "terminate"):
        assert slug(await office.act(case, verb)) == "invalid-verb"
    ended = await office.done(case, "terminate", note="申请人死亡")
    assert (ended["state"], ended["outcome"]) == ("closed", "terminated")
    assert (await citizen.get(case))["timeline"][-1]["note"] == "申请人死亡"
