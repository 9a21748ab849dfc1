"""How long delegations are kept."""

from __future__ import annotations

from sqlalchemy import DateTime, case, cast, func

from haiyiban.clock import SHANGHAI
from haiyiban.delegations.models import Delegation, DelegationFaceCheck
from haiyiban.errors import Words
from haiyiban.terms import YEAR, Ending, Term

# Its last day included.
_LAST_DAY_OVER = func.timezone(SHANGHAI.key, cast(Delegation.until + 1, DateTime(timezone=False)))

TERMS = (
    Term(
        data_class="delegations.delegations",
        what=Words("委托及其实人核验记录", "Delegations and their face checks"),
        tables=(Delegation, DelegationFaceCheck),
        kept=Words(
            "结束后 3 年；据以办过件的，与办件同期",
            "3 years after their end; one that a case was opened under, as long as the case",
        ),
        why=Words(
            "代办行为的效力发生争议时须有凭据（民法典 第165条、第188条）",
            "They prove who might act for whom (Civil Code, art. 165, 188)",
        ),
        ending=Ending(
            table=Delegation,
            since=case((Delegation.ended_at < _LAST_DAY_OVER, Delegation.ended_at), else_=_LAST_DAY_OVER),
            after=3 * YEAR,
            along=(DelegationFaceCheck.delegation_id,),
        ),
    ),
)
