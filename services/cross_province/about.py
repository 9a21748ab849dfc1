"""What cross-province service keeps of a person: their cases between two places, step by step."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import outbox, rows
from haiyiban.errors import Words
from services.cross_province.models import Alert, CrossCase, Incoming, Outgoing, Step

_STAFF = {"person_id", "agent", "taken_by", "reported", "joint"}
"""Who took it in and who acts for the applicant are other people."""
_SIGNED = {"body", "headers", "receipt", "receipt_headers", "digest", "last_error"}
"""The messages say again what stands in the case, as they were signed."""


async def about(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """For `Zone.about`."""
    cases = select(CrossCase.id).where(CrossCase.person_id == person_id)

    async def of_cases(table: type[Step | Outgoing | Incoming | Alert]) -> list[dict[str, Any]]:
        return await rows.told_all(session, table, table.case_id.in_(cases), without=_SIGNED)

    return {
        "cases": await rows.told_all(session, CrossCase, CrossCase.person_id == person_id, without=_STAFF),
        "steps": await of_cases(Step),
        "messagesSent": await of_cases(Outgoing),
        "messagesReceived": await of_cases(Incoming),
        "delays": await of_cases(Alert),
        "notices": await outbox.told_about(session, cases),
    }


WORDS = {
    "cases": Words("跨省通办件", "Cases in other provinces"),
    "steps": Words("办理过程", "Timeline"),
    "messagesSent": Words("发出的数据报文", "Messages sent"),
    "messagesReceived": Words("收到的数据报文", "Messages received"),
    "delays": Words("超时提醒", "Late steps"),
    "neighbour": Words("对方省份", "Other province"),
    "side": Words("本平台角色（receiving 收件地 / handling 办理地）", "Our side"),
    "mode": Words("通办方式", "Mode"),
    "taskCode": Words("实施编码", "Task code"),
    "remoteNumber": Words("对方办件编号", "Number there"),
    "caseId": Words("办件（内部编号）", "Case (internal id)"),
    "news": Words("对方意见", "What they said"),
    "certificate": Words("对方签发的证照", "Certificate they issued"),
    "certificateStatus": Words("证照状态", "Its status"),
    "certificateNews": Words("证照变动", "What changed of it"),
    "express": Words("快递单号", "Express number"),
    "dueOn": Words("期限", "Due on"),
    "hopSince": Words("等待起点", "Waited for since"),
    "byDivision": Words("办理地", "Place"),
    "sequence": Words("序号", "Sequence"),
    "messageId": Words("报文编号", "Message id"),
    "attempts": Words("尝试次数", "Attempts"),
    "receiptAt": Words("回执时间", "Receipt at"),
    "raisedAt": Words("提醒时间", "Raised at"),
}
