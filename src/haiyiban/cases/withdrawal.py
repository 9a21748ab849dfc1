"""Taking an application back, at any time before the decision."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import outbox
from haiyiban.cases import access, moves
from haiyiban.cases.access import Seen
from haiyiban.cases.models import Case
from haiyiban.cases.notices import tell
from haiyiban.cases.states import By, Verb
from haiyiban.cases.timeline import events_of
from haiyiban.clock import local_date
from haiyiban.delegations import Actor


async def withdraw(session: AsyncSession, case_id: UUID, *, actor: Actor, seen: Seen, now: datetime) -> Case:
    """End the application; the child's place in the queue is free again.

    Raises CaseMissing, Stale, VersionConflict, IllegalMove.
    """
    case = await access.own_for_change(session, case_id, actor, today=local_date(now), seen=seen)
    begun = moves.begin(case, Verb.WITHDRAWAL, by=By.APPLICANT)
    last = (await events_of(session, case))[-1]
    case.outcome = "withdrawn"
    case.claim = None
    await moves.finish(session, case, begun, by_id=actor.id, now=now)
    if case.number is not None:
        # News of a clerk's last verb, if it still waits, would come after the withdrawal and confuse.
        await outbox.recall(session, case.id, since=last.at)
        await tell(session, case, Verb.WITHDRAWAL)
    return case
