"""How long, how much and whether: the figures of docs/domain.md §7."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban import divisions
from services.unemployment.rules import (
    Situation,
    monthly_fen,
    months,
    reasons,
    transfer_fen,
    verdict,
)
from services.unemployment.standards import standards

TODAY = date(2026, 11, 26)
TABLE = standards().month_table(TODAY)
HAIKOU, DANZHOU, YANGPU, QIONGZHONG, CHENGMAI = "460100", "460400", "460400499", "469030", "469023"


@pytest.mark.parametrize(
    ("paid", "expected"), [(0, 0), (11, 0), (12, 12), (59, 12), (60, 18), (119, 18), (120, 24), (300, 24)]
)
def test_months_by_the_months_paid(paid: int, expected: int) -> None:
    """docs/domain.md §7.1."""
    assert months(paid, TABLE) == expected


@pytest.mark.parametrize(("paid", "left", "expected"), [(30, 11, 23), (70, 11, 24), (13, 3, 15), (5, 9, 9)])
def test_months_left_of_an_earlier_benefit_are_carried_over(paid: int, left: int, expected: int) -> None:
    """docs/domain.md §7.1."""
    assert months(paid, TABLE, left=left) == expected


@given(st.integers(0, 1200), st.integers(0, 24))
def test_more_months_paid_never_bring_less_and_never_over_24(paid: int, left: int) -> None:
    assert months(paid, TABLE, left=left) <= months(paid + 1, TABLE, left=left) <= 24


@pytest.mark.parametrize(
    ("division", "paid_on", "fen"),
    [
        (HAIKOU, date(2018, 12, 1), 150300),
        (DANZHOU, date(2018, 12, 1), 141300),
        (QIONGZHONG, date(2018, 12, 1), 136800),
        (HAIKOU, date(2021, 11, 30), 150300),
        (HAIKOU, date(2021, 12, 1), 164700),
        (DANZHOU, date(2021, 12, 1), 155700),
        (CHENGMAI, date(2021, 12, 1), 155700),
        (QIONGZHONG, date(2021, 12, 1), 151200),
        (HAIKOU, date(2023, 12, 1), 180900),
        (QIONGZHONG, date(2023, 12, 1), 166500),
        ("460105", date(2021, 12, 1), 164700),
        (YANGPU, date(2021, 12, 1), 164700),
        ("469003", date(2021, 12, 1), 155700),
    ],
)
def test_the_amount_is_that_of_the_place_and_of_the_day_of_payment(
    division: str, paid_on: date, fen: int
) -> None:
    """docs/domain.md §7.2 at a rate of 90 %: a district is paid as its city, 洋浦 as 海口, a retired code as
    the place that answers for it."""
    assert monthly_fen(division, paid_on=paid_on, standards=standards()) == fen


def test_the_worked_example_of_qiongzhong() -> None:
    """docs/domain.md §7.2: 70 paid months, registered on 2021-12-20."""
    monthly = monthly_fen(QIONGZHONG, paid_on=date(2021, 12, 20), standards=standards())
    assert monthly is not None
    assert months(70, TABLE) * monthly == 27_216_00


def test_a_place_elsewhere_has_no_amount_here() -> None:
    assert monthly_fen("220100", paid_on=TODAY, standards=standards()) is None


def test_what_moves_to_another_province() -> None:
    """docs/domain.md §7.4."""
    assert transfer_fen(11, 164700) == 27_175_50


@given(st.integers(0, 24), st.integers(0, 10**6))
def test_a_transfer_is_benefit_and_half_of_it_to_the_fen(left: int, monthly: int) -> None:
    assert 2 * left * monthly <= 2 * transfer_fen(left, monthly) - left * monthly <= 2 * left * monthly + 1


GOOD = {
    "paid_months": 70,
    "division": HAIKOU,
    "is_insured": False,
    "stop_reason": "contract_expired",
    "is_employed": False,
    "draws_pension": False,
}


@pytest.mark.parametrize(
    ("changed", "code", "state", "eligible"),
    [
        ({}, None, None, "yes"),
        ({"paid_months": 11}, "paid_long_enough", "not_met", "no"),
        ({"paid_months": 12}, None, None, "yes"),
        ({"paid_months": None}, "paid_long_enough", "unknown", "unknown"),
        ({"stop_reason": "resigned"}, "involuntary", "not_met", "no"),
        ({"stop_reason": "employer_at_fault"}, None, None, "yes"),
        ({"stop_reason": "something else"}, "involuntary", "unknown", "unknown"),
        ({"stop_reason": None}, "involuntary", "unknown", "unknown"),
        ({"is_insured": True}, "involuntary", "not_met", "no"),
        ({"is_insured": None}, "involuntary", "unknown", "unknown"),
        ({"is_employed": True}, "not_employed", "not_met", "no"),
        ({"is_employed": None}, "not_employed", "unknown", "unknown"),
        ({"draws_pension": True}, "no_pension", "not_met", "no"),
        ({"draws_pension": None}, "no_pension", "unknown", "unknown"),
        ({"draws_pension": None, "paid_months": 3}, "paid_long_enough", "not_met", "no"),
    ],
)
def test_each_condition_by_itself_decides(
    changed: dict[str, object], code: str | None, state: str | None, eligible: str
) -> None:
    """社会保险法 art. 45, 51: one that fails says no, one that is open leaves it to a clerk."""
    found = reasons(Situation(**{**GOOD, **changed}), TABLE, standards())  # type: ignore[arg-type]
    assert verdict(found) == eligible
    states = {reason.code: reason.state for reason in found}
    if code is not None:
        assert states[code] == state
    else:
        assert set(states.values()) == {"met"}


def test_every_place_of_hainan_has_a_class_at_every_time() -> None:
    for wages in standards().minimum_wages:
        assert all(wages.class_of(place) is not None for place in divisions.subtree("460000"))
