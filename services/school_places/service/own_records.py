"""What our own tables say of families, read for many applications at once: homes in use, siblings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.crypto import vault
from haiyiban.identity import persons
from services.school_places.facts import HomeUse, Known
from services.school_places.models import AllocationRun, Enrolment, RollEntry
from services.school_places.models import HomeUse as HomeUseRow
from services.school_places.verified import Application

PRIMARY_YEARS = 6


class OwnRecords(NamedTuple):
    """Uses of homes by blind index; by identity number the schools that took a child."""

    home_uses: Mapping[bytes, tuple[HomeUse, ...]]
    schools_of: Mapping[str, frozenset[str]]


def blind(kind: str, value: str) -> bytes:
    """A mark of a person or a home that only compares."""
    return vault().blind(f"school-places.{kind}", value)


def home_mark(application: Application) -> bytes | None:
    """The mark of the home of an application, where one is known."""
    home = application.home
    return blind("home", home.value.id) if isinstance(home, Known) and home.value is not None else None


async def records_of(session: AsyncSession, applications: Sequence[Application], *, year: int) -> OwnRecords:
    """All that is on record for these applications, in three queries however many they are."""
    homes = {mark for application in applications if (mark := home_mark(application)) is not None}
    siblings: set[str] = set()
    for application in applications:
        numbers = application.siblings
        if isinstance(numbers, Known):
            siblings |= numbers.value
    return OwnRecords(await _home_uses(session, homes), await _schools_of(session, siblings, year=year))


async def _home_uses(session: AsyncSession, homes: Collection[bytes]) -> dict[bytes, tuple[HomeUse, ...]]:
    found: defaultdict[bytes, list[HomeUse]] = defaultdict(list)
    if homes:
        for row in await session.scalars(select(HomeUseRow).where(HomeUseRow.home.in_(homes))):
            found[row.home].append(HomeUse(row.school_year, frozenset(row.guardians)))
    return {home: tuple(uses) for home, uses in found.items()}


async def _schools_of(
    session: AsyncSession, numbers: Collection[str], *, year: int
) -> dict[str, frozenset[str]]:
    """The schools to which our own runs of the last six years admitted these children."""
    number_of = {id_: number for number, id_ in (await persons.ids_by_number(session, numbers)).items()}
    if not number_of:
        return {}
    rows = await session.execute(
        select(RollEntry.child_id, RollEntry.school_id)
        .join(AllocationRun, AllocationRun.id == RollEntry.run_id)
        .join(Enrolment, Enrolment.id == AllocationRun.enrolment_id)
        .where(
            RollEntry.child_id.in_(number_of),
            RollEntry.school_id.is_not(None),
            AllocationRun.state == "published",
            Enrolment.school_year > year - PRIMARY_YEARS,
        )
    )
    found: defaultdict[str, set[str]] = defaultdict(set)
    for child_id, school_id in rows:
        found[number_of[child_id]].add(str(school_id))
    return {number: frozenset(schools) for number, schools in found.items()}
