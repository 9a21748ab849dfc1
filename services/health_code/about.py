"""What the health code keeps of a person: colour, declarations, appeals, appointments, checks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import outbox, rows
from haiyiban.errors import Words
from services.health_code.models import (
    Appeal,
    Appointment,
    Check,
    Declaration,
    Guardian,
    ManualChange,
    Slot,
    Status,
)

_OWN = {"person_id"}


async def about(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """For `Zone.about`. Of a child or a guardian, that there is one and since when it is proved: the code and
    the name of a child are asked of the registers and the child's own row."""
    appointments = await rows.find(session, Appointment, Appointment.person_id == person_id)
    booked = select(Appointment.slot_id).where(Appointment.person_id == person_id)
    slots = {slot.id: slot for slot in await rows.find(session, Slot, Slot.id.in_(booked))}
    appeals = select(Appeal.id).where(Appeal.person_id == person_id)
    reminded = select(Appointment.id).where(Appointment.person_id == person_id)

    async def told(table: type[Status | Declaration | Appeal | ManualChange | Check]) -> list[dict[str, Any]]:
        return await rows.told_all(session, table, table.person_id == person_id, without=_OWN)

    return {
        "status": await told(Status),
        "declarations": await told(Declaration),
        "appeals": await told(Appeal),
        "changes": await told(ManualChange),
        "appointments": [
            rows.told(each, without=_OWN)
            | {
                "site": slots[each.slot_id].site_zh,
                "startsAt": rows.plain(slots[each.slot_id].starts_at),
                "endsAt": rows.plain(slots[each.slot_id].ends_at),
            }
            for each in appointments
        ],
        "checks": await told(Check),
        "children": await rows.told_all(
            session, Guardian, Guardian.guardian_id == person_id, without={"guardian_id"}
        ),
        "guardians": await rows.told_all(
            session, Guardian, Guardian.person_id == person_id, without={"person_id", "guardian_id"}
        ),
        "notices": await outbox.told_about(session, appeals.union_all(reminded)),
    }


WORDS = {
    "status": Words("当前健康码", "Colour as decided last"),
    "declarations": Words("健康申报", "Declarations"),
    "appeals": Words("申诉", "Appeals"),
    "changes": Words("人工更正", "Corrections by hand"),
    "appointments": Words("接种预约", "Appointments"),
    "checks": Words("被查验记录", "Checks"),
    "children": Words("我的孩子（内部编号）", "My children (internal ids)"),
    "guardians": Words("监护人核实记录", "When a guardian was proved"),
    "colour": Words("颜色", "Colour"),
    "rules": Words("规则版本", "Version of the rules"),
    "golden": Words("金边", "Gold edge"),
    "reminder": Words("提示", "Reminder"),
    "negativeAt": Words("阴性检测时间", "Negative test at"),
    "decidedAt": Words("判定时间", "Decided at"),
    "askedAt": Words("查询时间", "Asked at"),
    "facts": Words("当日判定依据", "What the colour was judged by that day"),
    "said": Words("申报内容", "What was declared"),
    "evidence": Words("证据", "Evidence"),
    "answeredAt": Words("答复时间", "Answered at"),
    "answer": Words("答复", "Answer"),
    "appealId": Words("申诉（内部编号）", "Appeal (internal id)"),
    "aside": Words("不适用的规则", "Rules set aside"),
    "proposedAt": Words("提出时间", "Proposed at"),
    "slotId": Words("时段（内部编号）", "Hours (internal id)"),
    "cancelledAt": Words("取消时间", "Cancelled at"),
    "site": Words("接种点", "Site"),
    "startsAt": Words("开始", "From"),
    "endsAt": Words("结束", "To"),
    "minute": Words("分钟序号", "Minute"),
    "terminalId": Words("终端（内部编号）", "Terminal (internal id)"),
    "isOffline": Words("离线核验", "Offline"),
    "provedAt": Words("核实时间", "Proved at"),
    "personId": Words("内部编号", "Internal id"),
}
