"""Promising notices in the transaction of what they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import outbox
from haiyiban.identity import accounts
from haiyiban.notices.templates import render
from haiyiban.outbox import Promise

TOPIC = "notices.send"


class Told(NamedTuple):
    """Somebody to tell: a person, what about, and the values of the template."""

    person_id: UUID
    about: UUID | None
    values: Mapping[str, str]


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
    return bool(await tell_persons(session, template, [Told(person_id, about, values)], delay=delay))


async def tell_persons(
    session: AsyncSession, template: str, told: Sequence[Told], *, delay: timedelta = timedelta()
) -> int:
    """Tell many persons by SMS, as `tell_person` tells one, in a few statements. Returns how many have a
    phone. Raises UnknownTemplate."""
    accounts_of = await accounts.of_persons(session, [each.person_id for each in told])
    promises = [
        Promise(_payload(account.phone, template, each.values, account.language), each.about, delay)
        for each in told
        if (account := accounts_of.get(each.person_id)) is not None and account.phone is not None
    ]
    return len(await outbox.post_all(session, TOPIC, promises))


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
    payload = _payload(phone, template, values, language)
    if useless_after is not None:
        payload["uselessAfter"] = useless_after.isoformat()
    return await outbox.post(session, TOPIC, payload=payload, about=about, delay=delay)


def _payload(phone: str, template: str, values: Mapping[str, str], language: str) -> dict[str, Any]:
    render(template, values, language=language)
    return {"phone": phone, "template": template, "values": dict(values), "language": language}
