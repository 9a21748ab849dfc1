"""Who carries no phone is checked by their identity card, and reads of it like of any other check."""

from __future__ import annotations

import httpx
import pytest

from haiyiban.db import Database
from tests import builders
from tests.builders import slug
from tests.terminal import Terminal, accredited_for, enrolled_at
from tests.zones.health_code.test_checks import mine
from tests.zones.health_code.test_code import gate_of, shown, well

CARDS = "/zones/health-code/card-checks"


@pytest.fixture
async def terminal(api: httpx.AsyncClient, database: Database) -> Terminal:
    """One at a gate."""
    return await enrolled_at(api, database, await accredited_for(database, "gate", "enrolment"))


async def read(
    api: httpx.AsyncClient, headers: dict[str, str], somebody: builders.Somebody, **other: str
) -> httpx.Response:
    body = {"name": somebody.name, "idNumber": somebody.id_number} | other
    return await api.post(CARDS, json=body, headers=headers)


async def test_a_card_shows_the_colour_of_who_has_no_phone_and_never_signed_in(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, terminal: Terminal
) -> None:
    elder = await builders.settle(sandbox, well())
    for _ in range(2):
        answer = await read(api, await terminal.headers(), elder)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["outcome"], told["name"]) == ("valid", "符*康")
        assert told["subject"]["colour"] == "green"
        assert told["subject"]["golden"] is True
        assert elder.id_number not in answer.text
    headers = await builders.resident(api, sandbox, elder)
    [kept] = await mine(api, headers)
    assert (kept["colour"], kept["isOffline"]) == ("green", False)
    seen = (await api.get("/me/access-log", headers=headers)).json()["items"]
    assert [each for each in seen if "check-card" in str(each)], seen[:3]


async def test_a_number_alone_tells_nothing(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, terminal: Terminal
) -> None:
    somebody = await builders.settle(sandbox, well())
    headers = await terminal.headers()
    for _ in range(2):
        wrong = await read(api, headers, somebody, name="符别人")
        assert (wrong.status_code, wrong.json()["outcome"]) == (200, "not_found")
        assert wrong.json()["subject"] is None
        await read(api, headers, somebody)
    unreadable = await read(api, headers, somebody, idNumber="460105199001011234")
    assert (unreadable.status_code, slug(unreadable)) == (422, "unreadable-card")
    assert [each["pointer"] for each in unreadable.json()["errors"]] == ["/idNumber"]


async def test_cards_are_for_terminals_at_a_gate(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    somebody = await builders.settle(sandbox, well())
    school = await enrolled_at(api, database, await accredited_for(database, "enrolment"))
    for headers, status in (
        (await gate_of(api, database), 403),
        (await school.headers(), 403),
        (await builders.resident(api, sandbox, somebody), 403),
        ({}, 401),
    ):
        assert (await read(api, headers, somebody)).status_code == status


async def test_a_silent_population_register_is_told_and_keeps_nobody_out_whom_we_know(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, terminal: Terminal
) -> None:
    known, unknown = [await builders.settle(sandbox, well()) for _ in range(2)]
    headers = await terminal.headers()
    await read(api, headers, known)
    await sandbox.post("/faults", json={"register": "population", "mode": "error"})
    try:
        assert (await read(api, headers, known)).json()["outcome"] == "valid"
        away = await read(api, headers, unknown)
    finally:
        await sandbox.post("/faults", json={"register": "population", "mode": "off"})
    assert (away.status_code, slug(away)) == (503, "register-unavailable")


async def test_vaccinations_are_listed_as_the_register_has_them(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    doses = [
        {"product": "inactivated", "on": "2021-06-07"},
        {"product": "inactivated", "on": "2021-05-10"},
        {"product": "newcomer"},
    ]
    headers = await builders.resident(api, sandbox, well(vaccinations=doses))
    told = (await shown(api, headers))["vaccinations"]
    assert [(each["text"], each["on"]) for each in told] == [
        ("其他疫苗", None),
        ("灭活疫苗", "2021-05-10"),
        ("灭活疫苗", "2021-06-07"),
    ]
