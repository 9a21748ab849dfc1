"""Published counts name classes, so groups under five are merged. Source: docs/domain.md §6.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.school_places.published_counts import SMALLEST_GROUP, Group, merged_groups


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
