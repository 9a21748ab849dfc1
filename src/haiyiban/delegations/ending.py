"""Ending a delegation: by either side, at once, with a word to the other."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.delegations import access, telling
from haiyiban.delegations.access import Actor
from haiyiban.delegations.models import Delegation


async def end(session: AsyncSession, delegation_id: UUID, actor: Actor, *, now: datetime) -> Delegation:
    """Whoever gave or takes it ends it; a second time changes nothing. What is open stays the giver's.

    Raises DelegationMissing.
    """
    delegation = await access.own_for_change(session, delegation_id, actor)
    if delegation.ended_at is None:
        by = "giver" if not actor.is_agent and delegation.giver_id == actor.id else "taker"
        await _end(session, delegation, by=by, now=now)
    return delegation


async def refute(session: AsyncSession, delegation_id: UUID, *, now: datetime) -> None:
    """The registers no longer show what it rests on."""
    delegation = await session.get_one(Delegation, delegation_id, with_for_update=True)
    if delegation.ended_at is None:
        await _end(session, delegation, by="register", now=now)


async def end_as_giver(session: AsyncSession, delegation: Delegation, *, now: datetime) -> None:
    """Somebody who speaks for the giver ends it; the caller has locked it."""
    if delegation.ended_at is None:
        await _end(session, delegation, by="giver", now=now)


async def _end(session: AsyncSession, delegation: Delegation, *, by: str, now: datetime) -> None:
    delegation.ended_at = now
    delegation.ended_by = by
    await session.flush()
    await audit.record(
        session,
        "delegations.end",
        subject=delegation.giver_id,
        object_kind="delegation",
        object_id=delegation.id,
        reason=by,
    )
    await telling.tell_other(session, delegation, "delegations.ended", by=by)
