"""Counting the seats of an enrolment as they stand now, under its lock."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.school_places.afterwards_models import Answer, Appeal, Waiting
from services.school_places.models import AllocationRun, Enrolment, EnrolmentSchool, RollEntry
from services.school_places.time_limits import UNDO
from services.school_places.waiting_list import Seats


async def count(
    session: AsyncSession, enrolment: Enrolment, run: AllocationRun, *, now: datetime
) -> dict[UUID, Seats]:
    """The seats of every school of the enrolment."""
    capacities = await _by_school(
        session,
        select(EnrolmentSchool.school_id, EnrolmentSchool.capacity).where(
            EnrolmentSchool.enrolment_id == enrolment.id
        ),
    )
    held = await _by_school(
        session,
        select(RollEntry.school_id, func.count())
        .where(RollEntry.run_id == run.id, RollEntry.school_id.is_not(None))
        .group_by(RollEntry.school_id),
    )
    offered = await _by_school(
        session,
        select(Waiting.school_id, func.count())
        .where(Waiting.enrolment_id == enrolment.id, Waiting.state == "offered")
        .group_by(Waiting.school_id),
    )
    in_doubt = await _by_school(
        session,
        select(Answer.school_id, func.count())
        .join(RollEntry, RollEntry.id == Answer.entry_id)
        .where(RollEntry.run_id == run.id, Answer.answer == "refused", Answer.at > now - UNDO)
        .group_by(Answer.school_id),
    )
    lent = await _by_school(
        session,
        select(EnrolmentSchool.school_id, func.sum(EnrolmentSchool.capacity))
        .join(Enrolment, Enrolment.id == EnrolmentSchool.enrolment_id)
        .where(Enrolment.follows_id == enrolment.id)
        .group_by(EnrolmentSchool.school_id),
    )
    at_stake = await _at_stake(session, enrolment)
    return {
        school: Seats(
            capacity, held[school], offered[school], in_doubt[school], at_stake[school], lent[school]
        )
        for school, capacity in capacities.items()
    }


async def _by_school(session: AsyncSession, query: Select[Any, Any]) -> Counter[UUID]:
    return Counter({school: int(number) for school, number in (await session.execute(query)).all()})


async def _at_stake(session: AsyncSession, enrolment: Enrolment) -> Counter[UUID]:
    """One seat a school for each appeal that runs about it, where the enrolment holds seats back."""
    if enrolment.appeal_seats != "hold_back":
        return Counter()
    running = await session.scalars(
        select(Appeal.at_stake).where(Appeal.enrolment_id == enrolment.id, Appeal.state == "open")
    )
    return Counter(school for schools in running for school in schools)
