"""What the officers and clerks of an enrolment read of it after the results, and what everybody may count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.cases.models import Case
from haiyiban.identity.callers import StaffCaller
from services.school_places.afterwards_models import Answer, Appeal, LateApplication, Waiting
from services.school_places.models import AllocationRun, Enrolment, RollEntry, School
from services.school_places.service import enrolments, runs


@dataclass(frozen=True, slots=True)
class Listed:
    """A child on a waiting list."""

    waiting: Waiting
    entry: RollEntry
    case: Case
    school: School


@dataclass(frozen=True, slots=True)
class Filed:
    """An appeal with the case that it is about."""

    appeal: Appeal
    entry: RollEntry
    case: Case


async def of_staff(session: AsyncSession, enrolment_id: UUID, caller: StaffCaller) -> Enrolment:
    """An enrolment of this person's agency and division. Raises EnrolmentMissing, NotAllowed."""
    enrolment = await enrolments.find(session, enrolment_id)
    runs.require_officer_of(enrolment, caller)
    return enrolment


async def waiting(
    session: AsyncSession,
    enrolment: Enrolment,
    *,
    states: Sequence[str],
    school: UUID | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Listed]:
    """Children on the waiting lists of an enrolment, as they came onto them."""
    query = (
        select(Waiting, RollEntry, Case, School)
        .join(RollEntry, RollEntry.id == Waiting.entry_id)
        .join(Case, Case.id == RollEntry.case_id)
        .join(School, School.id == Waiting.school_id)
        .where(Waiting.enrolment_id == enrolment.id, Waiting.state.in_(states))
        .order_by(Waiting.id)
        .limit(limit)
    )
    if school is not None:
        query = query.where(Waiting.school_id == school)
    if after is not None:
        query = query.where(Waiting.id > after)
    return [Listed(*row) for row in (await session.execute(query)).all()]


async def appeals(
    session: AsyncSession, enrolment: Enrolment, *, after: UUID | None, limit: int
) -> Sequence[Filed]:
    """The appeals of an enrolment, oldest first."""
    query = (
        select(Appeal, RollEntry, Case)
        .join(RollEntry, RollEntry.id == Appeal.entry_id)
        .join(Case, Case.id == RollEntry.case_id)
        .where(Appeal.enrolment_id == enrolment.id)
        .order_by(Appeal.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Appeal.id > after)
    return [Filed(*row) for row in (await session.execute(query)).all()]


async def record_look(session: AsyncSession, entry: RollEntry, *, field: str) -> None:
    """Somebody of the bureau reads what a family has said or where a child stands."""
    await audit.record(
        session,
        "school-places.read",
        subject=entry.child_id,
        object_kind="placement",
        object_id=entry.id,
        fields=[field],
        reason="education.school-place",
    )


async def counts(session: AsyncSession, enrolment: Enrolment) -> dict[str, int]:
    """How often a published result was changed since, by what; no person and no school."""
    run_id = await session.scalar(
        select(AllocationRun.id).where(
            AllocationRun.enrolment_id == enrolment.id, AllocationRun.state == "published"
        )
    )
    appeals_by = await _counted(session, Appeal.state, Appeal.enrolment_id == enrolment.id)
    waiting_by = await _counted(session, Waiting.state, Waiting.enrolment_id == enrolment.id)
    moved = await _counted(
        session, Appeal.over_capacity, Appeal.enrolment_id == enrolment.id, Appeal.moved_to.is_not(None)
    )
    refused = await session.scalar(
        select(func.count())
        .select_from(Answer)
        .join(RollEntry, RollEntry.id == Answer.entry_id)
        .where(RollEntry.run_id == run_id, Answer.answer == "refused")
    )
    late = await session.scalar(
        select(func.count())
        .select_from(LateApplication)
        .join(RollEntry, RollEntry.case_id == LateApplication.case_id)
        .where(RollEntry.run_id == run_id, RollEntry.lottery.is_(None))
    )
    return {
        "appeals_open": appeals_by["open"],
        "appeals_upheld": appeals_by["upheld"],
        "appeals_dismissed": appeals_by["dismissed"],
        "moved_by_appeal": moved.total(),
        "over_capacity": moved[True],
        "places_refused": refused or 0,
        "offers_open": waiting_by["offered"],
        "offers_accepted": waiting_by["accepted"],
        "offers_declined": waiting_by["declined"],
        "offers_expired": waiting_by["expired"],
        "late": late or 0,
    }


async def _counted(session: AsyncSession, column: Any, *conditions: ColumnElement[bool]) -> Counter[Any]:
    rows = await session.execute(select(column, func.count()).where(*conditions).group_by(column))
    return Counter(dict(rows.all()))
