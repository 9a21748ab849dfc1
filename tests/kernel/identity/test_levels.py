"""From an unknown phone to a live face."""

from __future__ import annotations

import httpx

from tests.people import Resident, at_level_three, give_real_name, sign_in


async def test_name_number_and_face_lead_to_l3(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    resident, session = await at_level_three(api, sandbox)
    me = (await api.get("/me", headers=session.headers)).json()
    assert me["assurance"] == "L3"
    assert me["person"]["name"] == "王*海"
