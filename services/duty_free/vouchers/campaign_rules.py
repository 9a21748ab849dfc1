"""What a campaign may be, and what of it may be changed when. Pure.

draft → open ⇄ paused → closed; a draft may be closed too. With four eyes, opening takes two persons.
Source: docs/domain.md §8.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from haiyiban.errors import FieldError, Words

WAYS = {"draft": {"open", "closed"}, "open": {"paused", "closed"}, "paused": {"open", "closed"}}
"""To which states a campaign may go from which."""
AFTER_OPENING = frozenset({"name", "name_en", "closes_at", "stock", "stock_per_day", "shops"})
"""What may be changed of a campaign that has been open: vouchers that are out keep their terms."""
WORDS = frozenset({"name", "name_en"})
"""What one person may change while vouchers go out: nothing that is given out depends on it."""


class Terms(NamedTuple):
    """The terms of a campaign that depend on each other."""

    opens_at: datetime
    closes_at: datetime
    face_fen: int
    threshold_fen: int
    stock: int
    stock_per_day: int | None
    per_person: int
    per_person_per_day: int


def faults(terms: Terms) -> Iterator[FieldError]:
    """What is wrong with the terms, each with its field."""
    if terms.closes_at <= terms.opens_at:
        yield FieldError("/closesAt", Words("须晚于开始时间", "must be after the opening"))
    if terms.face_fen > terms.threshold_fen:
        yield FieldError("/faceFen", Words("面额不能高于使用门槛", "must not be above the threshold"))
    if terms.stock_per_day is not None and terms.stock_per_day > terms.stock:
        yield FieldError("/stockPerDay", Words("不能高于总数", "must not be above the stock in all"))
    if terms.per_person_per_day > terms.per_person:
        yield FieldError(
            "/perPersonPerDay", Words("不能高于每人总限额", "must not be above the limit in all")
        )


def not_ready(shops: int, *, closes_at: datetime, now: datetime) -> Iterator[FieldError]:
    """What keeps a campaign from being opened."""
    yield from without_shops(shops)
    if closes_at <= now:
        yield FieldError("/closesAt", Words("结束时间已过，请先延后", "it is over; put its end off first"))


def without_shops(shops: int) -> Iterator[FieldError]:
    """Vouchers that can be used nowhere are not given out."""
    if not shops:
        yield FieldError("/shops", Words("请先指定可用门店", "say in which shops it can be used"))


def fixed(changed: Iterable[str], *, state: str) -> list[str]:
    """The fields that may not be changed any more."""
    if state == "closed":
        return sorted(changed)
    return [] if state == "draft" else sorted(set(changed) - AFTER_OPENING)


def to_pause_for(changed: Iterable[str], *, state: str, four_eyes: bool) -> list[str]:
    """The fields that two persons must see before they take effect: one changes them in a pause, and opening
    again takes the other."""
    return sorted(set(changed) - WORDS) if four_eyes and state == "open" else []


def needs_another(state: str, *, four_eyes: bool, asked_by: UUID | None, by: UUID) -> bool:
    """Whether moving to this state waits for another person than the one who asks now."""
    return state == "open" and four_eyes and asked_by in (None, by)


def below_claimed(
    stock: int, stock_per_day: int | None, *, claimed: int, claimed_today: int
) -> Iterator[FieldError]:
    """Where a stock would be less than what has been given out of it."""
    if stock < claimed:
        yield FieldError("/stock", Words(f"已领出 {claimed} 张", f"{claimed} have been claimed"))
    if stock_per_day is not None and stock_per_day < claimed_today:
        yield FieldError(
            "/stockPerDay", Words(f"今日已领出 {claimed_today} 张", f"{claimed_today} were claimed today")
        )
