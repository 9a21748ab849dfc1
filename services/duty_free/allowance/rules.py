"""What of a purchase is free of duty, and what is taxed. Pure.

`free = max(0, min(price within the limits, quota − used in the year))`; the rest, over the quota or over a
quantity, is taxed at its rate. Source: docs/domain.md §8.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal, NamedTuple

from haiyiban.money import round_fen
from haiyiban.residents import age_on
from haiyiban.workdays import add_months
from services.duty_free.allowance.basket import Line, Sorted, Taken, sort_out
from services.duty_free.allowance.rule_table import Collect, PickUp, RuleSet, TaxRates

Answer = Literal["yes", "no", "unknown"]


class Split(NamedTuple):
    """A purchase taken apart; amounts in fen."""

    total_fen: int
    free_fen: int
    excess_fen: int
    tax_fen: int | None
    """None where something is taxed whose rate is not known."""
    sorted: Sorted

    @property
    def within(self) -> tuple[int, ...]:
        return self.sorted.within


def split(
    lines: Sequence[Line], *, rules: RuleSet, used_fen: int, taken: Taken, rates: TaxRates | None
) -> Split:
    """What is free and what is not, where `used_fen` of the year's quota are reserved or consumed already
    and `taken` of the trip's limits by earlier orders.

    Over the quota are the pieces within the limits that come last. ValueError as `sort_out`.
    """
    pieces = sort_out(lines, limits=rules.per_trip, taken=taken)
    within_fen = sum(line.unit_price_fen * fits for line, fits in zip(lines, pieces.within, strict=True))
    over_fen = sum(line.unit_price_fen * over for line, over in zip(lines, pieces.over, strict=True))
    free_fen = max(0, min(within_fen, rules.yearly_quota_fen - used_fen))
    taxed = [
        *((line, line.unit_price_fen * over) for line, over in zip(lines, pieces.over, strict=True)),
        *_last(lines, pieces.within, within_fen - free_fen),
    ]
    return Split(
        total_fen=within_fen + over_fen,
        free_fen=free_fen,
        excess_fen=within_fen + over_fen - free_fen,
        tax_fen=_tax(taxed, rates),
        sorted=pieces,
    )


def _last(lines: Sequence[Line], within: Sequence[int], amount_fen: int) -> Iterator[tuple[Line, int]]:
    """The amount, taken from the lines within the limits from the last one backwards."""
    for line, pieces in zip(reversed(lines), reversed(within), strict=True):
        part = min(amount_fen, line.unit_price_fen * pieces)
        amount_fen -= part
        yield line, part


def _tax(taxed: Sequence[tuple[Line, int]], rates: TaxRates | None) -> int | None:
    """The tax on amounts of lines, rounded once for each rate; None where a rate is not known."""
    by_percent: dict[int, int] = {}
    for line, amount_fen in taxed:
        if amount_fen == 0:
            continue
        percent = None if rates is None or line.tax_class is None else rates.percent.get(line.tax_class)
        if percent is None:
            return None
        by_percent[percent] = by_percent.get(percent, 0) + amount_fen
    return sum(round_fen(Fraction(amount * percent, 100)) for percent, amount in by_percent.items())


def is_old_enough(birth: date | None, *, on: date, rules: RuleSet) -> Answer:
    """Whether a buyer may buy on a day; unknown where no authority has told the birth date."""
    if birth is None:
        return "unknown"
    return "yes" if age_on(birth, on) >= rules.minimum_age else "no"


def may_take_at(way: PickUp, *, unit_price_fen: int, category: int) -> Answer:
    """Whether one piece may be had this way; unknown for a category that is not among those confirmed.

    Source: docs/domain.md §8.2 nos. 7, 8.
    """
    if way.unit_from_fen is not None and unit_price_fen < way.unit_from_fen:
        return "no"
    if way.unit_below_fen is not None and unit_price_fen >= way.unit_below_fen:
        return "no"
    return "yes" if way.categories is None or category in way.categories else "unknown"


def leave_by(way: PickUp, *, purchased_on: date) -> date | None:
    """The last day to leave the island with goods taken at once; None where that does not matter.

    Whether the day of purchase counts is not settled and configured, leniently. Source: docs/domain.md §8.2
    no. 9, §15 no. 15.
    """
    if way.leave_within_days is None:
        return None
    days = way.leave_within_days - (1 if way.counted_from == "purchase_day" else 0)
    return purchased_on + timedelta(days=days)


def collect_by(collect: Collect, *, purchased_on: date, departs_on: date) -> date:
    """The last day on which goods are kept for the buyer. Source: docs/domain.md §8.1, §8.2 no. 10."""
    start = purchased_on if collect.after == "purchase" else departs_on
    if collect.months is not None:
        return add_months(start, collect.months)
    assert collect.days is not None
    return start + timedelta(days=collect.days)
