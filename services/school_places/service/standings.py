"""How a child stands at the schools of its list: the facts of its case, classified for each school."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import resources
from haiyiban.cases.models import Case
from haiyiban.clock import local_date
from services.school_places.class_table import COORDINATED, ClassTable, read_class_table
from services.school_places.classification import DRAWN_ONLY, Classification, Priority, classify
from services.school_places.facts import Fact, Facts, Known, Unknown
from services.school_places.ranking import priorities
from services.school_places.service import own_records
from services.school_places.service.enrolments import Ground, Offer
from services.school_places.service.own_records import OwnRecords, home_mark, records_of
from services.school_places.verified import (
    Application,
    at_worst,
    facts_of,
    guardian_numbers,
)

blind = own_records.blind
_DRAWN = Priority(0, DRAWN_ONLY, 0)
"""At a private school."""


class RankedChoice(msgspec.Struct, frozen=True):
    """One school of the list and how it ranks the child."""

    school: str
    priority: Priority


class Standing(msgspec.Struct, frozen=True):
    """All that a run needs of a child, fixed when the roll is.

    `home`, `child` and `guardians` are blind indexes (hex); `place`: latitude and longitude of the catchment
    or township of its home, which is as near as registers let us say.
    """

    choices: list[RankedChoice]
    home: str | None
    child: str
    guardians: list[str]
    place: tuple[float, float] | None

    @property
    def rank(self) -> int:
        """The class by which the child waits for a coordinated place: the best that a school gives it."""
        return min((choice.priority.rank for choice in self.choices), default=COORDINATED)


@cache
def class_table() -> ClassTable:
    """The classes of the city."""
    return read_class_table((resources.schemas() / "zones/school_places/classes.v1.json").read_bytes())


def application_of(case: Case, *, confirmed_at: datetime | None, at: datetime) -> Application:
    """What a case holds, for the rules. `at`: when it was handed in; the facts of that day count."""
    return Application(
        form=case.form,
        answers=case.facts or {},
        disputed=frozenset(case.disputes or {}),
        confirmed_at=confirmed_at,
        at=at,
    )


def guardians_of(application: Application) -> frozenset[str]:
    """Marks of the child's guardians."""
    return frozenset(blind("guardian", number).hex() for number in guardian_numbers(application))


async def facts_for(session: AsyncSession, application: Application, *, year: int) -> Facts:
    """The facts of a case, with what our own tables say of its home and of siblings."""
    return facts_with(application, await records_of(session, [application], year=year))


def facts_with(application: Application, records: OwnRecords) -> Facts:
    """The same, where the records of many applications were read at once."""
    mark = home_mark(application)
    siblings = application.siblings
    siblings_at: Fact[frozenset[str]] = (
        siblings
        if isinstance(siblings, Unknown)
        else Known(
            frozenset().union(*(records.schools_of.get(number, ()) for number in siblings.value)),
            "本系统录取记录",
            siblings.at,
        )
    )
    return facts_of(
        application,
        guardians=guardians_of(application),
        home_uses=records.home_uses.get(mark, ()) if mark is not None else (),
        siblings_at=siblings_at,
    )


async def standing_of(
    session: AsyncSession, application: Application, ground: Ground, *, choices: Sequence[str], child: str
) -> Standing:
    """The standing that goes on the roll; what is still open counts as it helps least.

    `child`: identity number. The day that counts is the application's.
    """
    records = await records_of(session, [application], year=ground.enrolment.school_year)
    return standing_with(application, records, ground, choices=choices, child=child)


def standing_with(
    application: Application, records: OwnRecords, ground: Ground, *, choices: Sequence[str], child: str
) -> Standing:
    """The same, where the records of many applications were read at once."""
    facts = at_worst(facts_with(application, records))
    home = facts.home.value if isinstance(facts.home, Known) else None
    return Standing(
        choices=_ranked(facts, ground, choices, at=application.at),
        home=blind("home", home.id).hex() if home else None,
        child=blind("child", child).hex(),
        guardians=sorted(facts.guardians),
        place=place_of(facts, ground),
    )


def _ranked(facts: Facts, ground: Ground, choices: Sequence[str], *, at: datetime) -> list[RankedChoice]:
    """How each school of a list ranks a child of whom no fact is open, as `judge` says it."""
    offers = {school: ground.offers[school] for school in choices}
    public = [school for school, offer in offers.items() if offer.school.kind != "private"]
    found = priorities(
        facts,
        class_table(),
        schools={school: ground.catchments.zone(school) for school in public},
        area=ground.area,
        year=ground.enrolment.school_year,
        on=local_date(at),
    )
    priority_of = dict(zip(public, found, strict=True))
    return [RankedChoice(school, priority_of.get(school, _DRAWN)) for school in choices]


def judge(facts: Facts, ground: Ground, offer: Offer, *, at: datetime) -> Classification:
    """The class of a child at one school; at a private one there are none."""
    if offer.school.kind == "private":
        return Classification(_DRAWN, (), DRAWN_ONLY, DRAWN_ONLY, ())
    return classify(
        facts,
        class_table(),
        school=str(offer.school.id),
        catchment=offer.catchment,
        area=ground.area,
        year=ground.enrolment.school_year,
        on=local_date(at),
    )


def place_of(facts: Facts, ground: Ground) -> tuple[float, float] | None:
    """Where the child lives, as a point: that of its catchment, else its township, else its district."""
    if isinstance(facts.home, Known) and facts.home.value is not None:
        address, division = facts.home.value.address, facts.home.value.division
    elif isinstance(facts.hukou, Known) and facts.hukou.value is not None:
        address, division = facts.hukou.value.address, facts.hukou.value.division
    else:
        return None
    offers = [ground.offers[school] for school in sorted(ground.catchments.holding(address, division))]
    for offer in offers:
        if offer.school.kind == "public":
            return offer.school.latitude, offer.school.longitude
    return ground.centres.get(division[:9]) or ground.centres.get(division[:6])
