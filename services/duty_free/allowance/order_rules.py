"""Whether an order may be taken: every reason against it at once, so that the shop mends all in one go. Pure.

Source: docs/domain.md §8.1, §8.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal, NamedTuple
from unicodedata import normalize

import msgspec
from msgspec import Meta, Struct

from haiyiban.clock import local_date
from haiyiban.errors import Words
from services.duty_free.allowance.basket import Line
from services.duty_free.allowance.rule_table import MODE_NAMES, Mode, RuleSet
from services.duty_free.allowance.rules import Answer, is_old_enough, leave_by, may_take_at

Place = Annotated[str, Meta(pattern=r"^([0-9]{6}|[A-Z]{3})$")]
HAINAN = "46"
BEYOND_THE_BORDER = ("71", "81", "82", "83")
"""Taiwan, Hong Kong and Macao: whoever goes there leaves the mainland's customs territory (离境)."""


class Departure(Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """The ticket for leaving the island (离岛). Places by division of 6 digits or country of 3 letters."""

    departs_at: Annotated[datetime, Meta(tz=True)]
    mode: Literal["flight", "train", "ferry"]
    number: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,20}$")]
    from_: Place = msgspec.field(name="from")
    to: Place


class Delivery(Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """Where mailed goods go: recipient and payer must be the buyer."""

    division: Annotated[str, Meta(pattern=r"^[0-9]{6}([0-9]{3}([0-9]{3})?)?$")]
    recipient: Annotated[str, Meta(min_length=1, max_length=100)]
    payer: Annotated[str, Meta(min_length=1, max_length=100)]


class Wish(NamedTuple):
    """What somebody wants to buy, and how to get it."""

    lines: tuple[Line, ...]
    mode: Mode
    departure: Departure
    delivery: Delivery | None
    now: datetime


class Reason(NamedTuple):
    """One thing against an order: `code` for programs, `pointer` into the request."""

    code: str
    pointer: str
    words: Words


def against_the_basket(wish: Wish, rules: RuleSet) -> Iterator[Reason]:
    """What can be said without knowing the buyer."""
    way = rules.way(wish.mode)
    if way is None:
        yield Reason(
            "mode-not-offered",
            "/pickUp",
            Words("这一天还不能用这种方式提货", "This way of picking up is not offered on this day"),
        )
    yield from _against_the_departure(wish, rules)
    yield from _against_the_delivery(wish)
    limits = {limit.category: limit for limit in rules.per_trip}
    for at, line in enumerate(wish.lines):
        if line.category > rules.last_category:
            yield Reason(
                "category-not-offered",
                f"/lines/{at}/category",
                Words("这一类商品当前不在免税范围内", "Goods of this category are not sold free of duty"),
            )
        if line.category in limits and _lacks_size(line, limits[line.category].unit):
            yield Reason(
                "millilitres-missing",
                f"/lines/{at}/millilitres",
                Words("请填写每瓶的毫升数", "Give the millilitres of one bottle"),
            )
        if way is not None:
            answer = may_take_at(way, unit_price_fen=line.unit_price_fen, category=line.category)
            if answer != "yes":
                yield _against_the_way(wish.mode, at, answer)


def against_the_buyer(wish: Wish, rules: RuleSet, *, birth: date | None, name: str) -> Iterator[Reason]:
    """What the buyer's age and name say."""
    answer = is_old_enough(birth, on=local_date(wish.now), rules=rules)
    if answer == "no":
        yield Reason(
            "too-young",
            "/text",
            Words(
                f"购买离岛免税商品须年满 {rules.minimum_age} 周岁",
                f"The buyer must be {rules.minimum_age} or older",
            ),
        )
    if answer == "unknown":
        yield Reason(
            "age-unknown",
            "/text",
            Words(
                "暂时无法从证件登记中得知年龄，请本人重新实名后再购买",
                "No register has told the buyer's age; the buyer should give their real name again",
            ),
        )
    if wish.mode is Mode.MAIL and wish.delivery is not None:
        for field in ("recipient", "payer"):
            if _plain(getattr(wish.delivery, field)) != _plain(name):
                yield Reason(
                    f"{field}-is-another",
                    f"/delivery/{field}",
                    Words(
                        "邮寄的收件人、支付人都须是购买人本人",
                        "Recipient and payer of mailed goods must be the buyer",
                    ),
                )


def leaves_the_country(place: str) -> bool:
    """Whether who goes there leaves the country's customs territory too (离境)."""
    return not place.isdigit() or place.startswith(BEYOND_THE_BORDER)


def _against_the_departure(wish: Wish, rules: RuleSet) -> Iterator[Reason]:
    trip = wish.departure
    if not trip.from_.startswith(HAINAN) or trip.to.startswith(HAINAN):
        yield Reason(
            "not-leaving-the-island",
            "/departure",
            Words("须凭离岛的机票、车票或船票购买", "A ticket for leaving the island is needed"),
        )
    elif leaves_the_country(trip.to) and wish.mode not in rules.leaving_the_country:
        where = "、".join(MODE_NAMES[mode].zh for mode in rules.leaving_the_country)
        where_en = ", ".join(MODE_NAMES[mode].en for mode in rules.leaving_the_country)
        yield Reason(
            "leaving-the-country",
            "/departure/to",
            Words(
                f"离岛且离境的旅客只能选择：{where}" if where else "离境旅客不适用离岛免税",
                f"Whoever leaves the country may choose: {where_en}"
                if where
                else "Not for those who leave the country",
            ),
        )
    if trip.departs_at <= wish.now:
        yield Reason(
            "departed-already",
            "/departure/departsAt",
            Words("行程的出发时间已过，请用还没有出发的行程", "The departure is over; use one to come"),
        )
    way = rules.way(wish.mode)
    last = leave_by(way, purchased_on=local_date(wish.now)) if way else None
    if last is not None and local_date(trip.departs_at) > last:
        yield Reason(
            "leaves-too-late",
            "/departure/departsAt",
            Words(
                f"这种方式提货的，须在 {last} 前（含当日）离岛",
                f"Goods taken this way must leave the island by {last}",
            ),
        )


def _against_the_delivery(wish: Wish) -> Iterator[Reason]:
    if wish.mode is not Mode.MAIL:
        return
    if wish.delivery is None:
        yield Reason(
            "delivery-missing",
            "/delivery",
            Words("邮寄送达请填写收件信息", "Say where mailed goods go, and to whom"),
        )
    elif wish.delivery.division.startswith(HAINAN):
        yield Reason(
            "not-by-mail-here",
            "/delivery/division",
            Words("邮寄送达的地址须在海南省外", "Goods are mailed to addresses outside Hainan only"),
        )


def _against_the_way(mode: Mode, at: int, answer: Answer) -> Reason:
    name = MODE_NAMES[mode]
    if answer == "unknown":
        return Reason(
            "not-confirmed-for-this-way",
            f"/lines/{at}/category",
            Words(
                f"这一类商品能否{name.zh}尚未确认，请改用其他提货方式",
                f"It is not confirmed that these goods may be had by “{name.en}”; choose another way",
            ),
        )
    return Reason(
        "price-not-for-this-way",
        f"/lines/{at}/unitPriceFen",
        Words(
            f"这件商品的单价不符合{name.zh}的条件，请改用其他提货方式",
            f"The price of this piece is not one for “{name.en}”; choose another way",
        ),
    )


def _lacks_size(line: Line, unit: str) -> bool:
    return unit == "millilitres" and line.millilitres is None


def _plain(name: str) -> str:
    return " ".join(normalize("NFC", name).casefold().split())
