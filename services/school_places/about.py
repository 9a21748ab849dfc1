"""What school places keep of a person: the child's part in each draw, what came of it, and what followed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import rows
from haiyiban.cases import Case
from haiyiban.errors import Words
from services.school_places.afterwards_models import Answer, Appeal, LateApplication, Waiting
from services.school_places.models import Application, RollEntry, School

_COMPARED = {"child_id", "home", "guardians", "standing"}
"""Blind indexes, and what the roll ranks by, whose words are in the explanation."""


async def about(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """For `Zone.about`: of the cases that the person opened and of the draws that they are in as a child."""
    cases = select(Case.id).where((Case.applicant_id == person_id) | (Case.subject_id == person_id))
    mine = (RollEntry.child_id == person_id) | RollEntry.case_id.in_(cases)
    entries = select(RollEntry.id).where(mine)
    schools = {school.id: school.name for school in await rows.find(session, School)}

    def told(row: Any) -> dict[str, Any]:
        named = {"school": schools[row.school_id]} if getattr(row, "school_id", None) else {}
        return named | rows.told(row, without=_COMPARED)

    async def of_entries(table: type[Answer | Waiting | Appeal]) -> list[dict[str, Any]]:
        return [told(row) for row in await rows.find(session, table, table.entry_id.in_(entries))]

    return {
        "applications": await rows.told_all(
            session, Application, Application.case_id.in_(cases), without=_COMPARED
        ),
        "places": [told(row) for row in await rows.find(session, RollEntry, mine)],
        "answers": await of_entries(Answer),
        "waitingLists": await of_entries(Waiting),
        "appeals": await of_entries(Appeal),
        "lateApplications": await rows.told_all(
            session, LateApplication, LateApplication.case_id.in_(cases), without={"permitted_by"}
        ),
    }


WORDS = {
    "applications": Words("学位申请", "Applications"),
    "places": Words("抽签与录取", "Draw and result"),
    "answers": Words("对学位的答复", "Answers"),
    "waitingLists": Words("候补", "Waiting lists"),
    "appeals": Words("申诉", "Appeals"),
    "lateApplications": Words("逾期补报", "Leave to hand in late"),
    "enrolmentId": Words("招生批次（内部编号）", "Enrolment (internal id)"),
    "runId": Words("派位（内部编号）", "Draw (internal id)"),
    "entryId": Words("派位记录（内部编号）", "Entry (internal id)"),
    "pseudonym": Words("公示代号", "Pseudonym in the public file"),
    "lottery": Words("抽签号", "Draw number"),
    "choice": Words("录取志愿（从 0 起）", "Choice (from 0)"),
    "school": Words("学校", "School"),
    "schoolId": Words("学校（内部编号）", "School (internal id)"),
    "explanation": Words("结果说明", "Explanation"),
    "position": Words("候补次序", "Position"),
    "rank": Words("类别", "Rank"),
    "offeredAt": Words("候补通知时间", "Offered at"),
    "answerBy": Words("答复截止", "Answer by"),
    "atStake": Words("涉及学校（内部编号）", "Schools at stake (internal ids)"),
    "filedAt": Words("提交时间", "Filed at"),
    "evidence": Words("证据", "Evidence"),
    "decision": Words("处理意见", "Decision"),
    "corrected": Words("更正的事实", "Facts as corrected"),
    "movedTo": Words("改录学校（内部编号）", "Moved to (internal id)"),
    "overCapacity": Words("超额安排", "Over capacity"),
    "permittedAt": Words("批准时间", "Permitted at"),
    "decidedAt": Words("决定时间", "Decided at"),
    "caseId": Words("办件（内部编号）", "Case (internal id)"),
}
