"""Appeals: one clerk proposes, another confirms, the person is told, and phones follow at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import ColumnElement, delete, select, update

from haiyiban import clock
from haiyiban.audit.models import AuditRecord
from haiyiban.codes.models import Capsule
from haiyiban.db import Database
from haiyiban.identity import persons
from services.health_code.models import ManualChange, Status
from tests import builders
from tests.zones.health_code.test_code import PATH, ago, codes, day, phone_of, shown, well

APPEALS = "/zones/health-code/appeals"
DESK = "/zones/health-code/desk/appeals"
SAID = {"reason": "报告登记错了人", "division": "460105", "evidence": "复检报告 2026-118"}
Headers = dict[str, str]


def positive(**more: Any) -> builders.Somebody:
    return well(tests=[{"result": "positive", "sampledAt": ago(hours=3)}], **more)


def proposal(**more: Any) -> dict[str, Any]:
    until = (clock.today() + timedelta(days=7)).isoformat()
    return {
        "colour": "green",
        "until": until,
        "reason": "复检两次均为阴性",
        "evidence": "疾控中心复核单",
    } | more


async def clerk(api: httpx.AsyncClient, **more: str) -> Headers:
    return await builders.staff(api, **({"agency": "health"} | more))


async def appealed(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, somebody: builders.Somebody
) -> tuple[Headers, str]:
    headers = await builders.resident(api, sandbox, somebody)
    answer = await api.post(APPEALS, json=SAID, headers=headers)
    assert answer.status_code == 201, answer.text
    return headers, f"{DESK}/{answer.json()['id']}"


async def corrected(api: httpx.AsyncClient, one: str, **more: Any) -> dict[str, Any]:
    first, second = await clerk(api), await clerk(api)
    proposed = await api.post(f"{one}/proposal", json=proposal(**more), headers=first)
    assert proposed.status_code == 200, proposed.text
    answer = await api.post(f"{one}/confirmation", headers=second)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _of(one: str) -> ColumnElement[bool]:
    return ManualChange.appeal_id == UUID(one.rpartition("/")[2])


def _about(one: str) -> ColumnElement[bool]:
    return AuditRecord.object_id == UUID(one.rpartition("/")[2])


async def test_two_clerks_correct_a_colour_and_phones_follow_at_once(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    somebody = positive()
    headers, one = await appealed(api, sandbox, somebody)
    assert (await shown(api, headers))["colour"] == "red"
    phone = await (await phone_of(api, headers)).bind("health")
    first, second = await clerk(api), await clerk(api, division="460100", role="officer")

    queue = (await api.get(DESK, params={"limit": 100}, headers=first)).json()["items"]
    found = next(row for row in queue if one.endswith(row["id"]))
    assert (found["name"], found["colour"]) == (somebody.name, "red")
    [why] = found["reasons"]
    assert why["code"] == "positive-test"
    assert why["text"] == (await shown(api, headers))["reasons"][0]["text"], "in the words the person reads"
    assert somebody.id_number not in str(queue)

    waits = (await api.post(f"{one}/proposal", json=proposal(), headers=first)).json()
    assert (waits["state"], waits["colour"]) == ("proposed", "red"), "nothing changes yet"
    assert waits["proposal"]["setsAside"] == ["positive-test"]
    alone = await api.post(f"{one}/confirmation", headers=first)
    assert (alone.status_code, builders.slug(alone)) == (409, "second-person-needed")

    done = (await api.post(f"{one}/confirmation", headers=second)).json()
    assert (done["state"], done["colour"]) == ("corrected", "green")
    again = await api.post(f"{one}/confirmation", headers=second)
    assert (again.status_code, builders.slug(again)) == (409, "appeal-moved")

    code = await shown(api, headers)
    assert (code["colour"], codes(code)) == ("green", ["manual-change"])
    mine = (await api.get(APPEALS, headers=headers)).json()["items"]
    assert [(row["state"], row["answer"]) for row in mine] == [("corrected", "复检两次均为阴性")]
    async with database.reading() as session:
        capsule = await session.scalar(select(Capsule).where(Capsule.id == phone.id))
        assert capsule is not None
        assert capsule.withdrawn_at is not None
        change = await session.scalar(select(ManualChange).where(_of(one)))
        assert change is not None
        assert None not in {change.decided_by, change.decided_at}
        assert (change.reason, change.evidence) == ("复检两次均为阴性", "疾控中心复核单")
        acts = set(await session.scalars(select(AuditRecord.action).where(_about(one))))
    assert acts >= {
        f"health-code.{act}" for act in ("appeal", "propose-change", "confirm-change", "read-appeal")
    }


async def test_a_correction_ends_with_its_last_day(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    headers, one = await appealed(api, sandbox, positive())
    assert (await corrected(api, one, colour="yellow"))["colour"] == "yellow"
    async with database.transaction() as session:
        yesterday = clock.today() - timedelta(days=1)
        await session.execute(update(ManualChange).where(_of(one)).values(until=yesterday))
    assert codes(await shown(api, headers)) == ["positive-test"]


async def test_what_comes_to_hold_later_counts_in_spite_of_a_correction(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    somebody = positive()
    headers, one = await appealed(api, sandbox, somebody)
    await corrected(api, one)
    somebody.more["contacts"] = [{"kind": "confirmed", "since": day(0)}]
    await builders.settle(sandbox, somebody)
    code = await shown(api, headers)
    assert (code["colour"], codes(code)) == ("red", ["isolated"])


async def test_an_appeal_is_refused_with_a_reason_or_goes_back_to_the_queue(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    headers, one = await appealed(api, sandbox, positive())
    first, second = await clerk(api), await clerk(api)
    await api.post(f"{one}/proposal", json=proposal(), headers=first)
    early = await api.post(f"{one}/refusal", json={"reason": "?"}, headers=second)
    assert (early.status_code, builders.slug(early)) == (409, "appeal-moved")
    back = await api.post(f"{one}/return", json={"reason": "证据不足"}, headers=second)
    assert (back.json()["state"], back.json().get("proposal")) == ("open", None)
    refused = await api.post(f"{one}/refusal", json={"reason": "报告属实"}, headers=second)
    assert refused.json()["state"] == "refused"
    mine = (await api.get(APPEALS, headers=headers)).json()["items"]
    assert mine[0]["answer"] == "报告属实"
    assert (await shown(api, headers))["colour"] == "red"
    anew = await api.post(APPEALS, json=SAID, headers=headers)
    assert anew.status_code == 201, "whoever was refused may say more"


async def test_of_two_appeals_at_once_one_is_taken(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    headers = await builders.resident(api, sandbox, positive())
    answers = await asyncio.gather(*(api.post(APPEALS, json=SAID, headers=headers) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert {builders.slug(answer) for answer in answers if answer.status_code == 409} == {"appeal-waiting"}


@pytest.mark.parametrize(
    ("said", "pointer"), [({"reason": " "}, "/reason"), ({"division": "999999"}, "/division")]
)
async def test_an_appeal_says_why_and_from_where(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, said: dict[str, str], pointer: str
) -> None:
    headers = await builders.resident(api, sandbox, positive())
    answer = await api.post(APPEALS, json=SAID | said, headers=headers)
    assert (answer.status_code, builders.slug(answer)) == (422, "incomplete")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_who_is_green_has_nothing_to_appeal(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    headers = await builders.resident(api, sandbox, well())
    answer = await api.post(APPEALS, json=SAID, headers=headers)
    assert (answer.status_code, builders.slug(answer)) == (422, "nothing-to-appeal")
    assert (await api.get(APPEALS, headers=headers)).json() == {"items": [], "next": None}
    assert (await api.get(PATH, headers=headers)).status_code == 200


async def test_a_proposal_is_bounded_and_of_the_right_desk(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    _, one = await appealed(api, sandbox, positive())
    first = await clerk(api)
    far = (clock.today() + timedelta(days=15)).isoformat()
    wrong = proposal(colour="red", until=far, reason="", evidence=" ")
    answer = await api.post(f"{one}/proposal", json=wrong, headers=first)
    assert (answer.status_code, builders.slug(answer)) == (422, "incomplete")
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert pointers == {"/colour", "/until", "/reason", "/evidence"}
    none_yet = await api.post(f"{one}/confirmation", headers=first)
    assert (none_yet.status_code, builders.slug(none_yet)) == (409, "appeal-moved")
    elsewhere = await clerk(api, division="460106")
    assert (await api.post(f"{one}/proposal", json=proposal(), headers=elsewhere)).status_code == 404
    assert (await api.post(f"{one}/confirmation", headers=elsewhere)).status_code == 404
    listed = await api.get(DESK, params={"limit": 100}, headers=elsewhere)
    assert not [row for row in listed.json()["items"] if one.endswith(row["id"])]
    school = await clerk(api, agency="education")
    assert (await api.post(f"{one}/proposal", json=proposal(), headers=school)).status_code == 403


async def test_an_appeal_whose_colour_is_kept_no_more_is_shown_by_the_one_it_is_against(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    somebody = positive()
    _, one = await appealed(api, sandbox, somebody)
    async with database.transaction() as session:
        person = await persons.by_id_number(session, somebody.id_number)
        assert person is not None
        await session.execute(delete(Status).where(Status.person_id == person.id))
    queue = (await api.get(DESK, params={"limit": 100}, headers=await clerk(api))).json()["items"]
    found = next(row for row in queue if one.endswith(row["id"]))
    assert (found["colour"], found["reasons"]) == ("red", [])
