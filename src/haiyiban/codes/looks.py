"""A verifier's later looks at what a verification told it, for the holder to find."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.certificates.models import Certificate
from haiyiban.codes.models import Verification


async def record_look(session: AsyncSession, verification_id: UUID) -> None:
    """A verifier reads again what a verification told it: the holder finds that look here too."""
    seen = await session.get_one(Verification, verification_id)
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
