"""Published counts name classes, so groups under five are merged. Source: docs/domain.md §6.2."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.school_places.classification import Priority
from services.school_places.matching import NOT_BY_MATCHING
from services.school_places.public_file import draw_and_match, make_roll
from services.school_places.published_counts import (
    SMALLEST_GROUP,
    Group,
    cut_off_words,
    group_words,
    merged_groups,
    of_draw,
)


@pytest.mark.parametrize(
    ("counts", "groups"),
    [
        ({0: (2, 2), 1: (30, 30), 2: (12, 8)}, [Group((0, 1), 32, 32), Group((2,), 12, 8)]),
        ({1: (30, 30), 2: (12, 8), 6: (3, 0)}, [Group((1,), 30, 30), Group((2, 6), 15, 8)]),
        ({0: (2, 2), 1: (2, 1)}, [Group((0, 1), None, None)]),
        ({1: (5, 5)}, [Group((1,), 5, 5)]),
        ({1: (0, 0)}, []),
        ({}, []),
    ],
)
def test_small_groups_join_their_neighbour(counts: dict[int, tuple[int, int]], groups: list[Group]) -> None:
    assert merged_groups(counts) == groups


@given(st.dictionaries(st.integers(0, 6), st.integers(0, 12)))
def test_no_published_group_is_small_and_nobody_is_lost(applied: dict[int, int]) -> None:
    groups = merged_groups({rank: (count, 0) for rank, count in applied.items()})
    told = [group.applied for group in groups if group.applied is not None]
    assert all(count >= SMALLEST_GROUP for count in told)
    assert sum(told) == sum(applied.values()) or (not told and sum(applied.values()) < SMALLEST_GROUP)


priorities = st.sampled_from(
    [Priority(outside, rank, 0).packed() for outside in (0, 1) for rank in range(6)] + [NOT_BY_MATCHING]
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(priorities, priorities), max_size=40),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_no_count_and_no_cut_off_of_a_draw_names_fewer_than_five_children(
    children: list[tuple[int, int]], seats_a: int, seats_b: int
) -> None:
    """k-anonymity of what names classes: every named group of classes at a school has five or more in it."""
    roll, bands = make_roll(
        capacities={"a": seats_a, "b": seats_b},
        applications={
            f"p{number:02d}": [("a", at_a), ("b", at_b)] for number, (at_a, at_b) in enumerate(children)
        },
        twins=[],
    )
    file = draw_and_match(roll, secret="s", beacon="b", campaign="c")
    for position, school in enumerate(of_draw(file, bands)):
        asked = Counter(child[position] for child in children)
        for group in school.groups:
            if group.applied is not None:
                assert group.applied >= SMALLEST_GROUP
        if school.cut_off is not None and school.cut_off.ranks:
            [group] = [group for group in school.groups if set(school.cut_off.ranks) <= set(group.ranks)]
            assert school.cut_off.ranks == group.ranks, "a cut-off names the whole merged group"
            assert group.applied is not None
        told = sum(group.applied or 0 for group in school.groups)
        assert told in (sum(asked.values()), 0)
        admitted = sum(group.admitted or 0 for group in school.groups)
        assert admitted in (file.placements.count(position), 0)


def test_groups_and_cut_offs_are_said_in_words() -> None:
    assert group_words((0, 1)).zh == "片区内第0类、片区内第1类"
    assert group_words((8 + 4, 16)).zh == "片区外第4类、第6类（统筹）"
    assert group_words((7,)).en == "drawn alike"
    children = {f"p{number}": [("a", Priority(0, number % 2, 0).packed())] for number in range(8)}
    roll, bands = make_roll(capacities={"a": 5}, applications=children, twins=[])
    [school] = of_draw(draw_and_match(roll, secret="s", beacon="b", campaign="c"), bands)
    assert school.groups == (Group((0, 1), 8, 5),), "four of class 0 are too few to stand alone"
    assert school.cut_off is not None
    assert cut_off_words(school.cut_off).zh.startswith("片区内第0类、片区内第1类、抽签号 ")
