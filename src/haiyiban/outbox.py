"""Effects outside the database, promised in the transaction that causes them.

`post` writes the message and its job in the caller's transaction: rolled back, nothing is sent;
committed, the worker sends it, again and again until it is taken. A message may wait until `due_at`
and be recalled before it is sent, which is what makes an undo possible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries
from sqlalchemy import CompoundSelect, Index, Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban import clock, rows
from haiyiban.db import Base
from haiyiban.ids import new_id
from haiyiban.sealed import SealedJson

RETRY_AFTER = (2, 5, 15, 60, 300, 900)
"""Seconds before the next attempt; the last one repeats."""


class OutboxMessage(Base):
    """One effect to carry out once: an SMS, a call to another system."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index("ix_outbox_message_open", "due_at", postgresql_where="done_at IS NULL"),
        Index("ix_outbox_message_about", "about"),
        Index("ix_outbox_message_done_at", "done_at", postgresql_where="done_at IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    topic: Mapped[str]
    """The task that carries it out, such as `notices.send`."""
    about: Mapped[UUID | None]
    """What it is about, such as a case: by it, a message can be recalled."""
    payload_sealed: Mapped[bytes]
    payload = SealedJson()
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    """sent, recalled or given-up, once done."""
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]


class Promise(NamedTuple):
    """An effect to carry out: what with, what it is about, and how long it waits."""

    payload: Mapping[str, Any]
    about: UUID | None = None
    delay: timedelta = timedelta()


async def post(
    session: AsyncSession,
    topic: str,
    *,
    payload: Mapping[str, Any],
    about: UUID | None = None,
    delay: timedelta = timedelta(),
) -> UUID:
    """Promise an effect in this transaction. Returns the message's id."""
    [message_id] = await post_all(session, topic, [Promise(payload, about, delay)])
    return message_id


async def post_all(session: AsyncSession, topic: str, promises: Sequence[Promise]) -> list[UUID]:
    """Promise many effects of one kind in this transaction, in two statements. Returns the messages' ids."""
    if not promises:
        return []
    now = clock.now()
    messages = [
        OutboxMessage(
            id=new_id(),
            topic=topic,
            about=promise.about,
            payload=dict(promise.payload),
            created_at=now,
            due_at=now + promise.delay,
        )
        for promise in promises
    ]
    session.add_all(messages)
    await session.flush()
    queries = await _queries(session)
    await queries.enqueue(
        [topic] * len(messages),
        [message.id.bytes for message in messages],
        [0] * len(messages),
        execute_after=[promise.delay for promise in promises],
    )
    return [message.id for message in messages]


async def recall(session: AsyncSession, about: UUID, *, since: datetime) -> bool:
    """Recall every message about something posted at or after `since`; False if one is already out."""
    newest = (
        select(OutboxMessage)
        .where(OutboxMessage.about == about, OutboxMessage.created_at >= since)
        .with_for_update()
    )
    messages = (await session.scalars(newest)).all()
    if any(message.outcome == "sent" or message.attempts for message in messages):
        return False
    await session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id.in_([message.id for message in messages]))
        .values(done_at=clock.now(), outcome="recalled")
    )
    return True


async def told_about(
    session: AsyncSession, about: Select[UUID] | CompoundSelect[UUID]
) -> list[dict[str, Any]]:
    """The messages about some things, for the person whom they concern: what is kept once they are sent is
    which template it was and when."""
    found = await rows.find(session, OutboxMessage, OutboxMessage.about.in_(about))
    shown = {"about", "created_at", "due_at", "done_at", "outcome"}
    hidden = {column.name.removesuffix("_sealed") for column in OutboxMessage.__table__.columns} - shown
    return [
        {"template": message.payload.get("template")} | rows.told(message, without=hidden)
        for message in found
    ]


async def enqueue(
    session: AsyncSession, task: str, *, payload: bytes = b"", delay: timedelta = timedelta()
) -> None:
    """Queue a job in this transaction; the worker is woken by its commit."""
    queries = await _queries(session)
    await queries.enqueue(task, payload, execute_after=delay)


async def _queries(session: AsyncSession) -> Queries:
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    return Queries(AsyncpgDriver(raw.driver_connection))


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts."""
    return timedelta(seconds=RETRY_AFTER[min(attempts, len(RETRY_AFTER)) - 1])
