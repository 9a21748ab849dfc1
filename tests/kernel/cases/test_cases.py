"""A case that lives by its data file alone, from the first click to the rating."""

from __future__ import annotations

import httpx

from haiyiban.db import Database
from tests import builders
from tests.builders import slug
from tests.kernel.cases.office import PROOF, Citizen, Office, audited


async def test_a_proof_of_social_insurance_goes_from_draft_to_certificate_without_any_code(
    api: httpx.AsyncClient, newcomer: Citizen, database: Database
) -> None:
    draft = await newcomer.draft(PROOF)
    assert draft["state"] == "draft"
    assert {"/applicant/name", "/applicant/idNumber", "/insurance/months"} <= set(draft["locked"])
    assert newcomer.somebody.id_number not in str(draft)
    assert draft["form"]["insurance"] == {"months": 70, "division": "460105"}
    assert draft["prefill"]["/insurance/months"]["state"] == "known"
    assert draft["prefill"]["/insurance/months"]["source"]
    assert draft["clock"] == "stopped"
    await newcomer.patch(draft, {"purpose": "school"})
    submitted = (await newcomer.submit(draft)).json()
    assert submitted["state"] == "submitted"
    assert len(submitted["number"]) == 45
    office = Office(api, agency="human-resources")
    accepted = await office.done(submitted, "accept", version=submitted["version"])
    assert (accepted["state"], accepted["clock"]) == ("accepted", "running")
    assert accepted["dueOn"]
    approved = await office.done(accepted, "approve", note="符合条件", version=accepted["version"])
    assert (approved["state"], approved["outcome"], approved["clock"]) == ("approved", "approved", "ended")
    mine = (await api.get("/certificates", headers=newcomer.headers)).json()["items"]
    assert [(one["type"], one["status"]) for one in mine] == [("social-insurance-proof", "valid")]
    closed = await office.done(approved, "close")
    assert closed["state"] == "closed"
    assert (await newcomer.rate(closed, score=5, reasons=["513"])).status_code == 201
    timeline = (await newcomer.get(closed))["timeline"]
    assert [step["event"] for step in timeline] == ["opened", "submission", "accept", "approve", "close"]
    assert [step["by"] for step in timeline] == ["applicant", "applicant", "clerk", "clerk", "clerk"]
    for action in ("submission", "accept", "approve", "close", "rating"):
        assert len(await audited(database, closed, f"cases.{action}")) == 1, action


async def test_a_case_asks_for_level_three(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    somebody = await builders.settle(sandbox, builders.Somebody())
    headers = await builders.sign_in(api, sandbox, somebody.phone)
    for request in (
        api.post("/cases", json={"matter": PROOF}, headers=headers),
        api.get("/cases", headers=headers),
    ):
        answer = await request
        assert (answer.status_code, slug(answer)) == (403, "step-up-needed")
    named = {"name": somebody.name, "idType": "111", "idNumber": somebody.id_number}
    assert (await api.post("/me/real-name", json=named, headers=headers)).json()["assurance"] == "L2"
    answer = await api.post("/cases", json={"matter": PROOF}, headers=headers)
    assert (answer.status_code, slug(answer)) == (403, "step-up-needed")


async def test_nobody_gets_in_without_signing_in_or_by_the_wrong_door(
    api: httpx.AsyncClient, citizen: Citizen, office: Office
) -> None:
    assert (await api.get("/cases")).status_code == 401
    assert (await api.get("/desk/cases")).status_code == 401
    assert (await api.get("/desk/cases", headers=citizen.headers)).status_code == 403
    assert (await api.get("/cases", headers=await office.headers())).status_code == 403


async def test_a_case_of_another_person_is_not_there(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, citizen: Citizen
) -> None:
    case = await citizen.ready()
    stranger = await Citizen.signed_in(api, sandbox)
    answers = [
        await api.get(f"/cases/{case['id']}", headers=stranger.headers),
        await stranger.patch(case, {"bankAccount": "6222021234567891"}),
        await stranger.patch(case, {"child": {"idNumber": "460105202001010018"}}),
        await stranger.submit(case),
        await stranger.withdraw(case),
        await stranger.rate(case, score=5),
    ]
    assert [(answer.status_code, slug(answer)) for answer in answers] == [(404, "not-found")] * 6
    assert (await api.get("/cases", headers=stranger.headers)).json()["items"] == []


async def test_my_cases_come_newest_first_page_by_page(api: httpx.AsyncClient, newcomer: Citizen) -> None:
    opened = [(await newcomer.draft(PROOF))["id"] for _ in range(5)]
    seen, cursor = [], None
    for _ in range(3):
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/cases", params=params, headers=newcomer.headers)).json()
        seen += [case["id"] for case in page["items"]]
        cursor = page["next"]
    assert seen == opened[::-1]
    assert cursor is None


async def test_an_unknown_matter_and_an_absent_delegation_are_refused(citizen: Citizen) -> None:
    unknown = await citizen.open("no.such-matter")
    assert unknown.status_code == 404
    absent = await citizen.open(PROOF, onBehalfOf="01890000-0000-7000-8000-000000000000")
    assert (absent.status_code, slug(absent)) == (422, "no-delegation")
