"""A roll ranks as the explanation of a family says, only without the words. Source: docs/domain.md §6.2."""

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from haiyiban.resources import schemas
from services.school_places.catchments import Area, Catchment, CatchmentIndex, in_catchment
from services.school_places.class_table import SubclassRule, read_class_table
from services.school_places.classification import classify
from services.school_places.facts import Facts, Home, HomeUse, Hukou, Known, ResidencePermit
from services.school_places.ranking import priorities

AT = datetime(2026, 7, 1, 4, tzinfo=UTC)
ON = date(2026, 7, 28)
AREA = Area(frozenset({"460105", "460106"}))
CATCHMENTS = {
    "road": Catchment(division="460105", streets=("海秀路",), communities=("椰风小区",)),
    "number": Catchment(division="460105", streets=("海秀路12号", "港湾路8"), communities=("1号院", "椰")),
    "other": Catchment(division="460106", streets=("海秀路", "路"), communities=("风",)),
    "none": Catchment(division="460106001"),
}
PIECES = (
    "海南省",
    "海口市",
    "秀英区",
    "秀英街道",
    "新",
    "海秀路",
    "港湾路",
    "椰风小区",
    "椰",
    "1",
    "12",
    "8",
)
ADDRESSES = st.lists(st.sampled_from((*PIECES, "号", "号院", "-", " ")), max_size=7).map("".join)
DIVISIONS = st.sampled_from(["460105", "460105001", "460106", "460106002", "110105", "469000"])
DAYS = st.sampled_from([date(2010, 1, 1), date(2024, 7, 28), date(2024, 7, 29), date(2026, 5, 1), ON])
TITLES = st.sampled_from(["owned", "public_rental", "registered_lease", "grandparents", "collective"])
LATER = st.sampled_from([None, date(2026, 7, 27), ON, date(2027, 1, 1)])


def known(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values.map(lambda value: Known(value, "register", AT))


FACTS = st.builds(
    Facts,
    guardians=st.just(frozenset({"mother", "father"})),
    hukou=known(st.none() | st.builds(Hukou, ADDRESSES, DIVISIONS, DAYS)),
    home=known(
        st.none()
        | st.builds(
            Home, st.just("h1"), ADDRESSES, DIVISIONS, TITLES, st.sampled_from([0, 49, 50, 100]), DAYS
        )
    ),
    home_uses=known(
        st.lists(
            st.builds(
                HomeUse, st.integers(2015, 2026), st.frozensets(st.sampled_from("abc")) | st.just({"mother"})
            ),
            max_size=2,
        ).map(tuple)
    ),
    residence_permit=known(st.none() | st.builds(ResidencePermit, DAYS, LATER)),
    social_insurance_months=known(st.sampled_from([0, 5, 6, 12])),
    siblings_at=known(st.frozensets(st.sampled_from(list(CATCHMENTS)), max_size=2)),
    privileged=known(st.booleans()),
)


TABLE = read_class_table((schemas() / "zones/school_places/classes.v1.json").read_bytes())


@given(FACTS, st.booleans(), st.sampled_from([0, 6]))
@settings(max_examples=100)
def test_a_roll_ranks_as_a_family_is_told(facts: Facts, sibling: bool, years: int) -> None:
    table = structs.replace(TABLE, subclass=SubclassRule(sibling=sibling, years_cap=years))
    index = CatchmentIndex(CATCHMENTS)
    told = [
        classify(facts, table, school=school, catchment=catchment, area=AREA, year=2026, on=ON).priority
        for school, catchment in CATCHMENTS.items()
    ]
    zones = {school: index.zone(school) for school in CATCHMENTS}
    assert list(priorities(facts, table, schools=zones, area=AREA, year=2026, on=ON)) == told


@given(ADDRESSES, DIVISIONS)
@settings(max_examples=150)
def test_the_index_finds_the_catchments_that_hold_an_address(address: str, division: str) -> None:
    index = CatchmentIndex(CATCHMENTS)
    asked = {key for key, one in CATCHMENTS.items() if in_catchment(address, division, one)}
    assert index.holding(address, division) == asked
    assert index.holding(address, division) == asked, "and of one that it was just asked about"
    assert {key for key in CATCHMENTS if index.zone(key).holds(address, division)} == asked
