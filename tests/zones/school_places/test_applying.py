"""Who may hand in, until when, and what the clerk is told. Source: docs/domain.md §6.1, §6.2."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from haiyiban import clock, db
from haiyiban.cases.models import Case
from services.school_places.service import applying
from tests import builders
from tests.zones.school_places.conftest import (
    Headers,
    MakeRound,
    SignInStaff,
    accept,
    applied,
    apply,
    drawn,
    family,
    noon,
)


def slug(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rsplit("/", 1)[-1]


def errors(answer: httpx.Response) -> dict[str, str]:
    return {error["pointer"]: error["message"] for error in answer.json().get("errors", [])}


async def draft(
    api: httpx.AsyncClient, headers: Headers, choices: list[str], child: str, **form: Any
) -> dict[str, Any]:
    opened = await api.post(
        "/cases",
        json={"matter": "education.school-place", "subject": {"idNumber": child}},
        headers=headers,
    )
    assert opened.status_code == 201, opened.text
    case: dict[str, Any] = opened.json()
    patched = await api.patch(
        f"/cases/{case['id']}", json={"form": {"choices": choices, **form}}, headers=headers
    )
    assert patched.status_code == 200, patched.text
    patched_case: dict[str, Any] = patched.json()
    return patched_case


async def test_an_ordinary_family_adds_only_its_ranked_schools(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound
) -> None:
    made = await make_round({"A": 1})
    who = family("A")
    parent = await builders.resident(api, sandbox, who)
    answer = await apply(api, parent, [made.schools["A"]])
    assert answer.status_code == 200, answer.text
    form = answer.json()["form"]
    assert form["guardian"]["relation"] == "parent"
    assert form["category"] == "public"
    assert {"/home", "/guardian/relation"} <= set(answer.json()["locked"])


async def test_the_second_after_the_deadline_is_too_late(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound
) -> None:
    closes = noon(3)
    made = await make_round({"A": 1}, closes_at=closes)
    who = family("A")
    parent = await builders.resident(api, sandbox, who)
    case = await draft(api, parent, [made.schools["A"]], who.children[0]["idNumber"])
    async with db.database().transaction() as session:
        kept = await session.get_one(Case, UUID(case["id"]))
        on_time = await applying.check(session, kept, now=closes)
        too_late = await applying.check(session, kept, now=closes + timedelta(seconds=1))
    assert not [finding for finding in on_time if finding.level == "refuses"]
    [refusal] = [finding for finding in too_late if finding.level == "refuses"]
    assert "截止" in refusal.words.zh


async def test_a_closed_enrolment_and_one_not_yet_open_refuse_in_plain_words(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound
) -> None:
    for changes, words in (
        ({"closes_at": noon(-1), "opens_at": noon(-5)}, "截止"),
        ({"opens_at": noon(1)}, "开始"),
    ):
        made = await make_round({"A": 1}, **changes)
        parent = await builders.resident(api, sandbox, family("A"))
        answer = await apply(api, parent, [made.schools["A"]])
        assert answer.status_code == 422
        assert words in errors(answer)[""]


async def test_public_and_private_are_not_mixed(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound
) -> None:
    made = await make_round({"A": 1, "p": 1})
    parent = await builders.resident(api, sandbox, family("A"))
    answer = await apply(api, parent, [made.schools["A"], made.schools["p"]])
    assert answer.status_code == 422
    assert "公办和民办只能选报一类" in errors(answer)["/choices/1"]


async def test_an_unknown_school_is_refused(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound
) -> None:
    made = await make_round({"A": 1})
    parent = await builders.resident(api, sandbox, family("A"))
    answer = await apply(api, parent, [made.schools["A"], "no-such-school"])
    assert answer.status_code == 422
    assert list(errors(answer)) == ["/choices/1"]


async def test_no_schools_and_no_category_are_both_named_at_once(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound
) -> None:
    await make_round({"A": 1})
    parent = await builders.resident(api, sandbox, family("A"))
    answer = await apply(api, parent, [], category=None)
    assert answer.status_code == 422
    assert {"/choices", "/category"} <= set(errors(answer))


@pytest.mark.parametrize(("days", "words"), [(1, "须在"), (-366, "延缓入学")])
async def test_a_child_outside_the_cohort_cannot_apply(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, days: int, words: str
) -> None:
    today = clock.today()
    year = today.year if today <= date(today.year, 8, 31) else today.year + 1
    kid = builders.child(birth=date(year - 6, 8, 31) + timedelta(days=days))
    parent = await builders.resident(api, sandbox, family("A", kids=[kid]))
    answer = await api.post("/cases", json={"matter": "education.school-place"}, headers=parent)
    assert (answer.status_code, slug(answer)) == (422, "nobody-possible")
    assert words in answer.json()["detail"]
    named = await api.post(
        "/cases",
        json={"matter": "education.school-place", "subject": {"idNumber": kid["idNumber"]}},
        headers=parent,
    )
    assert words in errors(named)["/subject/idNumber"]


async def test_a_child_of_somebody_else_is_refused(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    stranger = family("A")
    await builders.settle(sandbox, stranger)
    parent = await builders.resident(api, sandbox, family("A"))
    answer = await api.post(
        "/cases",
        json={"matter": "education.school-place", "subject": stranger.children[0]},
        headers=parent,
    )
    assert answer.status_code in (400, 403)
    answer = await api.post(
        "/cases",
        json={
            "matter": "education.school-place",
            "subject": {"idNumber": stranger.children[0]["idNumber"]},
        },
        headers=parent,
    )
    assert (answer.status_code, slug(answer)) == (403, "not-your-child")


async def test_of_two_parents_at_once_one_applies(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound
) -> None:
    made = await make_round({"A": 1})
    mother = family("A")
    father = family("A", kids=mother.children)
    father.address = mother.address
    number = mother.children[0]["idNumber"]
    sessions = [await builders.resident(api, sandbox, who) for who in (mother, father)]
    cases = [await draft(api, headers, [made.schools["A"]], number) for headers in sessions]
    answers = await asyncio.gather(
        *(
            api.post(f"/cases/{case['id']}/submission", json={}, headers=headers)
            for case, headers in zip(cases, sessions, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert slug(next(answer for answer in answers if answer.status_code == 409)) == "already-applied"


async def test_a_sibling_of_another_age_is_no_twin(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound
) -> None:
    made = await make_round({"A": 1})
    elder = builders.child(birth=date(2014, 5, 5))
    kids = [builders.child(), elder]
    parent = await builders.resident(api, sandbox, family("A", kids=kids))
    answer = await apply(
        api, parent, [made.schools["A"]], child=kids[0]["idNumber"], twinOf=elder["idNumber"]
    )
    assert answer.status_code == 422
    assert list(errors(answer)) == ["/twinOf"]


async def test_the_clerk_sees_the_class_at_each_school_and_why(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound, clerk: Headers
) -> None:
    made = await make_round({"A": 1, "B": 1})
    parent = await builders.resident(api, sandbox, family("A"))
    case = (await apply(api, parent, [made.schools["A"], made.schools["B"]])).json()
    seen = (await api.get(f"/desk/cases/{case['id']}", headers=clerk)).json()
    found = {finding["pointer"]: finding for finding in seen["findings"]}
    assert "片区内第1类" in found["/choices/0"]["message"]
    assert "户口地址与住房地址一致" in found["/choices/0"]["message"]
    assert "片区外第1类" in found["/choices/1"]["message"]
    assert found["/choices/0"]["detail"]["atBest"] == 1


async def test_a_used_home_turns_the_next_family_to_coordination(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    first = await make_round({"A": 1})
    before = family("A")
    await applied(api, sandbox, clerk, before, [first.schools["A"]])
    run = await drawn(api, officer, first)
    published = await api.post(f"{first.runs}/{run}/publication", json={}, headers=officer)
    assert published.status_code == 200

    second = await make_round({"A": 1})
    after = family("A", home=before.home)
    after.address = before.address
    parent = await builders.resident(api, sandbox, after)
    case = (await apply(api, parent, [second.schools["A"]])).json()
    [finding] = (await api.get(f"/desk/cases/{case['id']}", headers=clerk)).json()["findings"]
    assert finding["detail"]["atWorst"] == 6
    assert "一户一生" in finding["message"]


async def test_two_families_with_one_home_are_shown_to_the_clerk(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound, clerk: Headers
) -> None:
    made = await make_round({"A": 2})
    one = family("A")
    other = family("A", home=one.home)
    await apply(api, await builders.resident(api, sandbox, one), [made.schools["A"]])
    case = (await apply(api, await builders.resident(api, sandbox, other), [made.schools["A"]])).json()
    seen = (await api.get(f"/desk/cases/{case['id']}", headers=clerk)).json()
    assert "home-named-twice" in {finding["code"] for finding in seen["findings"]}


async def test_a_child_with_a_notice_does_not_apply_again(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1})
    parent, _ = await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    run = await drawn(api, officer, made)
    await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    another = await make_round({"A": 1})
    answer = await apply(api, parent, [another.schools["A"]])
    assert answer.status_code == 422
    assert "已被小学录取" in errors(answer)["/child/idNumber"]


async def test_a_silent_register_leaves_the_fact_open_and_the_family_applies(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound, clerk: Headers
) -> None:
    made = await make_round({"A": 1})
    who = family("A")
    parent = await builders.resident(api, sandbox, who)
    await sandbox.post("/faults", json={"register": "property", "mode": "error", "seconds": 60})
    case = await draft(api, parent, [made.schools["A"]], who.children[0]["idNumber"])
    assert "/home" in case["openFacts"]
    answer = await api.post(f"/cases/{case['id']}/submission", json={}, headers=parent)
    assert answer.status_code == 200, answer.text
    seen = (await api.get(f"/desk/cases/{case['id']}", headers=clerk)).json()
    [finding] = seen["findings"]
    assert (finding["code"], finding["level"]) == ("classification-open", "unknown")
    assert "待核实：住房" in finding["message"]


async def test_a_disputed_home_counts_once_a_clerk_has_accepted_it(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1, "B": 1})
    who = family("B")
    parent = await builders.resident(api, sandbox, who)
    opened = (await api.post("/cases", json={"matter": "education.school-place"}, headers=parent)).json()
    address = "海南省海口市秀英区A小区9栋901室"
    patched = await api.patch(
        f"/cases/{opened['id']}",
        json={
            "form": {"choices": [made.schools["A"]], "home": {"address": address}},
            "disputes": {"/home": "刚搬家，登记还没有更新"},
        },
        headers=parent,
    )
    assert patched.status_code == 200, patched.text
    case = (await api.post(f"/cases/{opened['id']}/submission", json={}, headers=parent)).json()
    seen = (await api.get(f"/desk/cases/{case['id']}", headers=clerk)).json()
    assert {"classification-open", "own-statement"} <= {finding["code"] for finding in seen["findings"]}
    await accept(api, clerk, case)
    run = await drawn(api, officer, made)
    await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    [place] = (await api.get("/zones/school-places/placements", headers=parent)).json()["items"]
    assert "您属片区内第2类" in place["explanation"], "the hukou stayed where it was"


async def test_a_roll_that_is_fixed_takes_no_more_applications(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 2})
    await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    await api.post(made.runs, json={}, headers=officer)
    late = await builders.resident(api, sandbox, family("A"))
    answer = await apply(api, late, [made.schools["A"]])
    assert answer.status_code == 422
    assert "名单已经锁定" in errors(answer)[""]


async def test_a_clerk_of_another_agency_does_not_find_the_case(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound, sign_in_staff: SignInStaff
) -> None:
    made = await make_round({"A": 2})
    case = (await apply(api, await builders.resident(api, sandbox, family("A")), [made.schools["A"]])).json()
    for stranger in (
        await sign_in_staff("clerk", agency="health"),
        await sign_in_staff("clerk", division="460106"),
    ):
        answer = await api.post(
            f"/desk/cases/{case['id']}/accept", json={"version": case["version"]}, headers=stranger
        )
        assert answer.status_code == 404
