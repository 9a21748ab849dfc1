"""The figures of the benefit, read from data: each with its first day, its source and how sure we are.

Source: docs/domain.md §7.1, §7.2, §7.3; what its §15 marks uncertain an operator replaces by a new entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from haiyiban import divisions, resources
from haiyiban.bilingual import Text

Confidence = Literal["official", "high", "medium", "low"]


class _Dated(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Holds from a day on, until a later entry of its kind."""

    effective_from: date
    source: str
    confidence: Confidence


class Step(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """From so many paid months on, so many months of benefit."""

    paid_months: Annotated[int, Meta(ge=1)]
    months: Annotated[int, Meta(ge=1)]


class MonthTable(_Dated, frozen=True):
    """How long the benefit lasts; the last step is the most there ever is."""

    steps: Annotated[tuple[Step, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        for low, high in pairwise(self.steps):
            if high.paid_months <= low.paid_months or high.months < low.months:
                raise ValueError("the steps of a month table rise")

    @property
    def most(self) -> int:
        """The most months that anybody is granted at one time."""
        return self.steps[-1].months


class Rate(_Dated, frozen=True):
    """The benefit in percent of the minimum wage."""

    percent: Annotated[int, Meta(ge=1, le=100)]


class WageClass(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The monthly minimum wage of some places; without divisions, of all the others."""

    title: Text
    monthly_fen: Annotated[int, Meta(gt=0)]
    divisions: frozenset[str]


class MinimumWages(_Dated, frozen=True):
    """The minimum wages of one notice, by class of place."""

    classes: Annotated[tuple[WageClass, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if self.classes[-1].divisions or not all(one.divisions for one in self.classes[:-1]):
            raise ValueError("the last class of places, and no other, takes the rest")

    def class_of(self, division: str) -> WageClass | None:
        """The class of a place of Hainan, a township or village included; None for a place elsewhere."""
        if divisions.find(division) is None:
            return None
        place = divisions.canonical(division)
        around = {place, *(one.code for one in divisions.ancestors(place))}
        # 洋浦 lies within 儋州 and is paid as 海口 is: the better class is tried first.
        return next((one for one in self.classes[:-1] if one.divisions & around), self.classes[-1])


class StopReason(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Why somebody's insurance stopped, and whether the loss of work was against their will."""

    code: str
    involuntary: bool
    title: Text


class Standards(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The whole data file."""

    id: str
    title: Text
    notes: tuple[str, ...]
    months: tuple[MonthTable, ...]
    rates: tuple[Rate, ...]
    minimum_wages: tuple[MinimumWages, ...]
    stop_reasons: tuple[StopReason, ...]

    def month_table(self, day: date) -> MonthTable:
        return _in_force(self.months, day)

    def rate(self, day: date) -> Rate:
        return _in_force(self.rates, day)

    def wages(self, day: date) -> MinimumWages:
        return _in_force(self.minimum_wages, day)

    def stop_reason(self, code: str) -> StopReason | None:
        """What a register's code means; None for one that a clerk has to look at."""
        return next((one for one in self.stop_reasons if one.code == code), None)


_Entry = TypeVar("_Entry", MonthTable, Rate, MinimumWages)


def _in_force(entries: Sequence[_Entry], day: date) -> _Entry:
    """The newest entry that holds on a day; ValueError before the first."""
    held = [entry for entry in entries if entry.effective_from <= day]
    if not held:
        raise ValueError(f"no figure is known for {day}")
    return max(held, key=lambda entry: entry.effective_from)


@cache
def standards() -> Standards:
    """The figures of this deployment."""
    content = (resources.schemas() / "zones/unemployment/benefit.v1.json").read_bytes()
    return msgspec.json.decode(content, type=Standards)
