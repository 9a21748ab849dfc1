"""The allowance as pure rules. Source: docs/domain.md §8.1 (timeline), §8.2 (the eleven vectors)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.duty_free.allowance.basket import Line, sort_out, taken_by, total_fen
from services.duty_free.allowance.order_rules import (
    Delivery,
    Departure,
    Wish,
    against_the_basket,
    against_the_buyer,
    leaves_the_country,
)
from services.duty_free.allowance.rule_table import Mode, PickUp, RuleSet, Table, allowance_table, tax_table
from services.duty_free.allowance.rules import collect_by, is_old_enough, leave_by, may_take_at, split

TAX = tax_table().on(date(2026, 1, 1))
COSMETICS, LIQUOR, PHONE, SUGAR, TOY, SILK = 5, 45, 43, 17, 21, 8


def on(day: date) -> RuleSet:
    rules = allowance_table().on(day)
    assert rules is not None
    return rules


def way(mode: Mode, day: date = date(2026, 1, 1)) -> PickUp:
    found = on(day).way(mode)
    assert found is not None
    return found


def line(category: int, quantity: int = 1, price: int = 10000, **more: Any) -> Line:
    return Line(category=category, quantity=quantity, unit_price_fen=price, **more)


NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


def wish(mode: Mode = Mode.ISOLATION_AREA, *lines: Line, now: datetime = NOW, **departure: object) -> Wish:
    trip: dict[str, object] = {
        "departsAt": now + timedelta(days=2),
        "mode": "flight",
        "number": "HU7182",
        "from": "460100",
        "to": "110000",
    }
    delivery = Delivery(division="110105", recipient="林示例", payer="林示例") if mode is Mode.MAIL else None
    made = msgspec.convert(trip | departure, Departure)
    return Wish(lines or (line(SUGAR),), mode, made, delivery, now)


def reasons(asked: Wish) -> list[tuple[str, str]]:
    rules = on(asked.now.date())
    return [(reason.code, reason.pointer) for reason in against_the_basket(asked, rules)]


@pytest.mark.parametrize(
    ("day", "age", "last_category", "modes"),
    [
        (date(2020, 7, 1), 16, 45, 2),
        (date(2021, 2, 1), 16, 45, 2),
        (date(2021, 2, 2), 16, 45, 4),
        (date(2023, 3, 31), 16, 45, 4),
        (date(2023, 4, 1), 16, 45, 6),
        (date(2025, 10, 31), 16, 45, 6),
        (date(2025, 11, 1), 18, 47, 6),
    ],
)
def test_the_rules_change_on_the_days_of_the_announcements(
    day: date, age: int, last_category: int, modes: int
) -> None:
    """§8.1."""
    rules = on(day)
    assert (rules.minimum_age, rules.last_category, len(rules.pick_up)) == (age, last_category, modes)
    assert rules.yearly_quota_fen == 10_000_000
    assert rules.source


def test_there_are_no_rules_before_the_first() -> None:
    assert allowance_table().on(date(2020, 6, 30)) is None
    assert tax_table().on(date(2019, 3, 31)) is None


def test_figures_that_were_not_found_are_named_and_stay_unset() -> None:
    """§8.1, §15 no. 3."""
    assert {unset.figure for unset in on(date(2026, 1, 1)).unset} == {
        "pickUp.immediate.perItemLimits",
        "pickUp.immediate.categories",
    }
    assert on(date(2021, 1, 1)).unset == ()


@pytest.mark.parametrize(
    ("born", "buys", "answer"),
    [
        (date(2007, 11, 2), date(2025, 11, 1), "no"),  # no. 1
        (date(2007, 11, 2), date(2025, 10, 31), "yes"),  # no. 1
        (date(2007, 11, 1), date(2025, 11, 1), "yes"),  # no. 2
        (date(2006, 2, 28), date(2022, 2, 27), "no"),
        (date(2006, 2, 28), date(2022, 2, 28), "yes"),
        (date(2008, 2, 29), date(2026, 2, 28), "no"),  # as no. 3: a year older on 1 March
        (date(2008, 2, 29), date(2026, 3, 1), "yes"),  # as no. 3
        (None, date(2026, 1, 1), "unknown"),
    ],
)
def test_a_buyer_is_as_old_as_the_rules_of_the_day_ask(born: date | None, buys: date, answer: str) -> None:
    """§8.2 nos. 1–3."""
    assert is_old_enough(born, on=buys, rules=on(buys)) == answer


def test_no_4_what_is_left_of_the_quota_is_free_and_the_rest_is_taxed() -> None:
    found = split(
        [line(SILK, 1, 650_000, tax_class=2)],
        rules=on(date(2026, 1, 1)),
        used_fen=9_600_000,
        taken={},
        rates=TAX,
    )
    assert (found.free_fen, found.excess_fen, found.tax_fen) == (400_000, 250_000, 50_000)


def test_no_5_of_32_cosmetics_two_are_over() -> None:
    found = split(
        [line(COSMETICS, 32, tax_class=2)], rules=on(date(2026, 1, 1)), used_fen=0, taken={}, rates=TAX
    )
    assert (found.sorted.within, found.sorted.over) == ((30,), (2,))
    assert (found.free_fen, found.excess_fen, found.tax_fen) == (300_000, 20_000, 4_000)


@pytest.mark.parametrize(
    ("bottles", "within", "over"),
    [
        ([(2, 750)], (2,), (0,)),
        ([(1, 700), (1, 1000)], (1, 0), (0, 1)),
        ([(3, 750)], (2,), (1,)),
        ([(1, 1501)], (0,), (1,)),
    ],
)
def test_no_6_liquor_is_counted_in_millilitres_and_a_bottle_is_not_cut(
    bottles: list[tuple[int, int]], within: tuple[int, ...], over: tuple[int, ...]
) -> None:
    lines = [line(LIQUOR, quantity, millilitres=size) for quantity, size in bottles]
    found = sort_out(lines, limits=on(date(2026, 1, 1)).per_trip, taken={})
    assert (found.within, found.over) == (within, over)


@pytest.mark.parametrize(
    ("mode", "price", "category", "answer"),
    [
        (Mode.GUARANTEED, 5_000_000, 3, "yes"),  # no. 7
        (Mode.GUARANTEED, 4_999_999, 3, "no"),  # no. 7
        (Mode.IMMEDIATE, 1_999_999, COSMETICS, "yes"),  # no. 8
        (Mode.IMMEDIATE, 2_000_000, COSMETICS, "no"),  # no. 8
        (Mode.IMMEDIATE, 1_999_999, 3, "unknown"),  # the rest of the 15 items was not found
        (Mode.MAIL, 1, 3, "yes"),
    ],
)
def test_nos_7_and_8_goods_taken_at_once_have_their_price(
    mode: Mode, price: int, category: int, answer: str
) -> None:
    assert may_take_at(way(mode), unit_price_fen=price, category=category) == answer


def test_no_9_thirty_days_are_counted_leniently_and_by_configuration() -> None:
    lenient = way(Mode.IMMEDIATE, date(2023, 4, 1))
    assert leave_by(lenient, purchased_on=date(2023, 4, 1)) == date(2023, 5, 1)
    strict = msgspec.structs.replace(lenient, counted_from="purchase_day")
    assert leave_by(strict, purchased_on=date(2023, 4, 1)) == date(2023, 4, 30)
    assert leave_by(way(Mode.MAIL), purchased_on=date(2023, 4, 1)) is None


@pytest.mark.parametrize(
    ("bought", "last"),
    [
        (date(2023, 1, 31), date(2023, 4, 30)),  # no. 10
        (date(2023, 11, 30), date(2024, 2, 29)),
        (date(2022, 11, 30), date(2023, 2, 28)),
        (date(2023, 1, 15), date(2023, 4, 15)),
    ],
)
def test_no_10_three_months_end_with_the_month_where_the_day_is_missing(bought: date, last: date) -> None:
    collect = way(Mode.ON_RETURN, bought).collect
    assert collect is not None
    assert collect_by(collect, purchased_on=bought, departs_on=bought + timedelta(days=3)) == last


def test_goods_behind_security_are_kept_for_days_after_the_departure() -> None:
    collect = way(Mode.ISOLATION_AREA).collect
    assert collect is not None
    last = collect_by(collect, purchased_on=date(2026, 3, 2), departs_on=date(2026, 3, 10))
    assert last == date(2026, 3, 13)


@pytest.mark.parametrize(
    ("division", "recipient", "expected"),
    [
        ("110105", "林示例", []),
        ("460105", "林示例", [("not-by-mail-here", "/delivery/division")]),
        ("469005", "林示例", [("not-by-mail-here", "/delivery/division")]),
        ("110105", "苏范例", [("recipient-is-another", "/delivery/recipient")]),
    ],
)
def test_no_11_goods_are_mailed_out_of_the_island_and_to_the_buyer(
    division: str, recipient: str, expected: list[tuple[str, str]]
) -> None:
    delivery = Delivery(division=division, recipient=recipient, payer="林示例")
    asked = wish(Mode.MAIL)._replace(delivery=delivery)
    rules = on(date(2026, 3, 2))
    found = [
        *against_the_basket(asked, rules),
        *against_the_buyer(asked, rules, birth=date(1990, 5, 12), name="林示例"),
    ]
    assert [(reason.code, reason.pointer) for reason in found] == expected


def test_names_of_passports_are_the_same_in_either_size() -> None:
    delivery = Delivery(division="110105", recipient="john  smith", payer="JOHN SMITH")
    asked = wish(Mode.MAIL)._replace(delivery=delivery)
    rules = on(date(2026, 3, 2))
    assert list(against_the_buyer(asked, rules, birth=date(1990, 5, 12), name="JOHN SMITH")) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"from": "110000", "to": "460100"}, [("not-leaving-the-island", "/departure")]),
        ({"to": "460200"}, [("not-leaving-the-island", "/departure")]),
        ({"from": "JPN"}, [("not-leaving-the-island", "/departure")]),
        ({"departsAt": NOW}, [("departed-already", "/departure/departsAt")]),
        ({"to": "JPN"}, []),
        ({"to": "810000"}, []),
    ],
)
def test_a_ticket_for_leaving_the_island_is_needed(
    changes: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    """§8.1."""
    assert reasons(wish(**changes)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mode", "year", "is_refused"),
    [
        (Mode.ISOLATION_AREA, 2026, False),
        (Mode.AIRPORT_SHOP, 2026, False),
        (Mode.MAIL, 2026, True),
        (Mode.ON_RETURN, 2026, True),
        (Mode.ISOLATION_AREA, 2025, True),
    ],
)
def test_who_leaves_the_country_picks_up_at_the_port_alone_and_since_november_2025(
    mode: Mode, year: int, is_refused: bool
) -> None:
    """§8.1."""
    asked = wish(mode, now=NOW.replace(year=year), to="JPN")
    assert [code for code, _ in reasons(asked)] == ["leaving-the-country"] * is_refused


@pytest.mark.parametrize(
    ("place", "answer"),
    [
        ("110000", False),
        ("440100", False),
        ("JPN", True),
        ("810000", True),
        ("820000", True),
        ("710000", True),
    ],
)
def test_hong_kong_macao_and_taiwan_lie_beyond_the_border(place: str, answer: bool) -> None:
    assert leaves_the_country(place) is answer


def test_every_reason_is_told_at_once() -> None:
    asked = wish(
        Mode.IMMEDIATE,
        line(46, 1, 2_000_000),
        line(LIQUOR),
        now=datetime(2024, 3, 2, 4, tzinfo=UTC),
        departsAt=datetime(2024, 4, 2, 4, tzinfo=UTC),
    )
    assert reasons(asked) == [
        ("leaves-too-late", "/departure/departsAt"),
        ("category-not-offered", "/lines/0/category"),
        ("price-not-for-this-way", "/lines/0/unitPriceFen"),
        ("millilitres-missing", "/lines/1/millilitres"),
        ("not-confirmed-for-this-way", "/lines/1/category"),
    ]
    early = wish(Mode.MAIL, now=datetime(2020, 8, 1, tzinfo=UTC))._replace(delivery=None)
    assert reasons(early) == [("mode-not-offered", "/pickUp"), ("delivery-missing", "/delivery")]


def test_earlier_orders_of_the_same_trip_count() -> None:
    limits = on(date(2026, 1, 1)).per_trip
    first = [line(COSMETICS, 28), line(LIQUOR, 1, millilitres=750), line(TOY, 5)]
    taken = taken_by(first, sort_out(first, limits=limits, taken={}).within, limits)
    assert taken == {COSMETICS: 28, LIQUOR: 750}
    second = [line(COSMETICS, 5), line(LIQUOR, 1, millilitres=1000), line(PHONE, 5), line(TOY, 100)]
    assert sort_out(second, limits=limits, taken=taken).within == (2, 0, 4, 100)


def test_a_rate_that_nobody_declared_leaves_the_tax_unknown_and_never_naught() -> None:
    rules = on(date(2026, 1, 1))
    unknown = split([line(COSMETICS, 31)], rules=rules, used_fen=0, taken={}, rates=TAX)
    assert (unknown.excess_fen, unknown.tax_fen) == (10_000, None)
    strange = split([line(COSMETICS, 31, tax_class=9)], rules=rules, used_fen=0, taken={}, rates=TAX)
    assert strange.tax_fen is None
    free = split([line(COSMETICS, 30)], rules=rules, used_fen=0, taken={}, rates=TAX)
    assert (free.excess_fen, free.tax_fen) == (0, 0)


def test_over_the_quota_are_the_last_lines_each_at_its_own_rate() -> None:
    lines = [line(SILK, 1, 300_000, tax_class=2), line(SUGAR, 1, 100_001, tax_class=1)]
    found = split(lines, rules=on(date(2026, 1, 1)), used_fen=9_800_000, taken={}, rates=TAX)
    assert (found.free_fen, found.excess_fen) == (200_000, 200_001)
    assert found.tax_fen == 13_000 + 20_000  # 13 % of 1,000.01 and 20 % of 1,000.00, to the fen


LINES = st.lists(
    st.builds(
        Line,
        category=st.sampled_from([COSMETICS, PHONE, LIQUOR, SUGAR]),
        quantity=st.integers(1, 60),
        unit_price_fen=st.integers(1, 3_000_000),
        millilitres=st.integers(1, 2000),
        tax_class=st.sampled_from([1, 2, 3]),
    ),
    min_size=1,
    max_size=6,
)


@given(LINES, st.integers(0, 12_000_000), st.dictionaries(st.sampled_from([5, 43, 45]), st.integers(0, 2000)))
def test_nothing_is_lost_and_nothing_passes_the_quota_or_a_limit(
    lines: list[Line], used_fen: int, taken: dict[int, int]
) -> None:
    rules = on(date(2026, 1, 1))
    found = split(lines, rules=rules, used_fen=used_fen, taken=taken, rates=TAX)
    assert found.free_fen + found.excess_fen == found.total_fen == total_fen(lines)
    assert 0 <= found.free_fen <= max(0, rules.yearly_quota_fen - used_fen)
    assert found.tax_fen is not None
    assert 0 <= found.tax_fen <= found.excess_fen
    for limit in rules.per_trip:
        assert found.sorted.taken.get(limit.category, 0) <= max(limit.most, taken.get(limit.category, 0))
    for each, within, over in zip(lines, found.sorted.within, found.sorted.over, strict=True):
        assert within + over == each.quantity


@given(LINES, LINES)
def test_two_orders_of_a_trip_get_no_more_than_one_would(first: list[Line], second: list[Line]) -> None:
    limits = on(date(2026, 1, 1)).per_trip
    one = sort_out(first, limits=limits, taken={})
    two = sort_out(second, limits=limits, taken=taken_by(first, one.within, limits))
    both = sort_out([*first, *second], limits=limits, taken={})
    assert both.taken == {**one.taken, **two.taken}


def test_a_table_out_of_order_is_refused() -> None:
    table = msgspec.to_builtins(allowance_table())
    table["rules"] = table["rules"][::-1]
    with pytest.raises(msgspec.ValidationError, match="earliest first"):
        msgspec.convert(table, Table, strict=False)
