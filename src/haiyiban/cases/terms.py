"""How long cases are kept: drafts for half a year, what was handed in as an archive."""

from __future__ import annotations

from datetime import timedelta

from haiyiban.cases.models import Case, CaseEvent, CaseFile, Rating, Suspension
from haiyiban.errors import Words
from haiyiban.terms import Ending, Term

TERMS = (
    Term(
        data_class="cases.cases",
        what=Words(
            "提交过的办件及其材料、办理过程、评价", "Cases that were handed in: files, timeline, rating"
        ),
        tables=(Case, CaseEvent, CaseFile, Suspension, Rating),
        kept=Words(
            "永久、30 年或 10 年，按办理部门的档案保管期限表，由部门移交或销毁",
            "for good, 30 or 10 years by the agency's table of archives; the agency hands over or destroys",
        ),
        why=Words(
            "行政机关在办理中形成的材料依法归档（档案法 第13条；国家档案局令第8号）",
            "What an agency's work brings about is archived (Archives Law, art. 13; State Archives decree 8)",
        ),
    ),
    Term(
        data_class="cases.drafts",
        what=Words("从未提交的草稿及其材料", "Drafts that were never handed in, with their files"),
        tables=(),
        kept=Words("最后修改后 180 天", "180 days after they were changed last"),
        why=Words(
            "没有办理目的，不再保存（个人信息保护法 第19条、第47条）；材料文件随后由清扫任务删除",
            "Nothing is to be decided by them (PIPL, art. 19, 47); the files' bytes follow by the sweep",
        ),
        ending=Ending(
            table=Case,
            since=Case.updated_at,
            after=timedelta(days=180),
            only=Case.number.is_(None),
            along=(CaseEvent.case_id, CaseFile.case_id, Suspension.case_id, Rating.case_id),
        ),
    ),
)
