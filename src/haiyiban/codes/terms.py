"""How long codes and their verifications are kept."""

from __future__ import annotations

from haiyiban.codes import capsules
from haiyiban.codes.models import Consent, Verification
from haiyiban.codes.offline_records import OfflineBatch, OfflineVerification
from haiyiban.codes.printed import Printed
from haiyiban.errors import Words
from haiyiban.terms import YEAR, Ending, Term

_KEPT = 3 * YEAR
_LOG_OF_ACCESSES = Words(
    "个人信息访问记录保存三年，本人可查（个人信息保护法 第45条；网络日志不少于六个月：网络安全法 2016 "
    "第21条第三项），此后不再需要（个人信息保护法 第19条）；审计中的封存记录只有代号",
    "The log of who saw whose data is kept for three years, and the person reads it (PIPL, art. 45; network "
    "logs six months at least: Cybersecurity Law 2016, art. 21(3)); needed no longer (PIPL, art. 19). The "
    "sealed record in the audit has a pseudonym alone",
)

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
        tables=(Verification, Consent, OfflineVerification),
        kept=Words("核验后 3 年", "3 years after the verification"),
        why=_LOG_OF_ACCESSES,
        ending=Ending(
            table=Verification,
            since=Verification.at,
            after=_KEPT,
            # An offline verification has the id of its row among all.
            along=(Consent.verification_id, OfflineVerification.id),
        ),
    ),
    Term(
        data_class="codes.offline-batches",
        what=Words("终端上传的离线核验批次", "Uploads of offline verifications"),
        tables=(OfflineBatch,),
        kept=Words(
            "上传后 3 年，与其中的核验同期", "3 years after they came, with the verifications in them"
        ),
        why=_LOG_OF_ACCESSES,
        ending=Ending(table=OfflineBatch, since=OfflineBatch.received_at, after=_KEPT),
    ),
)
