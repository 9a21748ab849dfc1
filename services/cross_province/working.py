"""Carrying out what was received: each message once, in its order, and each in one transaction."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.codes.trust import TrustList
from haiyiban.db import database
from services.cross_province import cases, following, handling, issued, joint, refreshing
from services.cross_province.applying import WITHDRAWAL
from services.cross_province.handling import Prepared
from services.cross_province.messages import CrossMessage, Type
from services.cross_province.models import CrossCase, Incoming
from services.cross_province.rules import State

log = logging.getLogger(__name__)

_TRUST_WAITED_FOR = timedelta(days=1)
"""So long a result waits for the trust list by which its certificate is judged."""


async def process(payload: bytes) -> None:
    """Carry out what one neighbour sent, in order. A repeat finds it done."""
    while await _next(payload.decode()):
        pass


async def repair(_: bytes) -> None:
    """Carry out what was taken and not carried out, as where a worker died."""
    async with database().reading() as session:
        waiting = list(
            await session.scalars(select(Incoming.neighbour).where(Incoming.done_at.is_(None)).distinct())
        )
    for division in waiting:
        await process(division.encode())


async def _next(division: str) -> bool:
    now = clock.now()
    async with database().reading() as session:
        row = await session.scalar(
            select(Incoming)
            .where(Incoming.neighbour == division, Incoming.done_at.is_(None))
            .order_by(Incoming.sequence)
            .limit(1)
        )
        if row is None:
            return False
        row_id, message = row.id, msgspec.json.decode(row.body, type=CrossMessage)
        waited = now - row.received_at
    prepared = await handling.prepare(message, now=now) if message.type == Type.FORWARD else Prepared()
    trust: TrustList | None = None
    if message.result is not None and message.result.certificate is not None:
        trust = await refreshing.trust_list_for(division, message.result.certificate, now=now)
        if trust is None and waited < _TRUST_WAITED_FOR:
            # A line that is cut now must not cost somebody the certificate: it is tried again.
            return False
    async with database().transaction() as session:
        await _carry_out(session, row_id, message, prepared, trust, now=now)
    return True


async def _carry_out(
    session: AsyncSession,
    row_id: UUID,
    message: CrossMessage,
    prepared: Prepared,
    trust: TrustList | None,
    *,
    now: datetime,
) -> None:
    row = await session.get_one(Incoming, row_id, with_for_update=True)
    if row.done_at is not None:
        return
    cross = await cases.locked(session, message.trace_id)
    if cross is not None and cross.neighbour != row.neighbour:
        row.outcome = "another-places-case"
    elif message.type == Type.FORWARD and (cross is None or cross.side == "handling"):
        row.outcome = await handling.forwarded(session, message, row.neighbour, prepared, now=now)
    elif cross is None:
        row.outcome = "unknown-case"
    elif cross.side == "receiving" and message.type == Type.CERTIFICATE:
        row.outcome = await issued.changed(session, message, cross, trust=trust, now=now)
    elif cross.side == "receiving":
        row.outcome = await following.followed(session, message, cross, trust=trust, now=now)
    else:
        row.outcome = await _at_the_handling_place(session, message, cross, now=now)
    row.done_at = now
    if row.outcome not in {"done", "opened", "corrected", "returned", "delivered"}:
        log.warning("message %s of %s had no effect: %s", row.message_id, row.neighbour, row.outcome)


async def _at_the_handling_place(
    session: AsyncSession, message: CrossMessage, cross: CrossCase, *, now: datetime
) -> str:
    if message.type == Type.CORRECTION and cross.case_id is not None:
        return await handling.corrected(session, message, cross, now=now)
    if message.type == Type.PROGRESS and message.step in {joint.AGREED, joint.OBJECTED}:
        return await joint.decided(session, cross, message)
    if message.type == Type.RETURNED and message.step == WITHDRAWAL and cross.case_id is not None:
        return await handling.withdrawn(session, cross, now=now)
    if message.type == Type.INTAKE:
        cross.express = message.express_no
        return "done"
    if message.type == Type.RECEIPT and cross.state == State.RESULT_RETURNED:
        await cases.move(session, cross, State.DELIVERED, by=cross.neighbour, now=now)
        return "delivered"
    return "not-understood"
