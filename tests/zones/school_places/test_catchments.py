"""Addresses and catchments in the spellings that registers use. Source: docs/domain.md §6.1, §6.2."""

import pytest

from services.school_places.catchments import Area, Catchment, in_catchment, normal_address, same_address

CATCHMENT = Catchment(
    division="460105", streets=("海秀路", "秀英大道12号", "港湾路8"), communities=("椰风小区", "1号院")
)


@pytest.mark.parametrize(
    "address",
    [
        "海南省海口市秀英区海秀路3号",
        "海秀路 ３ 号",
        "海口市秀英区秀英街道海秀路99号2栋301室",
        "秀英区秀英大道１２号",
        "秀英区港湾路8号",
        "海南省海口市秀英区长流镇椰风小区3栋502室",
        "海口市秀英区长流镇 1号院",
    ],
)
def test_a_home_in_the_catchment_is_found_however_it_is_spelt(address: str) -> None:
    assert in_catchment(address, "460105", CATCHMENT)


@pytest.mark.parametrize(
    "address",
    [
        "海口市秀英区秀英大道128号",
        "海口市秀英区秀英大道1号",
        "海口市秀英区港湾路88号",
        "海口市秀英区新海秀路3号",
        "海口市秀英区长流镇11号院",
        "海口市秀英区",
        "",
    ],
)
def test_a_home_elsewhere_is_not_in_the_catchment(address: str) -> None:
    assert not in_catchment(address, "460105", CATCHMENT)


@pytest.mark.parametrize(
    ("division", "inside"), [("460105001", True), ("460105001003", True), ("460106", False)]
)
def test_the_same_street_in_another_district_is_another_street(division: str, inside: bool) -> None:
    assert in_catchment("海秀路3号", division, CATCHMENT) is inside


def test_an_area_holds_longer_codes_but_a_container_code_holds_nothing() -> None:
    assert Area(frozenset({"460105"})).holds("460105001003")
    assert not Area(frozenset({"469000"})).holds("469005")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("海南省海口市秀英区海秀路3号", "海秀路３号", True),
        ("海口市秀英区海秀路3号", "海口市秀英区海秀路3号", True),
        ("海口市秀英区海秀路3号", "海口市秀英区海秀路13号", False),
        ("海口市秀英区海秀路13号", "3号", False),
        ("海秀路3号3-201", "海秀路3号32-01", False),
        ("", "", False),
        ("海秀路3号", "", False),
    ],
)
def test_hukou_and_home_are_the_same_place_with_or_without_the_province(
    one: str, other: str, same: bool
) -> None:
    assert same_address(one, other) is same
    assert same_address(other, one) is same


def test_normalising_twice_changes_nothing_more() -> None:
    once = normal_address("海口市 秀英区，海秀路３－２０１")
    assert once == "海口市秀英区海秀路3/201"
    assert normal_address(once) == once
