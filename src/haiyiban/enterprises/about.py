"""Which enterprises a person acts for. What belongs to an enterprise is not its people's data."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import rows
from haiyiban.delegations import Delegation
from haiyiban.errors import Words
from haiyiban.identity import persons


async def about(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """For `Zone.about`: name and code, which are public, and the role."""
    held = await session.scalars(
        select(Delegation)
        .where(Delegation.taker_id == person_id, Delegation.role.is_not(None))
        .order_by(Delegation.id)
    )
    roles = held.all()
    enterprises = await persons.of_ids(session, {role.giver_id for role in roles})
    return {
        "enterprises": [
            {
                "enterprise": enterprises[role.giver_id].name,
                "creditCode": enterprises[role.giver_id].id_number,
            }
            | {
                rows.camel(name): rows.plain(value)
                for name in ("role", "until", "made_at", "ended_at")
                if (value := getattr(role, name)) is not None
            }
            for role in roles
        ]
    }


WORDS = {
    "enterprises": Words("我代表的企业", "Enterprises that I act for"),
    "enterprise": Words("企业名称", "Enterprise"),
    "creditCode": Words("统一社会信用代码", "Credit code"),
}
