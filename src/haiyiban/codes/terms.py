"""How long codes and their verifications are kept."""

from __future__ import annotations

from haiyiban.codes import capsules
from haiyiban.codes.models import Consent, Verification
from haiyiban.codes.offline_records import OfflineBatch, OfflineVerification
from haiyiban.codes.printed import Printed
from haiyiban.errors import Words
from haiyiban.terms import Term

TERMS = (
    capsules.TERM,
    Term(
        data_class="codes.printed",
        what=Words("证照打印件上的码", "Codes on printed certificates"),
        tables=(Printed,),
        kept=Words("与证照同期", "as long as the certificate"),
        why=Words("打印件须可长期核验", "A printed certificate can be verified for years"),
    ),
    Term(
        data_class="codes.verifications",
        what=Words("核验记录和授权", "Verifications, and what their holders allowed"),
        tables=(Verification, Consent, OfflineBatch, OfflineVerification),
        kept=Words("与审计日志同期，至少三年", "as long as the audit, three years at least"),
        why=Words(
            "是个人信息访问记录，本人可查（个人信息保护法 第45条、第55条；docs/domain.md 第13节）",
            "The log of who saw whose data, which the person reads (PIPL, art. 45, 55; domain.md §13)",
        ),
    ),
)
