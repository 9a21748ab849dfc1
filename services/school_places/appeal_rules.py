"""What an upheld appeal (申诉) changes: this one child is judged anew, against what everybody may read.

Nothing is drawn again and nobody else is asked. With its corrected priority and its own lottery number the
child is held against the published result, school by school: it would have been admitted where fewer
children than the school has seats stand strictly before it, which is the rule of the matching itself. It
then gets a seat there, over capacity if need be, so that nobody loses a place by somebody else's appeal.
Source: docs/domain.md §6.2 (appeal window, cut-off), §13 (PIPL 24, 48: explanation, human path).
"""

from collections.abc import Sequence
from typing import NamedTuple

from services.school_places.class_table import COORDINATED
from services.school_places.classification import Priority
from services.school_places.public_file import Bands, PublicFile


class Judged(NamedTuple):
    """One school of the child's list with the corrected priority; the school as the file numbers it."""

    school: int
    priority: Priority


def would_admit(file: PublicFile, bands: Bands, judged: Judged, *, lottery: int) -> bool:
    """Whether a school would have taken a child of this priority and number in the published draw.

    Children whom 统筹 placed there do not count: they came for seats that the matching had left.
    """
    if judged.priority.rank == COORDINATED:
        return False
    own = (judged.priority.packed(), lottery)
    before = 0
    for pupil, placement, number in zip(file.roll.pupils, file.placements, file.lottery, strict=True):
        if placement == judged.school:
            rank = pupil.priorities[pupil.choices.index(judged.school)]
            before += (bands[judged.school][rank], number) < own
    return before < file.roll.schools[judged.school].capacity


def better_choice(
    file: PublicFile, bands: Bands, choices: Sequence[Judged], *, lottery: int, got: int | None
) -> int | None:
    """The best choice that would have taken the child and that it ranked above what it has; None: none.

    `got`: position in the list of what it has now, None for a coordinated place or none at all.
    """
    for position, judged in enumerate(choices[: len(choices) if got is None else got]):
        if would_admit(file, bands, judged, lottery=lottery):
            return position
    return None
