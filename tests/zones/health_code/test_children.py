"""A parent shows the codes of their children, and of nobody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from haiyiban import clock
from haiyiban.codes.claims import HealthBody
from haiyiban.codes.deny_source import entries
from haiyiban.codes.envelope import parse_capsule
from haiyiban.db import Database
from services.health_code import children
from services.health_code.models import Guardian, Status
from tests import builders
from tests.builders import Somebody, slug
from tests.zones.health_code.test_code import day, gate_of, phone_of, well

HERE = "/zones/health-code/children"


def born(years: int) -> str:
    """The number of somebody of that age."""
    return builders.id_number(clock.today().replace(day=1) - timedelta(days=366 * years))


@pytest.fixture
async def parent(sandbox: httpx.AsyncClient) -> Somebody:
    """With a child of 6, one of 10 who is ill, and one who is grown up."""
    somebody = well()
    kids = [{"name": name, "idNumber": born(age)} for name, age in (("符小", 6), ("符中", 10), ("符大", 20))]
    somebody.children = kids
    await builders.settle(sandbox, somebody)
    return somebody


async def mine(api: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, Any]:
    answer = await api.get(HERE, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


async def test_a_parent_sees_the_colours_of_children_below_eighteen_and_shows_their_codes(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, parent: Somebody, database: Database
) -> None:
    headers = await builders.resident(api, sandbox, parent)
    family = await mine(api, headers)
    assert [child["name"] for child in family["items"]] == ["符中", "符小"], "the eldest first"
    assert family["isComplete"] is True
    child = family["items"][0]
    assert parent.children[1]["idNumber"] not in str(family)
    code = await api.get(f"{HERE}/{child['id']}/code", headers=headers)
    assert code.status_code == 200, code.text
    told = await api.post(
        "/verifications",
        json={"text": code.json()["text"], "purpose": "gate", "expectedKind": "health"},
        headers=await gate_of(api, database),
    )
    assert (told.json()["outcome"], told.json()["holder"]["name"]) == ("valid", "符*")
    assert told.json()["subject"]["colour"] == code.json()["colour"] == child["colour"]


async def test_a_childs_code_is_bound_to_a_parents_phone_and_withdrawn_when_its_colour_changes(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, parent: Somebody
) -> None:
    headers = await builders.resident(api, sandbox, parent)
    [child, _] = (await mine(api, headers))["items"]
    phone = await (await phone_of(api, headers)).bind("health", subjectId=child["id"])
    claims = parse_capsule(phone.capsule).claims
    assert isinstance(claims.body, HealthBody)
    assert claims.body.name == "符*"
    ill = Somebody(name="符中", id_number=parent.children[1]["idNumber"])
    ill.more["contacts"] = [{"kind": "close_contact", "since": day(0)}]
    await builders.settle(sandbox, ill)
    assert claims.cti not in await entries(clock.now())
    code = (await api.get(f"{HERE}/{child['id']}/code", headers=headers)).json()
    assert code["colour"] == "red"
    assert claims.cti in await entries(clock.now())
    assert (await api.get(f"/codes/{phone.id}", headers=headers)).json()["state"] == "withdrawn"


async def test_nobody_shows_the_code_of_a_child_that_is_not_theirs(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, parent: Somebody
) -> None:
    headers = await builders.resident(api, sandbox, parent)
    [child, _] = (await mine(api, headers))["items"]
    stranger = await builders.resident(api, sandbox)
    assert (await mine(api, stranger))["items"] == []
    for refused in (
        await api.get(f"{HERE}/{child['id']}/code", headers=stranger),
        await api.post("/codes", json={"kind": "health", "subjectId": child["id"]}, headers=stranger),
    ):
        assert (refused.status_code, slug(refused)) == (404, "subject-not-found")
    own = await api.post("/codes", json={"kind": "health", "subjectId": child["id"]}, headers=headers)
    assert own.status_code == 201
    assert (await api.get(f"/codes/{own.json()['id']}", headers=stranger)).status_code == 404
    assert (await api.get(f"/codes/{own.json()['id']}", headers=headers)).status_code == 200


async def test_a_register_that_is_away_takes_no_child_away_and_says_so(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, parent: Somebody
) -> None:
    headers = await builders.resident(api, sandbox, parent)
    before = await mine(api, headers)
    newcomer = well()
    newcomer.children = [{"name": "符新", "idNumber": born(3)}]
    other = await builders.resident(api, sandbox, newcomer)
    for register in ("birth", "household"):
        await sandbox.post("/faults", json={"register": register, "mode": "error"})
    try:
        after = await mine(api, headers)
        assert after["isComplete"] is False
        assert {each["id"] for each in after["items"]} == {each["id"] for each in before["items"]}
        nobody = await mine(api, other)
        assert (nobody["items"], nobody["isComplete"]) == ([], False)
    finally:
        for register in ("birth", "household"):
            await sandbox.post("/faults", json={"register": register, "mode": "off"})


async def test_a_child_that_the_registers_know_no_more_is_let_go(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, parent: Somebody, database: Database
) -> None:
    headers = await builders.resident(api, sandbox, parent)
    [child, _] = (await mine(api, headers))["items"]
    parent.children = parent.children[:1]
    await builders.settle(sandbox, parent)
    path = f"{HERE}/{child['id']}/code"
    today = await api.get(path, headers=headers)
    assert today.status_code == 200, "a proof holds for a day"
    async with database.transaction() as session:
        await session.execute(
            update(Guardian)
            .where(Guardian.person_id == UUID(child["id"]))
            .values(proved_at=clock.now() - children.PROVED_FOR)
        )
    gone = await api.get(path, headers=headers)
    assert (gone.status_code, slug(gone)) == (404, "subject-not-found")
    async with database.reading() as session:
        rows = await session.scalars(select(Guardian).where(Guardian.person_id == UUID(child["id"])))
        assert rows.all() == []


async def test_the_rows_of_children_go_with_the_account_of_their_last_guardian(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, parent: Somebody, database: Database
) -> None:
    spouse = Somebody(name="符妈", children=[parent.children[0]])
    other = await builders.resident(api, sandbox, spouse)
    headers = await builders.resident(api, sandbox, parent)
    [elder, younger] = (await mine(api, headers))["items"]
    assert [child["id"] for child in (await mine(api, other))["items"]] == [younger["id"]]
    closed = await api.post("/me/deletion", json={}, headers=headers)
    assert closed.status_code == 200, closed.text
    async with database.reading() as session:
        kids = [UUID(elder["id"]), UUID(younger["id"])]
        left = (await session.scalars(select(Status.person_id).where(Status.person_id.in_(kids)))).all()
        guards = (await session.scalars(select(Guardian.person_id).where(Guardian.person_id.in_(kids)))).all()
    assert left == guards == [UUID(younger["id"])]
    assert [child["id"] for child in (await mine(api, other))["items"]] == [younger["id"]]
