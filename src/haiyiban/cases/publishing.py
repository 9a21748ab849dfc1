"""Cases that a publication decides, such as the results of a draw, and no clerk one by one."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases import decisions, moves
from haiyiban.cases.models import Case
from haiyiban.cases.states import By, Verb


async def decide(
    session: AsyncSession,
    case: Case,
    verb: Literal[Verb.APPROVE, Verb.DENY],
    *,
    note: str,
    by_id: UUID,
    now: datetime,
) -> None:
    """Approve or deny a case that the caller has locked, with its effects; the publisher tells the applicant.

    `by_id`: who published. There is no undo: what is published is public. Raises IllegalMove.
    """
    begun = moves.begin(case, verb, by=By.PUBLICATION)
    case.outcome = "approved" if verb is Verb.APPROVE else "denied"
    if verb is Verb.DENY:
        case.claim = None
    await decisions.carry_out(session, case, now=now)
    await moves.finish(session, case, begun, by_id=by_id, now=now, note=note)
