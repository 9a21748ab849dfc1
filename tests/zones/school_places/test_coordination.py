"""统筹: the nearest school with a spare seat, by distance, class and lottery. Source: docs/domain.md §6.2."""

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
