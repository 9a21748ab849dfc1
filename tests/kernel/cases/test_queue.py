"""What a clerk's queue holds: deadlines, what is one's own, how the like was decided, words for notices."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from haiyiban import clock, resources
from haiyiban.cases import corrections
from haiyiban.workdays import Calendar
from tests import builders
from tests.builders import slug
from tests.kernel.cases.office import SENIOR, Citizen, Office, change_row


async def counts(office: Office, **params: str) -> dict[str, int]:
    answer = await office.api.get("/desk/cases/counts", params=params, headers=await office.headers())
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["counts"])


@pytest.mark.parametrize(
    ("shift", "focus", "left"), [(-7, "overdue", "past"), (0, "today", "now"), (1, "soon", "some")]
)
async def test_a_deadline_brings_a_case_into_its_focus_and_no_other(
    api: httpx.AsyncClient, citizen: Citizen, shift: int, focus: str, left: str
) -> None:
    office = Office(api)
    case = await citizen.handed_in()
    await office.done(case, "accept")
    before = await counts(office)
    due = clock.today() + timedelta(days=shift)
    if focus == "soon":
        due = Calendar({}, {}, ()).add_workdays(clock.today(), 1, division="460105")
    await change_row(case, promised_due_on=due)
    after = await counts(office)
    found = {
        name: [each for each in await office.whole_queue(focus=name) if each["id"] == case["id"]]
        for name in ("overdue", "today", "soon")
    }
    assert [name for name, cases in found.items() if cases] == [focus]
    assert after[focus] == before[focus] + 1
    shown = found[focus][0]
    remaining = shown["remainingDays"]
    assert {"past": remaining < 0, "now": remaining == 0, "some": remaining > 0}[left]
    assert shown["isOverdue"] is (focus == "overdue")


async def test_a_clock_that_stands_still_is_never_late(api: httpx.AsyncClient, citizen: Citizen) -> None:
    office = Office(api)
    case = await citizen.handed_in()
    await office.done(case, "accept")
    await office.done(case, "suspend", reason="现场勘验")
    await change_row(case, promised_due_on=clock.today() - timedelta(days=7))
    assert case["id"] not in [each["id"] for each in await office.whole_queue(focus="overdue")]
    [shown] = [each for each in await office.whole_queue(state="suspended") if each["id"] == case["id"]]
    assert shown["remainingDays"] is None


async def test_mine_is_what_i_acted_on_until_it_is_over(api: httpx.AsyncClient, citizen: Citizen) -> None:
    office = Office(api)
    case = await citizen.handed_in()
    assert (await counts(office))["mine"] == 0
    await office.done(case, "accept")
    assert (await counts(office))["mine"] == 1
    assert [each["id"] for each in await office.whole_queue(focus="mine")] == [case["id"]]
    assert await office.whole_queue(who="another clerk", focus="mine") == []
    await office.done(case, "terminate", note="申请人要求终止")
    assert (await counts(office))["mine"] == 0


async def test_counts_are_of_one_matter_or_all(api: httpx.AsyncClient, citizen: Citizen) -> None:
    office = Office(api)
    await citizen.handed_in()
    every, seniors = await counts(office), await counts(office, matter=SENIOR)
    assert 1 <= seniors["submitted"] <= every["submitted"]
    assert (await counts(office, matter="no.such"))["submitted"] == 0


async def test_an_unknown_focus_is_named(api: httpx.AsyncClient) -> None:
    answer = await api.get(
        "/desk/cases", params={"focus": "?"}, headers=await builders.staff(api, agency="civil-affairs")
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/focus"


async def test_similar_cases_are_those_with_the_same_findings_and_name_nobody(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, citizen: Citizen
) -> None:
    office = Office(api)
    finding = {
        "code": "too-young",
        "level": "warning",
        "pointer": "/birthDate",
        "words": ["年龄", "age"],
        "detail": {},
    }
    case = await citizen.handed_in()
    await change_row(case, findings=json.dumps([finding]))
    like = await Citizen.signed_in(api, sandbox)
    other = await Citizen.signed_in(api, sandbox)
    denied, approved = await like.handed_in(), await other.handed_in()
    await change_row(denied, findings=json.dumps([finding]))
    await office.done(denied, "accept")
    await office.done(denied, "deny", note="不满足年龄条件")
    await office.done(approved, "accept")
    await office.done(approved, "approve")
    address = f"/desk/cases/{case['id']}/similar"
    answer = await api.get(address, headers=await office.headers())
    body = answer.json()
    assert body["outcomes"] == {"denied": 1}
    assert [(each["id"], each["common"]) for each in body["items"]] == [(denied["id"], ["too-young"])]
    assert like.somebody.name not in answer.text
    assert like.somebody.id_number not in answer.text
    stranger = await builders.staff(api, agency="education")
    assert slug(await api.get(address, headers=stranger)) == "not-found"


async def test_words_for_a_correction_are_the_matters_own_and_then_those_for_all(
    api: httpx.AsyncClient, citizen: Citizen
) -> None:
    case = await citizen.handed_in()
    office = Office(api)
    answer = await api.get(f"/desk/cases/{case['id']}/correction-templates", headers=await office.headers())
    items = answer.json()["items"]
    assert items[0]["pointers"] == ["/bankAccount"]
    assert items[-1]["pointers"] == []
    assert all(each["zh"] and each["en"] for each in items)


async def test_words_are_those_of_matters_that_are_offered() -> None:
    """A matter without words of its own has those for all; a file for no matter is a slip of its name."""
    known = corrections.published(resources.schemas() / "corrections")
    offered = {file.name.rsplit(".v", 1)[0] for file in (resources.schemas() / "matters").glob("*.v*.json")}
    assert set(known) - offered == {corrections.GENERAL}
    assert corrections.of_matter("no.such") == known[corrections.GENERAL]


async def test_words_about_a_field_that_the_form_has_not_are_refused(tmp_path: Path) -> None:
    words = {"code": "x", "text": {"zh": "补", "en": "x"}, "pointers": ["/no"]}
    (tmp_path / f"{SENIOR}.json").write_text(json.dumps({"corrections": [words]}))
    with pytest.raises(corrections.BrokenCorrections, match="the form has no /no"):
        corrections.published(tmp_path)
    (tmp_path / f"{SENIOR}.json").write_text("{}")
    with pytest.raises(corrections.BrokenCorrections, match="corrections"):
        corrections.published(tmp_path)
