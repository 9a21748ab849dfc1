"""Sixty seconds to take a verb back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from haiyiban import clock, notices
from haiyiban.cases import undo as undoing
from haiyiban.cases.access import Seen
from haiyiban.cases.models import Suspension
from haiyiban.cases.states import Verb
from haiyiban.cases.undo import TooLateToUndo
from haiyiban.db import Database, database
from tests.builders import slug
from tests.kernel.cases.office import PROOF, Citizen, Office, a_clerk, act_at, audited, messages, row

COLUMNS = (
    "state",
    "agency",
    "division",
    "claim",
    "accepted_on",
    "promised_due_on",
    "statutory_due_on",
    "due_provisional",
    "extended_days",
    "extension_asked_by",
    "resume_on",
    "correction_due_at",
    "outcome",
)


async def picture(case: dict[str, Any]) -> dict[str, Any]:
    """All of a case that a verb may change, with its suspensions."""
    held = await row(case)
    async with database().reading() as session:
        suspensions = await session.execute(
            select(Suspension.began_on, Suspension.ended_on).where(Suspension.case_id == held.id)
        )
        return {name: getattr(held, name) for name in COLUMNS} | {"suspensions": suspensions.all()}


@pytest.mark.parametrize(
    ("way", "verb", "body"),
    [
        ([], "accept", {}),
        ([], "refuse", {"note": "不属于受理范围"}),
        ([], "request-correction", {"items": [{"pointer": "/bankAccount", "message": "请核对账号"}]}),
        ([("accept", {})], "suspend", {"reason": "检测", "resumeOn": "2099-01-01"}),
        ([("accept", {}), ("suspend", {"reason": "检测"})], "resume", {}),
        ([("accept", {})], "transfer", {"agency": "human-resources"}),
        ([("accept", {})], "terminate", {"note": "申请人去世"}),
        ([("accept", {})], "approve", {}),
        ([("accept", {})], "deny", {"note": "未满八十周岁"}),
        ([("accept", {}), ("approve", {})], "close", {}),
    ],
)
async def test_undo_puts_everything_back_and_recalls_the_notice(
    citizen: Citizen, office: Office, database: Database, way: list[Any], verb: str, body: dict[str, Any]
) -> None:
    case = await citizen.handed_in()
    for step, given in way:
        await office.done(case, step, **given)
    before = await picture(case)
    acted = await office.done(case, verb, **body)
    assert await picture(case) != before
    undone = await office.done(case, "undo", version=acted["version"])
    assert await picture(case) == before
    assert undone["version"] == acted["version"] + 1
    assert [step["event"] for step in undone["timeline"]][-2:] == [f"{verb}-undone", "undo"]
    assert (await messages(case))[-1].outcome == "recalled"
    assert len(await audited(database, case, "cases.undo")) == 1
    twice = await office.act(case, "undo")
    assert (twice.status_code, slug(twice)) == (409, "too-late-to-undo")


async def test_an_undone_extension_waits_for_its_second_person_again(
    citizen: Citizen, office: Office
) -> None:
    case = await citizen.handed_in()
    await office.done(case, "accept")
    await office.act(case, "extend", days=5)
    before = await picture(case)
    await office.done(case, "extend", who="officer", days=5)
    await office.done(case, "undo", who="officer")
    assert await picture(case) == before


async def test_an_undone_approval_leaves_no_valid_certificate_and_no_news_of_it(
    api: httpx.AsyncClient, newcomer: Citizen
) -> None:
    office = Office(api, agency="human-resources")
    case = await newcomer.handed_in(PROOF)
    await office.done(case, "accept")
    await office.done(case, "approve")
    await office.done(case, "undo")
    mine = (await api.get("/certificates", headers=newcomer.headers)).json()["items"]
    assert [one["status"] for one in mine] == ["revoked"]
    assert [message.outcome for message in await messages(mine[0])] == ["recalled"]
    await office.done(case, "approve")
    mine = (await api.get("/certificates", headers=newcomer.headers)).json()["items"]
    assert sorted(one["status"] for one in mine) == ["revoked", "valid"]


async def test_a_correction_notice_that_was_undone_does_not_count_as_the_one(
    citizen: Citizen, office: Office
) -> None:
    case = await citizen.handed_in()
    await office.done(case, "request-correction", note="请核对账号")
    await office.done(case, "undo")
    assert (await office.done(case, "request-correction", note="请核对账号"))[
        "state"
    ] == "correction_requested"


async def test_another_clerk_cannot_undo(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    accepted = await office.done(case, "accept")
    refused = await office.act(case, "undo", who="other")
    assert (refused.status_code, slug(refused)) == (409, "too-late-to-undo")
    assert (refused.json()["state"], refused.json()["version"]) == ("accepted", accepted["version"])


async def test_a_case_passed_on_is_only_reached_for_its_undo_by_who_passed_it(
    citizen: Citizen, office: Office
) -> None:
    case = await citizen.handed_in()
    await office.done(case, "accept")
    await office.done(case, "transfer", agency="human-resources")
    assert (await office.act(case, "undo", who="other")).status_code == 404
    assert (await office.act(case, "accept")).status_code == 404
    assert (await office.act(case, "undo")).status_code == 200


async def test_what_the_applicant_did_is_not_undone(citizen: Citizen, office: Office) -> None:
    submitted = await citizen.handed_in()
    assert slug(await office.act(submitted, "undo")) == "too-late-to-undo"
    await office.done(submitted, "accept")
    await citizen.withdraw(submitted)
    assert slug(await office.act(submitted, "undo")) == "too-late-to-undo"


async def test_once_the_applicant_has_begun_to_correct_the_request_stands(
    citizen: Citizen, office: Office
) -> None:
    case = await citizen.handed_in()
    await office.done(case, "request-correction", note="请核对账号")
    assert (await citizen.patch(case, {"bankAccount": "6222021234567899"})).status_code == 200
    assert slug(await office.act(case, "undo")) == "too-late-to-undo"


@pytest.mark.parametrize(("seconds", "may"), [(59, True), (61, False)])
async def test_the_window_is_sixty_seconds(citizen: Citizen, seconds: int, may: bool) -> None:
    case = await citizen.handed_in()
    clerk = a_clerk()
    now = clock.now()
    await act_at(case, Verb.ACCEPT, now, caller=clerk)
    later = now + timedelta(seconds=seconds)
    async with database().transaction() as session:
        if may:
            await undoing.undo(session, UUID(case["id"]), seen=Seen(), caller=clerk, now=later)
        else:
            with pytest.raises(TooLateToUndo):
                await undoing.undo(session, UUID(case["id"]), seen=Seen(), caller=clerk, now=later)
    assert (await row(case)).state == ("submitted" if may else "accepted")


async def test_a_notice_that_is_out_cannot_be_taken_back(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    await office.done(case, "accept")
    waiting = (await messages(case))[-1]
    await notices.zone.tasks[0].run(waiting.id.bytes)
    assert (await messages(case))[-1].outcome == "sent"
    assert slug(await office.act(case, "undo")) == "too-late-to-undo"


async def test_a_clerks_notice_waits_until_the_window_is_over(
    newcomer: Citizen, office: Office, sandbox: httpx.AsyncClient
) -> None:
    case = await newcomer.handed_in()
    await office.done(case, "accept")
    waiting = (await messages(case))[-1]
    assert waiting.due_at - waiting.created_at == timedelta(seconds=60)
    assert waiting.done_at is None
    inbox = (await sandbox.get("/sms", params={"phone": newcomer.somebody.phone})).json()
    assert not any("已受理" in message["text"] for message in inbox)
