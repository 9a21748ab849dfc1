"""What an order must be for a voucher, what is paid, and what comes back. Source: docs/domain.md §8.3."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.duty_free.vouchers.rules import (
    Terms,
    after_reversal,
    after_whole_refund,
    may_reverse,
    obstacles,
    refund_share,
    state_now,
)

NOON = datetime(2026, 11, 27, 4, tzinfo=UTC)
ALONE = Terms(20_000, 200_000, 1)
TWO = Terms(20_000, 200_000, 2)


@pytest.mark.parametrize(("amount", "told"), [(199_999, ["below-threshold"]), (200_000, [])])
def test_a_basket_of_1999_99_has_no_voucher_and_one_of_2000_00_has(amount: int, told: list[str]) -> None:
    assert [each.code for each in obstacles(ALONE, order_amount_fen=amount, beside=[])] == told


@pytest.mark.parametrize(
    ("wanted", "beside", "amount", "told"),
    [
        (ALONE, [ALONE], 400_000, [("not-stackable", 1)]),
        (TWO, [ALONE], 400_000, [("not-stackable", 1)]),
        (ALONE, [TWO], 400_000, [("not-stackable", 1)]),
        (TWO, [TWO], 400_000, []),
        (TWO, [TWO], 399_999, [("below-threshold", 400_000)]),
        (TWO, [TWO, TWO], 600_000, [("not-stackable", 2)]),
    ],
)
def test_vouchers_go_together_where_all_of_them_say_so_and_their_thresholds_add_up(
    wanted: Terms, beside: list[Terms], amount: int, told: list[tuple[str, int]]
) -> None:
    found = obstacles(wanted, order_amount_fen=amount, beside=beside)
    assert [(each.code, each.needed) for each in found] == told


def test_a_voucher_is_good_to_its_last_instant() -> None:
    later = NOON + timedelta(microseconds=1)
    assert state_now("claimed", NOON, now=NOON) == "claimed"
    assert state_now("claimed", NOON, now=later) == "expired"
    assert state_now("redeemed", NOON, now=later) == "redeemed"
    assert (after_reversal(NOON, now=NOON), after_reversal(NOON, now=later)) == ("claimed", "expired")
    assert (after_whole_refund(NOON, now=NOON), after_whole_refund(NOON, now=later)) == (
        "claimed",
        "returned",
    )


def test_a_redemption_is_reversed_on_its_day_alone() -> None:
    assert may_reverse(date(2026, 11, 27), today=date(2026, 11, 27))
    assert not may_reverse(date(2026, 11, 27), today=date(2026, 11, 28))


def test_half_of_an_order_of_2000_with_200_off_gives_900_back() -> None:
    share = refund_share(200_000, [20_000], face_fen=20_000, refunded_before_fen=0, goods_fen=100_000)
    assert share == (90_000, (10_000,))


@given(
    faces=st.lists(st.integers(1, 5_000), min_size=1, max_size=3),
    more=st.integers(0, 50_000),
    parts=st.lists(st.integers(1, 20_000), max_size=8),
)
def test_the_parts_of_an_order_come_to_what_was_paid_and_to_each_voucher(
    faces: list[int], more: int, parts: list[int]
) -> None:
    amount = sum(faces) + more
    left, before, paid = list(faces), 0, 0
    for part in [*parts, amount]:
        goods = min(part, amount - before)
        if goods == 0:
            break
        share = refund_share(amount, left, face_fen=sum(faces), refunded_before_fen=before, goods_fen=goods)
        assert share.paid_fen >= 0
        assert share.paid_fen + sum(share.by_voucher) == goods
        left = [old - new for old, new in zip(left, share.by_voucher, strict=True)]
        assert min(left) >= 0
        before, paid = before + goods, paid + share.paid_fen
    assert (before, paid, sum(left)) == (amount, amount - sum(faces), 0)
