"""The waiting list (候补) of a school: who is on it, in which order, and who is offered a free seat.

The order is the school's own of the draw: class, then whoever was on the roll before whoever came late, then
subclass and lottery number. Nobody chooses. A child waits for every school that it ranked above what it got
and that may take it by its list (class 6 is placed by 统筹 alone). Two rules make it end: an offer is made
once, and each acceptance takes the child to a school that it ranked higher.
Source: docs/domain.md §6.2 (priority tuple, twins), §11 (promote the reserve list in order, no new
randomness).
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from services.school_places.classification import Priority


class Standing(NamedTuple):
    """Where a child stands on a list; they compare as tuples, lower first. Equal only for twins."""

    outside: int
    rank: int
    late: int
    """0 for who was on the roll; late ones stand behind all of their class, in the order of their leave."""
    subclass: int
    lottery: int

    @classmethod
    def of(cls, priority: Priority, *, lottery: int, late: int = 0) -> "Standing":
        """The standing of a child that a school ranks so; `late`: how many had leave before, from 1."""
        return cls(priority.outside, priority.rank, late, priority.subclass, lottery)


class OnList(NamedTuple):
    """A child that waits: its entry, and its place in the order (twins share one)."""

    entry: UUID
    position: int


class Seats(NamedTuple):
    """The seats of a school, counted."""

    capacity: int
    held: int
    """Children who have a place there."""
    offered: int
    """Offers that wait for their answer; each keeps its seat."""
    in_doubt: int
    """Given up so lately that the family may still take it back."""
    at_stake: int
    """Appeals that run about a seat there."""
    lent: int
    """Given to a second round."""

    @property
    def free(self) -> int:
        """Seats that may be given away now; none while twins or an appeal have the school over capacity."""
        return max(0, self.capacity - self.held - self.offered - self.in_doubt - self.at_stake - self.lent)


def wanted(choices: int, *, got: int | None) -> range:
    """The positions of a child's list that it would rather have than what it got; None: nothing of it."""
    return range(choices if got is None else got)


def place_in(standings: Sequence[Standing], own: Standing) -> int:
    """How many of an ordered list somebody comes in behind: all who stand the same or better."""
    return sum(1 for standing in standings if standing <= own)


def to_offer(waiting: Sequence[OnList], free: int) -> Sequence[OnList]:
    """Who is offered the free seats of a school: the first, in order.

    Twins stand equal, so where the last seat falls to one of them the other is offered one over capacity, as
    in the draw. Source: docs/domain.md §6.2 (twins: both in).
    """
    if free <= 0:
        return ()
    in_order = sorted(waiting, key=lambda child: (child.position, child.entry))
    first = in_order[:free]
    beside = [child for child in in_order[free:] if first and child.position == first[-1].position]
    return [*first, *beside]
