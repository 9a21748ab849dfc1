"""A cross-province case and its steps: opened, moved along, told to the person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, notices
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
    await audit.record(
        session,
        f"cross-province.{state.value.replace('_', '-')}",
        subject=case.person_id,
        object_kind="cross-case",
        object_id=case.id,
        reason=f"{case.matter} {by}",
    )
    await session.flush()


async def tell(session: AsyncSession, case: CrossCase, event: str) -> None:
    """Tell the applicant, at the place where they applied."""
    if case.side != "receiving" or case.person_id is None:
        return
    await notices.tell_person(
        session,
        case.person_id,
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
    """A case that a person applied for here. Raises CrossCaseMissing."""
    query = select(CrossCase).where(
        CrossCase.id == case_id, CrossCase.person_id == person_id, CrossCase.side == "receiving"
    )
    found = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise CrossCaseMissing
    return found


async def steps(session: AsyncSession, case: CrossCase) -> list[Step]:
    """Its timeline, oldest first."""
    rows = await session.scalars(select(Step).where(Step.case_id == case.id).order_by(Step.id))
    return list(rows)


def here() -> str:
    """This deployment's division."""
    return PROVINCE
