"""From the draw's public result to each family's own: the school, 统筹 for the others, and the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt
from typing import Any, Literal, NamedTuple
from uuid import UUID

from haiyiban.errors import Words
from services.school_places.classification import Priority
from services.school_places.coordination import Distance, Waiting, placement_by_distance
from services.school_places.explanation import Choice, LastTaken, explain
from services.school_places.matching import UNPLACED
from services.school_places.public_file import Bands, PublicFile
from services.school_places.service.enrolments import Ground, Offer
from services.school_places.service.standings import Standing

Outcome = Literal["choice", "coordination", "no_seat"]
EARTH_METRES = 6_371_000
_FULL = Words(
    "招生区域内暂无空余学位，请联系区教育局，由其在全市协调",
    "no school of the area has a seat left; please ask the district education bureau to look citywide",
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn file with what it takes to tell each family: schools, positions by pseudonym, cut-offs."""

    file: PublicFile
    ground: Ground
    schools: Sequence[Offer]
    position_of: Mapping[str, int]
    cutoffs: Mapping[str, LastTaken | None]
    distances: dict[tuple[float, float] | None, Sequence[Distance]] = field(default_factory=dict)
    """Found so far, by home."""


class Result(NamedTuple):
    """What a draw gave one child: `choice` is the position in its list; the columns of `RollEntry`."""

    lottery: int
    choice: int | None
    school_id: UUID | None
    outcome: Outcome
    explanation: Mapping[str, Any]


def drawn(file: PublicFile, ground: Ground, *, bands: Bands) -> Drawn:
    """Prepare a drawn file for its entries."""
    return Drawn(
        file,
        ground,
        schools=[ground.offers[school.id] for school in file.roll.schools],
        position_of={pupil.pseudonym: at for at, pupil in enumerate(file.roll.pupils)},
        cutoffs={
            school.id: None
            if (cutoff := file.cutoffs[at]) is None
            else LastTaken(Priority.of_packed(bands[at][cutoff.priority]), cutoff.lottery)
            for at, school in enumerate(file.roll.schools)
        },
    )


def waiting(pupil: int, standing: Standing, drawn: Drawn) -> Waiting:
    """A child for whom no school of its list had a seat.

    Distances are straight lines between points that our data hold (school, catchment, township), not roads:
    registers give addresses without coordinates. 统筹 is into public schools only.
    """
    return Waiting(standing.rank, drawn.file.lottery[pupil], _distances(standing.place, drawn))


def coordinate(waiting: Mapping[int, Waiting], drawn: Drawn) -> dict[int, int]:
    """The nearest public school with a spare seat for each waiting child, or `UNPLACED`."""
    taken = Counter(drawn.file.placements)
    spare = [
        max(0, school.capacity - taken[at]) if offer.school.kind == "public" else 0
        for at, (school, offer) in enumerate(zip(drawn.file.roll.schools, drawn.schools, strict=True))
    ]
    return placement_by_distance(
        waiting,
        spare,
        twins=[
            [drawn.position_of[pseudonym] for pseudonym in group] for group in drawn.file.roll.twin_groups
        ],
    )


def result_of(pupil: int, standing: Standing, drawn: Drawn, *, coordinated: int | None) -> Result:
    """What the draw gave a child, and why. `coordinated`: the school that 统筹 found, or `UNPLACED`; None for
    a child whom a school of its list took."""
    file, ground, schools = drawn.file, drawn.ground, drawn.schools
    lottery, by_choice = file.lottery[pupil], file.placements[pupil]
    school = by_choice if coordinated is None else coordinated
    choice = file.roll.pupils[pupil].choices.index(by_choice) if coordinated is None else None
    school_id = None if school == UNPLACED else schools[school].school.id
    outcome: Outcome = "choice" if coordinated is None else "no_seat" if school_id is None else "coordination"
    explanation = explain(
        [
            Choice(_name(ground, choice.school), choice.priority, drawn.cutoffs[choice.school])
            for choice in standing.choices
        ],
        lottery=lottery,
        placed=choice,
        coordinated=_name(ground, str(school_id)) if outcome == "coordination" else None,
    )
    text = explanation.text
    if outcome == "no_seat":
        text = Words(f"{text.zh}{_FULL.zh}。", f"{text.en} At present {_FULL.en}.")
    told = {
        "zh": text.zh,
        "en": text.en,
        "steps": [
            {"zh": step.words.zh, "en": step.words.en, "outcome": step.outcome, "school": str(school_id)}
            for step, school_id in zip(
                explanation.steps, (choice.school for choice in standing.choices), strict=False
            )
        ],
    }
    return Result(lottery, choice, school_id, outcome, told)


def metres(one: tuple[float, float], other: tuple[float, float]) -> int:
    """The straight line between two points of latitude and longitude."""
    (lat1, lon1), (lat2, lon2) = ((radians(point[0]), radians(point[1])) for point in (one, other))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return round(2 * EARTH_METRES * asin(sqrt(half)))


def _distances(place: tuple[float, float] | None, drawn: Drawn) -> Sequence[Distance]:
    """To each public school, nearest first; from nowhere in particular all are equally far.

    Homes are known to their catchment or township only, so a thousand children share one list.
    """
    known = drawn.distances.get(place)
    if known is None:
        known = drawn.distances[place] = sorted(
            Distance(
                0 if place is None else metres(place, (offer.school.latitude, offer.school.longitude)), at
            )
            for at, offer in enumerate(drawn.schools)
            if offer.school.kind == "public"
        )
    return known


def _name(ground: Ground, school_id: str) -> Words:
    school = ground.offers[school_id].school
    return Words(school.name, school.name_en)
