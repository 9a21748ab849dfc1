"""The audit is never deleted; what leads from it to a person is."""

from __future__ import annotations

from haiyiban.audit.models import AuditCheckpoint, AuditLeaf, AuditRecord, AuditSubject, AuditTile
from haiyiban.errors import Words
from haiyiban.terms import YEAR, Ending, Term

TERMS = (
    Term(
        data_class="audit.log",
        what=Words("审计日志及其封存", "The audit and its seals"),
        tables=(AuditRecord, AuditLeaf, AuditTile, AuditCheckpoint),
        kept=Words("永久，不删改", "for good, and never changed"),
        why=Words(
            "审计记录须防删除（GB/T 22239-2019），以代号记人，不含内容；"
            "个人信息访问记录至少三年，网络日志至少六个月",
            "It is protected from deletion (GB/T 22239-2019) and holds pseudonyms, no contents. Access to "
            "personal data three years at least, network logs six months",
        ),
    ),
    Term(
        data_class="audit.pseudonyms",
        what=Words("审计中的代号与本人的对应", "Whose pseudonym in the audit is whose"),
        tables=(AuditSubject,),
        kept=Words(
            "注销账号后 3 年；没有账号的人，与其其他数据同期",
            "3 years after the account was closed; of who has none, as long as something else of theirs",
        ),
        why=Words(
            "本人凭此查看谁访问过其信息（个人信息保护法 第45条）；注销后日志还须能对应到人（网络安全法 2016 "
            "第21条第三项不少于六个月，个人信息访问记录三年），此后不再需要（个人信息保护法 第19条）",
            "By it somebody reads who looked at their data (PIPL, art. 45). After an account ended, logs "
            "are somebody's for a time (Cybersecurity Law 2016, art. 21(3), six months at least; access to "
            "personal data, three years), and no longer (PIPL, art. 19)",
        ),
        ending=Ending(table=AuditSubject, since=AuditSubject.retired_at, after=3 * YEAR),
    ),
)
