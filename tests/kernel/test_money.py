"""Money in fen. Vectors: docs/domain.md §7.4, §8.2, §10."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban.money import parse_yuan, round_fen, share_out, times, yuan


@pytest.mark.parametrize(
    ("amount", "fen"),
    [
        (Decimal("0.5"), 1),
        (Decimal("1.5"), 2),
        (Decimal("2.5"), 3),
        (Decimal("2.4999999999999999999999999999999999"), 2),
        (Decimal("-2.5"), -3),
        (Decimal("-2.4"), -2),
        (Fraction(1, 3), 0),
        (Fraction(2, 3), 1),
        (10**40, 10**40),
    ],
)
def test_half_a_fen_is_rounded_away_from_zero(amount: Fraction | Decimal | int, fen: int) -> None:
    assert round_fen(amount) == fen


def test_a_float_is_never_an_amount() -> None:
    with pytest.raises(TypeError):
        round_fen(0.1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        times(100, 0.1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fen", "rate", "result"),
    [
        (250_000, Decimal("0.2"), 50_000),
        (11 * 164_700, Decimal("1.5"), 2_717_550),
        (5, Fraction(1, 2), 3),
        (0, Decimal("0.9"), 0),
    ],
)
def test_an_amount_times_a_rate_is_rounded_once(fen: int, rate: Fraction | Decimal, result: int) -> None:
    assert times(fen, rate) == result


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (123_450, "1,234.50"), (2_000_000_000, "20,000,000.00")],
)
def test_an_amount_reads_as_yuan(fen: int, text: str) -> None:
    assert yuan(fen) == text
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(("text", "fen"), [("200", 20_000), ("1234.5", 123_450), ("1,234.5", 123_450)])
def test_people_may_leave_out_zeros_and_commas(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize("text", ["", "1.005", "1,23", "1e3", "NaN", ".5", "1.", "1 000", "１"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_yuan(text)


def test_a_short_budget_is_shared_to_the_last_fen() -> None:
    shares = share_out(100_000_000, [50_000_000, 40_000_000, 30_000_000])
    assert shares == [41_666_667, 33_333_333, 25_000_000]


def test_among_equal_remainders_the_earlier_claim_gets_the_fen() -> None:
    assert share_out(100, [1, 1, 1]) == [34, 33, 33]


@pytest.mark.parametrize(("total", "claims"), [(1, []), (1, [0, 0]), (-1, [1]), (1, [2, -1])])
def test_a_sum_cannot_be_shared_among_nobody(total: int, claims: list[int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        share_out(total, claims)


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**12), min_size=1).filter(sum))
def test_shares_add_up_and_are_fair(total: int, claims: list[int]) -> None:
    shares = share_out(total, claims)
    claimed = sum(claims)
    assert sum(shares) == total
    assert all(
        abs(share - Fraction(total * claim, claimed)) < 1 for share, claim in zip(shares, claims, strict=True)
    )
    if total <= claimed:
        assert all(share <= claim for share, claim in zip(shares, claims, strict=True))
