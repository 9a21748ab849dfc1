"""What everybody reads of a published draw by school and class, groups under five merged."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from haiyiban.wire import Output
from services.school_places.placement_views import language
from services.school_places.published_counts import SchoolCounts, cut_off_words, group_words


class GroupRead(Output, kw_only=True, omit_defaults=False):
    """Children of neighbouring classes at a school."""

    classes: str
    applied: int | None
    """Null: fewer than five, and no more is said."""
    admitted: int | None


class SchoolCountsRead(Output, kw_only=True, omit_defaults=False):
    """A school in a published draw."""

    school_id: UUID
    groups: list[GroupRead]
    cut_off: str | None
    """The classes and the lottery number that the last place went to; null where everybody got in."""


class CountsRead(Output, kw_only=True):
    """The counts of a draw, by school."""

    run_id: UUID
    schools: list[SchoolCountsRead]


def counts_read(run_id: UUID, told: Sequence[SchoolCounts]) -> CountsRead:
    """The counts of a run, in the reader's language."""
    return CountsRead(run_id=run_id, schools=[_counts(school) for school in told])


def _counts(school: SchoolCounts) -> SchoolCountsRead:
    cut_off = None if school.cut_off is None else cut_off_words(school.cut_off).in_language(language())
    return SchoolCountsRead(
        school_id=UUID(school.school),
        groups=[
            GroupRead(
                classes=group_words(group.ranks).in_language(language()),
                applied=group.applied,
                admitted=group.admitted,
            )
            for group in school.groups
        ],
        cut_off=cut_off,
    )
