"""Masking. Vectors: docs/domain.md §1.5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban import divisions
from haiyiban.masking import (
    mask_address,
    mask_bank_card,
    mask_id_number,
    mask_id_number_strictly,
    mask_mobile,
    mask_name,
)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("王宇浩", "王*浩"),
        ("欧阳娜娜", "欧**娜"),
        ("A", "*"),
        ("John Smith", "J*** S****"),
        ("José Ñandú", "J*** Ñ****"),
        ("J Smith", "* S****"),
        ("阿依古丽·买买提", "阿******提"),
        ("𠅤䶮", "𠅤*"),
        ("王𠅤㛃", "王*㛃"),
        ("\ue863\U00031350三", "\ue863*三"),
        (" 张三 ", "张*"),
        ("", ""),
    ],
)
def test_a_name_keeps_its_ends(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("number", "public", "strict"),
    [
        ("460105199003070017", "460***********0017", "4****************7"),
        ("46010819950612002X", "460***********002X", "4****************X"),
        ("460105900307001", "460********7001", "4*************1"),
        ("E12345678", "E******78", "E*******8"),
        ("AB", "**", "**"),
    ],
)
def test_an_identity_number_keeps_what_its_holder_recognises(number: str, public: str, strict: str) -> None:
    assert mask_id_number(number) == public
    assert mask_id_number_strictly(number) == strict


@pytest.mark.parametrize(
    ("number", "shown"), [("13800138000", "138****8000"), ("+12025550100", "*" * 12), ("", "")]
)
def test_a_mobile_number_keeps_three_and_four(number: str, shown: str) -> None:
    assert mask_mobile(number) == shown


@pytest.mark.parametrize(
    ("card", "shown"),
    [("6222020000001234", "*" * 12 + "1234"), ("6222020000000001234", "*" * 15 + "1234"), ("1234", "****")],
)
def test_a_bank_card_keeps_its_last_four(card: str, shown: str) -> None:
    assert mask_bank_card(card) == shown


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("海口市秀英区海秀街道海秀中路1号2栋301", "海口市秀英区海秀街道"),
        ("海南省海口市美兰区人民路街道和平大道5号", "海南省海口市美兰区人民路街道"),
        ("保亭黎族苗族自治县三道镇什进村", "保亭黎族苗族自治县三道镇"),
        ("海口市龙华区滨海大道城乡小区3栋", "海口市龙华区"),
        ("海口市金盘小区3栋", "海口市"),
        ("崖州区南滨路2号", "崖州区"),
        ("陵水黎族自治县新村镇", "陵水黎族自治县新村镇"),
        ("金盘小区3栋", ""),
        ("12 Haixiu Road, Haikou", ""),
        ("", ""),
    ],
)
def test_an_address_ends_at_its_township(address: str, kept: str) -> None:
    assert mask_address(address) == kept + "********"


def test_every_township_of_hainan_is_kept_and_the_rest_is_hidden() -> None:
    townships = [
        divisions.get(code)
        for code in divisions.subtree(divisions.PROVINCE)
        if divisions.get(code).kind in ("subdistrict", "town", "township")
    ]
    assert len(townships) == 217
    for township in townships:
        above = "".join(division.name for division in reversed(divisions.ancestors(township.code)))
        full = above + township.name
        assert mask_address(full + "解放路88号2单元") == full + "********"


@given(st.text(min_size=1))
def test_nothing_is_ever_shown_in_full(text: str) -> None:
    for mask in (mask_id_number, mask_id_number_strictly, mask_mobile, mask_bank_card):
        shown = mask(text)
        assert len(shown) == len(text)
        assert "*" in shown


@given(st.text("张三王·娜𠅤㛃", min_size=1))
def test_a_masked_name_has_a_star_for_each_hidden_character(name: str) -> None:
    shown = mask_name(name)
    assert len(shown) == len(name)
    assert shown.count("*") == max(1, len(name) - (1 if len(name) == 2 else 2))
