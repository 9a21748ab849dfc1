"""How long the health code keeps what it knows of people."""

from __future__ import annotations

from datetime import date, timedelta

from haiyiban.errors import Words
from haiyiban.terms import Ending, Term
from services.health_code import checks
from services.health_code.models import Appeal, Appointment, Declaration, Guardian, ManualChange, Status
from services.health_code.standards import standards


def _declared_for(day: date) -> timedelta:
    return timedelta(days=standards().on(day).declaration_days)


TERMS = (
    checks.TERM,
    Term(
        data_class="health-code.declarations",
        what=Words("健康申报", "Health declarations"),
        tables=(Declaration,),
        kept=Words(
            "申报后若干天，按当日有效的标准（目前为 14 天）", "days by the dated standard, now 14 days"
        ),
        why=Words(
            "规则只看这些天内的申报，此后无目的（个人信息保护法 第19条）",
            "The rules look at the declarations of these days and no earlier ones (PIPL, art. 19)",
        ),
        ending=Ending(table=Declaration, since=Declaration.at, after=_declared_for),
    ),
    Term(
        data_class="health-code.statuses",
        what=Words(
            "健康码颜色、申诉、更正、预约、监护关系", "Colours, appeals, corrections, appointments, guardians"
        ),
        tables=(Status, Appeal, ManualChange, Appointment, Guardian),
        kept=Words(
            "至注销账号；服务停止时由 haiyiban end-zone 全部删除",
            "until the account is closed; all of it goes by haiyiban end-zone when the service ends",
        ),
        why=Words(
            "服务存续期间决定并可申诉颜色所需；服务停止即无目的（个人信息保护法 第47条）",
            "A colour is decided and appealed by them while the service lasts, and not after (PIPL, art. 47)",
        ),
    ),
)
