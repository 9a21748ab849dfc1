"""Codes end with the account (注销): no phone shows anything of the person any more."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.codes.models import Capsule
from haiyiban.identity.models import Account
from haiyiban.zone import Kept


async def forget(session: AsyncSession, person_id: UUID) -> list[Kept]:
    """For `Zone.forget`: every capsule is withdrawn in this transaction, and with it the key of its phone.
    Its row goes a week after its end (capsules.py), for offline terminals must be told until then."""
    account = select(Account.id).where(Account.person_id == person_id).scalar_subquery()
    await session.execute(
        update(Capsule)
        .where(Capsule.account_id == account, Capsule.withdrawn_at.is_(None))
        .values(withdrawn_at=clock.now())
    )
    return []
