"""Sessions, accounts, staff and verifiers whose access tokens are refused before they expire.

Every process reads the live list once a second (at most five minutes of it, for tokens live no longer),
so a revocation is in force everywhere within two seconds, with or without Redis.
"""

from __future__ import annotations

import time
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban import clock
from haiyiban.db import Base
from haiyiban.identity.callers import Anonymous, Caller
from haiyiban.identity.tokens import LIFE


class Revocation(Base):
    """A session, account, staff member or verifier whose tokens are refused until they have all expired."""

    __tablename__ = "identity_revocation"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


_revoked: frozenset[UUID] = frozenset()
_here: dict[UUID, float] = {}
"""When this process itself revoked somebody: a reading that began before that commit does not know of it."""
_COMMITS_WITHIN_SECONDS = 5.0


async def revoke(session: AsyncSession, subject_id: UUID) -> None:
    """Refuse the access tokens of a session, account, staff member or verifier from now on.

    This process refuses them at once, even before the commit: if that fails, it lets them in again after
    some seconds.
    """
    global _revoked
    _revoked |= {subject_id}
    _here[subject_id] = time.monotonic()
    expires = clock.now() + 2 * LIFE
    statement = upsert(Revocation).values(subject_id=subject_id, expires_at=expires)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["subject_id"], set_={"expires_at": expires})
    )


async def restore(session: AsyncSession, subject_id: UUID) -> None:
    """Accept again, as when a verifier's suspension ends."""
    _here.pop(subject_id, None)
    row = await session.get(Revocation, subject_id)
    if row is not None:
        await session.delete(row)


async def reload(session: AsyncSession) -> None:
    """Read the live list into this process."""
    global _revoked
    rows = await session.scalars(select(Revocation.subject_id).where(Revocation.expires_at > clock.now()))
    known = frozenset(rows)
    for subject_id, at in list(_here.items()):
        if time.monotonic() - at > _COMMITS_WITHIN_SECONDS:
            del _here[subject_id]
    _revoked = known | _here.keys()


def is_revoked(caller: Caller) -> bool:
    """Whether this caller's token is refused although it has not expired."""
    if not _revoked or isinstance(caller, Anonymous):
        return False
    return caller.id in _revoked or caller.session_id in _revoked
