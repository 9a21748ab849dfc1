"""From an application to an admission notice, over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx

from haiyiban import db
from services.school_places.announced import Announced
from services.school_places.models import Enrolment, EnrolmentSchool
from services.school_places.recompute import recompute
from tests import builders
from tests.zones.school_places.conftest import (
    Headers,
    MakeRound,
    accept,
    applied,
    apply,
    drawn,
    family,
)


async def test_a_family_gets_from_its_application_to_a_valid_notice(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 2, "B": 2})
    who = family("A")
    parent, case = await applied(api, sandbox, clerk, who, [made.schools["A"], made.schools["B"]])
    run = await drawn(api, officer, made)

    before = (await api.get("/zones/school-places/placements", headers=parent)).json()["items"]
    assert before[0]["state"] == "drawn"
    assert before[0]["school"] is None, "nothing of the result before its publication"

    answer = await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "runId": run,
        "state": "published",
        "placed": 1,
        "coordinated": 0,
        "withoutSeat": 0,
        "withdrawn": 0,
    }

    [place] = (await api.get("/zones/school-places/placements", headers=parent)).json()["items"]
    assert place["school"] == "A小学"
    assert place["lottery"] == 1
    assert "第一志愿A小学：您属片区内第1类" in place["explanation"]
    decided = (await api.get(f"/cases/{case['id']}", headers=parent)).json()
    assert (decided["state"], decided["outcome"]) == ("approved", "approved")
    assert decided["timeline"][-1]["by"] == "publication"

    notice = (await api.get(f"/certificates/{place['certificateId']}", headers=parent)).json()
    assert notice["type"] == "admission-notice"
    assert notice["status"] == "valid"
    assert notice["claims"]["school"] == "A小学"

    english = await api.get("/zones/school-places/placements", headers=parent | {"Accept-Language": "en"})
    assert "First choice A school" in english.json()["items"][0]["explanation"]

    inbox = await texts_of(sandbox, who.phone)
    assert any("录取结果已公布" in text for text in inbox)


async def test_anybody_recomputes_the_draw_from_its_public_file(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1, "B": 3})
    families = [await applied(api, sandbox, clerk, family("A"), [made.schools["A"]]) for _ in range(3)]
    announced = (await api.get(f"/zones/school-places/enrolments/{made.id}")).json()
    run = await drawn(api, officer, made)
    shown = (await api.get(f"/zones/school-places/enrolments/{made.id}")).json()["runs"][0]
    file = await api.get(f"{made.runs}/{run}/public")
    checked = recompute(
        file.content,
        Announced(commitment=announced["commitment"], roll_hash=shown["rollHash"]),
    )
    assert checked.holds, checked.difference
    assert checked.pupils == 3
    assert file.json()["seed"] == shown["seed"]

    published = await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    assert (published.json()["placed"], published.json()["coordinated"]) == (1, 2)
    places = [
        (await api.get("/zones/school-places/placements", headers=parent)).json()["items"][0]
        for parent, _ in families
    ]
    assert sorted(place["lottery"] for place in places) == [1, 2, 3]
    assert sorted(place["school"] for place in places) == ["A小学", "B小学", "B小学"]
    roll = {pupil["pseudonym"] for pupil in file.json()["roll"]["pupils"]}
    assert roll == {place["pseudonym"] for place in places}
    winner = next(place for place in places if place["school"] == "A小学")
    assert winner["lottery"] == 1, "one class, one seat: the lot decides"
    loser = next(place for place in places if place["lottery"] == 2)
    assert "您的抽签号 2，未录取" in loser["explanation"]
    assert "经统筹就近安排到B小学" in loser["explanation"]


async def test_twins_share_one_number_and_the_last_seat(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1, "B": 1})
    who = family("A", children=2)
    parent = await builders.resident(api, sandbox, who)
    for child in who.children:
        answer = await apply(api, parent, [made.schools["A"]], child=child["idNumber"])
        assert answer.status_code == 200, answer.text
        assert answer.json()["form"].get("twinOf"), "the register of births names the twin"
        await accept(api, clerk, answer.json())
    run = await drawn(api, officer, made)
    answer = await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    assert answer.status_code == 200, answer.text
    places = (await api.get("/zones/school-places/placements", headers=parent)).json()["items"]
    assert [place["school"] for place in places] == ["A小学", "A小学"]
    assert [place["lottery"] for place in places] == [1, 1]


async def test_where_no_seat_is_left_the_case_is_denied_with_reasons(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1})
    near, _ = await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    far, case = await applied(api, sandbox, clerk, family(None), [made.schools["A"]])
    run = await drawn(api, officer, made)
    answer = await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    assert (answer.json()["placed"], answer.json()["withoutSeat"]) == (1, 1)
    [place] = (await api.get("/zones/school-places/placements", headers=far)).json()["items"]
    assert (place["outcome"], place["certificateId"]) == ("no_seat", None)
    assert "暂无空余学位" in place["explanation"]
    assert (await api.get(f"/cases/{case['id']}", headers=far)).json()["state"] == "denied"
    [won] = (await api.get("/zones/school-places/placements", headers=near)).json()["items"]
    assert won["school"] == "A小学"


async def test_a_family_that_withdraws_after_the_roll_gets_no_place(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1})
    parent, case = await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    run = await drawn(api, officer, made)
    withdrawn = await api.post(f"/cases/{case['id']}/withdrawal", json={}, headers=parent)
    assert withdrawn.status_code == 200, withdrawn.text
    answer = await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    assert answer.json()["withdrawn"] == 1
    [place] = (await api.get("/zones/school-places/placements", headers=parent)).json()["items"]
    assert (place["outcome"], place["school"]) == ("withdrawn", None)


async def test_a_family_without_a_home_is_placed_by_coordination(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 2})
    parent, _ = await applied(api, sandbox, clerk, family(None, home=None), [made.schools["A"]])
    run = await drawn(api, officer, made)
    await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    [place] = (await api.get("/zones/school-places/placements", headers=parent)).json()["items"]
    assert (place["outcome"], place["school"]) == ("coordination", "A小学")
    assert "该类只由统筹安排" in place["explanation"]
    assert place["certificateId"]


async def test_a_private_school_draws_all_alike_and_the_others_go_to_public_schools(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"p": 1, "A": 2})
    parents = [
        (await applied(api, sandbox, clerk, who, [made.schools["p"]], category="private"))[0]
        for who in (family("A"), family(None, home=None))
    ]
    run = await drawn(api, officer, made)
    await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    places = [
        (await api.get("/zones/school-places/placements", headers=parent)).json()["items"][0]
        for parent in parents
    ]
    by_lot = {place["lottery"]: place for place in places}
    assert (by_lot[1]["school"], by_lot[2]["school"]) == ("p小学", "A小学")
    assert "民办学校报名学生（统一抽签）" in by_lot[1]["explanation"]


async def test_next_year_shows_how_far_a_school_reached(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1})
    for _ in range(2):
        await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    run = await drawn(api, officer, made)
    await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    next_year = await make_round({"B": 1})
    async with db.database().transaction() as session:
        enrolment = await session.get_one(Enrolment, made.id)
        enrolment.school_year -= 1
        session.add(
            EnrolmentSchool(
                enrolment_id=next_year.id,
                school_id=UUID(made.schools["A"]),
                capacity=7,
                catchment={"division": "460105"},
            )
        )
    found: list[dict[str, Any]] = []
    path = "/zones/school-places/schools?limit=100"
    cursor: str | None = None
    while not found:
        page = (await api.get(path + (f"&cursor={cursor}" if cursor else ""))).json()
        found += [school for school in page["items"] if school["id"] == made.schools["A"]]
        cursor = page["next"]
    assert [(school["capacity"], school["lastCutOff"]) for school in found] == [(7, "抽签号 1")], (
        "two children are too few for their class to be named"
    )


async def texts_of(sandbox: httpx.AsyncClient, phone: str) -> list[str]:
    """A phone's messages, once the results have come."""
    texts: list[str] = []
    for _ in range(200):
        texts = [message["text"] for message in (await sandbox.get("/sms", params={"phone": phone})).json()]
        if any("录取结果" in text for text in texts):
            break
        await asyncio.sleep(0.05)
    return texts
