"""What the handling place tells the receiving place: each step of the ordinary case, past its undo.

A periodic task reads the timeline of each case that came from a neighbour and tells what is new; so nothing a
clerk does can be forgotten, and a step that was taken back within its minute was never told.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.cases.models import Case, CaseEvent
from haiyiban.cases.notices import UNDO_WINDOW
from haiyiban.cases.states import By, Verb
from haiyiban.db import database
from haiyiban.errors import Problem
from services.cross_province import cases, issued
from services.cross_province.messages import CrossItem, CrossResult, CrossTimes, Type
from services.cross_province.models import CrossCase
from services.cross_province.rules import FINAL, State
from services.cross_province.sending import send

log = logging.getLogger(__name__)

_AT_ONCE = 200
_ENDS = frozenset({Verb.APPROVE, Verb.DENY, Verb.REFUSE, Verb.TERMINATE, Verb.LAPSE, Verb.WITHDRAWAL})
_BETWEEN = frozenset({Verb.SUSPEND, Verb.RESUME, Verb.EXTEND, Verb.TRANSFER})


async def report(_: bytes) -> None:
    """Tell the receiving places what happened to their cases. A repeat finds it told."""
    async with database().reading() as session:
        open_ = select(CrossCase.id).where(
            CrossCase.side == "handling",
            CrossCase.case_id.is_not(None),
            CrossCase.state.not_in([*FINAL, State.RESULT_RETURNED]),
        )
        ids = list(await session.scalars(open_.order_by(CrossCase.updated_at).limit(_AT_ONCE)))
    for case_id in ids:
        try:
            async with database().transaction() as session:
                cross = await cases.locked(session, case_id)
                if cross is not None:
                    await _tell(session, cross, now=clock.now())
        except Problem as why:
            # Such as no key that signs codes, or no agreement any more: other cases are told all the same.
            log.warning("case %s is not told yet: %s", case_id, why.type)
    await issued.report()


async def _tell(session: AsyncSession, cross: CrossCase, *, now: datetime) -> None:
    assert cross.case_id is not None, "the query asks for it"
    # Locked, so that no clerk takes a step back while it is being told.
    case = await session.get_one(Case, cross.case_id, with_for_update=True)
    query = select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id)
    if cross.reported is not None:
        query = query.where(CaseEvent.id > cross.reported)
    for event in list(await session.scalars(query)):
        if event.by_kind == By.CLERK and event.at > now - UNDO_WINDOW:
            return
        await _one(session, cross, case, event, now=now)
        cross.reported = event.id


async def _one(
    session: AsyncSession, cross: CrossCase, case: Case, event: CaseEvent, *, now: datetime
) -> None:
    opinion = event.note or ""
    times = CrossTimes(
        accepted_on=case.accepted_on,
        promised_on=case.promised_due_on,
        statutory_on=case.statutory_due_on,
        correct_by=case.correction_due_at,
    )
    if event.verb == Verb.ACCEPT:
        await cases.move(session, cross, State.ACCEPTED, by=cases.here(), now=now)
        await send(session, cross, Type.ACCEPTED, now=now, step=event.verb, opinion=opinion, times=times)
    elif event.verb == Verb.REQUEST_CORRECTION:
        items = [CrossItem(pointer=one["pointer"], message=one["message"]) for one in event.items or []]
        await cases.move(session, cross, State.CORRECTION_REQUESTED, by=cases.here(), now=now)
        await send(
            session,
            cross,
            Type.CORRECTION,
            now=now,
            step=event.verb,
            opinion=opinion,
            items=tuple(items),
            times=times,
        )
    elif event.verb in _BETWEEN:
        await cases.move(session, cross, State.IN_PROGRESS, by=cases.here(), now=now)
        await send(session, cross, Type.PROGRESS, now=now, step=event.verb, opinion=opinion, times=times)
    elif event.verb in _ENDS:
        certificate = None
        if (said := event.detail.get("certificate")) is not None:
            certificate = await issued.first_told(session, cross, UUID(said), now=now)
        refused = event.verb == Verb.REFUSE
        cross.outcome = case.outcome
        await cases.move(
            session, cross, State.REFUSED if refused else State.RESULT_RETURNED, by=cases.here(), now=now
        )
        await send(
            session,
            cross,
            Type.RESULT,
            now=now,
            step=event.verb,
            opinion=opinion,
            times=times,
            result=CrossResult(outcome=case.outcome or event.verb, certificate=certificate),
        )
