"""From register answers and the family's own words to facts. Source: docs/domain.md §6.2."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.school_places.facts import Home, Known, Unknown
from services.school_places.verified import (
    OWN_WORDS,
    Application,
    at_worst,
    best_home,
    facts_of,
    guardian_numbers,
    home_of,
    relation_of,
    sibling_numbers,
    twin_birth,
)

AT = datetime(2026, 7, 1, 4, tzinfo=UTC)
CHILD, TWIN, PARENT, OTHER = "469005202010310039", "460105202010310116", "p1", "p2"
HUKOU = {"address": "海口市秀英区甲路1号", "division": "460105", "since": "2015-01-01"}
HOME: dict[str, Any] = {
    "id": "h1",
    "address": "海口市秀英区甲路1号",
    "division": "460105",
    "title": "owned",
    "share": 60,
    "since": None,
}


def answer(data: dict[str, Any] | None, *, state: str | None = None) -> dict[str, Any]:
    return {
        "state": state or ("absent" if data is None else "known"),
        "source": "register",
        "at": AT.isoformat(),
        "data": data or {},
    }


def application(**answers: dict[str, Any]) -> Application:
    known = {
        "household/subject": answer({**HUKOU, "members": []}),
        "property/applicant": answer({"homes": [HOME]}),
        "birth/subject": answer({"parents": [{"name": "甲", "idNumber": OTHER}], "children": []}),
        "birth/applicant": answer({"parents": [], "children": []}),
        "residence_permit/applicant": answer(None),
        "social_insurance/applicant": answer(None),
        "special_group/subject": answer(None),
    }
    form = {
        "child": {"idNumber": CHILD},
        "guardian": {"idNumber": PARENT},
        "hukou": HUKOU,
        "home": {name: value for name, value in HOME.items() if value is not None},
    }
    return Application(form, known | answers, frozenset(), None, AT)


def facts(of: Application) -> Any:
    return facts_of(of, guardians=frozenset(), home_uses=(), siblings_at=Known(frozenset(), "x", AT))


def test_what_the_registers_say_is_known_with_its_source() -> None:
    found = facts(application())
    assert found.home == Known(Home("h1", HOME["address"], "460105", "owned", 60, None), "register", AT)
    assert found.hukou.value.since == date(2015, 1, 1)
    assert found.residence_permit.value is None
    assert found.social_insurance_months.value == 0
    assert found.privileged.value is False


def test_a_register_that_was_not_asked_or_did_not_answer_leaves_the_fact_open() -> None:
    silent = application(**{"special_group/subject": answer(None, state="unknown")})
    assert isinstance(facts(silent).privileged, Unknown)
    unasked = replace(silent, answers={})
    assert isinstance(facts(unasked).privileged, Unknown)
    assert isinstance(facts(unasked).social_insurance_months, Unknown)


def test_a_disputed_value_is_open_until_a_clerk_accepts_it() -> None:
    moved = application()
    stated = {**moved.form, "home": {**moved.form["home"], "address": "海口市秀英区乙路2号"}}
    disputed = replace(moved, form=stated, disputed=frozenset({"/home/address"}))
    assert home_of(disputed) == Unknown(OWN_WORDS, AT)
    confirmed = home_of(replace(disputed, confirmed_at=AT))
    assert isinstance(confirmed, Known)
    assert confirmed.value is not None
    assert confirmed.value.address == "海口市秀英区乙路2号"


def test_an_undisputed_value_is_the_registers_whatever_the_form_says() -> None:
    forged = application()
    forged = replace(forged, form={**forged.form, "home": {**forged.form["home"], "share": 100}})
    home = home_of(forged)
    assert isinstance(home, Known)
    assert home.value is not None
    assert home.value.share == 60


def test_months_that_are_not_in_a_row_are_for_a_clerk_to_see() -> None:
    gaps = application(**{"social_insurance/applicant": answer({"months": 40, "consecutive": False})})
    assert isinstance(facts(gaps).social_insurance_months, Unknown)
    whole = application(**{"social_insurance/applicant": answer({"months": 40, "consecutive": True})})
    assert facts(whole).social_insurance_months.value == 40


def test_at_worst_nothing_is_open() -> None:
    nothing: Any = at_worst(facts(replace(application(), answers={}, form={})))
    for name in nothing.__dataclass_fields__:
        assert not isinstance(getattr(nothing, name), Unknown), name
    assert nothing.privileged.value is False
    undated: Any = at_worst(facts(application()))
    assert undated.home.value.since == AT.date(), "a home without a date was registered today at worst"


@pytest.mark.parametrize(
    ("titles", "divisions", "chosen"),
    [
        (["registered_lease", "owned"], ["460105", "460105"], 1),
        (["owned", "registered_lease"], ["460106", "460105"], 1),
        (["collective", "grandparents"], ["460105", "460105"], 1),
    ],
)
def test_of_several_homes_the_one_where_the_child_is_registered_comes_first(
    titles: list[Any], divisions: list[str], chosen: int
) -> None:
    homes = [
        Home(str(at), "a", division, title, 100, None)
        for at, (title, division) in enumerate(zip(titles, divisions, strict=True))
    ]
    assert best_home(homes, hukou_division="460105002") == homes[chosen]
    assert best_home([], hukou_division=None) is None


def test_guardians_are_the_applicant_and_the_parents() -> None:
    assert guardian_numbers(application()) == {PARENT, OTHER}


def test_siblings_and_twins_come_from_births_and_the_booklet() -> None:
    family = application(
        **{
            "birth/applicant": answer(
                {"parents": [], "children": [{"name": "a", "idNumber": n} for n in (CHILD, TWIN)]}
            )
        }
    )
    siblings = sibling_numbers(family)
    assert isinstance(siblings, Known)
    assert siblings.value == {TWIN}
    assert twin_birth(family, TWIN, today=AT.date()) == Known(date(2020, 10, 31), "register", AT)
    stranger = twin_birth(application(), TWIN, today=AT.date())
    assert isinstance(stranger, Known)
    assert stranger.value is None
    silent = application(**{"birth/applicant": answer(None, state="unknown")})
    assert isinstance(twin_birth(silent, TWIN, today=AT.date()), Unknown)


def test_the_relation_is_what_the_registers_say() -> None:
    born = {"birth": {"parents": [{"idNumber": PARENT}]}, "household": {}}
    assert relation_of(born, PARENT) == "parent"
    booklet = {"birth": {}, "household": {"members": [{"idNumber": PARENT, "relation": "grandparent"}]}}
    assert relation_of(booklet, PARENT) == "grandparent"
    assert relation_of(booklet, OTHER) is None
