"""What of cases stands in the way of closing an account, what goes with it, and what stays (注销)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases.models import Case, CaseEvent, CaseFile, Rating, Suspension
from haiyiban.cases.states import State
from haiyiban.errors import Words
from haiyiban.matters import catalogue
from haiyiban.zone import InTheWay, Kept

_UNDER_WAY = (State.SUBMITTED, State.CORRECTION_REQUESTED, State.ACCEPTED, State.SUSPENDED)


async def in_the_way(session: AsyncSession, person_id: UUID) -> list[InTheWay]:
    """For `Zone.in_the_way`: what an agency is still to decide."""
    found = await session.scalars(
        select(Case).where(Case.applicant_id == person_id, Case.state.in_(_UNDER_WAY)).order_by(Case.id)
    )
    return [_open(case) for case in found]


def _open(case: Case) -> InTheWay:
    name = catalogue().version(case.matter, case.matter_version).name
    return InTheWay(
        Words(f"办件「{name.zh}」（{case.number}）正在办理", f"Case {case.number}, {name.en}, is open"),
        Words("请等待办结，或打开办件撤回申请", "Wait for the decision, or open the case and withdraw it"),
        f"/cases/{case.id}",
    )


async def forget(session: AsyncSession, person_id: UUID) -> list[Kept]:
    """For `Zone.forget`: what was never handed in goes, drafts and those given up alike; the bytes of their
    files follow by the sweep of the object store."""
    mine = Case.applicant_id == person_id
    drafts = select(Case.id).where(mine, Case.number.is_(None))
    for table in (CaseEvent, CaseFile, Suspension, Rating):
        await session.execute(delete(table).where(table.case_id.in_(drafts)))
    await session.execute(delete(Case).where(mine, Case.number.is_(None)))
    if await session.scalar(select(Case.id).where(mine).limit(1)) is None:
        return []
    return [
        Kept(
            Words("已提交过的办件及其材料、办理过程", "Cases that were handed in, with files and timeline"),
            Words("至办理部门的档案保管期限届满", "until the archive term of the agency is over"),
            Words(
                "行政机关在办理中形成的材料依法归档（档案法 第13条）",
                "What an agency's work brings about is archived (Archives Law, art. 13)",
            ),
        )
    ]
