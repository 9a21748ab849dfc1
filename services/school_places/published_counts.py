"""Published counts per school and class, with small groups merged.

Here classes have their names, so here a group of one to four children could point at one of them. Groups
under five are merged with the next class of the same school until the merged group has five or more; a small
rest joins the group before it. A school with fewer than five in all shows only that there are "fewer than 5".
A cut-off names the merged group that holds the last class taken, never a smaller one: its lottery number
stands in the public file, and with it the class of everybody who shares its rank.
Source: docs/domain.md §6.2 (publish counts per class, cut-off class); children under 14: §13.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from haiyiban.errors import Words
from services.school_places.class_table import COORDINATED
from services.school_places.classification import DRAWN_ONLY, Priority
from services.school_places.matching import NOT_BY_MATCHING
from services.school_places.public_file import Bands, PublicFile

SMALLEST_GROUP = 5
_OUTSIDE = 8
"""Added to a class for children from outside the catchment, who stand behind all from inside."""
_BY_COORDINATION = 2 * _OUTSIDE
"""Class 6 stands behind everybody, wherever it lives."""


class Group(NamedTuple):
    """Children of one or more neighbouring classes at a school. `applied` None: fewer than five in all."""

    ranks: tuple[int, ...]
    applied: int | None
    admitted: int | None


class CutOff(msgspec.Struct, frozen=True):
    """How far a school took: the merged group (empty: too small to be named) and the lottery number."""

    ranks: tuple[int, ...]
    lottery: int


class SchoolCounts(msgspec.Struct, frozen=True):
    """What is published of one school: who asked for it, who got in, how far it reached."""

    school: str
    groups: tuple[Group, ...]
    cut_off: CutOff | None


def of_draw(file: PublicFile, bands: Bands) -> list[SchoolCounts]:
    """The counts of a draw, school by school in the order of the roll."""
    applied: list[dict[int, int]] = [{} for _ in file.roll.schools]
    admitted: list[dict[int, int]] = [{} for _ in file.roll.schools]
    for pupil, placed in zip(file.roll.pupils, file.placements, strict=True):
        for school, rank in zip(pupil.choices, pupil.priorities, strict=True):
            key = _BY_COORDINATION if rank == NOT_BY_MATCHING else _key(bands[school][rank])
            applied[school][key] = applied[school].get(key, 0) + 1
            if school == placed:
                admitted[school][key] = admitted[school].get(key, 0) + 1
    told = []
    for at, school_ in enumerate(file.roll.schools):
        groups = tuple(
            merged_groups({key: (count, admitted[at].get(key, 0)) for key, count in applied[at].items()})
        )
        cutoff = file.cutoffs[at]
        reached = None
        if cutoff is not None:
            reached = CutOff(_nameable(groups, _key(bands[at][cutoff.priority])), cutoff.lottery)
        told.append(SchoolCounts(school_.id, groups, reached))
    return told


def _key(packed: int) -> int:
    priority = Priority.of_packed(packed)
    return priority.outside * _OUTSIDE + priority.rank


def _nameable(groups: tuple[Group, ...], key: int) -> tuple[int, ...]:
    return next((group.ranks for group in groups if key in group.ranks and group.applied is not None), ())


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


def group_words(ranks: tuple[int, ...]) -> Words:
    """The classes of a group, as families read them."""
    named = [_class_words(rank) for rank in ranks]
    return Words("、".join(name.zh for name in named), ", ".join(name.en for name in named))


def cut_off_words(cut_off: CutOff) -> Words:
    """A cut-off as it is published."""
    if cut_off.ranks in ((), (DRAWN_ONLY,)):
        return Words(f"抽签号 {cut_off.lottery}", f"lottery number {cut_off.lottery}")
    group = group_words(cut_off.ranks)
    return Words(f"{group.zh}、抽签号 {cut_off.lottery}", f"{group.en}, lottery number {cut_off.lottery}")


def _class_words(key: int) -> Words:
    if key == _BY_COORDINATION:
        return Words(f"第{COORDINATED}类（统筹）", f"class {COORDINATED} (by coordination)")
    outside, rank = divmod(key, _OUTSIDE)
    if rank == DRAWN_ONLY:
        return Words("统一抽签", "drawn alike")
    if outside:
        return Words(f"片区外第{rank}类", f"class {rank} outside the catchment")
    return Words(f"片区内第{rank}类", f"class {rank} inside the catchment")
