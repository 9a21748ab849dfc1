"""The admission notice of a child, as its place comes, changes and goes: always one in force, or none."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import certificates
from haiyiban.cases import publishing
from haiyiban.cases.states import Verb
from haiyiban.certificates import Certificate, Status
from services.school_places.models import School
from services.school_places.service import results
from services.school_places.service.results import Place


async def give(session: AsyncSession, place: Place, school: School, *, reason: str, now: datetime) -> None:
    """Make the child's notice name this school: the old one is superseded in this transaction, or where there
    is none a new one issued. `place.entry` says the school already.

    A notice that the bureau keeps suspended is revoked and issued anew.
    """
    old = await _in_force(session, place)
    if old is not None and old.status == Status.VALID:
        claims = {**old.claims, "school": school.name, "enrolment": place.enrolment.name}
        place.entry.certificate_id = (
            await certificates.correct(session, old.id, claims=claims, reason=reason, now=now)
        ).id
        return
    if old is not None:
        await certificates.revoke(session, old.id, reason=reason, now=now)
    if place.case.outcome != "approved":
        await publishing.revise(session, place.case, Verb.APPROVE, note=reason, by_id=None, now=now)
    await session.flush()
    await results.issue_notice(session, place.case, now=now)


async def take_back(session: AsyncSession, place: Place, *, reason: str, now: datetime) -> None:
    """End the child's notice, if there is one in force."""
    old = await _in_force(session, place)
    if old is not None:
        await certificates.revoke(session, old.id, reason=reason, now=now)


async def _in_force(session: AsyncSession, place: Place) -> Certificate | None:
    found: Certificate | None = await session.scalar(
        select(Certificate).where(
            Certificate.case_id == place.case.id,
            Certificate.type == results.NOTICE,
            Certificate.status.in_([Status.VALID.value, Status.SUSPENDED.value]),
        )
    )
    return found
