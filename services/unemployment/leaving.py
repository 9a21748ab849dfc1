"""What of unemployment benefit stands in the way of closing an account, what goes, and what stays (注销)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.errors import Words
from haiyiban.zone import InTheWay, Kept
from services.unemployment.models import BankAccount, Grant, Move, Payment

_PAGE = "/unemployment"


async def in_the_way(session: AsyncSession, person_id: UUID) -> list[InTheWay]:
    """For `Zone.in_the_way`: money that is still to come, or on its way."""
    grants = select(Grant.id).where(Grant.person_id == person_id)
    found = []
    if await session.scalar(grants.where(Grant.ended_on.is_(None)).limit(1)) is not None:
        found.append(
            InTheWay(
                Words("您正在领取失业保险金", "You are drawing unemployment benefit"),
                Words(
                    "请领取期满，或申报重新就业、办理停发后再注销",
                    "Close the account once it has ended, by its last month or because you have work again",
                ),
                _PAGE,
            )
        )
    unsettled = select(Payment.id).where(Payment.grant_id.in_(grants), Payment.state.in_(("due", "batched")))
    moving = select(Move.id).where(Move.person_id == person_id, Move.state != "confirmed")
    if await session.scalar(unsettled.limit(1)) or await session.scalar(moving.limit(1)):
        found.append(
            InTheWay(
                Words(
                    "有一笔失业保险款项或关系转移尚未完成", "A payment or a move to another province is due"
                ),
                Words("请等款项到账或转移确认后再注销", "Wait until it has arrived or is confirmed"),
                _PAGE,
            )
        )
    return found


async def forget(session: AsyncSession, person_id: UUID) -> list[Kept]:
    """For `Zone.forget`: nothing is paid any more, so the bank account goes."""
    await session.execute(delete(BankAccount).where(BankAccount.person_id == person_id))
    if await session.scalar(select(Grant.id).where(Grant.person_id == person_id).limit(1)) is None:
        return []
    return [
        Kept(
            Words("失业保险待遇和发放记录", "Unemployment benefit: grants and payments"),
            Words("至会计档案保管期限届满", "until the term of accounting archives is over"),
            Words(
                "社会保险个人权益记录和基金会计档案依法保存（社会保险法 第74条；会计档案管理办法）",
                "Records of social insurance and the fund's accounts are kept by law (Social Insurance Law, "
                "art. 74; Measures on Accounting Archives)",
            ),
        )
    ]
