"""The standing of a child by the facts as an officer found them in an appeal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.school_places import facts as known
from services.school_places.facts import Facts, HomeTitle, Known
from services.school_places.models import HomeUse
from services.school_places.service import enrolments, standings
from services.school_places.service.results import Place
from services.school_places.service.standings import RankedChoice, Standing
from services.school_places.verified import at_worst

SOURCE = "申诉核实"
"""What a fact that an officer corrected is said to come from."""


class Hukou(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Household registration (户口) as it is."""

    address: str
    division: str
    since: date


class Home(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The home (住房) as it is; `share` 0 to 100."""

    id: str
    address: str
    division: str
    title: HomeTitle
    share: int
    since: date | None = None


class ResidencePermit(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The residence permit (居住证) as it is."""

    since: date
    until: date | None = None


class CorrectedFacts(msgspec.Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Facts that were wrong, as they are; the others stay."""

    hukou: Hukou | None = None
    home: Home | None = None
    residence_permit: ResidencePermit | None = None
    social_insurance_months: int | None = None
    siblings_at: list[UUID] | None = None
    """Schools that a sibling attends."""
    privileged: bool | None = None
    home_is_free: bool | None = None
    """True where the use of the home by another family was an error of the record (一户一生)."""


async def standing_of(
    session: AsyncSession, place: Place, found: CorrectedFacts, *, now: datetime
) -> Standing:
    """The child's standing at each school of its list, by the corrected facts as of the same day."""
    ground = await enrolments.ground_of(session, place.enrolment)
    before = msgspec.convert(place.entry.standing, Standing)
    application = standings.application_of(
        place.case,
        confirmed_at=place.case.submitted_at,
        at=place.case.submitted_at or place.run.committed_at,
    )
    facts = await standings.facts_for(session, application, year=place.enrolment.school_year)
    facts = at_worst(_corrected(facts, found, uses=await _uses(session, found), now=now))
    choices = []
    for choice in before.choices:
        priority = standings.judge(facts, ground, ground.offers[choice.school], at=application.at).priority
        assert priority is not None, "no fact is open any more"
        choices.append(RankedChoice(choice.school, priority))
    home = facts.home.value if isinstance(facts.home, Known) else None
    return Standing(
        choices=choices,
        home=standings.blind("home", home.id).hex() if home else None,
        child=before.child,
        guardians=before.guardians,
        place=standings.place_of(facts, ground),
    )


def _corrected(
    facts: Facts, found: CorrectedFacts, *, uses: tuple[known.HomeUse, ...] | None, now: datetime
) -> Facts:
    changes: dict[str, Any] = {}
    for name, kind in (
        ("hukou", known.Hukou),
        ("home", known.Home),
        ("residence_permit", known.ResidencePermit),
    ):
        value = getattr(found, name)
        if value is not None:
            changes[name] = Known(kind(**msgspec.structs.asdict(value)), SOURCE, now)
    if found.social_insurance_months is not None:
        changes["social_insurance_months"] = Known(found.social_insurance_months, SOURCE, now)
    if found.siblings_at is not None:
        changes["siblings_at"] = Known(frozenset(str(school) for school in found.siblings_at), SOURCE, now)
    if found.privileged is not None:
        changes["privileged"] = Known(found.privileged, SOURCE, now)
    if uses is not None:
        changes["home_uses"] = Known(uses, SOURCE, now)
    return replace(facts, **changes)


async def _uses(session: AsyncSession, found: CorrectedFacts) -> tuple[known.HomeUse, ...] | None:
    """What is on record of the corrected home; None where the record of before still speaks of the home."""
    if found.home_is_free:
        return ()
    if found.home is None:
        return None
    rows = await session.scalars(
        select(HomeUse).where(HomeUse.home == standings.blind("home", found.home.id))
    )
    return tuple(known.HomeUse(row.school_year, frozenset(row.guardians)) for row in rows)
