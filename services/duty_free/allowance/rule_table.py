"""The rules of the allowance as dated data: which figures hold on a day, who says so, how sure we are.

`schemas/zones/duty_free/allowance.v1.json` and `import-tax.v1.json`. Source: docs/domain.md §8.1, §8.2.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from haiyiban import resources
from haiyiban.bilingual import Text
from haiyiban.errors import Words

Confidence = Literal["seen", "memory", "design"]
Fen = Annotated[int, Meta(ge=0)]


class Mode(StrEnum):
    """Where and when the goods are handed over (提货方式)."""

    ISOLATION_AREA = "isolation_area"
    """隔离区提货, behind security on the day of leaving."""
    AIRPORT_SHOP = "airport_shop"
    """机场店直接提货."""
    MAIL = "mail"
    """邮寄送达, to an address outside Hainan."""
    ON_RETURN = "on_return"
    """返岛提取, by residents who have left and come back."""
    GUARANTEED = "guaranteed"
    """担保即提, taken at once against a guarantee."""
    IMMEDIATE = "immediate"
    """即购即提, taken at once."""


AT_ONCE = frozenset({Mode.GUARANTEED, Mode.IMMEDIATE})
"""The goods leave the shop with the buyer, who must then leave the island in time."""
MODE_NAMES = {
    Mode.ISOLATION_AREA: Words("隔离区提货", "pick-up behind security"),
    Mode.AIRPORT_SHOP: Words("机场店直接提货", "pick-up at the airport shop"),
    Mode.MAIL: Words("邮寄送达", "by mail"),
    Mode.ON_RETURN: Words("返岛提取", "pick-up on return"),
    Mode.GUARANTEED: Words("担保即提", "take at once against a guarantee"),
    Mode.IMMEDIATE: Words("即购即提", "buy and take"),
}


class Data(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """A part of the files."""


class Limit(Data, frozen=True):
    """How much of a category is free on one trip: pieces, or millilitres together."""

    category: int
    most: Annotated[int, Meta(ge=1)]
    unit: Literal["pieces", "millilitres"]


class Collect(Data, frozen=True):
    """Until when goods are kept: natural days or months after the departure or the purchase, that day
    included. Goods that nobody fetched by then are a no-show."""

    after: Literal["departure", "purchase"]
    confidence: Confidence
    days: Annotated[int, Meta(ge=0)] | None = None
    months: Annotated[int, Meta(ge=1)] | None = None

    def __post_init__(self) -> None:
        if (self.days is None) == (self.months is None):
            raise ValueError("either days or months")


class PickUp(Data, frozen=True):
    """One way to get the goods, and what it asks."""

    mode: Mode
    confidence: Confidence
    collect: Collect | None = None
    """None where the goods are taken at once."""
    residents_only: bool = False
    unit_from_fen: Fen | None = None
    """The least price of one piece."""
    unit_below_fen: Fen | None = None
    """What one piece must cost less than."""
    categories: tuple[int, ...] | None = None
    """The only categories, as far as they are confirmed; None: all."""
    leave_within_days: Annotated[int, Meta(ge=1)] | None = None
    counted_from: Literal["purchase_day", "day_after_purchase"] = "day_after_purchase"
    """Whether the day of purchase is day one of `leave_within_days`, or day naught (lenient)."""
    counting_confidence: Confidence = "design"


class Unset(Data, frozen=True):
    """A figure that was not found."""

    figure: str
    zh: str
    en: str

    @property
    def words(self) -> Words:
        return Words(self.zh, self.en)


class RuleSet(Data, frozen=True):
    """All that holds from a day on, until the next set."""

    from_: date = msgspec.field(name="from")
    source: str
    confidence: Confidence
    minimum_age: Annotated[int, Meta(ge=0)]
    """Full years on the day of purchase."""
    yearly_quota_fen: Fen
    """For each person in each calendar year of purchase (Asia/Shanghai)."""
    year_confidence: Confidence
    last_category: int
    per_trip: tuple[Limit, ...]
    leaving_the_country: tuple[Mode, ...]
    """The ways of picking up for those who leave for abroad; empty where they may not buy at all."""
    pick_up: tuple[PickUp, ...]
    unset: tuple[Unset, ...]

    def way(self, mode: Mode) -> PickUp | None:
        """The terms of a way of picking up; None where it is not offered yet."""
        return next((one for one in self.pick_up if one.mode is mode), None)


class Table(Data, frozen=True):
    """The whole file."""

    id: str
    title: Text
    notes: tuple[str, ...]
    categories: dict[int, str]
    categories_confidence: Confidence
    rules: Annotated[tuple[RuleSet, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        days = [rule.from_ for rule in self.rules]
        if days != sorted(set(days)):
            raise ValueError("rules must be listed by `from`, the earliest first")

    def on(self, day: date) -> RuleSet | None:
        """The rules of a day; None before the first."""
        return next((rule for rule in reversed(self.rules) if rule.from_ <= day), None)


class TaxRates(Data, frozen=True):
    """The rates of the classes of inbound articles from a day on."""

    from_: date = msgspec.field(name="from")
    source: str
    confidence: Confidence
    percent: dict[int, Annotated[int, Meta(ge=0, le=100)]]


class TaxTable(Data, frozen=True):
    """The whole file."""

    id: str
    title: Text
    notes: tuple[str, ...]
    rates: Annotated[tuple[TaxRates, ...], Meta(min_length=1)]

    def on(self, day: date) -> TaxRates | None:
        """The rates of a day; None before the first."""
        return next((one for one in reversed(self.rates) if one.from_ <= day), None)


@cache
def allowance_table() -> Table:
    """The published table. Raises msgspec.ValidationError, naming the place that is wrong."""
    return msgspec.json.decode(_file("allowance.v1.json"), type=Table)


@cache
def tax_table() -> TaxTable:
    """The published rates."""
    return msgspec.json.decode(_file("import-tax.v1.json"), type=TaxTable)


def _file(name: str) -> bytes:
    return (resources.schemas() / "zones" / "duty_free" / name).read_bytes()
