"""Published counts per school and class, with small groups merged.

Here classes have their names, so here a group of one to four children could point at one of them. Groups
under five are merged with the next class of the same school until the merged group has five or more; a small
rest joins the group before it. A school with fewer than five in all shows only that there are "fewer than 5".
Source: docs/domain.md §6.2 (publish counts per class); children under 14: §13.
"""

from collections.abc import Mapping
from typing import NamedTuple

SMALLEST_GROUP = 5


class Group(NamedTuple):
    """Children of one or more neighbouring classes at a school. `applied` None: fewer than five in all."""

    ranks: tuple[int, ...]
    applied: int | None
    admitted: int | None


def merged_groups(counts: Mapping[int, tuple[int, int]]) -> list[Group]:
    """Groups of one school, best class first, from (applied, admitted) per class."""
    groups: list[tuple[tuple[int, ...], int, int]] = []
    for rank in sorted(counts):
        applied, admitted = counts[rank]
        if applied == 0:
            continue
        if groups and groups[-1][1] < SMALLEST_GROUP:
            ranks, before, before_admitted = groups.pop()
            groups.append(((*ranks, rank), before + applied, before_admitted + admitted))
        else:
            groups.append(((rank,), applied, admitted))
    if len(groups) > 1 and groups[-1][1] < SMALLEST_GROUP:
        rest_ranks, rest_applied, rest_admitted = groups.pop()
        ranks, applied, admitted = groups.pop()
        groups.append(((*ranks, *rest_ranks), applied + rest_applied, admitted + rest_admitted))
    return [
        Group(ranks, applied, admitted) if applied >= SMALLEST_GROUP else Group(ranks, None, None)
        for ranks, applied, admitted in groups
    ]
