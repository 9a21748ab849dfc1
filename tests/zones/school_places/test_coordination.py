"""统筹: the nearest school with a spare seat, by distance, class and lottery. Source: docs/domain.md §6.2."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.school_places.coordination import Distance, Waiting, placement_by_distance
from services.school_places.matching import UNPLACED


def at(*metres: int, rank: int = 6, lottery: int = 1) -> Waiting:
    return Waiting(rank, lottery, [Distance(far, school) for school, far in enumerate(metres)])


def test_a_child_goes_to_the_nearest_school_that_has_a_seat() -> None:
    assert placement_by_distance({7: at(500, 800)}, [1, 1], twins=[]) == {7: 0}
    assert placement_by_distance({7: at(500, 800)}, [0, 1], twins=[]) == {7: 1}


def test_the_nearer_child_comes_first_then_the_class_then_the_lottery() -> None:
    waiting = {
        1: at(500, 900, rank=6, lottery=1),
        2: at(400, 900, rank=6, lottery=9),
        3: at(500, 900, rank=2, lottery=8),
        4: at(500, 900, rank=2, lottery=7),
    }
    assert placement_by_distance(waiting, [1, 9], twins=[]) == {1: 1, 2: 0, 3: 1, 4: 1}
    assert placement_by_distance(waiting, [2, 9], twins=[]) == {1: 1, 2: 0, 3: 1, 4: 0}
    assert placement_by_distance(waiting, [3, 9], twins=[]) == {1: 1, 2: 0, 3: 0, 4: 0}


def test_twins_from_one_home_are_not_sent_to_two_schools() -> None:
    waiting = {1: at(500, 900), 2: at(500, 900), 3: at(600, 900, lottery=2)}
    assert placement_by_distance(waiting, [1, 1], twins=[[1, 2]]) == {1: 0, 2: 0, 3: 1}
    assert placement_by_distance(waiting, [2, 1], twins=[[1, 2]]) == {1: 0, 2: 0, 3: 1}


def test_without_any_seat_in_reach_a_child_stays_unplaced() -> None:
    assert placement_by_distance({1: at(100, 200), 2: at()}, [0, 0], twins=[]) == {1: UNPLACED, 2: UNPLACED}


def test_seats_are_never_given_twice() -> None:
    waiting = {pupil: at(pupil % 7, pupil % 5, pupil % 3, lottery=pupil) for pupil in range(40)}
    placed = placement_by_distance(waiting, [10, 10, 10], twins=[])
    assert [list(placed.values()).count(school) for school in (0, 1, 2)] == [10, 10, 10]
    assert list(placed.values()).count(UNPLACED) == 10


def nearest_first(waiting: dict[int, Waiting], seats: list[int]) -> dict[int, int]:
    """The rule in one line, over and over: of all children and free seats the pair that comes first."""
    left, placed = list(seats), dict.fromkeys(waiting, UNPLACED)
    while pairs := [
        (far.metres, child.rank, child.lottery, pupil, far.school)
        for pupil, child in waiting.items()
        if placed[pupil] == UNPLACED
        for far in child.distances
        if left[far.school]
    ]:
        *_, pupil, school = min(pairs)
        placed[pupil] = school
        left[school] -= 1
    return placed


@st.composite
def those_waiting(draw: st.DrawFn) -> tuple[dict[int, Waiting], list[int]]:
    schools = draw(st.integers(1, 4))
    pupils = draw(st.integers(0, 9))
    lottery = draw(st.permutations(range(pupils)))
    waiting = {
        pupil: Waiting(
            draw(st.integers(2, 6)),
            lottery[pupil],
            [
                Distance(draw(st.integers(0, 4)) * 100, school)
                for school in draw(st.permutations(range(schools)))[: draw(st.integers(0, schools))]
            ],
        )
        for pupil in range(pupils)
    }
    return waiting, [draw(st.integers(0, 3)) for _ in range(schools)]


@settings(deadline=None, max_examples=200)
@given(those_waiting())
def test_every_child_gets_the_nearest_seat_that_nobody_nearer_takes(
    case: tuple[dict[int, Waiting], list[int]],
) -> None:
    waiting, seats = case
    placed = placement_by_distance(waiting, seats, twins=[])
    assert placed == nearest_first(waiting, seats)
    for pupil, school in placed.items():
        for far in waiting[pupil].distances:
            taken = [other for other, at in placed.items() if at == far.school]
            if school == UNPLACED:
                assert len(taken) == seats[far.school], "nobody is left out while a seat in reach is free"


@settings(deadline=None, max_examples=100)
@given(those_waiting(), st.integers(0, 3))
def test_twins_in_coordination_go_over_by_one_seat_at_most(
    case: tuple[dict[int, Waiting], list[int]], metres: int
) -> None:
    waiting, seats = case
    distances = [Distance(metres * 100, school) for school in range(len(seats))]
    waiting |= {20: Waiting(3, 99, distances), 21: Waiting(3, 99, distances)}
    placed = placement_by_distance(waiting, seats, twins=[[20, 21]])
    assert (placed[20] == UNPLACED) == (placed[21] == UNPLACED)
    for school, capacity in enumerate(seats):
        taken = [pupil for pupil, at in placed.items() if at == school]
        assert len(taken) <= capacity + ({20, 21} <= set(taken))
