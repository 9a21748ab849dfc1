"""The audit is never deleted."""

from __future__ import annotations

from haiyiban.audit.models import AuditCheckpoint, AuditLeaf, AuditRecord, AuditSubject, AuditTile
from haiyiban.errors import Words
from haiyiban.terms import Term

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
        kept=Words("与该人的其他数据同期", "as long as something else that is kept is the person's"),
        why=Words(
            "本人凭此查看谁访问过其信息（个人信息保护法 第45条）",
            "By it somebody reads who looked at their data (PIPL, art. 45)",
        ),
    ),
)
