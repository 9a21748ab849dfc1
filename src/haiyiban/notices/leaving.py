"""No notice goes to a phone whose account is closed (注销)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.identity import accounts
from haiyiban.notices.service import TOPIC
from haiyiban.notices.tasks import close
from haiyiban.outbox import OutboxMessage
from haiyiban.zone import Kept


async def forget(session: AsyncSession, person_id: UUID) -> list[Kept]:
    """For `Zone.forget`: what is not sent yet is recalled, phone and words with it; of what was sent neither
    is kept anyway. The open messages of all are looked at, for a phone lies sealed: they are few."""
    account = await accounts.of_person(session, person_id)
    if account is None or account.phone is None:
        return []
    phone = account.phone
    waiting = await session.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.topic == TOPIC, OutboxMessage.done_at.is_(None))
        .order_by(OutboxMessage.id)
    )
    for seen in waiting.all():
        if seen.payload.get("phone") != phone:
            continue
        # One that the worker has just taken is on its way; it is closed there.
        message = await session.get_one(OutboxMessage, seen.id, with_for_update=True, populate_existing=True)
        if message.done_at is None:
            close(message, outcome="recalled", at=clock.now())
    return []
