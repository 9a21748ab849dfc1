"""What of school places stands in the way of closing an account, what goes, and what stays (注销)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases import Case
from haiyiban.errors import Words
from haiyiban.zone import InTheWay, Kept
from services.school_places.afterwards_models import Appeal, LateApplication, Waiting
from services.school_places.models import RollEntry


async def in_the_way(session: AsyncSession, person_id: UUID) -> list[InTheWay]:
    """For `Zone.in_the_way`: what may still bring a child to another school."""
    mine = select(Case.id).where(Case.applicant_id == person_id)
    appeals = await session.scalars(
        select(RollEntry.case_id)
        .join(Appeal, Appeal.entry_id == RollEntry.id)
        .where(RollEntry.case_id.in_(mine), Appeal.state == "open")
    )
    waiting = await session.scalars(
        select(RollEntry.case_id)
        .join(Waiting, Waiting.entry_id == RollEntry.id)
        .where(RollEntry.case_id.in_(mine), Waiting.state.in_(("waiting", "offered")))
        .distinct()
    )
    appeal = InTheWay(
        Words("学位结果申诉正在处理", "An appeal against a school result is open"),
        Words("请等待答复", "Wait for the answer"),
        "",
    )
    list_ = InTheWay(
        Words("孩子还在学校候补名单上", "Your child is on a school's waiting list"),
        Words("请等候补结束，或放弃候补", "Wait until the list closes, or give the place on it up"),
        "",
    )
    return [
        *(appeal._replace(link=f"/cases/{case}") for case in appeals),
        *(list_._replace(link=f"/cases/{case}") for case in waiting),
    ]


async def forget(session: AsyncSession, person_id: UUID) -> list[Kept]:
    """For `Zone.forget`: leave to hand in late that was not used goes with its draft."""
    mine = Case.applicant_id == person_id
    drafts = select(Case.id).where(mine, Case.number.is_(None))
    await session.execute(delete(LateApplication).where(LateApplication.case_id.in_(drafts)))
    entries = select(RollEntry.id).where(RollEntry.case_id.in_(select(Case.id).where(mine)))
    if await session.scalar(entries.limit(1)) is None:
        return []
    return [
        Kept(
            Words(
                "派位结果（公示文件中只有代号）", "Results of the draw; in the public file a pseudonym alone"
            ),
            Words("与该学位办件同期保存", "as long as the case of the place"),
            Words(
                "公开抽签须可复核，结果是入学办件的一部分（档案法 第13条）",
                "A public draw must stay open to checking; its result is part of the case (Archives Law, "
                "art. 13)",
            ),
        )
    ]
