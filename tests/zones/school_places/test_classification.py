"""Priority classes 0–6 from verified facts. Source: docs/domain.md §6.2."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import msgspec
import pytest

from haiyiban.resources import schemas
from services.school_places.catchments import Area, Catchment
from services.school_places.class_table import ClassTable, SubclassRule, read_class_table
from services.school_places.classification import Classification, Priority, classify
from services.school_places.conditions import full_months
from services.school_places.facts import Facts, Home, HomeUse, Hukou, Known, ResidencePermit, Unknown
from services.school_places.matching import NOT_BY_MATCHING
from services.school_places.ranking import priorities

AT = datetime(2026, 7, 1, 4, tzinfo=UTC)
ON = date(2026, 7, 28)
IN_ZONE = "海口市秀英区海秀路3号"
ELSEWHERE = "海口市秀英区长滨路8号"
BEIJING = Hukou("北京市朝阳区样例路9号", "110105", date(2010, 1, 1))
CATCHMENT = Catchment(division="460105", streets=("海秀路",))
AREA = Area(frozenset({"460105"}))


def known(value: Any) -> Known[Any]:
    return Known(value, "register", AT)


UNKNOWN = Unknown("register", AT)


def hukou(address: str = IN_ZONE, division: str = "460105") -> Known[Any]:
    return known(Hukou(address, division, date(2019, 1, 1)))


def home(address: str = IN_ZONE, **changes: Any) -> Known[Any]:
    owned = Home("h1", address, "460105", "owned", 100, date(2018, 1, 1))
    return known(replace(owned, **changes))


def lease(since: date | None = date(2024, 7, 28), **changes: Any) -> Known[Any]:
    return home(title="registered_lease", share=0, since=since, **changes)


FAMILY = Facts(
    guardians=frozenset({"mother", "father"}),
    hukou=hukou(),
    home=home(),
    home_uses=known(()),
    residence_permit=known(None),
    social_insurance_months=known(0),
    siblings_at=known(frozenset()),
    privileged=known(False),
)
PERMIT = known(ResidencePermit(date(2024, 1, 1), date(2027, 1, 1)))


@pytest.fixture(scope="module")
def table() -> ClassTable:
    return read_class_table((schemas() / "zones/school_places/classes.v1.json").read_bytes())


def at_school(table: ClassTable, **changes: Any) -> Classification:
    facts = replace(FAMILY, **changes)
    told = classify(facts, table, school="haixiu", catchment=CATCHMENT, area=AREA, year=2026, on=ON)
    if not any(isinstance(getattr(facts, each.name), Unknown) for each in fields(facts)) and told.priority:
        # A roll, which has no use for the evidence, ranks the same.
        ranked = priorities(facts, table, schools={"haixiu": CATCHMENT}, area=AREA, year=2026, on=ON)
        assert list(ranked) == [told.priority]
    return told


@pytest.mark.parametrize(
    ("changes", "outside", "rank"),
    [
        ({"privileged": known(True)}, 0, 0),
        ({"privileged": known(True), "home": known(None)}, 1, 0),
        ({}, 0, 1),
        ({"home": home(share=50)}, 0, 1),
        ({"home": home(share=49)}, 0, 6),
        ({"home": home(title="grandparents", share=0)}, 0, 2),
        ({"hukou": hukou("海口市龙华区龙昆路1号", "460106")}, 0, 2),
        ({"hukou": hukou("海口市秀英区海秀路99号")}, 0, 2),
        ({"hukou": hukou("海口市龙华区龙昆路1号", "460106"), "home": lease()}, 0, 3),
        ({"home": home(title="public_rental", share=0)}, 0, 3),
        ({"home": lease(date(2024, 7, 29))}, 0, 6),
        ({"hukou": known(BEIJING), "residence_permit": PERMIT}, 0, 4),
        ({"hukou": known(BEIJING), "home": home(share=20), "residence_permit": PERMIT}, 0, 6),
        ({"hukou": known(BEIJING)}, 0, 6),
        (
            {
                "hukou": known(BEIJING),
                "home": lease(date(2026, 5, 1)),
                "residence_permit": PERMIT,
                "social_insurance_months": known(6),
            },
            0,
            5,
        ),
        (
            {
                "hukou": known(BEIJING),
                "home": lease(),
                "residence_permit": PERMIT,
                "social_insurance_months": known(5),
            },
            0,
            6,
        ),
        (
            {
                "hukou": known(BEIJING),
                "home": lease(),
                "residence_permit": known(ResidencePermit(date(2024, 1, 1), date(2026, 7, 27))),
                "social_insurance_months": known(60),
            },
            0,
            6,
        ),
        ({"home": home(title="collective", share=0)}, 0, 6),
        ({"home": known(None)}, 1, 6),
        ({"hukou": known(None)}, 0, 6),
        ({"hukou": hukou(ELSEWHERE), "home": home(ELSEWHERE)}, 1, 1),
    ],
)
def test_the_class_follows_from_the_facts(
    table: ClassTable, changes: dict[str, Any], outside: int, rank: int
) -> None:
    found = at_school(table, **changes)
    assert not found.needs_review
    assert found.priority is not None
    assert found.priority[:2] == (outside, rank)
    assert found.at_best == found.at_worst == rank


@pytest.mark.parametrize(
    ("uses", "rank"),
    [
        ((), 1),
        ((HomeUse(2021, frozenset({"stranger"})),), 6),
        ((HomeUse(2020, frozenset({"stranger"})),), 1),
        ((HomeUse(2023, frozenset({"mother"})),), 1),
        ((HomeUse(2023, frozenset({"mother"})), HomeUse(2022, frozenset({"stranger"}))), 6),
    ],
)
def test_a_home_gives_places_to_one_family_in_six_years(
    table: ClassTable, uses: tuple[HomeUse, ...], rank: int
) -> None:
    found = at_school(table, home_uses=known(uses))
    assert found.priority is not None
    assert found.priority.rank == rank
    assert "home_uses" in {evidence.fact for evidence in found.evidence}


def test_a_used_home_does_not_take_the_privilege_of_class_0(table: ClassTable) -> None:
    used = known((HomeUse(2024, frozenset({"stranger"})),))
    found = at_school(table, privileged=known(True), home_uses=used)
    assert found.priority is not None
    assert found.priority.rank == 0


@pytest.mark.parametrize(
    ("changes", "opened", "at_best", "at_worst"),
    [
        ({"home": UNKNOWN}, ("home",), 1, 6),
        ({"hukou": UNKNOWN}, ("hukou",), 1, 6),
        ({"home": lease(None)}, ("home",), 3, 6),
        ({"home_uses": UNKNOWN}, ("home_uses",), 1, 6),
        ({"privileged": UNKNOWN}, ("privileged",), 0, 1),
        ({"siblings_at": UNKNOWN}, ("siblings_at",), 1, 1),
        ({"hukou": known(BEIJING), "residence_permit": UNKNOWN}, ("residence_permit",), 4, 6),
        ({"privileged": UNKNOWN, "home_uses": UNKNOWN}, ("home_uses", "privileged"), 0, 6),
    ],
)
def test_an_open_fact_that_could_decide_needs_review_and_is_never_a_no(
    table: ClassTable, changes: dict[str, Any], opened: tuple[str, ...], at_best: int, at_worst: int
) -> None:
    found = at_school(table, **changes)
    assert found.needs_review
    assert found.open == opened
    assert (found.at_best, found.at_worst) == (at_best, at_worst)
    assert any(evidence.value.zh == "待核实" for evidence in found.evidence) or "home" in opened


def test_an_open_fact_that_cannot_matter_keeps_nothing_open(table: ClassTable) -> None:
    found = at_school(table, residence_permit=UNKNOWN, social_insurance_months=UNKNOWN)
    assert found.priority == Priority(0, 1, 1)
    assert found.open == ()


def test_what_is_settled_stays_the_same_whatever_an_open_fact_turns_out_to_be(table: ClassTable) -> None:
    answers: dict[str, list[Known[Any]]] = {
        "hukou": [known(None), hukou(), hukou(ELSEWHERE), known(BEIJING)],
        "home": [known(None), home(), home(ELSEWHERE), home(share=10), lease(), home(title="grandparents")],
        "home_uses": [known(()), known((HomeUse(2025, frozenset({"stranger"})),))],
        "residence_permit": [known(None), PERMIT],
        "social_insurance_months": [known(0), known(12)],
        "privileged": [known(False), known(True)],
    }
    for name, values in answers.items():
        others = [other for other in answers if other != name]
        for picked in product(*(answers[other] for other in others)):
            changes: dict[str, Any] = dict(zip(others, picked, strict=True))
            unsure = at_school(table, **changes, **{name: UNKNOWN})
            possible = [at_school(table, **changes, **{name: value}) for value in values]
            for settled in possible:
                assert unsure.at_best <= settled.at_best <= settled.at_worst <= unsure.at_worst
                if not unsure.needs_review and unsure.at_worst < 6:
                    assert unsure.priority == settled.priority


def test_a_sibling_at_the_school_goes_first_within_the_class(table: ClassTable) -> None:
    with_sibling = at_school(table, siblings_at=known(frozenset({"haixiu"}))).priority
    elsewhere = at_school(table, siblings_at=known(frozenset({"changbin"}))).priority
    assert with_sibling is not None
    assert elsewhere is not None
    assert with_sibling < elsewhere
    assert with_sibling[:2] == elsewhere[:2]


def test_years_of_residence_go_first_up_to_the_cap(table: ClassTable) -> None:
    capped = msgspec.structs.replace(table, subclass=SubclassRule(sibling=False, years_cap=5))
    subclasses = []
    for since in (date(2010, 1, 1), date(2021, 7, 28), date(2021, 7, 29), date(2026, 7, 1)):
        found = at_school(capped, hukou=known(Hukou(IN_ZONE, "460105", since)))
        assert found.priority is not None
        subclasses.append(found.priority.subclass)
    assert subclasses == [0, 0, 1, 5]


def test_without_a_subclass_rule_every_subclass_is_0(table: ClassTable) -> None:
    plain = msgspec.structs.replace(table, subclass=SubclassRule(sibling=False, years_cap=0))
    assert at_school(plain).priority == Priority(0, 1, 0)


def test_every_fact_used_is_told_with_source_time_value_and_effect_in_both_languages(
    table: ClassTable,
) -> None:
    found = at_school(table)
    assert {evidence.fact for evidence in found.evidence} >= {"hukou", "home", "privileged", "home_uses"}
    for evidence in found.evidence:
        assert (evidence.source, evidence.at) == ("register", AT)
        assert all((evidence.value.zh, evidence.value.en, evidence.effect.zh, evidence.effect.en))
    assert any(evidence.effect.zh.startswith("符合第1类") for evidence in found.evidence)


def test_packed_priorities_keep_their_order_and_class_6_is_not_matched() -> None:
    ladder = [Priority(o, c, s) for o in (0, 1) for c in range(6) for s in (0, 1, 200)]
    packed = [priority.packed() for priority in ladder]
    assert packed == sorted(set(packed))
    assert [Priority.of_packed(number) for number in packed] == ladder
    assert Priority(0, 6, 0).packed() == NOT_BY_MATCHING


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        (date(2024, 7, 28), date(2026, 7, 28), 24),
        (date(2024, 7, 29), date(2026, 7, 28), 23),
        (date(2024, 2, 29), date(2026, 2, 28), 23),
        (date(2024, 1, 31), date(2024, 2, 29), 0),
        (date(2024, 1, 31), date(2024, 3, 1), 1),
    ],
)
def test_months_count_when_completed(since: date, until: date, months: int) -> None:
    assert full_months(since, until) == months


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"rank": 1', b'"rank": 6'), (b'"rank": 1', b'"rank": 2'), (b'"is": "privileged"', b'"is": "rich"')],
)
def test_a_wrong_class_table_is_refused(old: bytes, new: bytes) -> None:
    document = (schemas() / "zones/school_places/classes.v1.json").read_bytes()
    assert old in document
    with pytest.raises(msgspec.ValidationError):
        read_class_table(document.replace(old, new, 1))
