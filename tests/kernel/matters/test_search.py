"""The search index by itself: full size, fair order, odd entries."""

import random

import pytest

from haiyiban.matters.search import MOST, Entry, SearchIndex
from haiyiban.matters.words import EverydayWords, normal, without_fillers

EVERYDAY = EverydayWords(
    notions=((normal("小孩"), normal("娃"), normal("child")), (normal("租金"), normal("rent"))),
    fillers=(normal("我想"), normal("办理"), normal("how to")),
)
PLACES = ("海口市", "三亚市", "文昌市", "琼海市", "万宁市", "东方市", "定安县", "屯昌县", "澄迈县", "临高县")
OBJECTS = ("居住证", "驾驶证", "食品经营", "社会保险", "不动产", "道路运输", "取水", "排污", "导游", "兽药")
ACTS = ("登记", "变更", "注销", "许可", "备案", "补办", "查询", "证明", "延续", "补贴")


def index(*names: str) -> SearchIndex:
    return SearchIndex([Entry(f"m.{n:05d}", (name,), ()) for n, name in enumerate(names)], EVERYDAY)


@pytest.fixture(scope="module")
def province() -> tuple[SearchIndex, list[str]]:
    """A catalogue of 4,000 names that resemble each other as those of a province do."""
    pick = random.Random(7).choice
    names = [f"{pick(PLACES)}{pick(OBJECTS)}{pick(OBJECTS)[:2]}{pick(ACTS)}第{n}号" for n in range(4000)]
    return index(*names), names


def test_a_name_among_thousands_alike_is_found_first(province: tuple[SearchIndex, list[str]]) -> None:
    search, names = province
    for n in random.Random(8).sample(range(len(names)), 100):
        assert search.find(names[n])[0] == f"m.{n:05d}"


def test_two_common_characters_find_those_that_hold_them(province: tuple[SearchIndex, list[str]]) -> None:
    search, names = province
    found = search.find("兽药")
    assert len(found) == MOST
    assert all("兽药" in names[int(code[2:])] for code in found)


def test_equal_matches_come_in_order_of_code() -> None:
    assert index("居住证", "居住证", "居住证").find("居住证") == ["m.00000", "m.00001", "m.00002"]


def test_what_is_not_allowed_is_not_found_and_hides_nothing() -> None:
    search = index("居住证签注", "居住登记")
    assert search.find("居住证签注", allowed=lambda code: code == "m.00001") == ["m.00001"]


def test_words_of_one_notion_find_each_other() -> None:
    assert index("儿童与小孩", "老人").find("我的娃") == ["m.00000"]
    assert index("housing rent", "parent").find("租金") == ["m.00000"]


def test_a_latin_word_is_not_found_inside_another() -> None:
    assert index("parents").find("rent") == []


def test_plural_case_and_width_do_not_matter() -> None:
    assert index("Driving Licences").find("ｄｒｉｖｉｎｇ LICENCE") == ["m.00000"]


def test_what_says_nothing_is_left_out_unless_nothing_else_is_said() -> None:
    assert without_fillers(normal("我想办理居住证"), EVERYDAY.fillers).strip() == "居住证"
    assert without_fillers(normal("办理"), EVERYDAY.fillers).strip() == "办理"
    assert without_fillers(normal("how to rent"), EVERYDAY.fillers).strip() == "rent"


def test_an_empty_catalogue_finds_nothing() -> None:
    assert index().find("居住证") == []
