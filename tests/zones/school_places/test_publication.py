"""Publishing: at once or part by part, each child once, and only what the public file says."""

from __future__ import annotations

import asyncio
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, func, select

from haiyiban import db
from haiyiban.certificates.models import Certificate
from services.school_places.models import AllocationRun, HomeUse, RollEntry
from services.school_places.service import publication
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
from tests.zones.school_places.test_runs import slug


async def test_a_large_run_is_published_part_by_part_and_each_child_once(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = await make_round({"A": 2, "B": 5})
    families = [await applied(api, sandbox, clerk, family("A"), [made.schools["A"]]) for _ in range(3)]
    run = await drawn(api, officer, made)
    monkeypatch.setattr(publication, "AT_ONCE", 1)
    path = f"{made.runs}/{run}/publication"
    begun = await api.post(path, json={}, headers=officer)
    assert begun.status_code == 202
    assert begun.json()["state"] == "publishing"
    # Beside the worker, and twice: as when its tasks are given out again after a crash.
    await asyncio.gather(*(publication.carry_out(UUID(run).bytes) for _ in range(3)))
    for _ in range(200):
        state = (await api.get(f"/zones/school-places/enrolments/{made.id}")).json()["state"]
        if state == "published":
            break
        asked = await api.post(path, json={}, headers=officer)
        assert asked.status_code in (202, 409)
        await asyncio.sleep(0.05)
    assert state == "published"
    await publication.carry_out(UUID(run).bytes)
    async with db.database().reading() as session:
        entries = (await session.scalars(select(RollEntry).where(RollEntry.run_id == UUID(run)))).all()
        certificates = await session.scalars(
            select(Certificate.case_id).where(Certificate.case_id.in_([entry.case_id for entry in entries]))
        )
        assert sorted(certificates) == sorted(entry.case_id for entry in entries)
        assert all(entry.decided_at for entry in entries)
        assert sorted(entry.outcome or "" for entry in entries) == ["choice", "choice", "coordination"]
        marks = [bytes.fromhex(entry.standing["child"]) for entry in entries]
        uses = await session.scalar(select(func.count()).where(HomeUse.child.in_(marks)))
        assert uses == 2, "a place that a home gave uses it up; one by coordination does not"
    for parent, case in families:
        seen = (await api.get(f"/cases/{case['id']}", headers=parent)).json()
        assert seen["state"] == "approved"
        assert [step["event"] for step in seen["timeline"]].count("approve") == 1


async def test_a_roll_that_was_changed_after_its_hash_is_not_drawn(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1})
    for _ in range(2):
        await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    run = (await api.post(made.runs, json={}, headers=officer)).json()["runId"]
    async with db.database().transaction() as session:
        row = await session.get_one(AllocationRun, UUID(run))
        honest = row.roll
        row.roll = honest.replace(b'"capacity":1', b'"capacity":2')
        assert row.roll != honest
    answer = await api.post(f"{made.runs}/{run}/draw", json={"beacon": "1"}, headers=officer)
    assert (answer.status_code, slug(answer)) == (409, "roll-changed")
    async with db.database().transaction() as session:
        row = await session.get_one(AllocationRun, UUID(run))
        assert (row.state, row.seed, row.public_file) == ("committed", None, None), "nothing was drawn"
        row.roll = honest
        one = (await session.scalars(select(RollEntry.id).where(RollEntry.run_id == row.id))).first()
        await session.execute(delete(RollEntry).where(RollEntry.id == one))
    answer = await api.post(f"{made.runs}/{run}/draw", json={"beacon": "1"}, headers=officer)
    assert (answer.status_code, slug(answer)) == (409, "roll-changed"), "a child is missing among the entries"


async def test_a_result_that_was_changed_after_the_draw_is_not_published(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1, "B": 3})
    for _ in range(2):
        await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    run = await drawn(api, officer, made)
    async with db.database().transaction() as session:
        entries = await session.scalars(select(RollEntry).where(RollEntry.run_id == UUID(run)))
        loser = next(entry for entry in entries if entry.outcome == "coordination")
        loser.outcome, loser.choice, loser.school_id = "choice", 0, UUID(made.schools["A"])
    answer = await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    assert (answer.status_code, slug(answer)) == (409, "roll-changed")
    state = (await api.get(f"/zones/school-places/enrolments/{made.id}")).json()["state"]
    assert state == "drawn"


async def test_a_twin_whose_other_withdrew_is_drawn_alone_and_no_school_goes_over(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 0, "B": 1})
    who = family("A", children=2)
    parent = await builders.resident(api, sandbox, who)
    cases = []
    for child in who.children:
        answer = await apply(api, parent, [made.schools["A"], made.schools["B"]], child=child["idNumber"])
        assert answer.status_code == 200, answer.text
        await accept(api, clerk, answer.json())
        cases.append(answer.json())
    gone = await api.post(f"/cases/{cases[0]['id']}/withdrawal", json={}, headers=parent)
    assert gone.status_code == 200, gone.text
    run = await drawn(api, officer, made)
    file = (await api.get(f"{made.runs}/{run}/public")).json()
    assert file["roll"]["twinGroups"] == []
    assert file["lottery"] == [1]
    published = (await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)).json()
    assert (published["placed"], published["withoutSeat"]) == (1, 0)
    [place] = (await api.get("/zones/school-places/placements", headers=parent)).json()["items"]
    assert place["school"] == "B小学", "A has no seats at all"


async def test_the_counts_are_public_after_the_publication_and_name_no_small_group(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1, "B": 3})
    for _ in range(2):
        await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    run = await drawn(api, officer, made)
    early = await api.get(f"{made.runs}/{run}/counts")
    assert (early.status_code, slug(early)) == (404, "counts-not-up")
    await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    answer = await api.get(f"{made.runs}/{run}/counts")
    assert answer.status_code == 200, answer.text
    of_school = {school["schoolId"]: school for school in answer.json()["schools"]}
    assert of_school[made.schools["A"]] == {
        "schoolId": made.schools["A"],
        "groups": [{"classes": "片区内第1类", "applied": None, "admitted": None}],
        "cutOff": "抽签号 1",
    }
    assert of_school[made.schools["B"]]["groups"] == []
    assert (await api.get(f"{made.runs}/{made.id}/counts")).status_code == 404


async def test_what_a_reader_has_already_is_not_sent_again(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1})
    await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    run = await drawn(api, officer, made)
    enrolment = f"/zones/school-places/enrolments/{made.id}"
    before = (await api.get(enrolment)).headers["etag"]
    await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    for path in (
        "/zones/school-places/schools",
        enrolment,
        f"{made.runs}/{run}/public",
        f"{made.runs}/{run}/counts",
    ):
        first = await api.get(path)
        assert first.status_code == 200
        again = await api.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), path
        other = await api.get(path, headers={"If-None-Match": '"another"'})
        assert other.content == first.content
    changed = await api.get(enrolment, headers={"If-None-Match": before})
    assert (changed.status_code, changed.json()["state"]) == (200, "published")
