"""Asking the register about every enterprise that somebody represents, each night, a few at a time."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from haiyiban import clock
from haiyiban.db import database
from haiyiban.delegations import Basis, Delegation
from haiyiban.enterprises import keeping, register
from haiyiban.enterprises.models import Enterprise
from haiyiban.identity.models import Person
from haiyiban.registers import RegisterUnavailable

CHECKED_EVERY = timedelta(hours=20)
_AT_ONCE = 10
_A_ROUND = 500


async def recheck(_: bytes) -> None:
    """Roles end the day after the register says so, also where nobody signs in. What cannot be asked waits
    for the next round."""
    now = clock.now()
    while due := await _due(now):
        settled = 0
        for first in range(0, len(due), _AT_ONCE):
            batch = due[first : first + _AT_ONCE]
            settled += sum(await asyncio.gather(*(_recheck(each, now=now) for each in batch)))
        if settled < len(due):
            return


async def _due(now: datetime) -> list[UUID]:
    query = (
        select(Enterprise.id)
        .join(Delegation, Delegation.giver_id == Enterprise.id)
        .where(
            Delegation.basis == Basis.REPRESENTATIVE,
            Delegation.ended_at.is_(None),
            Enterprise.checked_at < now - CHECKED_EVERY,
        )
        .order_by(Enterprise.checked_at)
        .limit(_A_ROUND)
    )
    async with database().reading() as session:
        return list(await session.scalars(query))


async def _recheck(enterprise_id: UUID, *, now: datetime) -> bool:
    """Whether the register answered."""
    async with database().reading() as look:
        code = (await look.get_one(Person, enterprise_id)).id_number
    try:
        registered = await register.ask(code)
    except RegisterUnavailable:
        return False
    async with database().transaction() as session:
        if registered is None:
            await keeping.forget(session, enterprise_id, as_of=now, now=now)
            return True
        enterprise = await keeping.keep(session, registered, now=now)
        await keeping.issue_licence(session, enterprise, registered, now=now)
    return True
