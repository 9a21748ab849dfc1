"""Divisions of Hainan. Source: docs/domain.md §2."""

from __future__ import annotations

from collections import Counter

import pytest

from haiyiban import divisions

EVERYTHING = [divisions.get(code) for code in divisions.subtree(divisions.PROVINCE)]
TOWNSHIPS = [division for division in EVERYTHING if division.level == "township"]

ROWS_PER_UNIT = {
    "秀英": 8,
    "龙华": 11,
    "琼山": 12,
    "美兰": 15,
    "海棠": 1,
    "吉阳": 1,
    "天涯": 1,
    "崖州": 1,
    "三沙": 5,
    "儋州": 18,
    "五指山": 8,
    "琼海": 13,
    "文昌": 17,
    "万宁": 14,
    "东方": 11,
    "定安": 10,
    "屯昌": 8,
    "澄迈": 12,
    "临高": 11,
    "白沙": 11,
    "昌江": 9,
    "乐东": 13,
    "陵水": 12,
    "保亭": 10,
    "琼中": 11,
}


def unit_of(township: divisions.Division) -> str:
    county = divisions.parent_of(township.code)
    assert county is not None
    return "460300" if county.kind == "islands" else county.code


def test_there_are_25_county_level_units_as_the_ministry_counts() -> None:
    kinds = Counter(division.kind for division in EVERYTHING)
    assert (kinds["city"], kinds["county_level_city"], kinds["county"], kinds["autonomous_county"]) == (
        4,
        5,
        4,
        6,
    )
    assert kinds["district"] == 8  # two more of the ministry's ten are the island groups of 三沙


def test_townships_proper_are_no_more_than_the_ministry_counts() -> None:
    kinds = Counter(division.kind for division in TOWNSHIPS)
    assert (kinds["subdistrict"], kinds["town"], kinds["township"]) == (21, 175, 21)
    assert kinds["subdistrict"] + kinds["town"] + kinds["township"] <= 218


def test_rows_per_county_unit_add_up_to_243() -> None:
    counted = Counter(divisions.get(unit_of(township)).name for township in TOWNSHIPS)
    short = {
        name: sum(rows for full, rows in counted.items() if full.startswith(name)) for name in ROWS_PER_UNIT
    }
    assert short == ROWS_PER_UNIT
    assert sum(counted.values()) == 243


def test_every_division_leads_up_to_the_province() -> None:
    assert len(EVERYTHING) == 31 + 243 + 3296
    for division in EVERYTHING:
        assert (division.code, *(above.code for above in divisions.ancestors(division.code)))[-1] == "460000"


def test_every_code_has_the_length_of_its_level() -> None:
    lengths = {"province": 6, "city": 6, "county": 6, "township": 9, "village": 12}
    assert all(len(division.code) == lengths[division.level] for division in EVERYTHING)


@pytest.mark.parametrize(
    ("code", "parent"),
    [
        ("460105", "460100"),
        ("469028", "460000"),
        ("469001", "460000"),
        ("460400", "460000"),
        ("460321", "460300"),
        ("460400499", "460400"),
        ("469028100", "469028"),
    ],
)
def test_a_division_hangs_under_its_authority(code: str, parent: str) -> None:
    above = divisions.parent_of(code)
    assert above is not None
    assert above.code == parent
    assert code in {division.code for division in divisions.children_of(parent)}


def test_the_province_has_nothing_above() -> None:
    assert divisions.parent_of("460000") is None
    assert divisions.ancestors("460000") == ()


@pytest.mark.parametrize(
    ("retired", "now"),
    [
        ("469003", "460400"),
        ("469031", "460321"),
        ("469032", "460322"),
        ("469033", "460323"),
        ("469000", "460000"),
        ("460003", "460400"),
        ("460004", "460107"),
        ("460028", "469024"),
        ("460033", "469027"),
        ("460034", "469028"),
        ("460302", "460321"),
        ("460303", "460322"),
        ("460105000", "460105"),
        ("460105000000", "460105"),
        ("460105001000", "460105001"),
    ],
)
def test_retired_and_padded_codes_lead_to_the_place_of_today(retired: str, now: str) -> None:
    assert divisions.get(retired).code == now


def test_no_alias_hides_a_division_or_leads_nowhere() -> None:
    codes = {division.code for division in EVERYTHING}
    assert not codes & divisions.ALIASES.keys()
    assert set(divisions.ALIASES.values()) <= codes


@pytest.mark.parametrize(
    ("code", "top", "within"),
    [
        ("460105001001", "460100", True),
        ("460105", "460105", True),
        ("469028", "460000", True),
        ("469028", "460400", False),
        ("460100", "460105", False),
        ("460400499", "460400", True),
        ("469003", "460400", True),
    ],
)
def test_within_goes_by_parent(code: str, top: str, within: bool) -> None:
    assert divisions.is_within(code, top) is within
    assert (divisions.canonical(code) in divisions.subtree(top)) is within


@pytest.mark.parametrize("code", ["", "46", "440100", "460999", "460105999", "４６０１０５"])
def test_an_unknown_code_is_said_to_be_unknown(code: str) -> None:
    assert divisions.find(code) is None
    with pytest.raises(divisions.UnknownDivision):
        divisions.get(code)


def test_county_level_divisions_have_an_english_name_and_the_rest_their_chinese_one() -> None:
    assert divisions.get("469028").name_en == "Lingshui Li Autonomous County"
    assert all(division.name_en.isascii() for division in EVERYTHING if len(division.code) == 6)
    assert divisions.get("460105001").name_en == divisions.get("460105001").name
