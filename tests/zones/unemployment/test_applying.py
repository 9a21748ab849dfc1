"""Applying for the benefit: from a draft that fills itself to a grant, a certificate, and an undo."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from haiyiban import clock, verifiers
from haiyiban.db import Database
from haiyiban.errors import Words
from services.unemployment.rules import monthly_fen
from services.unemployment.schedule import label, month_of
from services.unemployment.standards import standards
from tests import builders
from tests.builders import slug
from tests.kernel.cases.office import Citizen, Office

MATTER = "employment.unemployment-benefit"
GRANTS = "/zones/unemployment/grants"


def out_of_work(months: int = 70, reason: str | None = "contract_expired", **more: Any) -> builders.Somebody:
    """Somebody whose insurance at 海口市秀英区 stopped 40 days ago."""
    stopped = (clock.today() - timedelta(days=40)).isoformat()
    insurance = {"months": months, "division": "460105", "stoppedOn": stopped}
    if reason:
        insurance["stopReason"] = reason
    return builders.Somebody(more={"socialInsurance": insurance, **more})


@pytest.fixture
def office(api: httpx.AsyncClient) -> Office:
    """The desk of 秀英区's human resources."""
    return Office(api, agency="human-resources", division="460105")


async def handed_in(citizen: Citizen) -> dict[str, Any]:
    """Nothing is filled in and nothing uploaded."""
    answer = await citizen.submit(await citizen.draft(MATTER))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def grants_of(citizen: Citizen) -> list[dict[str, Any]]:
    answer = await citizen.api.get(GRANTS, headers=citizen.headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def accepted(office: Office, case: dict[str, Any]) -> dict[str, Any]:
    answer = await office.act(case, "accept", version=case["version"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_it_is_found_by_what_people_say(api: httpx.AsyncClient) -> None:
    for words in ("失业金", "没工作"):
        found = (await api.get("/matters", params={"q": words})).json()["items"]
        assert MATTER in [item["code"] for item in found[:3]], words


async def test_who_lost_work_hands_in_without_a_word_and_is_granted(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, office: Office, database: Database
) -> None:
    citizen = await Citizen.signed_in(api, sandbox, out_of_work())
    assert await grants_of(citizen) == []
    case = await accepted(office, await handed_in(citizen))
    assert {finding["level"] for finding in case["findings"]} == {"info"}
    answer = await office.act(case, "approve", version=case["version"])
    assert answer.status_code == 200, answer.text
    [grant] = await grants_of(citizen)
    today = clock.today()
    amount = monthly_fen("460105", paid_on=today, standards=standards())
    assert (grant["state"], grant["months"], grant["usedMonths"]) == ("running", 18, 0)
    assert grant["from"] == label(today)
    assert grant["until"] == label(month_of(today, 17)) == grant["schedule"][-1]["month"]
    assert [month["amountFen"] for month in grant["schedule"]] == [amount] * 18
    certificates = (await api.get("/certificates", headers=citizen.headers)).json()["items"]
    assert [one["type"] for one in certificates] == ["unemployment-benefit"]
    assert certificates[0]["id"] == grant["certificateId"]
    last_day = month_of(today, 18) - timedelta(days=1)
    assert certificates[0]["validUntil"] == last_day.isoformat()
    await _a_counter_reads_it(api, database, citizen, grant)
    again = await citizen.submit(await citizen.draft(MATTER))
    assert (again.status_code, slug(again)) == (422, "invalid-form")
    assert "已在领取" in again.json()["errors"][0]["message"]


async def test_an_approval_taken_back_leaves_no_grant_and_no_valid_proof(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, office: Office
) -> None:
    citizen = await Citizen.signed_in(api, sandbox, out_of_work())
    case = await accepted(office, await handed_in(citizen))
    approved = (await office.act(case, "approve", version=case["version"])).json()
    undone = await office.act(approved, "undo", version=approved["version"])
    assert (undone.status_code, undone.json()["state"]) == (200, "accepted"), undone.text
    assert await grants_of(citizen) == []
    [proof] = (await api.get("/certificates", headers=citizen.headers)).json()["items"]
    assert proof["status"] == "revoked"
    once_more = await office.act(undone.json(), "approve", version=undone.json()["version"])
    assert once_more.status_code == 200, once_more.text
    assert len(await grants_of(citizen)) == 1


@pytest.mark.parametrize(
    ("somebody", "code"),
    [
        (lambda: out_of_work(11), "paid_long_enough"),
        (lambda: out_of_work(reason="resigned"), "involuntary"),
        (lambda: out_of_work(pension={"since": "2026-01-01"}), "no_pension"),
    ],
)
async def test_what_fails_is_told_to_the_clerk_and_cannot_be_approved_but_denied(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, office: Office, somebody: Any, code: str
) -> None:
    citizen = await Citizen.signed_in(api, sandbox, somebody())
    case = await accepted(office, await handed_in(citizen))
    assert [finding["code"] for finding in case["findings"] if finding["level"] == "warns"] == [code]
    refused = await office.act(case, "approve", version=case["version"])
    assert (refused.status_code, slug(refused)) == (409, "cannot-approve")
    assert refused.json()["errors"]
    denied = await office.act(case, "deny", version=case["version"], reason="条件不符", note="不符合领取条件")
    assert denied.status_code == 200, denied.text
    assert await grants_of(citizen) == []


async def test_an_unknown_reason_is_the_clerks_to_find_out(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, office: Office
) -> None:
    citizen = await Citizen.signed_in(api, sandbox, out_of_work(reason=None))
    case = await accepted(office, await handed_in(citizen))
    assert [one["code"] for one in case["findings"] if one["level"] == "unknown"] == ["involuntary"]
    answer = await office.act(case, "approve", version=case["version"], note="已与原单位核实")
    assert answer.status_code == 200, answer.text
    assert len(await grants_of(citizen)) == 1


async def test_while_the_register_is_silent_nothing_is_granted(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, office: Office
) -> None:
    citizen = await Citizen.signed_in(api, sandbox, out_of_work())
    await sandbox.post("/faults", json={"register": "social_insurance", "mode": "error"})
    case = await handed_in(citizen)
    # Where somebody is insured is not known either, so the province's own desk has it.
    province = Office(api, agency="human-resources", division="460000")
    case = await accepted(province, case)
    refused = await province.act(case, "approve", version=case["version"])
    assert (refused.status_code, slug(refused)) == (409, "cannot-approve")
    assert refused.json()["errors"][0]["pointer"] == "/insurance/months"


async def _a_counter_reads_it(
    api: httpx.AsyncClient, database: Database, citizen: Citizen, grant: dict[str, Any]
) -> None:
    """The proof is shown at a counter, which learns for how long and nothing of the person."""
    body = {"kind": "certificate", "subjectId": grant["certificateId"]}
    code = (await api.post("/codes", json=body, headers=citizen.headers)).json()
    secret = verifiers.new_secret()
    async with database.transaction() as session:
        desk = await verifiers.accredit(
            session,
            Words("人社窗口", "A desk"),
            unit="human-resources",
            purposes=("counter",),
            now=clock.now(),
        )
        await verifiers.add_client(session, desk, secret, now=clock.now())
    named = {"clientId": secret.client_id, "clientSecret": secret.client_secret}
    token = (await api.post("/auth/verifiers/token", json=named)).json()["accessToken"]
    seen = (
        await api.post(
            "/verifications",
            json={"text": code["text"], "purpose": "counter"},
            headers={"Authorization": f"Bearer {token}"},
        )
    ).json()
    assert seen["outcome"] == "valid", seen
    assert citizen.somebody.name not in str(seen)
    assert grant["until"] in str(seen)
