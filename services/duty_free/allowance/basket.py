"""A basket of duty-free goods: which of its pieces lie within the limits of one trip, and which over them.

Pieces are counted in the order of the lines; those that come last are over. A bottle cannot be cut: one that
would pass the limit is over as a whole. Source: docs/domain.md §8.1 (per trip), §8.2 nos. 5, 6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from services.duty_free.allowance.rule_table import Limit


class Line(Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """So many pieces of one thing, each at one price and, of what is drunk, of one size.

    `tax_class`: the class of inbound articles it is taxed in, as the shop declares it; None where not said.
    """

    category: Annotated[int, Meta(ge=1, le=99)]
    quantity: Annotated[int, Meta(ge=1, le=1000)]
    unit_price_fen: Annotated[int, Meta(ge=1, le=10_000_000_000)]
    millilitres: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    tax_class: Annotated[int, Meta(ge=1, le=9)] | None = None
    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


Taken = Mapping[int, int]
"""Category → what is taken of its limit, in its unit."""


class Sorted(NamedTuple):
    """The pieces of a basket: how many of each line are within the limits, and what the trip comes to."""

    within: tuple[int, ...]
    over: tuple[int, ...]
    taken: Taken

    @property
    def is_within(self) -> bool:
        return not any(self.over)


def sort_out(lines: Sequence[Line], *, limits: Iterable[Limit], taken: Taken) -> Sorted:
    """Which pieces are within the limits, after `taken` by earlier orders of the same trip.

    ValueError for a line whose limit is in millilitres and that does not say how many.
    """
    by_category = {limit.category: limit for limit in limits}
    now: Counter[int] = Counter(taken)
    within = []
    for line in lines:
        limit = by_category.get(line.category)
        fits = line.quantity
        if limit is not None:
            size = size_of(line, limit)
            fits = max(0, min(line.quantity, (limit.most - now[line.category]) // size))
            now[line.category] += fits * size
        within.append(fits)
    over = tuple(line.quantity - fits for line, fits in zip(lines, within, strict=True))
    return Sorted(tuple(within), over, dict(now))


def size_of(line: Line, limit: Limit) -> int:
    """What one piece takes of its limit. ValueError where the line does not say."""
    if limit.unit == "pieces":
        return 1
    if line.millilitres is None:
        raise ValueError("the millilitres of a piece are needed")
    return line.millilitres


def taken_by(lines: Sequence[Line], within: Sequence[int], limits: Iterable[Limit]) -> Taken:
    """What the pieces of an earlier order that were within the limits take of them."""
    by_category = {limit.category: limit for limit in limits}
    taken: Counter[int] = Counter()
    for line, pieces in zip(lines, within, strict=True):
        limit = by_category.get(line.category)
        if limit is not None:
            taken[line.category] += pieces * size_of(line, limit)
    return dict(taken)


def total_fen(lines: Sequence[Line]) -> int:
    """What the basket costs before tax."""
    return sum(line.quantity * line.unit_price_fen for line in lines)
