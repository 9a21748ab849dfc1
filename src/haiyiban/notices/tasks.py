"""Sending what was promised, and finding what should have been sent and was not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from haiyiban import clock, outbox
from haiyiban.db import database
from haiyiban.notices import gateway
from haiyiban.notices.service import TOPIC
from haiyiban.notices.templates import render
from haiyiban.outbox import OutboxMessage
from haiyiban.zone import Task

KEPT_TRYING = timedelta(days=3)
_OVERDUE = timedelta(seconds=30)
"""So late that its job must have been lost: the worker takes jobs within milliseconds."""
_REPAIRED_AT_ONCE = 500


async def send(payload: bytes) -> None:
    """Send one message of the outbox; `payload` is its id. A second run finds it sent."""
    message_id = UUID(bytes=payload)
    notice = await _take(message_id)
    if notice is None:
        return
    text = render(notice["template"], notice["values"], language=notice["language"])
    try:
        await gateway.send(notice["phone"], text, message_id=message_id)
    except gateway.NotSent as reason:
        await _postpone(message_id, str(reason))
    except gateway.NeverSent as reason:
        await _finish(message_id, outcome="given-up", error=str(reason))
    else:
        await _finish(message_id, outcome="sent")


async def repair(_: bytes) -> None:
    """Queue again what is overdue because its job was lost, as when a worker died in the middle."""
    now = clock.now()
    async with database().transaction() as session:
        overdue = await session.scalars(
            select(OutboxMessage)
            .where(
                OutboxMessage.topic == TOPIC,
                OutboxMessage.done_at.is_(None),
                OutboxMessage.due_at < now - _OVERDUE,
            )
            .order_by(OutboxMessage.due_at)
            .limit(_REPAIRED_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        for message in overdue:
            # Due anew, so that the next run leaves it to this job.
            message.due_at = now
            await outbox.enqueue(session, TOPIC, payload=message.id.bytes)


async def _take(message_id: UUID) -> dict[str, Any] | None:
    """Count the attempt before anything leaves the house: from here on the message cannot be recalled.

    None where it is done, recalled, or useless by now.
    """
    now = clock.now()
    async with database().transaction() as session:
        message = await session.get(OutboxMessage, message_id, with_for_update=True)
        if message is None or message.done_at is not None:
            return None
        notice: dict[str, Any] = message.payload
        limit = notice.get("uselessAfter")
        if now > (datetime.fromisoformat(limit) if limit else message.created_at + KEPT_TRYING):
            close(message, outcome="given-up", at=now)
            return None
        message.attempts += 1
        message.due_at = now
        return notice


async def _finish(message_id: UUID, *, outcome: str, error: str | None = None) -> None:
    async with database().transaction() as session:
        message = await session.get_one(OutboxMessage, message_id, with_for_update=True)
        if message.done_at is None:
            message.last_error = error
            close(message, outcome=outcome, at=clock.now())


async def _postpone(message_id: UUID, error: str) -> None:
    async with database().transaction() as session:
        message = await session.get_one(OutboxMessage, message_id, with_for_update=True)
        if message.done_at is not None:
            return
        delay = outbox.retry_delay(message.attempts)
        message.last_error = error
        message.due_at = clock.now() + delay
        await outbox.enqueue(session, TOPIC, payload=message_id.bytes, delay=delay)


def close(message: OutboxMessage, *, outcome: str, at: datetime) -> None:
    """Done: the phone and the words are no longer needed, and no longer kept."""
    message.done_at = at
    message.outcome = outcome
    message.payload = {"template": message.payload["template"]}


SEND = Task(name=TOPIC, run=send)
REPAIR = Task(name="notices.repair", run=repair, schedule="* * * * *")
