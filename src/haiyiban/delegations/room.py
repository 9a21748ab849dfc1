"""How many delegations somebody may have open and make in a day, so that nobody is pestered with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.clock import local_date
from haiyiban.delegations import rules
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.rules import TooManyOpen, TooManyToday
from haiyiban.identity.models import Person


class Asker(NamedTuple):
    """Whose doing a delegation is: its giver's, or the taker's who waits for the giver to agree."""

    person_id: UUID
    is_giver: bool


async def require(session: AsyncSession, asker: Asker, most: int, *, now: datetime) -> None:
    """Of many asked for at once each is counted: the asker's row is held. What a giver has not agreed to
    counts for who asks, so that nobody fills up another's. Raises TooManyOpen, TooManyToday."""
    await session.execute(select(Person.id).where(Person.id == asker.person_id).with_for_update())
    of_asker = (
        Delegation.giver_agreed_at.is_not(None) & (Delegation.giver_id == asker.person_id)
        if asker.is_giver
        else Delegation.giver_agreed_at.is_(None) & (Delegation.taker_id == asker.person_id)
    )
    counted = select(func.count()).select_from(Delegation).where(of_asker)
    made_today = await session.scalar(counted.where(Delegation.made_at > now - timedelta(days=1)))
    if (made_today or 0) >= max(most, rules.MOST_A_DAY):
        raise TooManyToday(24 * 3600)
    agreed = Delegation.giver_agreed_at.is_not(None) & Delegation.taker_agreed_at.is_not(None)
    is_offered = Delegation.made_at > now - rules.OFFER_LIFE - timedelta(days=1)
    open_now = await session.scalar(
        counted.where(Delegation.ended_at.is_(None), Delegation.until >= local_date(now), agreed | is_offered)
    )
    if (open_now or 0) >= most:
        raise TooManyOpen
