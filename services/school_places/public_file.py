"""The file with which any parent recomputes the draw and the matching, from the file alone.

It is RFC 8785 JSON (so that one content has one form), described by
schemas/zones/school_places/public-file.v1.json: the roll, what was committed, what was revealed, the result.

**What it tells about children under 14.** Pseudonyms are random and known to each family alone; there is no
fact, no name, no home. A priority in it is not the class: it is the *dense rank* of (outside, class,
subclass) among those who chose that school, 0 best. The matching only compares priorities within a school,
so the result is the same to the seat, while a number no longer says "class 5" nor means the same at two
schools. Order is all that is left, and without order nothing could be recomputed.
Merging groups under 5 would change who stands before whom, so it is done where classes are *named*: the
published counts (published_counts.py). The meaning of the ranks (`Bands`) is never published; each family
reads its own class in its own explanation. The file is withdrawn after the appeal window.
Source: docs/domain.md §6.2, §11.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from services.school_places.draw import commitment, draw_seed, lottery_numbers, roll_hash
from services.school_places.matching import NOT_BY_MATCHING, Instance, Result, match

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Position = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""Counts and positions; beyond 2^53 JSON numbers are not exact, and RFC 8785 has no form for them."""
OrNone = Annotated[int, Meta(ge=-1, le=2**53 - 1)]
"""A position, or -1 for none."""
Bands = list[list[int]]
"""For each school the packed priorities that occur there, best first; the position is the published rank."""


class School(Struct, frozen=True, forbid_unknown_fields=True):
    """A school of the enrolment and its seats; `choices` name it by its position."""

    id: str
    capacity: Position


class Pupil(Struct, frozen=True, forbid_unknown_fields=True):
    """A child: its ranked schools, and for each how that school ranks it (-1: not by matching)."""

    pseudonym: Annotated[str, Meta(min_length=1)]
    choices: tuple[Position, ...]
    priorities: tuple[OrNone, ...]


class Roll(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The whole input of the matching, as it is hashed: schools by id, pupils and twins by pseudonym."""

    schools: tuple[School, ...]
    pupils: tuple[Pupil, ...]
    twin_groups: tuple[tuple[str, ...], ...]


class PublicCutoff(Struct, frozen=True, forbid_unknown_fields=True):
    """The last rank and lottery number that a school still took."""

    priority: Position
    lottery: Position


class PublicFile(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """All of it. `lottery` and `placements` stand in the order of `roll.pupils`, `cutoffs` of the schools."""

    schema: Literal["urn:haiyiban:schemas:school-places:public-file:v1"]
    campaign: str
    roll: Roll
    roll_hash: Digest
    commitment: Digest
    secret: str
    beacon: str
    seed: Digest
    lottery: tuple[Position, ...]
    placements: tuple[OrNone, ...]
    cutoffs: tuple[PublicCutoff | None, ...]


SCHEMA_ID: Literal["urn:haiyiban:schemas:school-places:public-file:v1"] = (
    "urn:haiyiban:schemas:school-places:public-file:v1"
)


def make_roll(
    *,
    capacities: Mapping[str, int],
    applications: Mapping[str, Sequence[tuple[str, int]]],
    twins: Sequence[Sequence[str]],
) -> tuple[Roll, Bands]:
    """The roll to commit to, and the meaning of its ranks, which stays inside.

    `applications` maps each pseudonym to its ranked (school id, packed priority).
    """
    ids = sorted(capacities)
    position = {school: at for at, school in enumerate(ids)}
    seen: list[set[int]] = [set() for _ in ids]
    for ranked in applications.values():
        for school, packed in ranked:
            if packed != NOT_BY_MATCHING:
                seen[position[school]].add(packed)
    bands = [sorted(packed) for packed in seen]
    rank_of = [{packed: rank for rank, packed in enumerate(band)} for band in bands]
    pupils = tuple(
        Pupil(
            pseudonym,
            choices=tuple(position[school] for school, _ in applications[pseudonym]),
            priorities=tuple(
                rank_of[position[school]].get(packed, NOT_BY_MATCHING)
                for school, packed in applications[pseudonym]
            ),
        )
        for pseudonym in sorted(applications)
    )
    groups = tuple(sorted(tuple(sorted(group)) for group in twins))
    return Roll(tuple(School(school, capacities[school]) for school in ids), pupils, groups), bands


def hash_of(roll: Roll) -> str:
    """The roll hash that is published when the enrolment closes."""
    return roll_hash(canonical(roll))


def numbers_of(roll: Roll, seed: bytes) -> list[int]:
    """The lottery number of each pupil of the roll. Raises MalformedRoll."""
    return lottery_numbers(seed, [pupil.pseudonym for pupil in roll.pupils], twins=roll.twin_groups)


def instance_of(roll: Roll, lottery: Sequence[int]) -> Instance:
    """The roll as arrays for the matching."""
    index = {pupil.pseudonym: at for at, pupil in enumerate(roll.pupils)}
    return Instance(
        choices=[pupil.choices for pupil in roll.pupils],
        priorities=[pupil.priorities for pupil in roll.pupils],
        lottery=lottery,
        twins=[[index[pseudonym] for pseudonym in group] for group in roll.twin_groups],
        capacities=[school.capacity for school in roll.schools],
    )


def cutoffs_of(result: Result) -> tuple[PublicCutoff | None, ...]:
    """The cut-offs of a result as the file holds them."""
    return tuple(None if cutoff is None else PublicCutoff(*cutoff) for cutoff in result.cutoffs)


def draw_and_match(roll: Roll, *, secret: str, beacon: str, campaign: str) -> PublicFile:
    """Carry out the draw: seed, numbers, placements. Raises MalformedRoll, MalformedInstance."""
    hashed = hash_of(roll)
    seed = draw_seed(secret, beacon=beacon, roll=hashed, campaign=campaign)
    lottery = numbers_of(roll, seed)
    result = match(instance_of(roll, lottery))
    return PublicFile(
        schema=SCHEMA_ID,
        campaign=campaign,
        roll=roll,
        roll_hash=hashed,
        commitment=commitment(secret),
        secret=secret,
        beacon=beacon,
        seed=seed.hex(),
        lottery=tuple(lottery),
        placements=tuple(result.placements),
        cutoffs=cutoffs_of(result),
    )


def to_bytes(file: PublicFile) -> bytes:
    """The file as published."""
    return canonical(file)


_CANONICAL = msgspec.json.Encoder(order="sorted")


def canonical(value: Roll | PublicFile) -> bytes:
    """The RFC 8785 JSON of a roll or a file.

    These hold ASCII names, integers below 2^53, strings, lists and null, for which sorted members and
    msgspec's own spelling are that form, to the byte (a test holds them against the reference
    implementation) and some forty times faster: 150,000 pupils in 0.1 s.
    """
    return _CANONICAL.encode(value)
