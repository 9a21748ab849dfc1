"""What stays of certificates when their keeper closes their account (注销)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.certificates.models import Certificate
from haiyiban.errors import Words
from haiyiban.zone import Kept


async def forget(session: AsyncSession, person_id: UUID) -> list[Kept]:
    """For `Zone.forget`: nothing goes, and nobody is signed in any more to show them."""
    mine = (Certificate.holder_id == person_id) | (Certificate.keeper_id == person_id)
    if await session.scalar(select(Certificate.id).where(mine).limit(1)) is None:
        return []
    return [
        Kept(
            Words("已签发的电子证照", "Certificates that were issued"),
            Words(
                "至证照失效、发证机关归档期满", "until they end and their authority's archive term is over"
            ),
            Words(
                "电子证照是发证机关签发的文书，与纸质证照同效（国务院令第716号 第10条）；注销账号不使其失效",
                "They are their authority's documents with the force of paper (State Council decree 716, "
                "art. 10); closing an account does not end them",
            ),
        )
    ]
