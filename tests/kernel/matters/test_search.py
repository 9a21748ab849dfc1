"""The search index by itself: full size, fair order, odd entries."""

import random

import pytest

from haiyiban.matters import search
from haiyiban.matters.keeping import in_memory
from haiyiban.matters.search import MOST, Entry, SearchIndex
from haiyiban.matters.words import EverydayWords, normal, without_fillers

EVERYDAY = EverydayWords(
    notions=((normal("小孩"), normal("娃"), normal("child")), (normal("租金"), normal("rent"))),
    fillers=(normal("我想"), normal("办理"), normal("how to")),
)
PLACES = ("海口市", "三亚市", "文昌市", "琼海市", "万宁市", "东方市", "定安县", "屯昌县", "澄迈县", "临高县")
OBJECTS = ("居住证", "驾驶证", "食品经营", "社会保险", "不动产", "道路运输", "取水", "排污", "导游", "兽药")
ACTS = ("登记", "变更", "注销", "许可", "备案", "补办", "查询", "证明", "延续", "补贴")


class Index:
    """An index whose entries have their number as their code."""

    def __init__(self, entries: list[Entry]) -> None:
        written = in_memory()
        search.write(entries, EVERYDAY, written)
        self._index = SearchIndex(written, EVERYDAY)

    def find(self, query: str, *, among: bytes | None = None) -> list[str]:
        return [f"m.{number:05d}" for number in self._index.find(query, among=among)]


def index(*names: str) -> Index:
    return Index([Entry(f"m.{n:05d}", (name,), ()) for n, name in enumerate(names)])


@pytest.fixture(scope="module")
def province() -> tuple[Index, list[str]]:
    """A catalogue of 4,000 names that resemble each other as those of a province do."""
    pick = random.Random(7).choice
    names = [f"{pick(PLACES)}{pick(OBJECTS)}{pick(OBJECTS)[:2]}{pick(ACTS)}第{n}号" for n in range(4000)]
    return index(*names), names


def test_a_name_among_thousands_alike_is_found_first(province: tuple[Index, list[str]]) -> None:
    found, names = province
    for n in random.Random(8).sample(range(len(names)), 100):
        assert found.find(names[n])[0] == f"m.{n:05d}"


def test_two_common_characters_find_those_that_hold_them(province: tuple[Index, list[str]]) -> None:
    whole, names = province
    found = whole.find("兽药")
    assert len(found) == MOST
    assert all("兽药" in names[int(code[2:])] for code in found)


def test_equal_matches_come_in_order_of_code() -> None:
    assert index("居住证", "居住证", "居住证").find("居住证") == ["m.00000", "m.00001", "m.00002"]


def test_what_is_not_allowed_is_not_found_and_hides_nothing() -> None:
    assert index("居住证签注", "居住登记").find("居住证签注", among=b"\0\1") == ["m.00001"]


def test_what_few_may_find_is_found_among_thousands_alike(province: tuple[Index, list[str]]) -> None:
    whole, names = province
    last = max(n for n, name in enumerate(names) if "兽药" in name)
    among = bytes(n == last for n in range(len(names)))
    assert whole.find("兽药", among=among) == [f"m.{last:05d}"]


def test_one_kind_in_many_places_leaves_room_for_others() -> None:
    places = [Entry(f"m.{n:05d}", (f"{place}小店登记",), (), kind="1") for n, place in enumerate(PLACES)]
    whole = Index([*places, Entry("m.00010", ("登记小店",), (), kind="2"), Entry("m.00011", ("小店",), ())])
    assert whole.find("小店登记")[:3] == ["m.00000", "m.00010", "m.00011"]
    assert len(whole.find("小店登记")) == 12
    assert whole.find("文昌市小店登记")[0] == "m.00002"


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
