"""Which capsules are withdrawn (收回): the one rule behind step 7 online and behind the published deny-list.

It is derived and not kept: a capsule is withdrawn while its certificate is not in force, once the sign-in on
its phone has ended, or where what issued it said so. So the act itself withdraws, in its own transaction, and
an un-suspension gives the capsule back.

Source: schemas/codes/README.md §3 step 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.codes.models import Capsule
from haiyiban.db import among

# Kind 1 is the certificate. The end of its last day is not asked: no capsule outlives it.
WITHDRAWN = """(
  capsule.withdrawn_at IS NOT NULL
  OR EXISTS (
    SELECT FROM identity_session WHERE identity_session.id = capsule.session_id AND ended_at IS NOT NULL
  )
  OR capsule.kind = 1 AND EXISTS (
    SELECT FROM certificates_certificate AS behind
    WHERE behind.ref = capsule.ref AND behind.status <> 'valid'
  )
)"""
"""SQL, true of a withdrawn row of `codes_capsule AS capsule`; whether it has expired is asked beside."""


async def withdraw(session: AsyncSession, kind: int, refs: Sequence[int], *, now: datetime) -> None:
    """Withdraw for good the living capsules of some rows of a kind, as when a health colour changed: their
    holders are given new ones."""
    await session.execute(
        update(Capsule)
        .where(
            Capsule.kind == kind,
            among(Capsule.ref, refs),
            Capsule.withdrawn_at.is_(None),
            Capsule.expires_at > now,
        )
        .values(withdrawn_at=now)
    )
