"""When a voucher may be used, what then is paid, and what of it comes back. Pure.

已领 → 已核销 | 已过期; 已核销 → 已领 (reversed the same day, or the whole order refunded, while it is good)
| 已过期 (reversed when its time was over) | 已退回 (refunded when its time was over).

That thresholds add up where an order has several vouchers is our own choice; no source was found for it.
Source: docs/domain.md §8.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Literal, NamedTuple

from haiyiban.money import share_out, times

State = Literal["claimed", "redeemed", "expired", "returned"]


class Terms(NamedTuple):
    """What a voucher asks of an order."""

    face_fen: int
    threshold_fen: int
    stack_most: int


class Obstacle(NamedTuple):
    """Why an order may not have this voucher; `needed` is the price or number that it would take."""

    code: Literal["below-threshold", "not-stackable"]
    needed: int


def state_now(state: str, valid_until: datetime, *, now: datetime) -> str:
    """The state of a voucher; one whose time is over has expired, noted or not."""
    return "expired" if state == "claimed" and now > valid_until else state


def obstacles(wanted: Terms, *, order_amount_fen: int, beside: Sequence[Terms]) -> Iterator[Obstacle]:
    """What speaks against a voucher on an order that has those of `beside` already."""
    most = min([wanted.stack_most, *(each.stack_most for each in beside)])
    if len(beside) + 1 > most:
        yield Obstacle("not-stackable", most)
    threshold = wanted.threshold_fen + sum(each.threshold_fen for each in beside)
    if order_amount_fen < threshold:
        yield Obstacle("below-threshold", threshold)


def after_reversal(valid_until: datetime, *, now: datetime) -> State:
    """What becomes of a voucher whose redemption was reversed."""
    return "claimed" if now <= valid_until else "expired"


def after_whole_refund(valid_until: datetime, *, now: datetime) -> State:
    """What becomes of a voucher whose whole order was refunded."""
    return "claimed" if now <= valid_until else "returned"


def may_reverse(redeemed_on: date, *, today: date) -> bool:
    """A redemption is reversed on its own day (Asia/Shanghai); the day after it has been settled."""
    return redeemed_on == today


class Share(NamedTuple):
    """A refund of goods: what the buyer gets in money, and what vouchers had stood for, by voucher."""

    paid_fen: int
    by_voucher: tuple[int, ...]


def refund_share(
    order_amount_fen: int, left: Sequence[int], *, face_fen: int, refunded_before_fen: int, goods_fen: int
) -> Share:
    """The share of the goods that was paid, exact to the fen over any number of refunds of one order.

    `face_fen` is the worth of all its vouchers, `left` what refunds have left of each. What is paid back in
    all is rounded, less what was before: so the parts of a whole order come to what was paid for it.
    """
    rate = Fraction(order_amount_fen - face_fen, order_amount_fen)
    paid = times(refunded_before_fen + goods_fen, rate) - times(refunded_before_fen, rate)
    return Share(paid, tuple(share_out(goods_fen - paid, left)) if any(left) else (0,) * len(left))
