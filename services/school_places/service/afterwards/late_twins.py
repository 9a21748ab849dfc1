"""Twins who both come late: they stand together, as twins of the draw do, though no lottery number says so.

Source: docs/domain.md §6.2 (twins share one number and take two seats).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import residents
from haiyiban.cases.models import Case
from services.school_places import rules
from services.school_places.afterwards_models import LateApplication
from services.school_places.models import AllocationRun, RollEntry
from services.school_places.service import roll, standings


async def groups(session: AsyncSession, run: AllocationRun, *, joining: UUID) -> list[list[UUID]]:
    """Cases of late twins, each group together: of those that have joined the run, and of one that joins.

    Their forms are read each time: those who come late are few.
    """
    joined = select(RollEntry.case_id).where(RollEntry.run_id == run.id, RollEntry.lottery.is_(None))
    cases = await session.scalars(
        select(Case)
        .join(LateApplication, LateApplication.case_id == Case.id)
        .where(
            LateApplication.enrolment_id == run.enrolment_id,
            or_(Case.id.in_(joined), Case.id == joining),
        )
    )
    case_of: dict[str, UUID] = {}
    pairs = []
    for case in cases:
        application = standings.application_of(
            case, confirmed_at=case.updated_at, at=case.submitted_at or case.updated_at
        )
        child = residents.normalise_id_number(case.form["child"]["idNumber"])
        case_of[child] = case.id
        if twin := roll.twin_of(application, child):
            pairs.append((child, twin))
    return [
        [case_of[child] for child in group]
        for group in rules.twin_groups(pair for pair in pairs if pair[1] in case_of)
    ]


async def schools_of(session: AsyncSession, run: AllocationRun, case_id: UUID) -> Sequence[UUID]:
    """The schools where late twins of a case that joins have their seats."""
    group = next((each for each in await groups(session, run, joining=case_id) if case_id in each), [])
    found = await session.scalars(
        select(RollEntry.school_id).where(
            RollEntry.run_id == run.id,
            RollEntry.case_id.in_([case for case in group if case != case_id]),
            RollEntry.school_id.is_not(None),
        )
    )
    return [school for school in found if school is not None]
