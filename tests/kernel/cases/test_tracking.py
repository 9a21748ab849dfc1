"""Where a case stands, by its receipt and nothing more."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest

from haiyiban.cases import tracking
from tests.builders import Somebody, slug
from tests.kernel.cases.office import PROOF, Citizen, Office

AT = "/case-tracking"


@pytest.fixture
async def handed_in(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> tuple[Citizen, dict[str, Any]]:
    """Somebody with a receipt."""
    insured = {"socialInsurance": {"months": 70, "division": "460105"}}
    citizen = await Citizen.signed_in(api, sandbox, Somebody(name="符查进", more=insured))
    return citizen, await citizen.handed_in(PROOF)


async def ask(api: httpx.AsyncClient, number: str, ending: str) -> httpx.Response:
    return await api.post(AT, json={"number": number, "phoneEnding": ending})


async def test_a_receipt_tells_where_its_case_stands_and_names_nobody(
    api: httpx.AsyncClient, handed_in: tuple[Citizen, dict[str, Any]]
) -> None:
    citizen, case = handed_in
    answer = await ask(api, f" {case['number'].lower()} ", citizen.somebody.phone[-4:])
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["number"], told["state"]) == (case["number"], case["state"])
    for secret in (citizen.somebody.name, citizen.somebody.id_number, citizen.somebody.phone, case["id"]):
        assert secret not in answer.text


async def test_what_does_not_fit_and_what_does_not_exist_are_answered_alike(
    api: httpx.AsyncClient, handed_in: tuple[Citizen, dict[str, Any]]
) -> None:
    citizen, case = handed_in
    ending = citizen.somebody.phone[-4:]
    other = f"{(int(ending) + 1) % 10_000:04d}"
    wrong, unknown = await ask(api, case["number"], other), await ask(api, secrets.token_hex(9), ending)
    assert (wrong.status_code, slug(wrong)) == (unknown.status_code, slug(unknown))
    assert (wrong.status_code, slug(wrong)) == (404, "nothing-to-track")
    assert {**wrong.json(), "requestId": ""} == {**unknown.json(), "requestId": ""}
    malformed = await ask(api, case["number"], "12a4")
    assert malformed.status_code == 400
    assert malformed.json()["errors"][0]["pointer"] == "/phoneEnding"


async def test_a_number_is_tried_ten_times_an_hour(
    api: httpx.AsyncClient, handed_in: tuple[Citizen, dict[str, Any]]
) -> None:
    citizen, case = handed_in
    ending = citizen.somebody.phone[-4:]
    other = f"{(int(ending) + 1) % 10_000:04d}"
    for _ in range(tracking.TRIES_OF_A_NUMBER):
        assert (await ask(api, case["number"], other)).status_code == 404
    late = await ask(api, case["number"], ending)
    assert (late.status_code, slug(late)) == (429, "too-many-tries")
    assert 0 < int(late.headers["retry-after"]) <= 3600


async def test_working_days_left_are_counted_while_the_clock_runs(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    citizen = await Citizen.signed_in(api, sandbox)
    case = await citizen.handed_in()
    assert case["remainingDays"] is None, "not accepted yet"
    await Office(api).done(case, "accept", version=case["version"])
    read = await citizen.get(case)
    assert read["remainingDays"] == 10, "promised in ten, and the day of acceptance does not count"
    asked = await ask(api, case["number"], citizen.somebody.phone[-4:])
    assert asked.json()["remainingDays"] == read["remainingDays"]
