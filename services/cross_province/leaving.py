"""What of cross-province service stands in the way of closing an account, and what stays (注销)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.errors import Words
from haiyiban.zone import InTheWay, Kept
from services.cross_province.models import CrossCase
from services.cross_province.rules import FINAL, State

_OVER = (*FINAL, State.RESULT_RETURNED)


async def in_the_way(session: AsyncSession, person_id: UUID) -> list[InTheWay]:
    """For `Zone.in_the_way`: what another province is still to answer. What came from there is a case."""
    found = await session.scalars(
        select(CrossCase)
        .where(
            CrossCase.person_id == person_id,
            CrossCase.side == "receiving",
            CrossCase.state.not_in(_OVER),
        )
        .order_by(CrossCase.id)
    )
    return [
        InTheWay(
            Words(
                f"跨省通办「{case.matter_name['zh']}」正在办理",
                f"{case.matter_name['en']} in another province is open",
            ),
            Words("请等待对方办结，或打开办件申请撤回", "Wait for the answer, or open it and withdraw"),
            f"/cross-province/cases/{case.id}",
        )
        for case in found
    ]


async def forget(session: AsyncSession, person_id: UUID) -> list[Kept]:
    """For `Zone.forget`: nothing goes; both provinces hold the same signed record."""
    mine = CrossCase.person_id == person_id
    if await session.scalar(select(CrossCase.id).where(mine).limit(1)) is None:
        return []
    return [
        Kept(
            Words("跨省通办件及双方签名的往来报文", "Cases in other provinces, with the signed messages"),
            Words("至办理部门的档案保管期限届满", "until the archive term of the agency is over"),
            Words(
                "行政机关在办理中形成的材料依法归档（档案法 第13条）",
                "What an agency's work brings about is archived (Archives Law, art. 13)",
            ),
        )
    ]
