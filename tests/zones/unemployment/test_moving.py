"""Moving to another province while drawing the benefit, and coming from one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from haiyiban import clock
from haiyiban.cases.models import Case
from haiyiban.db import Database
from haiyiban_sandbox.bank import PROVINCES
from services.unemployment import moving
from services.unemployment.funds import funds
from services.unemployment.models import Grant, Move
from services.unemployment.payments import batches, run
from services.unemployment.rules import transfer_fen
from tests import builders
from tests.builders import slug
from tests.kernel.cases.office import Citizen, Office
from tests.zones.unemployment.test_applying import accepted, grants_of, handed_in, out_of_work
from tests.zones.unemployment.test_payments import (
    HERE,
    Drawer,
    agree,
    benefit,
    drawer,
    lines,
    officer,
    pay_everything,
    works_again,
)

__all__ = ["drawer", "lines", "officer"]
MATTER = "employment.unemployment-transfer"
GUANGDONG = "440000"


async def asked_for(citizen: Citizen, to: str = GUANGDONG) -> httpx.Response:
    draft = await citizen.draft(MATTER)
    answer = await citizen.api.patch(
        f"/cases/{draft['id']}",
        json={"form": {"to": {"division": to}}, "version": draft["version"]},
        headers=citizen.headers,
    )
    assert answer.status_code == 200, answer.text
    return await citizen.submit(answer.json())


async def approved(api: httpx.AsyncClient, citizen: Citizen, office: Office | None = None) -> dict[str, Any]:
    submitted = await asked_for(citizen)
    assert submitted.status_code == 200, submitted.text
    office = office or Office(api, agency="human-resources", division="460105")
    case = await accepted(office, submitted.json())
    answer = await office.act(case, "approve", version=case["version"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def minutes_later(database: Database) -> None:
    """The minute of the undo is over."""
    async with database.transaction() as session:
        await session.execute(update(Move).values(decided_at=clock.now() - timedelta(minutes=3)))


async def moves_of(citizen: Citizen) -> list[dict[str, Any]]:
    answer = await citizen.api.get(f"{HERE}/moves", headers=citizen.headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def insured_at(sandbox: httpx.AsyncClient, who: builders.Somebody) -> dict[str, Any]:
    answer = await sandbox.post(
        "/registers/social-insurance/query",
        json={"idNumber": who.id_number},
        headers={"X-Api-Key": "sandbox"},
    )
    return dict(answer.json())


async def test_what_is_left_of_a_running_benefit_moves_once_with_half_of_it_again(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    drawer: Any,
    officer: dict[str, str],
    database: Database,
) -> None:
    """docs/domain.md §7.4: left months × standard × 1.5, to the other province's fund, to the fen."""
    who: Drawer = await drawer()
    await pay_everything(api, officer)
    await approved(api, who.citizen)
    [move] = await moves_of(who.citizen)
    assert (move["state"], move["amountFen"], move["place"]) == ("decided", None, "广东省")
    await moving.carry_out()
    assert (await moves_of(who.citizen))[0]["state"] == "decided", "the minute of the undo is not over"
    await minutes_later(database)
    await asyncio.gather(moving.carry_out(), moving.carry_out())
    [move] = await moves_of(who.citizen)
    [grant] = await grants_of(who.citizen)
    left = grant["months"] - 1
    assert (move["state"], move["monthsLeft"], move["money"]) == ("confirmed", left, "due")
    assert move["amountFen"] == transfer_fen(left, benefit())
    assert grant["state"] == "ended"
    for _ in range(2):
        await run.run()
        await pay_everything(api, officer)
    assert (await moves_of(who.citizen))[0]["money"] == "paid"
    assert await agree(api, officer) == benefit() + move["amountFen"]
    assert await who.states() == ["paid"]
    record = await insured_at(sandbox, who.somebody)
    assert (record["division"], record["months"]) == (GUANGDONG, 0)
    assert record["transferredIn"]["monthsLeft"] == left
    [proof] = (await api.get("/certificates", headers=who.citizen.headers)).json()["items"]
    assert proof["status"] == "revoked"
    async with database.reading() as look:
        person = (await look.get_one(Grant, who.grant_id)).person_id
        assert await moving.grants.left_over(look, person) == 0, "what has moved is not left here"


async def test_a_move_taken_back_within_its_minute_moves_nothing(
    api: httpx.AsyncClient, drawer: Any, database: Database
) -> None:
    who: Drawer = await drawer()
    office = Office(api, agency="human-resources", division="460105")
    case = await approved(api, who.citizen, office)
    undone = await office.act(case, "undo", version=case["version"])
    assert (undone.status_code, undone.json()["state"]) == (200, "accepted"), undone.text
    await minutes_later(database)
    await moving.carry_out()
    assert await moves_of(who.citizen) == []
    [grant] = await grants_of(who.citizen)
    assert grant["state"] == "running"


async def test_a_move_waits_for_what_is_at_the_bank_or_before_a_clerk(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    drawer: Any,
    officer: dict[str, str],
    database: Database,
) -> None:
    who: Drawer = await drawer()
    await run.run()
    await batches.make()
    await approved(api, who.citizen)
    await minutes_later(database)
    await moving.carry_out()
    assert (await moves_of(who.citizen))[0]["state"] == "decided", "a month is on its way to the bank"
    await pay_everything(api, officer)
    await works_again(sandbox, who, clock.today())
    async with database.transaction() as session:
        await session.execute(
            update(Grant)
            .where(Grant.id == who.grant_id)
            .values(suspended_on=clock.today(), suspended_because="employed")
        )
    await moving.carry_out()
    assert (await moves_of(who.citizen))[0]["state"] == "decided", "a clerk has to decide first"
    async with database.transaction() as session:
        await session.execute(update(Grant).where(Grant.id == who.grant_id).values(suspended_on=None))
    await moving.carry_out()
    [grant] = await grants_of(who.citizen)
    [move] = await moves_of(who.citizen)
    assert (move["state"], move["monthsLeft"]) == ("confirmed", grant["months"] - 1)


async def test_money_that_came_back_is_sent_again_by_an_officer_and_once(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    drawer: Any,
    officer: dict[str, str],
    database: Database,
) -> None:
    fund = funds()[GUANGDONG]
    account = {"number": fund.account, "name": fund.payee}
    who: Drawer = await drawer()
    await approved(api, who.citizen)
    await minutes_later(database)
    await moving.carry_out()
    [move] = await moves_of(who.citizen)
    at = f"{HERE}/desk/moves/{move['id']}/payment"
    early = await api.post(at, headers=officer)
    assert (early.status_code, slug(early)) == (409, "nothing-to-pay-again")
    await sandbox.post("/bank/accounts", json={**account, "state": "closed"})
    try:
        await pay_everything(api, officer)
    finally:
        await sandbox.post("/bank/accounts", json={**account, "state": "open"})
    [listed] = [
        each
        for each in (await api.get(f"{HERE}/desk/moves", headers=officer)).json()["items"]
        if each["id"] == move["id"]
    ]
    assert listed["money"] == "returned"
    assert await agree(api, officer) == 0
    told = (await sandbox.get("/sms", params={"phone": who.somebody.phone})).json()
    assert not [each for each in told if "银行退回" in each["text"]], "it is not the person's to mend"
    answer = await api.post(at, headers=officer)
    assert (answer.status_code, answer.json()["money"]) == (200, "due")
    await pay_everything(api, officer)
    assert (await moves_of(who.citizen))[0]["money"] == "paid"
    assert await agree(api, officer) == move["amountFen"]
    clerk = await builders.staff(api, agency="human-resources", division="460105", role="officer")
    assert (await api.get(f"{HERE}/desk/moves", headers=clerk)).status_code == 403


async def test_the_other_province_is_told_until_it_answers(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, drawer: Any, database: Database
) -> None:
    who: Drawer = await drawer()
    await approved(api, who.citizen)
    await minutes_later(database)
    await sandbox.post("/faults", json={"register": "insurance_transfers", "mode": "error"})
    await moving.carry_out()
    await sandbox.post("/faults", json={"register": "insurance_transfers", "mode": "off"})
    assert (await moves_of(who.citizen))[0]["state"] == "carried_out"
    assert (await insured_at(sandbox, who.somebody))["division"] == "460105"
    await moving.registers.close()
    await moving.carry_out()
    assert (await moves_of(who.citizen))[0]["state"] == "confirmed"
    assert (await insured_at(sandbox, who.somebody))["division"] == GUANGDONG


async def test_who_draws_nothing_moves_the_record_without_money(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    """docs/domain.md §7.4: insured people who draw nothing move the record only."""
    citizen = await Citizen.signed_in(api, sandbox, out_of_work(48))
    await approved(api, citizen)
    await minutes_later(database)
    await moving.carry_out()
    [move] = await moves_of(citizen)
    assert (move["monthsLeft"], move["amountFen"], move["money"]) == (0, 0, None)


async def test_a_second_move_waits_for_the_first(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    """Else the same months could leave twice."""
    citizen = await Citizen.signed_in(api, sandbox, out_of_work(48))
    first = await approved(api, citizen)
    async with database.transaction() as session:
        # The claim of one move at a time has ended with the case, the move itself has not.
        await session.execute(update(Case).where(Case.id == UUID(first["id"])).values(claim=None))
    submitted = await asked_for(citizen)
    office = Office(api, agency="human-resources", division="460105")
    case = await accepted(office, submitted.json())
    refused = await office.act(case, "approve", version=case["version"])
    assert refused.status_code == 409, refused.text
    assert "上一次转移还没有办完" in refused.json()["errors"][0]["message"]
    await minutes_later(database)
    await moving.carry_out()
    refused = await office.act(case, "approve", version=case["version"])
    assert refused.status_code == 409, refused.text
    assert "关系已经转出" in refused.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("insurance", "message"),
    [
        (None, "没有可以转移的关系"),
        ({"months": 40, "division": "440100"}, "已经在该省"),
        ({"months": 40, "division": "450100"}, "请向最后参保地申请转移"),
    ],
)
async def test_what_cannot_move_is_refused_with_the_reason(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, insurance: dict[str, Any] | None, message: str
) -> None:
    somebody = builders.Somebody(more={"socialInsurance": insurance} if insurance else {})
    refused = await asked_for(await Citizen.signed_in(api, sandbox, somebody))
    assert (refused.status_code, slug(refused)) == (422, "invalid-form")
    assert [each for each in refused.json()["errors"] if message in each["message"]], refused.text


async def test_months_left_elsewhere_are_drawn_here_and_once(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    """Who moved here while drawing goes on here without having paid in a year again."""
    came = {
        "letter": "gd-2026-000317",
        "from": GUANGDONG,
        "monthsLeft": 7,
        "on": (clock.today() - timedelta(days=20)).isoformat(),
    }
    somebody = out_of_work(0)
    came["letter"] += somebody.id_number[-8:]
    somebody.more["socialInsurance"]["transferredIn"] = came
    citizen = await Citizen.signed_in(api, sandbox, somebody)
    told = (await api.get(f"{HERE}/estimate", headers=citizen.headers)).json()
    assert (told["eligible"], told["months"]) == ("yes", 7)
    office = Office(api, agency="human-resources", division="460105")
    case = await accepted(office, await handed_in(citizen))
    answer = await office.act(case, "approve", version=case["version"])
    assert answer.status_code == 200, answer.text
    [grant] = await grants_of(citizen)
    assert (grant["months"], grant["carriedMonths"]) == (7, 7)
    async with database.transaction() as session:
        await session.execute(
            update(Grant)
            .where(Grant.id == UUID(grant["id"]))
            .values(ended_on=clock.today(), ended_because="used_up", used=7)
        )
    told = (await api.get(f"{HERE}/estimate", headers=citizen.headers)).json()
    assert (told["eligible"], told["months"]) == ("no", 0), "a letter is used once"


def test_the_sandbox_knows_the_account_of_every_fund() -> None:
    assert {code: f"{name}失业保险基金" for code, name in PROVINCES.items()} == {
        code: fund.payee for code, fund in funds().items()
    }
    assert all(fund.account == f"1000{code}0001" for code, fund in funds().items())
    assert "460000" not in funds()


async def test_a_letter_is_taken_in_once_at_the_platform(
    sandbox: httpx.AsyncClient, database: Database
) -> None:
    somebody = out_of_work(30)
    await builders.settle(sandbox, somebody)
    letter = {
        "id": somebody.id_number,
        "idNumber": somebody.id_number,
        "idType": "111",
        "from": "460000",
        "to": GUANGDONG,
        "paidMonths": 30,
        "monthsLeft": 0,
        "amountFen": 0,
        "on": "2026-11-01",
    }
    key = {"X-Api-Key": "sandbox"}
    for _ in range(2):
        assert (await sandbox.post("/insurance-transfers", json=letter, headers=key)).status_code == 200
    other = await sandbox.post("/insurance-transfers", json={**letter, "paidMonths": 31}, headers=key)
    assert other.status_code == 409
