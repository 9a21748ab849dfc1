"""What everybody may read, and what only the family may; the demo's own enrolment."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import func, select

from haiyiban import clock, db, divisions, resources
from haiyiban.ids import new_id
from services.school_places.models import AllocationRun, Enrolment, EnrolmentSchool, HomeUse, School
from services.school_places.rules import school_year
from services.school_places.seed import seed
from services.school_places.service import schools
from tests import builders
from tests.zones.school_places.conftest import Headers, MakeRound, applied, drawn, family, noon


async def every(api: httpx.AsyncClient, path: str, **query: str) -> list[dict[str, Any]]:
    """All pages of a list: other tests have filled it too."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.get(path, params={**query, **cursor, "limit": 100})).json()
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}


async def test_the_demo_has_schools_with_catchments_and_an_open_enrolment(api: httpx.AsyncClient) -> None:
    await seed()
    schools = await every(api, "/zones/school-places/schools", division="460105")
    demo = {school["name"]: school for school in schools if "示例" in school["name"]}
    assert len([school for school in demo.values() if school["kind"] == "public"]) >= 6
    assert demo["椰风示例小学"]["catchment"] == "示例一路、椰风小区、观澜小区"
    assert demo["椰风示例小学"]["lastCutOff"] is None
    assert demo["海贝示例民办小学"]["kind"] == "private"

    rounds = await every(api, "/zones/school-places/enrolments")
    year = school_year(clock.today())
    mine = next(found for found in rounds if found["code"] == f"HK-XIUYING-P{year}")
    assert (mine["schoolYear"], mine["state"]) == (year, "open")
    assert len(mine["commitment"]) == 64
    assert mine["beaconRule"]["drawAfter"] < clock.now().isoformat()
    assert {"schoolId": demo["椰风示例小学"]["id"], "capacity": 3} in mine["schools"]


async def test_seeding_again_changes_nothing(app: object) -> None:
    async def counts() -> list[int | None]:
        async with db.database().reading() as session:
            return [
                await session.scalar(select(func.count()).select_from(table))
                for table in (School, Enrolment, EnrolmentSchool, HomeUse)
            ]

    await seed()
    before = await counts()
    await seed()
    assert await counts() == before


async def test_the_seed_covers_every_community_of_the_demo() -> None:
    demo = json.loads((resources.schemas() / "zones/school_places/demo.v1.json").read_bytes())
    served = {name for school in demo["schools"] for name in school["catchment"]["communities"]}
    assert served == {"椰风", "观澜", "秀港", "晴川", "白榕", "听潮", "木棉", "角梅"}


async def test_pages_of_schools_follow_each_other(api: httpx.AsyncClient, make_round: MakeRound) -> None:
    made = await make_round(dict.fromkeys("ABC", 1))
    found: list[str] = []
    cursor = None
    while True:
        page = (
            await api.get(
                "/zones/school-places/schools", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
            )
        ).json()
        found += [school["id"] for school in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(found) == len(set(found))
    assert set(made.schools.values()) <= set(found)


async def test_an_unknown_division_and_a_foreign_cursor_are_malformed(api: httpx.AsyncClient) -> None:
    for params in ({"division": "999999"}, {"cursor": "§"}, {"limit": 0}):
        answer = await api.get("/zones/school-places/schools", params=params)
        assert answer.status_code == 400, params


async def test_where_no_school_is_the_list_is_empty(api: httpx.AsyncClient) -> None:
    async with db.database().reading() as session:
        taken = set(await session.scalars(select(School.division)))
    # Other tests have schools in every county, but not in every village.
    free = next(code for code in sorted(divisions.subtree("460200"), reverse=True) if code not in taken)
    answer = await api.get("/zones/school-places/schools", params={"division": free})
    assert (answer.status_code, answer.json()["items"]) == (200, [])


async def test_names_come_in_the_readers_language(api: httpx.AsyncClient, make_round: MakeRound) -> None:
    made = await make_round({"A": 1})
    answer = await api.get(f"/zones/school-places/enrolments/{made.id}", headers={"Accept-Language": "en"})
    assert answer.json()["name"] == "Test enrolment"


async def test_placements_are_the_familys_own(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1})
    await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    await drawn(api, officer, made)
    other = await builders.resident(api, sandbox)
    assert (await api.get("/zones/school-places/placements", headers=other)).json()["items"] == []
    assert (await api.get("/zones/school-places/placements")).status_code == 401
    assert (await api.get("/zones/school-places/placements", headers=officer)).status_code == 403


async def test_a_family_below_level_three_reads_nothing(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    who = await builders.settle(sandbox, family("A"))
    headers = await builders.sign_in(api, sandbox, who.phone)
    assert (await api.get("/zones/school-places/placements", headers=headers)).status_code == 403


async def test_the_public_file_comes_down_after_the_appeal_window(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1})
    await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    run = await drawn(api, officer, made)
    await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    assert (await api.get(f"{made.runs}/{run}/public")).status_code == 200
    async with db.database().transaction() as session:
        row = await session.scalar(select(AllocationRun).where(AllocationRun.enrolment_id == made.id))
        assert row is not None
        row.published_at = noon(-31)
    answer = await api.get(f"{made.runs}/{run}/public")
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (404, "public-file-not-up")


async def test_the_public_file_names_nobody(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1})
    who = family("A")
    await applied(api, sandbox, clerk, who, [made.schools["A"]])
    run = await drawn(api, officer, made)
    text = (await api.get(f"{made.runs}/{run}/public")).text
    for personal in (who.name, who.id_number, who.phone, who.address, who.children[0]["idNumber"]):
        assert personal not in text


async def test_the_cut_off_of_last_year_is_the_one_of_the_draw_for_all_seats(make_round: MakeRound) -> None:
    first, second, this_year = [await make_round({"A": 1}) for _ in range(3)]
    school = UUID(first.schools["A"])
    # Never committed: other tests read all the enrolments there are.
    async with db.database().reading() as session:
        rounds = [await session.get_one(Enrolment, each.id) for each in (first, second, this_year)]
        rounds[1].follows_id = rounds[0].id
        for number, enrolment in enumerate(rounds[:2], 1):
            enrolment.school_year -= 1
            run = AllocationRun(
                id=new_id(),
                enrolment_id=enrolment.id,
                state="published",
                committed_at=clock.now(),
                committed_by=new_id(),
                commitment="",
                roll_hash="",
                roll=b"",
                counts=[{"school": str(school), "groups": [], "cut_off": {"ranks": [], "lottery": number}}],
            )
            run.bands = []
            session.add(run)
        for each in (second, this_year):
            part = await session.get_one(EnrolmentSchool, (each.id, UUID(each.schools["A"])))
            part.school_id = school
        await session.flush()
        shown = await schools.offered(session, within=None, after=UUID(int=school.int - 1), limit=1)
    assert [(each.school.id, each.cut_off and each.cut_off.zh) for each in shown] == [(school, "抽签号 1")]
