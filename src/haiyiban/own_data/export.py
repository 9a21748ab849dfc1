"""Everything that the platform keeps of one person, put together for them alone (查阅、复制).

Source: 个人信息保护法 art. 45; docs/domain.md §13; docs/your-data.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.own_data import folders
from haiyiban.zone import Zone


class Told(NamedTuple):
    """What one folder keeps of the person, by kind."""

    folder: Zone
    kinds: Mapping[str, Any]


async def gather(session: AsyncSession, person_id: UUID) -> list[Told]:
    """Folder by folder. Opened values are in the answer alone and never written down again."""
    return [
        Told(folder, await folder.about(session, person_id))
        for folder in folders.installed()
        if folder.about is not None
    ]


async def record(session: AsyncSession, person_id: UUID, told: list[Told]) -> None:
    """Say in the audit that the person took a copy, and of which folders."""
    await audit.record(
        session,
        "me.export",
        subject=person_id,
        object_kind="person",
        object_id=person_id,
        fields=[each.folder.name for each in told],
        reason="个人信息保护法 art. 45",
    )
