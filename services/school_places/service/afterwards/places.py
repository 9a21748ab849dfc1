"""A family's own placement after the publication, locked with its enrolment before anything moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.cases.calendar import calendar_from
from haiyiban.cases.models import Case
from haiyiban.clock import local_date
from haiyiban.errors import Conflict, NotFound, Words
from services.school_places.models import AllocationRun, Enrolment, RollEntry, School
from services.school_places.service import enrolments
from services.school_places.service.results import Place
from services.school_places.time_limits import Limit, limit


class PlacementMissing(NotFound):
    """No such placement, or it is another family's."""

    type = "school-places/placement-not-found"
    title = Words("没有找到这条录取记录", "There is no such placement")


class NotPublished(Conflict):
    """The results are not out yet."""

    type = "school-places/not-published"
    title = Words(
        "录取结果尚未公布，请公布后再办理", "The results are not published yet; please wait for them"
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """Until when a family may answer, and until when it may appeal."""

    answer: Limit
    appeal: Limit


async def own(session: AsyncSession, entry_id: UUID, *, person_id: UUID) -> Place:
    """A placement of a child for whom this person applied; enrolment and case are locked.

    Raises PlacementMissing, NotPublished.
    """
    return await _locked(session, (RollEntry.id == entry_id) & (Case.applicant_id == person_id))


async def of_entry(session: AsyncSession, entry_id: UUID) -> Place:
    """A placement that an officer or a task moves; locked alike. Raises PlacementMissing, NotPublished."""
    return await _locked(session, RollEntry.id == entry_id)


async def limits(session: AsyncSession, enrolment: Enrolment, *, published_at: datetime) -> Limits:
    """The time limits that began with a publication."""
    calendar = await calendar_from(session, local_date(published_at))
    answer, appeal = (
        limit(published_at, days, calendar=calendar, division=enrolment.division)
        for days in (enrolment.answer_workdays, enrolment.appeal_workdays)
    )
    return Limits(answer, appeal)


async def twins_of(session: AsyncSession, place: Place) -> Sequence[RollEntry]:
    """The child's twins on the same roll: they alone share its lottery number."""
    if place.entry.lottery is None:
        return ()
    twins = await session.scalars(
        select(RollEntry).where(
            RollEntry.run_id == place.run.id,
            RollEntry.lottery == place.entry.lottery,
            RollEntry.id != place.entry.id,
        )
    )
    return list(twins)


async def record(session: AsyncSession, verb: str, entry: RollEntry, *, reason: str | None = None) -> None:
    """The audit record of something done about a child's place."""
    await audit.record(
        session,
        f"school-places.{verb}",
        subject=entry.child_id,
        object_kind="placement",
        object_id=entry.id,
        reason=reason,
    )


def name_of(school: School) -> Words:
    """What a school is called."""
    return Words(school.name, school.name_en)


async def _locked(session: AsyncSession, condition: ColumnElement[bool]) -> Place:
    found = (
        await session.execute(
            select(AllocationRun.enrolment_id, AllocationRun.state)
            .join(RollEntry, RollEntry.run_id == AllocationRun.id)
            .join(Case, Case.id == RollEntry.case_id)
            .where(condition, AllocationRun.state != "annulled")
        )
    ).one_or_none()
    if found is None:
        raise PlacementMissing
    if found.state != "published":
        raise NotPublished(members={"state": found.state})
    enrolment = await enrolments.lock(session, found.enrolment_id)
    # Read only now: what somebody else did while we waited for the lock must be seen.
    row = (
        await session.execute(
            select(RollEntry, AllocationRun, Case, School)
            .join(AllocationRun, AllocationRun.id == RollEntry.run_id)
            .join(Case, Case.id == RollEntry.case_id)
            .outerjoin(School, School.id == RollEntry.school_id)
            .where(condition, AllocationRun.state == "published")
            .with_for_update(of=[RollEntry, Case])
            .execution_options(populate_existing=True)
        )
    ).one()
    return Place(row.RollEntry, row.AllocationRun, enrolment, row.Case, row.School)
