"""What a register speaks against: suspended with notice, objected to or stopped, and what was overpaid.

Source: docs/domain.md §7.5 (10 working days to object, stop from the month of the event, recovery);
社会保险法 art. 51.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, certificates, clock, notices
from haiyiban.cases.calendar import calendar_from
from haiyiban.db import database
from haiyiban.errors import Conflict, FieldError, NotFound, Problem, Words
from haiyiban.ids import new_id
from services.unemployment.models import Grant, Payment, Recovery
from services.unemployment.payments.rules import OBJECTION_WORKDAYS, Event

REASONS: Mapping[str, Words] = {
    "employed": Words("就业登记显示已重新就业", "the employment register says that you work again"),
    "insured": Words(
        "参保记录显示已恢复缴费", "the insurance register says that contributions are paid again"
    ),
    "pension": Words("养老待遇记录显示已领取基本养老金", "the pension register says that you draw a pension"),
    "died": Words("户口注销登记显示已去世", "the register of people struck off says that you have died"),
    "military_service": Words(
        "户口注销登记显示已应征服兵役", "the register of people struck off says that you serve in the army"
    ),
    "moved_abroad": Words(
        "户口注销登记显示已移居境外", "the register of people struck off says that you have moved abroad"
    ),
    "imprisoned": Words("服刑人员库显示正在服刑", "the register of prisoners says that you serve a sentence"),
}


class GrantMissing(NotFound):
    """No such grant, or somebody else's."""

    type = "unemployment/grant-not-found"
    title = Words("没有这项失业保险金", "There is no such grant")


class NotSuspended(Conflict):
    """There is nothing to object to, or it was decided meanwhile."""

    type = "unemployment/not-suspended"
    title = Words(
        "这项待遇没有暂停，不需要提出异议", "This grant is not suspended; there is nothing to object to"
    )


class ObjectionOver(Conflict):
    """The days to object are over."""

    type = "unemployment/objection-over"
    title = Words(
        "提出异议的期限已过；请到人力资源部门办理，或申请行政复议",
        "The days to object are over; go to the human-resources office, or ask for review",
    )


class WordsNeeded(Problem):
    """An objection or a decision says why."""

    type = "unemployment/words-needed"
    title = Words("请写明理由", "Please say why")


async def suspend(
    session: AsyncSession,
    grant: Grant,
    event: Event,
    *,
    now: datetime,
) -> None:
    """Stop paying for now, and tell the person what speaks against it and until when to object."""
    today = clock.local_date(now)
    calendar = await calendar_from(session, today)
    grant.suspended_on = today
    grant.suspended_because = event.against
    grant.event_on = event.since
    grant.object_by = calendar.add_workdays(today, OBJECTION_WORKDAYS, division=grant.division)
    await session.execute(delete(Payment).where(Payment.grant_id == grant.id, Payment.state == "due"))
    await notices.tell_person(
        session,
        grant.person_id,
        "unemployment.suspended",
        about=grant.id,
        until=grant.object_by.isoformat(),
    )
    await _record(session, grant, "suspend", reason=event.against)


async def object_to(
    session: AsyncSession, grant_id: UUID, person_id: UUID, words: str, *, now: datetime
) -> Grant:
    """What the person says against a suspension; said again, the newer words count.

    Raises GrantMissing, NotSuspended, ObjectionOver, WordsNeeded.
    """
    grant = await lock(session, grant_id)
    if grant.person_id != person_id:
        raise GrantMissing
    if grant.suspended_on is None or grant.object_by is None or grant.ended_on is not None:
        raise NotSuspended
    if clock.local_date(now) > grant.object_by:
        raise ObjectionOver
    if not words.strip():
        raise WordsNeeded(errors=[FieldError("/words", WordsNeeded.title)])
    grant.objection = words.strip()
    await _record(session, grant, "object")
    return grant


async def decide(
    session: AsyncSession,
    grant_id: UUID,
    division_subtree: frozenset[str],
    *,
    resume: bool,
    note: str,
    now: datetime,
) -> Grant:
    """A clerk decides an objection: the grant goes on, or it stops from the month of the event.

    Raises GrantMissing, NotSuspended, WordsNeeded.
    """
    grant = await lock(session, grant_id)
    if grant.division not in division_subtree:
        raise GrantMissing
    if grant.suspended_on is None or grant.ended_on is not None or grant.objection_sealed is None:
        raise NotSuspended
    if not note.strip():
        raise WordsNeeded(errors=[FieldError("/note", WordsNeeded.title)])
    if resume:
        grant.set_aside, grant.set_aside_since = grant.suspended_because, grant.event_on
        grant.suspended_on = grant.suspended_because = grant.object_by = grant.event_on = None
        grant.objection_sealed = None
        await notices.tell_person(session, grant.person_id, "unemployment.resumed", about=grant.id)
        await _record(session, grant, "resume", reason=note.strip()[:200])
    else:
        await stop(session, grant, now=now)
    return grant


async def stop_what_nobody_objected_to() -> None:
    """Grants whose days to object are over end, each in a transaction of its own."""
    today = clock.today()
    over = select(Grant.id).where(
        Grant.suspended_on.is_not(None),
        Grant.ended_on.is_(None),
        Grant.object_by < today,
        Grant.objection_sealed.is_(None),
    )
    async with database().reading() as look:
        ids = (await look.scalars(over)).all()
    for grant_id in ids:
        async with database().transaction() as session:
            grant = await lock(session, grant_id)
            if grant.ended_on is None and grant.suspended_on is not None and grant.objection_sealed is None:
                await stop(session, grant, now=clock.now())


async def stop(session: AsyncSession, grant: Grant, *, now: datetime) -> None:
    """End a suspended grant from the month of the event; what was paid since is to be paid back."""
    grant.ended_on = clock.local_date(now)
    grant.ended_because = grant.suspended_because
    await recover(session, grant, now=now)
    await certificates.revoke(session, grant.certificate_id, reason="失业保险金已停发", now=now)
    await notices.tell_person(session, grant.person_id, "unemployment.stopped", about=grant.id)
    await _record(session, grant, "stop", reason=grant.suspended_because)


async def recover(session: AsyncSession, grant: Grant, *, now: datetime) -> None:
    """What a stopped grant was paid since its event is to be paid back: counted anew whenever a payment that
    was on its way to the bank arrives or comes back. Nothing of a grant that was not stopped."""
    if grant.suspended_on is None or grant.ended_on is None:
        return
    since = (grant.event_on or grant.suspended_on).replace(day=1)
    overpaid = await session.scalar(
        select(func.coalesce(func.sum(Payment.amount_fen), 0)).where(
            Payment.grant_id == grant.id,
            Payment.state == "paid",
            Payment.month >= since,
            Payment.move_id.is_(None),
        )
    )
    await session.execute(delete(Recovery).where(Recovery.grant_id == grant.id))
    if overpaid:
        session.add(
            Recovery(
                id=new_id(),
                grant_id=grant.id,
                amount_fen=int(overpaid),
                since=since,
                reason=grant.suspended_because or "",
                opened_at=now,
            )
        )
    await session.flush()


async def lock(session: AsyncSession, grant_id: UUID) -> Grant:
    """A grant that is about to change. Raises GrantMissing."""
    grant = await session.get(Grant, grant_id, with_for_update=True, populate_existing=True)
    if grant is None:
        raise GrantMissing
    return grant


async def _record(session: AsyncSession, grant: Grant, act: str, *, reason: str | None = None) -> None:
    await audit.record(
        session,
        f"unemployment.{act}",
        subject=grant.person_id,
        object_kind="unemployment-grant",
        object_id=grant.id,
        reason=reason,
    )
