"""From the draw's public result to each family's own: the school, 统筹 for the others, and the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, cos, radians, sin, sqrt

import msgspec

from haiyiban.errors import Words
from services.school_places.classification import Priority
from services.school_places.coordination import Distance, Waiting, placement_by_distance
from services.school_places.explanation import Choice, LastTaken, explain
from services.school_places.matching import UNPLACED
from services.school_places.models import RollEntry
from services.school_places.public_file import Bands, PublicFile
from services.school_places.service.enrolments import Ground
from services.school_places.service.standings import Standing

EARTH_METRES = 6_371_000
_FULL = Words(
    "招生区域内暂无空余学位，请联系区教育局，由其在全市协调",
    "no school of the area has a seat left; please ask the district education bureau to look citywide",
)


def settle(entries: Sequence[RollEntry], file: PublicFile, ground: Ground, *, bands: Bands) -> None:
    """Write into every entry what the draw gave it.

    Distances are straight lines between points that our data hold (school, catchment, township), not roads:
    registers give addresses without coordinates. 统筹 is into public schools only.
    """
    schools = [ground.offers[school.id] for school in file.roll.schools]
    position_of = {pupil.pseudonym: at for at, pupil in enumerate(file.roll.pupils)}
    pupils = [position_of[entry.pseudonym] for entry in entries]
    standings = [msgspec.convert(entry.standing, Standing) for entry in entries]
    spare = [
        max(0, school.capacity - file.placements.count(at)) if offer.school.kind == "public" else 0
        for at, (school, offer) in enumerate(zip(file.roll.schools, schools, strict=True))
    ]
    coordinated = placement_by_distance(
        {
            pupil: Waiting(standing.rank, file.lottery[pupil], _distances(standing.place, ground, file))
            for pupil, standing in zip(pupils, standings, strict=True)
            if file.placements[pupil] == UNPLACED
        },
        spare,
        twins=[[position_of[pseudonym] for pseudonym in group] for group in file.roll.twin_groups],
    )
    cutoffs = {
        school.id: None
        if (cutoff := file.cutoffs[at]) is None
        else LastTaken(Priority.of_packed(bands[at][cutoff.priority]), cutoff.lottery)
        for at, school in enumerate(file.roll.schools)
    }
    for entry, pupil, standing in zip(entries, pupils, standings, strict=True):
        by_choice = file.placements[pupil]
        school = by_choice if by_choice != UNPLACED else coordinated[pupil]
        entry.lottery = file.lottery[pupil]
        entry.choice = None if by_choice == UNPLACED else file.roll.pupils[pupil].choices.index(by_choice)
        entry.school_id = None if school == UNPLACED else schools[school].school.id
        entry.outcome = (
            "choice" if by_choice != UNPLACED else "no_seat" if school == UNPLACED else "coordination"
        )
        explanation = explain(
            [
                Choice(_name(ground, choice.school), choice.priority, cutoffs[choice.school])
                for choice in standing.choices
            ],
            lottery=entry.lottery,
            placed=entry.choice,
            coordinated=_name(ground, str(entry.school_id)) if entry.outcome == "coordination" else None,
        )
        text = explanation.text
        if entry.outcome == "no_seat":
            text = Words(f"{text.zh}{_FULL.zh}。", f"{text.en} At present {_FULL.en}.")
        entry.explanation = {
            "zh": text.zh,
            "en": text.en,
            "steps": [
                {"zh": step.words.zh, "en": step.words.en, "outcome": step.outcome, "school": str(school_id)}
                for step, school_id in zip(
                    explanation.steps, (choice.school for choice in standing.choices), strict=False
                )
            ],
        }


def metres(one: tuple[float, float], other: tuple[float, float]) -> int:
    """The straight line between two points of latitude and longitude."""
    (lat1, lon1), (lat2, lon2) = ((radians(point[0]), radians(point[1])) for point in (one, other))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return round(2 * EARTH_METRES * asin(sqrt(half)))


def _distances(place: tuple[float, float] | None, ground: Ground, file: PublicFile) -> list[Distance]:
    """To each public school; from nowhere in particular all are equally far."""
    found = []
    for at, school in enumerate(file.roll.schools):
        offered = ground.offers[school.id].school
        if offered.kind == "public":
            far = 0 if place is None else metres(place, (offered.latitude, offered.longitude))
            found.append(Distance(far, at))
    return found


def _name(ground: Ground, school_id: str) -> Words:
    school = ground.offers[school_id].school
    return Words(school.name, school.name_en)
