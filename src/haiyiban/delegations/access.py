"""Who may see which delegations, and under which of them somebody may act now: the one place for both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, any_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from haiyiban import clock
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.rules import Basis, State, state_of
from haiyiban.errors import NotFound, Words
from haiyiban.identity.callers import ResidentCaller, StaffCaller


class DelegationMissing(NotFound):
    """No such delegation, or neither side of it is the caller."""

    type = "delegations/not-found"
    title = Words("没有找到这份委托", "There is no such delegation")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, for themselves or for another: a person, or a village agent."""

    id: UUID
    is_agent: bool = False

    @classmethod
    def of(cls, caller: ResidentCaller | StaffCaller) -> Actor:
        """The caller of a request whose guard lets nobody in without a person."""
        if isinstance(caller, StaffCaller):
            return cls(caller.staff_id, is_agent=True)
        assert caller.person_id is not None, "the guard lets nobody in without a person"
        return cls(caller.person_id)


def taken_by(actor: Actor) -> ColumnElement[bool]:
    """The delegations under which somebody acts."""
    return (Delegation.agent_id if actor.is_agent else Delegation.taker_id) == actor.id


def of_either(actor: Actor) -> ColumnElement[bool]:
    """The delegations that somebody gave or takes."""
    if actor.is_agent:
        return taken_by(actor)
    return (Delegation.giver_id == actor.id) | taken_by(actor)


def in_force(today: date) -> ColumnElement[bool]:
    """Those under which cases that are open may be gone on with; those used up among them."""
    return (
        Delegation.ended_at.is_(None)
        & (Delegation.until >= today)
        & Delegation.giver_agreed_at.is_not(None)
        & Delegation.taker_agreed_at.is_not(None)
    )


def covers(matter: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Those that are about a matter; a legal representative's is about all."""
    return (Delegation.basis == Basis.REPRESENTATIVE.value) | (matter == any_(Delegation.matters))


def state_on(delegation: Delegation, today: date) -> State:
    """Where a delegation stands."""
    return state_of(
        ended=delegation.ended_at is not None,
        until=delegation.until,
        made_on=clock.local_date(delegation.made_at),
        giver_agreed=delegation.giver_agreed_at is not None,
        taker_agreed=delegation.taker_agreed_at is not None,
        times=delegation.times,
        used=delegation.used,
        today=today,
    )


async def own(session: AsyncSession, delegation_id: UUID, actor: Actor) -> Delegation:
    """A delegation that somebody gave or takes. Raises DelegationMissing."""
    query = select(Delegation).where(Delegation.id == delegation_id, of_either(actor))
    return _found(await session.scalar(query))


async def own_for_change(session: AsyncSession, delegation_id: UUID, actor: Actor) -> Delegation:
    """The same, locked until the end of the transaction. Raises DelegationMissing."""
    query = select(Delegation).where(Delegation.id == delegation_id, of_either(actor))
    locked = query.with_for_update().execution_options(populate_existing=True)
    return _found(await session.scalar(locked))


async def taken(session: AsyncSession, delegation_id: UUID, actor: Actor) -> Delegation | None:
    """A delegation under which this is the one to act, in whatever state; None for any other."""
    query = select(Delegation).where(Delegation.id == delegation_id, taken_by(actor))
    found: Delegation | None = await session.scalar(query)
    return found


def _found(delegation: Delegation | None) -> Delegation:
    if delegation is None:
        raise DelegationMissing
    return delegation
