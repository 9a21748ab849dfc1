"""What unemployment benefit keeps of a person: grants, months, payments, the bank account, moves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import outbox, rows
from haiyiban.errors import Words
from services.unemployment.models import BankAccount, Declaration, Grant, Move, Payment, Recovery

_OWN = {"person_id"}


async def about(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """For `Zone.about`."""
    grants = select(Grant.id).where(Grant.person_id == person_id)
    moves = select(Move.id).where(Move.person_id == person_id)

    async def of_grants(table: type[Declaration | Payment | Recovery]) -> list[dict[str, Any]]:
        return await rows.told_all(session, table, table.grant_id.in_(grants), without={"batch_id"})

    return {
        "grants": await rows.told_all(session, Grant, Grant.person_id == person_id, without=_OWN),
        "monthlyDeclarations": await of_grants(Declaration),
        "payments": await of_grants(Payment),
        "recoveries": await of_grants(Recovery),
        "bankAccount": await rows.told_all(
            session, BankAccount, BankAccount.person_id == person_id, without=_OWN
        ),
        "moves": await rows.told_all(session, Move, Move.person_id == person_id, without=_OWN),
        "notices": await outbox.told_about(session, grants.union_all(moves)),
    }


WORDS = {
    "grants": Words("核定待遇", "Grants"),
    "monthlyDeclarations": Words("每月申报", "Monthly declarations"),
    "payments": Words("发放记录", "Payments"),
    "recoveries": Words("应退回", "To be paid back"),
    "bankAccount": Words("收款账户", "Bank account"),
    "moves": Words("关系转移", "Moves to another province"),
    "caseId": Words("办件（内部编号）", "Case (internal id)"),
    "grantId": Words("待遇（内部编号）", "Grant (internal id)"),
    "moveId": Words("转移（内部编号）", "Move (internal id)"),
    "paidMonths": Words("缴费月数", "Months paid"),
    "carried": Words("结转月数", "Months carried over"),
    "letter": Words("外省联系函", "Letter of another province"),
    "months": Words("核定月数", "Months granted"),
    "startsOn": Words("起领日期", "Starts on"),
    "grantedAt": Words("核定时间", "Granted at"),
    "suspendedOn": Words("中止日期", "Suspended on"),
    "suspendedBecause": Words("中止原因", "Suspended because"),
    "eventOn": Words("事由日期", "Since"),
    "setAside": Words("已排除的事由", "Set aside"),
    "setAsideSince": Words("事由日期", "Set aside since"),
    "objectBy": Words("异议截止", "Object by"),
    "objection": Words("异议内容", "Objection"),
    "remindedFor": Words("已提醒月份", "Reminded for"),
    "month": Words("月份", "Month"),
    "declaredAt": Words("申报时间", "Declared at"),
    "attempt": Words("第几次发放", "Attempt"),
    "amountFen": Words("金额（分）", "Amount (fen)"),
    "since": Words("起始", "Since"),
    "openedAt": Words("提出时间", "Opened at"),
    "changedAt": Words("更改时间", "Changed at"),
    "to": Words("转往", "To"),
    "monthsLeft": Words("剩余月数", "Months left"),
    "monthlyFen": Words("月标准（分）", "Monthly (fen)"),
    "carriedOutAt": Words("办结时间", "Carried out at"),
    "confirmedAt": Words("确认时间", "Confirmed at"),
    "settledAt": Words("到账或退票时间", "Settled at"),
}
