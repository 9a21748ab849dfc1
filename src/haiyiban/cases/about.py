"""What cases keep of a person: their cases with form, facts, timeline and files, and who looked."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import outbox, rows
from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.cases import access_log
from haiyiban.cases.access_log_controller import AccessRead
from haiyiban.cases.models import Case, CaseEvent, CaseFile, Rating, Suspension
from haiyiban.errors import Words
from haiyiban.identity import accounts
from haiyiban.matters import catalogue

_LOOKS_AT_ONCE = 1000
_OF_A_CASE: dict[str, tuple[type[CaseEvent | CaseFile | Rating | Suspension], set[str]]] = {
    "events": (CaseEvent, {"case_id", "by_id", "before"}),
    "files": (CaseFile, {"case_id"}),
    "suspensions": (Suspension, {"case_id"}),
    "ratings": (Rating, {"case_id"}),
}
"""Kind → its table, and the columns that say nothing to the person: `before` is for an undo."""


async def about(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """For `Zone.about`. Of a case that somebody else opened about this person, such as a parent, that it is
    there and how it stands: its form is the applicant's."""
    applicant = Case.applicant_id == person_id
    mine = select(Case.id).where(applicant)
    beside: dict[UUID, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for kind, (table, without) in _OF_A_CASE.items():
        for row in await rows.find(session, table, table.case_id.in_(mine)):
            beside[row.case_id][kind].append(rows.told(row, without=without))
    cases = await rows.find(session, Case, applicant)
    others = (Case.subject_id == person_id) & ~applicant
    return {
        "cases": [
            {"matterName": _name(case)}
            | rows.told(case, without={"applicant_id", "extension_asked_by"})
            | beside[case.id]
            for case in cases
        ],
        "casesAboutMe": [
            {"matterName": _name(case)}
            | {
                rows.camel(name): rows.plain(getattr(case, name))
                for name in ("id", "number", "state", "submitted_at", "outcome")
            }
            for case in await rows.find(session, Case, others)
        ],
        "accessLog": await _looks(session, person_id),
        "ownActs": await _own_acts(session, person_id),
        "notices": await outbox.told_about(session, mine),
    }


def _name(case: Case) -> str:
    return catalogue().version(case.matter, case.matter_version).name.zh


async def _looks(session: AsyncSession, person_id: UUID) -> list[dict[str, Any]]:
    account = await accounts.of_person(session, person_id)
    looks: list[dict[str, Any]] = []
    after = None
    while True:
        found = await access_log.of_person(
            session,
            person_id,
            account.id if account is not None else None,
            after=after,
            limit=_LOOKS_AT_ONCE,
        )
        looks += [_look(entry) for entry in found]
        if len(found) < _LOOKS_AT_ONCE:
            return looks
        after = found[-1].record.id


def _look(entry: access_log.Entry) -> dict[str, Any]:
    read = AccessRead.of(entry, "zh-CN")
    told = {name: getattr(read, name) for name in _TOLD_OF_A_LOOK}
    answer = {rows.camel(name): rows.plain(value) for name, value in told.items() if value is not None}
    if read.consent is not None:
        answer |= {"asked": read.consent.asked, "allowed": read.consent.allowed}
    return answer


_TOLD_OF_A_LOOK = (
    "id",
    "at",
    "who",
    "action",
    "what",
    "outcome",
    "fields",
    "purpose",
    "place",
    "received_at",
)


async def _own_acts(session: AsyncSession, person_id: UUID) -> list[dict[str, Any]]:
    """What the audit holds of the person's own doings, with the network address that it keeps of each."""
    pseudonym = select(AuditSubject.pseudonym).where(AuditSubject.person_id == person_id).scalar_subquery()
    found = await rows.find(
        session, AuditRecord, AuditRecord.subject == pseudonym, AuditRecord.actor_kind == "resident"
    )
    account = await accounts.of_person(session, person_id)
    return [
        {name: rows.plain(getattr(record, name)) for name in ("at", "action", "outcome", "address")}
        for record in found
        if account is not None and record.actor_id == account.id
    ]


WORDS = {
    "cases": Words("我的办件", "My cases"),
    "casesAboutMe": Words("他人为您申请的办件", "Cases that somebody opened about you"),
    "accessLog": Words("谁看过我的信息", "Who looked at my data"),
    "ownActs": Words("本人操作记录（审计）", "My own acts in the audit"),
    "events": Words("办理过程", "Timeline"),
    "files": Words("上传的材料", "Files"),
    "suspensions": Words("中止计时", "Days not counted"),
    "ratings": Words("评价", "Ratings"),
    "number": Words("编号", "Number"),
    "matter": Words("事项", "Matter"),
    "matterName": Words("事项名称", "Name of the matter"),
    "matterVersion": Words("事项版本", "Version of the matter"),
    "subjectId": Words("办理对象（内部编号）", "Whom it is about (internal id)"),
    "delegationId": Words("委托（内部编号）", "Delegation (internal id)"),
    "claim": Words("占用资格", "Holds"),
    "agency": Words("办理部门", "Agency"),
    "division": Words("行政区划", "Division"),
    "form": Words("表单内容", "Form"),
    "prefill": Words("预填来源", "Where fields come from"),
    "locked": Words("来自数据源的字段", "Fields of a register"),
    "facts": Words("数据源查询结果", "What the registers said"),
    "hasOpenFacts": Words("有待核实的数据", "Facts still open"),
    "disputes": Words("提出的异议", "What you disputed"),
    "choices": Words("可选儿童", "Children to choose from"),
    "findings": Words("审核提示", "Findings"),
    "commitment": Words("告知承诺", "Commitment"),
    "updatedAt": Words("更新时间", "Changed at"),
    "submittedAt": Words("提交时间", "Handed in at"),
    "acceptedOn": Words("受理日期", "Accepted on"),
    "promisedDueOn": Words("承诺办结日期", "Promised by"),
    "statutoryDueOn": Words("法定办结日期", "Due by law"),
    "dueProvisional": Words("期限待定", "Due date provisional"),
    "extendedDays": Words("延长天数", "Days of extension"),
    "resumeOn": Words("恢复日期", "Resumes on"),
    "deemedAfter": Words("默认延续日期", "Deemed renewed after"),
    "correctionDueAt": Words("补正截止", "Correct by"),
    "outcome": Words("结果", "Outcome"),
    "verb": Words("操作", "Act"),
    "byKind": Words("操作方", "By"),
    "note": Words("说明", "Note"),
    "items": Words("补正内容", "What to correct"),
    "detail": Words("详情", "Detail"),
    "material": Words("材料", "Material"),
    "mediaType": Words("格式", "Format"),
    "size": Words("字节数", "Bytes"),
    "beganOn": Words("开始", "Began"),
    "endedOn": Words("结束", "Ended"),
    "round": Words("第几次", "Round"),
    "score": Words("评分", "Score"),
    "reasons": Words("原因", "Reasons"),
    "comment": Words("评论", "Comment"),
    "who": Words("谁", "Who"),
    "what": Words("内容", "What"),
    "action": Words("操作", "Act"),
    "fields": Words("字段", "Fields"),
    "purpose": Words("用途", "Purpose"),
    "place": Words("地点", "Place"),
    "receivedAt": Words("收到时间", "Received at"),
    "asked": Words("要求出示", "Asked for"),
    "allowed": Words("同意出示", "Allowed"),
    "address": Words("网络地址", "Network address"),
    "notices": Words("短信通知（发出后不留正文）", "Notices (the text is not kept once sent)"),
}
