"""The priority classes of a city, read from data: each 市县 edits its own copy, dated and with its source.

Source: docs/domain.md §6.2 (example table), §15 no. 6 (class texts after 2018 and M are
uncertain, hence data).
"""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from haiyiban.bilingual import Text
from services.school_places.catchments import Area
from services.school_places.conditions import Condition

COORDINATED = 6
"""The class of all others: placed only by 统筹, never by the matching."""


class ClassRule(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One class: it holds when every condition of one of the alternatives holds."""

    rank: Annotated[int, Meta(ge=0, lt=COORDINATED)]
    title: Text
    any_of: Annotated[tuple[tuple[Condition, ...], ...], Meta(min_length=1)]


class HomeRule(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """一户一生: for `years` school years a home gives places to one family only."""

    years: Annotated[int, Meta(ge=0)]
    applies_to: frozenset[int]


class SubclassRule(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Order within a class: long residence first (counted up to `years_cap`), then a sibling at the school.

    Neither configured (`sibling` false, `years_cap` 0): every subclass is 0 and the lottery decides.
    """

    sibling: bool
    years_cap: Annotated[int, Meta(ge=0, le=100)]


class ClassTable(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One city's classes, best first, valid from `effective_from` to `effective_to` (None: open)."""

    id: str
    title: Text
    effective_from: date
    effective_to: date | None
    source: str
    confidence: Literal["official", "high", "medium", "low", "example"]
    city: Area
    classes: tuple[ClassRule, ...]
    others: Text
    home_rule: HomeRule
    subclass: SubclassRule
    notes: tuple[str, ...] = ()

    def title_of(self, rank: int) -> Text:
        """What a class is called; class 6 and whatever is not listed are the others."""
        return next((rule.title for rule in self.classes if rule.rank == rank), self.others)


def read_class_table(document: bytes) -> ClassTable:
    """A class table from its JSON. Raises msgspec.ValidationError, naming the place that is wrong."""
    table = msgspec.json.decode(document, type=ClassTable)
    ranks = [rule.rank for rule in table.classes]
    if ranks != sorted(set(ranks)):
        raise msgspec.ValidationError("classes must be listed once each, best first - at `$.classes`")
    return table
