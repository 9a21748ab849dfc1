"""How long applications for school places and their draw are kept."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from haiyiban.cases import Case
from haiyiban.errors import Words
from haiyiban.terms import Ending, Term
from services.school_places.afterwards_models import Answer, Appeal, LateApplication, Waiting
from services.school_places.models import AllocationRun, Application, HomeUse, RollEntry

TERMS = (
    Term(
        data_class="school-places.places",
        what=Words(
            "学位申请、派位结果、候补和申诉", "Applications, results of the draw, waiting lists, appeals"
        ),
        tables=(Application, AllocationRun, RollEntry, Answer, Waiting, Appeal, LateApplication),
        kept=Words("与该学位办件的档案同期", "as long as the archive of the place's case"),
        why=Words(
            "公开抽签须可复核，结果是入学办件的一部分（档案法 第13条）",
            "A draw must stay open to checking; its result is part of the case (Archives Law, art. 13)",
        ),
    ),
    Term(
        data_class="school-places.unused-leave",
        what=Words("未使用的逾期申请许可", "Leave to apply late that was not used"),
        tables=(),
        kept=Words("准许后 180 天", "180 days after it was given"),
        why=Words(
            "草稿从未提交，许可随之失去目的（个人信息保护法 第19条）",
            "The draft was never handed in, and the leave goes with it (PIPL, art. 19)",
        ),
        ending=Ending(
            table=LateApplication,
            since=LateApplication.permitted_at,
            after=timedelta(days=180),
            only=LateApplication.case_id.in_(select(Case.id).where(Case.number.is_(None))),
        ),
    ),
    Term(
        data_class="school-places.home-uses",
        what=Words("住房与学年的对应（哈希）", "Which home was used in which year, hashed"),
        tables=(HomeUse,),
        kept=Words("与学位房年限核查同期", "as long as a home's earlier use is looked at"),
        why=Words(
            "同一住房若干年内只提供一个学位的核查所需（义务教育法 第12条就近入学及各市县招生规定）",
            "A home gives one place within some years, by the division's rules on enrolment (Compulsory "
            "Education Law, art. 12)",
        ),
    ),
)
