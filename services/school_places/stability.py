"""Checking a placement without trusting the program that made it.

Anyone can run this over the published file: it knows only the rule, not the algorithm.
Source: docs/domain.md §6.3; the twin seat is defined in matching.py.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from services.school_places.matching import NOT_BY_MATCHING, UNPLACED, Instance


class Violation(NamedTuple):
    """One way in which a placement breaks the rule.

    `not_chosen`: the child never asked for this school, or may not be matched to it; `over_capacity`: the
    school took this child though its seats were filled by better ones (a twin on the seat on top is not);
    `blocking`: child and school would both rather have each other.
    """

    kind: Literal["not_chosen", "over_capacity", "blocking"]
    pupil: int
    school: int


def stability_violations(instance: Instance, placements: Sequence[int]) -> list[Violation]:
    """Every violation of a placement, by pupil; empty when it is stable."""
    if len(placements) != len(instance.choices):
        raise ValueError("one placement for each pupil is needed")
    standings: list[list[tuple[int, int]]] = [[] for _ in instance.capacities]
    violations: list[Violation] = []
    for pupil, school in enumerate(placements):
        if school == UNPLACED:
            continue
        priority = _priority(instance, pupil, school)
        if priority == NOT_BY_MATCHING:
            violations.append(Violation("not_chosen", pupil, school))
        else:
            standings[school].append((priority, instance.lottery[pupil]))
    last_seat = [_last_seat(held, seats) for held, seats in zip(standings, instance.capacities, strict=True)]
    for pupil, placed in enumerate(placements):
        ranked = zip(instance.choices[pupil], instance.priorities[pupil], strict=True)
        for school, priority in ranked:
            if priority == NOT_BY_MATCHING:
                continue
            limit = last_seat[school]
            welcome = limit is None or (priority, instance.lottery[pupil]) <= limit
            if school == placed:
                if not welcome:
                    violations.append(Violation("over_capacity", pupil, school))
                break
            if welcome:
                violations.append(Violation("blocking", pupil, school))
    return violations


def _priority(instance: Instance, pupil: int, school: int) -> int:
    ranked = zip(instance.choices[pupil], instance.priorities[pupil], strict=True)
    return next((priority for choice, priority in ranked if choice == school), NOT_BY_MATCHING)


def _last_seat(standings: list[tuple[int, int]], seats: int) -> tuple[int, int] | None:
    """The standing on the last regular seat: as good or better is welcome. None while a seat is free."""
    if len(standings) < seats:
        return None
    return sorted(standings)[seats - 1] if seats else (NOT_BY_MATCHING, 0)
