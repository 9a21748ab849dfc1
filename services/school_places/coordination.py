"""统筹 (coordinated placement): the children whom no school of their list could take.

Nobody is left without a school while the city has a seat: the nearest one with a spare seat, and where
several children want the same last seat the nearest child, then the better class, then the lottery.
Source: docs/domain.md §6.2 (Fill).
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from services.school_places.matching import UNPLACED


class Distance(NamedTuple):
    """How far one school is from a child's home, along the road, in metres."""

    metres: int
    school: int


class Waiting(NamedTuple):
    """One child to place: its class (0–6), its lottery number and the schools within reach."""

    rank: int
    lottery: int
    distances: Sequence[Distance]


def placement_by_distance(
    waiting: Mapping[int, Waiting], spare_seats: Sequence[int], *, twins: Iterable[Sequence[int]]
) -> dict[int, int]:
    """A school, or `UNPLACED`, for each waiting pupil, keyed as they came.

    Twins from one home stand equal; when the last seat falls to one of them the other gets one over
    capacity, as in the matching, so that they are not sent to two schools.
    """
    seats = list(spare_seats)
    group_of = {pupil: group[0] for group in twins for pupil in group}
    # Children of one catchment share one list of up to a thousand schools: it is sorted once.
    shared = {id(child.distances): child.distances for child in waiting.values()}
    sorted_ = {name: sorted(distances) for name, distances in shared.items()}
    reach = {pupil: sorted_[id(child.distances)] for pupil, child in waiting.items()}
    queue: list[tuple[int, int, int, int, int]] = []
    for pupil, child in waiting.items():
        _ask_next(queue, pupil, child, reach[pupil], position=0)
    placed = dict.fromkeys(waiting, UNPLACED)
    last_taken: dict[int, tuple[int, int, int, int]] = {}
    while queue:
        metres, rank, lottery, pupil, position = heappop(queue)
        school = reach[pupil][position].school
        standing = (metres, rank, lottery, group_of.get(pupil, UNPLACED))
        beside_twin = pupil in group_of and last_taken.get(school) == standing
        if seats[school] > 0 or beside_twin:
            seats[school] = max(0, seats[school] - 1)
            last_taken[school] = standing
            placed[pupil] = school
        else:
            position += 1
            if pupil not in group_of:
                # A full school stays full: only a twin may still get in, on the seat on top.
                while position < len(reach[pupil]) and not seats[reach[pupil][position].school]:
                    position += 1
            _ask_next(queue, pupil, waiting[pupil], reach[pupil], position=position)
    return placed


def _ask_next(
    queue: list[tuple[int, int, int, int, int]],
    pupil: int,
    child: Waiting,
    reach: list[Distance],
    *,
    position: int,
) -> None:
    if position < len(reach):
        heappush(queue, (reach[position].metres, child.rank, child.lottery, pupil, position))
