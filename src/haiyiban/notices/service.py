"""Promising notices in the transaction of what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import outbox
from haiyiban.identity import accounts
from haiyiban.notices.templates import render

TOPIC = "notices.send"


async def tell_person(
    session: AsyncSession,
    person_id: UUID,
    template: str,
    *,
    about: UUID | None = None,
    delay: timedelta = timedelta(),
    **values: str,
) -> bool:
    """Tell a person by SMS, in the language of their account; False where no phone of theirs is known.

    `template` and its values: templates.py. `about` (such as a case) and `delay` let an undo recall it
    (`outbox.recall`). Raises UnknownTemplate here rather than in the worker.
    """
    account = await accounts.of_person(session, person_id)
    if account is None or account.phone is None:
        return False
    await tell_phone(
        session, account.phone, template, values, language=account.language, about=about, delay=delay
    )
    return True


async def tell_phone(
    session: AsyncSession,
    phone: str,
    template: str,
    values: Mapping[str, str],
    *,
    language: str,
    about: UUID | None = None,
    delay: timedelta = timedelta(),
    useless_after: datetime | None = None,
) -> UUID:
    """Tell a phone by SMS. Returns the message's id. After `useless_after` it is not sent any more."""
    render(template, values, language=language)
    payload = {"phone": phone, "template": template, "values": dict(values), "language": language}
    if useless_after is not None:
        payload["uselessAfter"] = useless_after.isoformat()
    return await outbox.post(session, TOPIC, payload=payload, about=about, delay=delay)
