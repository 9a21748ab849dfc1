"""Cases over HTTP, as applicants use them."""

from __future__ import annotations

import httpx

from tests.builders import Somebody, resident


async def test_a_proof_of_social_insurance_opens_prefilled_without_any_code(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    person = Somebody(more={"socialInsurance": {"months": 70, "division": "460105"}})
    headers = await resident(api, sandbox, person)
    opened = await api.post("/cases", json={"matter": "social-insurance.proof"}, headers=headers)
    assert opened.status_code == 201, opened.text
    case = opened.json()
    assert case["state"] == "draft"
    assert case["locked"]
    assert person.id_number not in opened.text
