"""The step that a case waits for: whose it is, until when, and what is done where it is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.cases.calendar import calendar_from
from haiyiban.clock import local_date
from services.cross_province import cases
from services.cross_province.models import Alert, CrossCase, Outgoing
from services.cross_province.rules import due_on, receiving_owes


@dataclass(frozen=True, slots=True)
class Hop:
    """One step that is waited for."""

    since: datetime
    owed_by: str
    """The division of the place that must act."""
    due_on: date
    is_late: bool
    alerted_at: datetime | None


async def of(session: AsyncSession, case: CrossCase) -> Hop | None:
    """The one that a case waits for; None where nobody owes a step."""
    since = case.hop_since
    if since is None:
        return None
    calendar = await calendar_from(session, local_date(since))
    due = due_on(since, calendar=calendar, division=cases.here())
    awaited = case.joint is not None and "agrees" not in case.joint
    is_ours = receiving_owes(case.state, joint_awaited=awaited) == (case.side == "receiving")
    alert = select(Alert.raised_at).where(Alert.case_id == case.id, Alert.since == since)
    return Hop(
        since=since,
        owed_by=cases.here() if is_ours else case.neighbour,
        due_on=due,
        is_late=due < clock.today(),
        alerted_at=await session.scalar(alert.where(Alert.ended_at.is_(None)).limit(1)),
    )


async def unsent(session: AsyncSession, case: CrossCase) -> Outgoing | None:
    """What holds up a message of a case that has no receipt yet: the oldest to that place, for they go in
    order."""
    waits = Outgoing.receipt.is_(None)
    if await session.scalar(select(Outgoing.id).where(Outgoing.case_id == case.id, waits).limit(1)) is None:
        return None
    query = select(Outgoing).where(Outgoing.neighbour == case.neighbour, waits)
    found: Outgoing | None = await session.scalar(query.order_by(Outgoing.sequence).limit(1))
    return found
