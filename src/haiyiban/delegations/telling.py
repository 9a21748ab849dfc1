"""Telling both sides of a delegation, and whoever the giver chose about the cases."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import notices
from haiyiban.delegations.access import state_on
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.rules import Basis, Notify, State
from haiyiban.identity import accounts
from haiyiban.matters import catalogue


class Recipient(NamedTuple):
    """Whom to tell: a person by their account, or a phone that a paper names."""

    person_id: UUID | None = None
    phone: str | None = None


async def recipients(session: AsyncSession, delegation: Delegation, *, today: date) -> list[Recipient]:
    """Who is told about a case that was opened under it. Once it is over, its giver alone.

    A giver who cannot be reached is told through the one who acts for them: news must not be lost.
    """
    over = state_on(delegation, today) not in {State.ACTIVE, State.USED_UP}
    giver = await _giver(session, delegation)
    taker = [] if delegation.taker_id is None or over else [Recipient(person_id=delegation.taker_id)]
    if over or delegation.notify == Notify.GIVER:
        return giver or taker
    if delegation.notify == Notify.TAKER:
        return taker or giver
    return list(dict.fromkeys(giver + taker))


async def _giver(session: AsyncSession, delegation: Delegation) -> list[Recipient]:
    """An enterprise is told through its legal representative."""
    if delegation.role is not None:
        representative = await session.scalar(
            select(Delegation.taker_id).where(
                Delegation.giver_id == delegation.giver_id,
                Delegation.basis == Basis.REPRESENTATIVE,
                Delegation.ended_at.is_(None),
            )
        )
        return [Recipient(person_id=representative)] if representative else []
    account = await accounts.of_person(session, delegation.giver_id)
    if account is not None and account.phone is not None:
        return [Recipient(person_id=delegation.giver_id)]
    return [Recipient(phone=delegation.contact)] if delegation.contact else []


async def tell(
    session: AsyncSession,
    recipient: Recipient,
    template: str,
    *,
    about: UUID,
    delay: timedelta = timedelta(),
    **values: str,
) -> None:
    """One notice to one recipient, in the transaction of what it is about."""
    if recipient.person_id is not None:
        await notices.tell_person(session, recipient.person_id, template, about=about, delay=delay, **values)
    elif recipient.phone is not None:
        await notices.tell_phone(
            session, recipient.phone, template, values, language="zh-CN", about=about, delay=delay
        )


async def tell_giver(session: AsyncSession, delegation: Delegation, template: str, *, matter: str) -> None:
    """Tell the giver that somebody acts for them, whomever they chose for the news of the case."""
    name = catalogue().get(matter).name.zh
    for recipient in await _giver(session, delegation):
        # A legal representative need not be told what they have just done.
        if recipient.person_id != delegation.taker_id:
            await tell(session, recipient, template, about=delegation.id, matter=name)


async def tell_other(session: AsyncSession, delegation: Delegation, template: str, *, by: str) -> None:
    """Tell the side that did not act; both where neither did. `by`: giver, taker or register."""
    if by != "giver":
        for recipient in await _giver(session, delegation):
            await tell(session, recipient, template, about=delegation.id)
    if by != "taker" and delegation.taker_id is not None:
        await tell(session, Recipient(person_id=delegation.taker_id), template, about=delegation.id)
