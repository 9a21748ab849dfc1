"""Within a family: register proof, and the parent's own face on the child's device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from haiyiban import clock
from haiyiban.db import Database
from haiyiban.db import database as database_of
from haiyiban.delegations import room
from haiyiban.delegations.models import DelegationFaceCheck
from haiyiban.delegations.room import Asker
from haiyiban.identity import persons
from tests import builders
from tests.builders import Somebody, slug
from tests.kernel.cases.conftest import Break
from tests.kernel.cases.office import FORMS, PROOF, SENIOR, Citizen
from tests.kernel.delegations.people import GUARDIANSHIP, bounds


@dataclass
class House:
    """Three generations: a mother of seventy, her child who is signed in, and a grandchild at school."""

    mother: Somebody
    adult: Citizen
    minor: dict[str, str]
    api: httpx.AsyncClient

    async def ask(self, basis: str, id_number: str, **other: Any) -> httpx.Response:
        body = {"basis": basis, "giver": {"idNumber": id_number}} | bounds(**other)
        return await self.api.post("/delegations", json=body, headers=self.adult.headers)

    async def face(self, delegation: str, token: str = "pass") -> httpx.Response:
        at = f"/delegations/{delegation}/face-checks"
        begun = await self.api.post(at, json={}, headers=self.adult.headers)
        if begun.status_code != 201:
            return begun
        return await self.api.post(
            f"{at}/{begun.json()['id']}/result", json={"faceToken": token}, headers=self.adult.headers
        )


@pytest.fixture
async def house(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> House:
    minor = {"name": "符小果", "idNumber": builders.id_number(date(2014, 5, 6))}
    adult = Somebody(name="符成年", children=[minor])
    mother = Somebody(
        name="符阿婆",
        id_number=builders.id_number(date(1955, 3, 8)),
        children=[{"name": adult.name, "idNumber": adult.id_number}],
        more={"socialInsurance": {"months": 300, "division": "460105"}},
    )
    await builders.settle(sandbox, mother)
    return House(mother, await Citizen.signed_in(api, sandbox, adult), minor, api)


async def test_an_adult_child_acts_for_a_parent_whose_face_agreed_on_this_device(house: House) -> None:
    asked = await house.ask("adult_child", house.mother.id_number, matters=[SENIOR, PROOF], notices="taker")
    assert asked.status_code == 201, asked.text
    shown = asked.json()
    assert (shown["state"], shown["side"], shown["giver"]["name"]) == ("awaits_giver", "taker", "符*婆")
    early = await house.adult.open(SENIOR, onBehalfOf=shown["id"])
    assert (early.status_code, slug(early)) == (403, "delegation-not-agreed")
    wrong = await house.face(shown["id"], "somebody else")
    assert (wrong.status_code, slug(wrong)) == (422, "face-mismatch")
    agreed = await house.face(shown["id"])
    assert (agreed.status_code, agreed.json()["state"]) == (200, "active")
    again = await house.face(shown["id"])
    assert (again.status_code, slug(again)) == (409, "face-check-over")
    opened = await house.adult.open(PROOF, onBehalfOf=shown["id"])
    assert opened.status_code == 201, opened.text
    assert opened.json()["form"]["insurance"]["months"] == 300, "the parent's register, not one's own"
    assert opened.json()["acting"]["basis"] == "adult_child"
    await house.adult.patch(opened.json(), FORMS[PROOF] | {"applicant": {"phone": "13800138000"}})
    assert (await house.adult.submit(opened.json())).status_code == 200


async def test_a_parent_with_an_account_sees_it_and_ends_it(
    house: House, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    delegation = (await house.ask("adult_child", house.mother.id_number)).json()["id"]
    mother = await builders.sign_in(api, sandbox, house.mother.phone)
    await builders.prove(api, mother, house.mother)
    listed = await api.get("/delegations?side=giver", headers=mother)
    assert [item["id"] for item in listed.json()["items"]] == [delegation]
    begun = await api.post(f"/delegations/{delegation}/face-checks", json={}, headers=mother)
    assert begun.status_code == 404, "the check belongs to the device of the one who asked"
    ended = await api.post(f"/delegations/{delegation}/revocation", json={}, headers=mother)
    assert ended.json()["endedBy"] == "giver"
    face = await house.face(delegation)
    assert (face.status_code, slug(face)) == (403, "delegation-ended")


async def test_five_wrong_faces_lock_the_device(house: House, database: Database) -> None:
    delegation = (await house.ask("adult_child", house.mother.id_number)).json()["id"]
    for _ in range(5):
        assert slug(await house.face(delegation, "no")) == "face-mismatch"
    locked = await house.face(delegation)
    assert (locked.status_code, slug(locked)) == (429, "face-checks-locked")
    assert int(locked.headers["Retry-After"]) > 80_000
    async with database.transaction() as session:
        await session.execute(
            update(DelegationFaceCheck)
            .where(DelegationFaceCheck.delegation_id == UUID(delegation))
            .values(settled_at=clock.now() - timedelta(hours=25))
        )
    assert (await house.face(delegation)).status_code == 200


async def test_a_name_that_somebody_wrote_before_gives_way_to_the_registers(
    house: House, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    other = await Citizen.signed_in(api, sandbox)
    misnamed = {"name": "符阿姨", "idNumber": house.mother.id_number}
    body = {"basis": "agreement", "taker": misnamed} | bounds()
    assert (await api.post("/delegations", json=body, headers=other.headers)).status_code == 201
    asked = await house.ask("adult_child", house.mother.id_number)
    assert asked.json()["giver"]["name"] == "符*婆"
    assert (await house.face(asked.json()["id"])).status_code == 200


async def test_what_a_child_asks_for_does_not_use_up_what_the_parent_may_give(house: House) -> None:
    for _ in range(20):
        assert (await house.ask("adult_child", house.mother.id_number)).status_code == 201
    refused = await house.ask("adult_child", house.mother.id_number)
    assert (refused.status_code, slug(refused)) == (422, "too-many-open")
    async with database_of().reading() as session:
        mother = await persons.by_id_number(session, house.mother.id_number)
        assert mother is not None
        await room.require(session, Asker(mother.id, is_giver=True), 1, now=clock.now())


async def test_a_check_of_one_delegation_agrees_to_no_other(house: House) -> None:
    first, second = [(await house.ask("adult_child", house.mother.id_number)).json()["id"] for _ in range(2)]
    begun = await house.api.post(f"/delegations/{first}/face-checks", json={}, headers=house.adult.headers)
    crossed = await house.api.post(
        f"/delegations/{second}/face-checks/{begun.json()['id']}/result",
        json={"faceToken": "pass"},
        headers=house.adult.headers,
    )
    assert crossed.status_code == 404


async def test_a_parent_acts_for_a_minor_by_register_until_eighteen(house: House) -> None:
    made = await house.ask("guardian", house.minor["idNumber"], consent=GUARDIANSHIP, matters=[PROOF])
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["state"], shown["text"], shown["giver"]["name"]) == ("active", "guardianship.v1", "符*果")
    opened = await house.adult.open(PROOF, onBehalfOf=shown["id"])
    assert opened.status_code == 201, opened.text
    assert opened.json()["acting"] == {
        "basis": "guardian",
        "by": "符*年",
        "forWhom": "符*果",
        "delegation": shown["id"],
    }


async def test_a_guardian_is_proven_anew_at_each_use(
    house: House, sandbox: httpx.AsyncClient, bad_day: Break
) -> None:
    delegation = (await house.ask("guardian", house.minor["idNumber"], consent=GUARDIANSHIP)).json()["id"]
    await bad_day("birth", "household")
    assert (await house.adult.open(PROOF, onBehalfOf=delegation)).status_code == 201, "away is not no"
    await bad_day("all", mode="off")
    house.adult.somebody.children = []
    await builders.settle(sandbox, house.adult.somebody)
    refused = await house.adult.open(PROOF, onBehalfOf=delegation)
    assert (refused.status_code, slug(refused)) == (403, "delegation-ended")
    ended = await house.api.get(f"/delegations/{delegation}", headers=house.adult.headers)
    assert (ended.json()["state"], ended.json()["endedBy"]) == ("ended", "register")


async def test_whom_the_registers_do_not_show_nobody_acts_for_by_register(
    house: House, sandbox: httpx.AsyncClient
) -> None:
    stranger = await builders.settle(sandbox, Somebody(id_number=builders.id_number(date(1950, 1, 1))))
    child = builders.child()
    for basis, number, consent in (
        ("adult_child", stranger.id_number, {}),
        ("adult_child", house.minor["idNumber"], {}),
        ("guardian", child["idNumber"], {"consent": GUARDIANSHIP}),
        ("guardian", house.mother.id_number, {"consent": GUARDIANSHIP}),
    ):
        refused = await house.ask(basis, number, **consent)
        assert (refused.status_code, slug(refused)) == (403, "not-your-relative")


async def test_a_grown_child_gives_their_own_delegation(
    house: House, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    mother = Citizen(api, house.mother, await builders.sign_in(api, sandbox, house.mother.phone))
    await builders.prove(api, mother.headers, house.mother)
    hers = House(house.mother, mother, house.minor, api)
    refused = await hers.ask("guardian", house.adult.somebody.id_number, consent=GUARDIANSHIP)
    assert (refused.status_code, slug(refused)) == (422, "grown-up")


async def test_a_register_that_is_away_proves_nobody(house: House, bad_day: Break) -> None:
    await bad_day("birth", "household")
    refused = await house.ask("adult_child", house.mother.id_number)
    assert (refused.status_code, slug(refused)) == (503, "register-unavailable")
    assert refused.headers["Retry-After"]


async def test_a_guardian_agrees_to_the_guardians_statement(house: House) -> None:
    refused = await house.ask("guardian", house.minor["idNumber"])
    assert (refused.status_code, slug(refused)) == (422, "text-outdated")
