"""The rules of waiting lists, time limits and appeals, alone. Source: docs/domain.md §6.2, §14."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from haiyiban.workdays import Calendar
from services.school_places import public_file
from services.school_places.appeal_rules import Judged, better_choice, would_admit
from services.school_places.class_table import COORDINATED
from services.school_places.classification import Priority
from services.school_places.matching import UNPLACED
from services.school_places.second_round import check_times, seats_left
from services.school_places.time_limits import limit
from services.school_places.waiting_list import OnList, Seats, Standing, place_in, to_offer, wanted

WEEKDAYS = Calendar({}, {}, {2026})


def child(number: int) -> UUID:
    return UUID(int=number)


@given(
    some.lists(some.integers(1, 6), max_size=12),
    some.integers(-2, 14),
)
def test_seats_are_offered_from_the_front_and_only_twins_go_over(positions: list[int], free: int) -> None:
    waiting = [OnList(child(at), position) for at, position in enumerate(positions)]
    offered = to_offer(waiting, free)
    left = [one for one in waiting if one not in offered]
    assert all(one.position < other.position for one in offered for other in left) or not left or not offered
    last = max((one.position for one in offered), default=0)
    assert sum(one.position < last for one in offered) < max(free, 1)
    assert bool(offered) == (bool(waiting) and free > 0)


@given(some.tuples(*[some.integers(0, 5)] * 6))
def test_no_count_of_seats_gives_away_what_somebody_has(numbers: tuple[int, ...]) -> None:
    seats = Seats(*numbers)
    assert seats.free >= 0
    assert seats.free + sum(numbers[1:]) <= max(seats.capacity, sum(numbers[1:]))


@pytest.mark.parametrize(
    ("choices", "got", "expected"),
    [(3, 0, []), (3, 2, [0, 1]), (3, None, [0, 1, 2]), (0, None, [])],
)
def test_a_child_waits_for_what_it_ranked_above_what_it_got(
    choices: int, got: int | None, expected: list[int]
) -> None:
    assert list(wanted(choices, got=got)) == expected


def test_a_late_child_stands_behind_its_class_and_before_the_next() -> None:
    listed = [
        Standing.of(Priority(0, 1, 0), lottery=5),
        Standing.of(Priority(0, 1, 3), lottery=1),
        Standing.of(Priority(0, 1, 0), lottery=0, late=1),
        Standing.of(Priority(0, 2, 0), lottery=2),
        Standing.of(Priority(1, 1, 0), lottery=3),
    ]
    assert listed == sorted(listed)
    assert place_in(listed, Standing.of(Priority(0, 1, 0), lottery=0, late=2)) == 3
    assert place_in(listed, Standing.of(Priority(0, 0, 0), lottery=9)) == 0
    assert place_in(listed, Standing.of(Priority(1, 1, 0), lottery=0, late=2)) == 5


def test_a_limit_ends_with_the_last_second_of_its_last_working_day() -> None:
    published = datetime(2026, 11, 20, 4, tzinfo=UTC)
    three = limit(published, 3, calendar=WEEKDAYS, division="460105")
    assert three.at == datetime(2026, 11, 25, 15, 59, 59, tzinfo=UTC), "Friday noon to Wednesday midnight"
    assert not three.is_over(three.at)
    assert three.is_over(three.at + timedelta(seconds=1))
    assert three.words == "2026-11-25"
    assert limit(datetime(2026, 12, 31, tzinfo=UTC), 3, calendar=WEEKDAYS, division="460105").provisional


def file_of(roll: dict[str, list[tuple[str, int]]], seats: dict[str, int]) -> tuple[object, list[list[int]]]:
    made, bands = public_file.make_roll(capacities=seats, applications=roll, twins=[])
    return public_file.draw_and_match(made, secret="s", beacon="b", campaign="c"), bands


def test_a_corrected_child_is_admitted_where_fewer_than_the_seats_stand_before_it() -> None:
    first, second = Priority(0, 1, 0), Priority(0, 2, 0)
    roll = {f"k{at}": [("a", second.packed())] for at in range(4)}
    file, bands = file_of(roll, {"a": 2})
    for lottery in (1, 4, 9):
        assert would_admit(file, bands, Judged(0, first), lottery=lottery)  # type: ignore[arg-type]
        assert would_admit(file, bands, Judged(0, second), lottery=lottery) == (lottery <= 2)  # type: ignore[arg-type]
        assert not would_admit(file, bands, Judged(0, Priority(1, 1, 0)), lottery=lottery)  # type: ignore[arg-type]
    class_six = Judged(0, Priority(0, COORDINATED, 0))
    assert not would_admit(file, bands, class_six, lottery=1)  # type: ignore[arg-type]


@given(some.integers(0, 3), some.integers(0, 3), some.integers(1, 5))
def test_the_published_result_itself_is_what_appeals_are_held_against(
    seats_a: int, seats_b: int, children: int
) -> None:
    """With the facts unchanged, an appeal finds no better school: the draw was right."""
    priority = Priority(0, 1, 0)
    roll = {f"k{at}": [("a", priority.packed()), ("b", priority.packed())] for at in range(children)}
    file, bands = file_of(roll, {"a": seats_a, "b": seats_b})
    judged = [Judged(0, priority), Judged(1, priority)]
    for pupil, placement, lottery in zip(
        file.roll.pupils,  # type: ignore[attr-defined]
        file.placements,  # type: ignore[attr-defined]
        file.lottery,  # type: ignore[attr-defined]
        strict=True,
    ):
        got = None if placement == UNPLACED else pupil.choices.index(placement)
        assert better_choice(file, bands, judged, lottery=lottery, got=got) is None  # type: ignore[arg-type]


def test_a_second_round_lies_ahead_and_draws_after_its_close() -> None:
    now = datetime(2026, 8, 1, tzinfo=UTC)
    day = timedelta(days=1)
    assert check_times(opens_at=now, closes_at=now + day, draw_after=now + day, now=now) == []
    wrong = check_times(opens_at=now - day, closes_at=now - day, draw_after=now - 2 * day, now=now)
    assert [error.pointer for error in wrong] == ["/opensAt", "/closesAt", "/drawAfter"]
    assert seats_left({"a": Seats(3, 1, 0, 0, 0, 0), "b": Seats(1, 1, 0, 0, 0, 0)}) == {"a": 2}
