"""A cross-province case and its steps: opened, moved along, told to the person."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, context
from haiyiban.delegations import Actor, Delegation, in_force, taken_by, telling
from haiyiban.delegations.access import covers, state_on
from haiyiban.delegations.rules import require_handling
from haiyiban.delegations.telling import Recipient
from haiyiban.divisions import PROVINCE
from haiyiban.errors import Conflict, NotFound, Words
from haiyiban.ids import new_id
from services.cross_province.models import Alert, CrossCase, Step
from services.cross_province.rules import HOPS, State


class CrossCaseMissing(NotFound):
    """No such case, or it is somebody else's."""

    type = "cross-province/not-found"
    title = Words("没有找到这个跨省通办件", "There is no such cross-province case")


class NotNow(Conflict):
    """The case is not where this can be done; the members say where it stands."""

    type = "cross-province/not-now"
    title = Words("办件当前状态不能这样操作", "The case does not allow this in its present state")


async def move(session: AsyncSession, case: CrossCase, state: State, *, by: str, now: datetime) -> None:
    """The case is a step further: its timeline, its waiting and its alerts follow."""
    case.state = state
    case.updated_at = now
    case.hop_since = now if state in HOPS else None
    session.add(Step(id=new_id(), case_id=case.id, at=now, state=state, by_division=by))
    await session.execute(
        update(Alert).where(Alert.case_id == case.id, Alert.ended_at.is_(None)).values(ended_at=now)
    )
    await record(session, case, state.value.replace("_", "-"), by=by)
    await session.flush()


async def record(session: AsyncSession, case: CrossCase, act: str, *, by: str = PROVINCE) -> None:
    """What happened to a case, in the audit of this place; `by`: the place that did it."""
    await audit.record(
        session,
        f"cross-province.{act}",
        subject=case.person_id,
        object_kind="cross-case",
        object_id=case.id,
        reason=f"{case.matter} {by}",
    )


async def tell(session: AsyncSession, case: CrossCase, event: str) -> None:
    """Tell the applicant, or whom they chose, at the place where they applied."""
    if case.side != "receiving" or case.person_id is None:
        return
    recipients = [Recipient(person_id=case.person_id)]
    if case.delegation_id is not None:
        delegation = await session.get_one(Delegation, case.delegation_id)
        recipients = await telling.recipients(session, delegation, today=clock.today())
    for recipient in recipients:
        await telling.tell(
            session,
            recipient,
            f"cross-province.{event}",
            about=case.id,
            matter=case.matter_name["zh"],
            number=case.number or "",
            due=case.due_on.isoformat() if case.due_on else "",
        )


async def locked(session: AsyncSession, case_id: UUID) -> CrossCase | None:
    """A case, until the end of the transaction."""
    found: CrossCase | None = await session.get(CrossCase, case_id, with_for_update=True)
    return found


async def own(session: AsyncSession, case_id: UUID, person_id: UUID, *, lock: bool = False) -> CrossCase:
    """A case that a person applied for here, or that somebody may go on with for them.

    Raises CrossCaseMissing, NotInForce's kinds.
    """
    actor, today = Actor(person_id), clock.today()
    reach = (CrossCase.person_id == person_id) | of_delegation(actor, today)
    query = select(CrossCase).where(CrossCase.id == case_id, reach, CrossCase.side == "receiving")
    found = await session.scalar(query.with_for_update(of=CrossCase) if lock else query)
    if found is None:
        await _explain(session, case_id, actor, today)
        raise CrossCaseMissing
    if found.person_id != person_id:
        # Whatever is recorded from here on says on whose behalf it is done.
        context.current().delegation_id = found.delegation_id
    return found


def of_delegation(actor: Actor, today: date, *, only: UUID | None = None) -> ColumnElement[bool]:
    """The cases that somebody opened for others, while the delegation is in force. `only`: under this one."""
    return exists().where(
        Delegation.id == CrossCase.delegation_id,
        Delegation.id == only if only is not None else true(),
        taken_by(actor),
        in_force(today),
        covers(CrossCase.matter),
    )


async def _explain(session: AsyncSession, case_id: UUID, actor: Actor, today: date) -> None:
    """Who opened a case for somebody knows of it, and is told why they may not go on."""
    delegation = await session.scalar(
        select(Delegation)
        .join(CrossCase, CrossCase.delegation_id == Delegation.id)
        .where(CrossCase.id == case_id, taken_by(actor))
    )
    if delegation is not None:
        context.current().delegation_id = delegation.id
        require_handling(state_on(delegation, today))


async def steps(session: AsyncSession, case: CrossCase) -> list[Step]:
    """Its timeline, oldest first."""
    rows = await session.scalars(select(Step).where(Step.case_id == case.id).order_by(Step.id))
    return list(rows)


def here() -> str:
    """This deployment's division."""
    return PROVINCE
