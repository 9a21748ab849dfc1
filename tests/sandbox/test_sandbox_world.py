"""The demo world has somebody for every rule."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from haiyiban_sandbox.app import create_app
from haiyiban_sandbox.clock import clock_from_environment
from haiyiban_sandbox.cohort import cohort
from haiyiban_sandbox.family import COMMUNITIES
from tests.builders import FIRST_FREE


def today() -> date:
    return clock_from_environment().today()


@pytest.fixture
async def residents(sandbox: httpx.AsyncClient) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = (await sandbox.get("/world", headers={"X-Api-Key": ""})).json()[
        "residents"
    ]
    return people


async def ask(sandbox: httpx.AsyncClient, register: str, person: dict[str, Any]) -> dict[str, Any]:
    answer = await sandbox.post(f"/registers/{register}/query", json={"idNumber": person["idNumber"]})
    body: dict[str, Any] = answer.json()
    return body


def about(residents: list[dict[str, Any]], words: str) -> dict[str, Any]:
    return next(person for person in residents if words in person["about"])


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (
            "2021-06-20",
            "2014-09-01",
            "2015-08-31",
        ),  # docs/domain.md §6.2: born 2015-08-31 is admitted in 2021,
        ("2021-08-31", "2014-09-01", "2015-08-31"),  # born 2015-09-01 is not
        ("2021-09-01", "2015-09-01", "2016-08-31"),
        ("2024-02-29", "2017-09-01", "2018-08-31"),
    ],
)
def test_the_cohort_follows_the_school_year(day: str, first: str, last: str) -> None:
    assert cohort(date.fromisoformat(day)) == (date.fromisoformat(first), date.fromisoformat(last))


async def test_everybody_has_the_shape_of_the_demo_file(residents: list[dict[str, Any]]) -> None:
    for person in residents:
        assert person.keys() - {"idType"} == {"name", "idNumber", "phone", "children", "about"}
        assert all(child.keys() == {"name", "idNumber"} for child in person["children"])
    phones = [person["phone"] for person in residents]
    assert len(set(phones)) == len(phones)
    assert all(len(phone) == 11 and phone.startswith("138") for phone in phones)


async def test_identity_numbers_are_distinct_and_accepted_by_the_registers(
    sandbox: httpx.AsyncClient, residents: list[dict[str, Any]]
) -> None:
    everybody = [one for person in residents for one in (person, *person["children"])]
    assert len({one["idNumber"] for one in everybody}) == len(everybody)
    assert all(int(one["idNumber"][14:17]) < FIRST_FREE for one in everybody if len(one["idNumber"]) == 18)
    for one in everybody:
        body = {name: one[name] for name in ("name", "idNumber", "idType") if name in one}
        register = "exit-entry" if "idType" in one else "population"
        answer = await sandbox.post(f"/registers/{register}/match", json=body)
        assert answer.json()["match"] is True, one


@pytest.mark.parametrize("number", range(7))
async def test_each_priority_class_has_a_family(residents: list[dict[str, Any]], number: int) -> None:
    family = about(residents, f"class {number}")
    assert family["children"]


async def test_children_are_in_the_cohort_unless_said_otherwise(residents: list[dict[str, Any]]) -> None:
    first, last = cohort(today())

    def born(child: dict[str, Any]) -> date:
        return date.fromisoformat(child["idNumber"][6:14])

    outside = {"too young": last + timedelta(days=1), "too old": first - timedelta(days=1)}
    for words, birth in outside.items():
        assert [born(child) for child in about(residents, words)["children"]] == [birth]
    inside = [
        person
        for person in residents
        if person["children"] and not any(words in person["about"] for words in (*outside, "two children"))
    ]
    assert len(inside) >= 12
    assert all(first <= born(child) <= last for person in inside for child in person["children"])
    assert {first, last} <= {born(child) for person in residents for child in person["children"]}


async def test_twins_share_a_birthday(residents: list[dict[str, Any]]) -> None:
    one, other = about(residents, "twins")["children"]
    assert one["idNumber"] != other["idNumber"]
    assert one["idNumber"][:14] == other["idNumber"][:14]


async def test_the_grandparents_own_the_home_and_share_the_booklet(
    sandbox: httpx.AsyncClient, residents: list[dict[str, Any]]
) -> None:
    parent = about(residents, "grandparents")
    (home,) = (await ask(sandbox, "property", parent))["homes"]
    assert home["title"] == "grandparents"
    booklet = await ask(sandbox, "household", parent["children"][0])
    relations = {member["relation"]: member for member in booklet["members"]}
    assert relations.keys() == {"self", "parent", "grandparent"}
    (owned,) = (await ask(sandbox, "property", relations["grandparent"]))["homes"]
    assert (owned["id"], owned["title"]) == (home["id"], "owned")
    assert booklet["address"] == owned["address"]


async def test_the_used_home_belongs_to_two_families(
    sandbox: httpx.AsyncClient, residents: list[dict[str, Any]]
) -> None:
    (home,) = (await ask(sandbox, "property", about(residents, "used home")))["homes"]
    earlier = {"idNumber": "460105198403030175"}
    assert (await ask(sandbox, "property", earlier))["homes"][0]["id"] == home["id"]
    assert (await ask(sandbox, "birth", earlier))["children"]
    assert home["id"] == "460105002-椰风-9-301"


async def test_the_unemployed_the_insured_and_the_visitor_are_who_they_say(
    sandbox: httpx.AsyncClient, residents: list[dict[str, Any]]
) -> None:
    unemployed = await ask(sandbox, "social-insurance", about(residents, "unemployed"))
    assert date.fromisoformat(unemployed["stoppedOn"]) < today()
    assert unemployed["stopReason"]
    insured = await ask(sandbox, "social-insurance", about(residents, "proof of social insurance"))
    assert (insured["months"], insured["stoppedOn"]) == (128, None)
    visitor = await ask(sandbox, "population", about(residents, "visitor"))
    assert not visitor["hukou"]["division"].startswith("46")


async def test_rare_names_survive(residents: list[dict[str, Any]]) -> None:
    names = "".join(person["name"] for person in residents)
    assert any(ord(character) > 0xFFFF for character in names)
    assert "·" in names


async def test_every_home_lies_in_a_named_community(
    sandbox: httpx.AsyncClient, residents: list[dict[str, Any]]
) -> None:
    lived_in = set()
    for person in residents:
        for home in (await ask(sandbox, "property", person)).get("homes", []):
            community = next(name for name in COMMUNITIES if f"{name}小区" in home["address"])
            street, division = COMMUNITIES[community]
            assert home["address"].startswith(f"海南省海口市秀英区{street}{community}小区")
            assert home["division"] == division
            lived_in.add(community)
    assert lived_in == set(COMMUNITIES)


@pytest.mark.parametrize("day", ["2024-02-29", "2028-02-29", "2026-08-31", "2026-09-01", "2099-12-31"])
async def test_the_world_can_begin_on_any_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, day: str
) -> None:
    offset = (date.fromisoformat(day) - today()).days * 86400
    monkeypatch.setenv("HAIYIBAN_CLOCK_OFFSET", str(offset))
    app = create_app(tmp_path)
    transport = httpx.ASGITransport(app)
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        residents = (await client.get("/world")).json()["residents"]
    ordinary = residents[0]["children"][0]["idNumber"]
    first, last = cohort(date.fromisoformat(day))
    assert first <= date.fromisoformat(ordinary[6:14]) <= last
