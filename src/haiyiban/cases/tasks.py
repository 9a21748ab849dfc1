"""What time does to cases: corrections lapse, suspensions end, decided cases close, open facts are asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.cases import moves, renewals, repairing, verbs
from haiyiban.cases.models import Case
from haiyiban.cases.notices import tell
from haiyiban.cases.states import FINAL, By, State, Verb
from haiyiban.db import database

_AT_ONCE = 200
"""Cases of one round; the rest follow in the next."""
DELIVERED_AFTER = timedelta(days=7)
"""A decided case that no clerk has closed closes by itself."""


async def lapse(_: bytes) -> None:
    """Close cases whose correction did not come in time."""
    late = (Case.state == State.CORRECTION_REQUESTED) & (Case.correction_due_at < clock.now())
    await _each(late, _lapse)


async def _lapse(session: AsyncSession, case: Case) -> None:
    begun = moves.begin(case, Verb.LAPSE, by=By.SYSTEM)
    case.outcome = "lapsed"
    case.claim = None
    await moves.finish(session, case, begun, by_id=None, now=clock.now())
    await tell(session, case, Verb.LAPSE)


async def resume(_: bytes) -> None:
    """Let the clock run again where a suspension's end date has come."""
    await _each((Case.state == State.SUSPENDED) & (Case.resume_on <= clock.today()), _resume)


async def _resume(session: AsyncSession, case: Case) -> None:
    assert case.resume_on is not None, "the condition asks for it"
    begun = moves.begin(case, Verb.RESUME, by=By.SYSTEM)
    # A late worker must not stop the clock for longer than was announced.
    await verbs.end_suspension(session, case, on=case.resume_on)
    await moves.finish(session, case, begun, by_id=None, now=clock.now())
    await tell(session, case, Verb.RESUME)


async def deem(_: bytes) -> None:
    """Renew what was not decided by its licence's last day (行政许可法 art. 50)."""
    await _each(renewals.is_overdue(clock.today()), _deem)


async def _deem(session: AsyncSession, case: Case) -> None:
    await renewals.deem(session, case, now=clock.now())


async def close(_: bytes) -> None:
    """Close decided cases that were delivered."""
    decided = Case.state.in_([State.APPROVED.value, State.DENIED.value])
    await _each(decided & (Case.updated_at < clock.now() - DELIVERED_AFTER), _close)


async def _close(session: AsyncSession, case: Case) -> None:
    begun = moves.begin(case, Verb.CLOSE, by=By.SYSTEM)
    await moves.finish(session, case, begun, by_id=None, now=clock.now())
    await tell(session, case, Verb.CLOSE)


async def ask_again(_: bytes) -> None:
    """Ask the registers for facts that could not be asked before (待核实)."""
    for case_id in await _found(Case.has_open_facts & Case.state.not_in([state.value for state in FINAL])):
        await repairing.ask_again(case_id, now=clock.now())


async def _each(
    condition: ColumnElement[bool], work: Callable[[AsyncSession, Case], Awaitable[None]]
) -> None:
    """Work on every case of a condition, each in a transaction of its own; those somebody is at wait."""
    for case_id in await _found(condition):
        async with database().transaction() as session:
            case = await session.scalar(
                select(Case).where(Case.id == case_id, condition).with_for_update(skip_locked=True)
            )
            if case is not None:
                await work(session, case)


async def _found(condition: ColumnElement[bool]) -> list[UUID]:
    # In random order, so that cases that cannot be helped now never keep the others waiting.
    query = select(Case.id).where(condition).order_by(func.random()).limit(_AT_ONCE)
    async with database().reading() as session:
        return list(await session.scalars(query))
