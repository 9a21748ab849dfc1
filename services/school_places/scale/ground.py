"""The enrolment of a made-up province, its schools, their seats and catchments."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from itertools import groupby, pairwise
from uuid import UUID

import msgspec

from haiyiban import divisions
from haiyiban.loads import FALSE, Load, bigint, double, instant_ms, jsonb, row
from haiyiban.population import Sizes, World
from haiyiban.population.names import villages
from services.school_places.catchments import Catchment
from services.school_places.models import Enrolment, EnrolmentSchool, School
from services.school_places.service import runs

AGENCY = "education"
DAY_MS = 86_400_000
_OPENS, _CLOSES, _DRAWN = 12, 2, 1
"""Days before the world's instant: it is closed, and its roll can be fixed."""
_PUPILS = 150


@cache
def catchments(sizes: Sizes) -> tuple[range, ...]:
    """The villages around each school, by their place in the order of codes: of one county, which is cut into
    as many as its share of 150 applicants a school, and one at least."""
    found: list[range] = []
    start = 0
    for _, of_county in groupby(villages(), key=lambda village: village.code[:6]):
        size = sum(1 for _ in of_county)
        wanted = round(sizes.applications / _PUPILS * size / len(villages()))
        count = min(max(wanted, 1), size)
        cuts = [start + size * part // count for part in range(count + 1)]
        found += [range(first, past) for first, past in pairwise(cuts)]
        start += size
    return tuple(found)


def school_count(sizes: Sizes) -> int:
    """Schools of the enrolment."""
    return len(catchments(sizes))


def school_near(sizes: Sizes, village: int) -> int:
    """The school whose catchment a village lies in."""
    return bisect_right(catchments(sizes), village, key=lambda around: around.start) - 1


def school_key(world: World, number: int) -> bytes:
    """The id of a school as 16 bytes."""
    return world.key(b"school", number, at_ms=world.made_ms(0))


def enrolment_key(world: World) -> bytes:
    """The id of the enrolment as 16 bytes."""
    return world.key(b"enrolment", 0, at_ms=opens_ms(world))


def enrolment_code(world: World) -> str:
    """What the enrolment is called in its draw."""
    return f"EXAMPLE-{world.number}-P{world.school_year}"


def schools(world: World, numbers: range) -> Iterator[bytes]:
    """Each in the township of its first village."""
    count = school_count(world.sizes)
    for number in numbers:
        village = villages()[catchments(world.sizes)[number].start]
        yield row(
            (
                school_key(world, number),
                f"EXAMPLE-{world.number}-{number + 1:04d}".encode(),
                f"示例第{number + 1}小学".encode(),
                f"Example Primary School {number + 1}".encode(),
                village.code[:9].encode(),
                b"public",
                f"{village.name}示例学校路1号".encode(),
                double(18.3 + number % 40 * 0.045),
                double(108.7 + number // 40 * 2.3 * 40 / count),
            )
        )


def enrolments(world: World, _: range) -> Iterator[bytes]:
    """The one enrolment, with a secret of its own and the hash of it."""
    key = enrolment_key(world)
    enrolment = Enrolment(id=UUID(bytes=key))
    runs.new_commitment(enrolment)
    counties = sorted({village.code[:6] for village in villages()})
    centres = {code: [18.3 + place * 0.07, 109.5] for place, code in enumerate(counties)}
    yield row(
        (
            key,
            enrolment_code(world).encode(),
            f"示例省 {world.school_year} 年小学一年级招生".encode(),
            f"Example province: first grade {world.school_year}".encode(),
            bigint(world.school_year),
            AGENCY.encode(),
            divisions.PROVINCE.encode(),
            jsonb({"divisions": counties, "centres": centres}),
            instant_ms(opens_ms(world)),
            instant_ms(world.at_ms - _CLOSES * DAY_MS),
            enrolment.secret_sealed,
            enrolment.commitment.encode(),
            "示例信标".encode(),
            instant_ms(world.at_ms - _DRAWN * DAY_MS),
            FALSE,
            FALSE,
            bigint(30),
        )
    )


def offers(world: World, numbers: range) -> Iterator[bytes]:
    """The seats of each school and its catchment."""
    share = world.sizes.applications / school_count(world.sizes)
    for number in numbers:
        around = [villages()[village] for village in catchments(world.sizes)[number]]
        county, names = around[0].code[:6], tuple(village.name for village in around)
        seats = 1 + round(share * (0.6 + world.draws(b"seats", number)[0] % 70 / 100))
        catchment = msgspec.to_builtins(Catchment(division=county, communities=names))
        yield row((enrolment_key(world), school_key(world, number), bigint(seats), jsonb(catchment)))


def opens_ms(world: World) -> int:
    """When the enrolment opened."""
    return world.at_ms - _OPENS * DAY_MS


GROUND = (
    Load(
        table=School.__tablename__,
        columns="id, code, name, name_en, division, kind, address, latitude, longitude",
        items=school_count,
        rows=schools,
        item_bytes=500,
    ),
    Load(
        table=Enrolment.__tablename__,
        columns="id, code, name, name_en, school_year, agency, division, area, opens_at, closes_at, "
        "secret_sealed, commitment, beacon_source, draw_after, four_eyes, closes_by_roll, "
        "appeal_days",
        items=lambda _sizes: 1,
        rows=enrolments,
        item_bytes=10_000,
    ),
    Load(
        table=EnrolmentSchool.__tablename__,
        columns="enrolment_id, school_id, capacity, catchment",
        items=school_count,
        rows=offers,
        item_bytes=1000,
    ),
)
