"""A verifier's later looks at what a verification told it, for the holder to find."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.certificates import Certificate
from haiyiban.codes.models import Consent, Verification
from haiyiban.codes.outcomes import Outcome


async def record_look(session: AsyncSession, seen: Verification) -> None:
    """A verifier reads again what a verification told it: the holder finds that look here too."""
    holder = await session.scalar(select(Certificate.holder_id).where(Certificate.id == seen.certificate_id))
    await audit.record(
        session,
        "codes.read",
        subject=holder,
        object_kind="verification",
        object_id=seen.id,
        fields=seen.fields,
        reason=seen.purpose,
        outcome=seen.outcome,
    )


async def record_settled_look(session: AsyncSession, asked: Verification, settled: Consent) -> None:
    """A verifier reads what came of asking the holder: which fields it saw, if any."""
    chosen = settled.certificate_id or asked.certificate_id
    holder = await session.scalar(select(Certificate.holder_id).where(Certificate.id == chosen))
    await audit.record(
        session,
        "codes.read",
        subject=holder,
        object_kind="verification",
        object_id=asked.id,
        fields=settled.fields if settled.outcome == Outcome.VALID else (),
        reason=asked.purpose,
        outcome=settled.outcome,
    )
