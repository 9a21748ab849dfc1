"""Cases that a publication decides, such as the results of a draw, and no clerk one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.cases import decisions, moves
from haiyiban.cases.models import Case
from haiyiban.cases.states import By, IllegalMove, Verb
from haiyiban.cases.timeline import add_event, event_of, remember


class Decided(NamedTuple):
    """A case that a publication decides, and what its timeline says of it."""

    case: Case
    verb: Literal[Verb.APPROVE, Verb.DENY]
    note: str


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
    await decide_all(session, [Decided(case, verb, note)], by_id=by_id, now=now)
    await decisions.carry_out(session, case, now=now)


async def decide_all(
    session: AsyncSession, decided: Sequence[Decided], *, by_id: UUID, now: datetime
) -> None:
    """Decide many cases that the caller has locked, in a few statements: all or none. The publisher sees to
    their effects as well as to telling. Raises IllegalMove.
    """
    begun = [moves.begin(each.case, each.verb, by=By.PUBLICATION) for each in decided]
    for each, move in zip(decided, begun, strict=True):
        each.case.outcome = "approved" if each.verb is Verb.APPROVE else "denied"
        if each.verb is Verb.DENY:
            each.case.claim = None
        moves.take(each.case, move, now=now)
        session.add(
            event_of(
                each.case,
                each.verb,
                by=By.PUBLICATION,
                by_id=by_id,
                now=now,
                before=move.before,
                note=each.note,
            )
        )
    await session.flush()
    await audit.record_all(session, [moves.act(each.case, each.verb) for each in decided])


async def revise(
    session: AsyncSession,
    case: Case,
    verb: Literal[Verb.APPROVE, Verb.DENY],
    *,
    note: str,
    by_id: UUID | None,
    now: datetime,
) -> None:
    """Change the outcome of a case that a publication has decided, where what follows it does so: a seat from
    a waiting list, an appeal. Its state stays, for its clocks have ended; the timeline says why.

    `by_id`: the officer, None where the family's own act or the order of a list brought it about. The caller
    has locked the case and sees to certificate and notice. Raises IllegalMove before the decision.
    """
    if case.outcome not in ("approved", "denied"):
        raise IllegalMove(members=moves.standing(case))
    before = remember(case)
    case.outcome = "approved" if verb is Verb.APPROVE else "denied"
    case.version += 1
    case.updated_at = now
    decided = event_of(case, verb, by=By.PUBLICATION, by_id=by_id, now=now, before=before, note=note)
    await add_event(session, decided)
    await moves.record(session, case, verb)
