"""How long cases between two provinces are kept."""

from __future__ import annotations

from haiyiban.errors import Words
from haiyiban.terms import Term
from services.cross_province.models import Alert, CrossCase, Incoming, Outgoing, Step

TERMS = (
    Term(
        data_class="cross-province.cases",
        what=Words("跨省通办件及双方签名的往来报文", "Cases in other provinces, with the signed messages"),
        tables=(CrossCase, Step, Alert, Incoming, Outgoing),
        kept=Words(
            "与办件档案同期，由办理部门处置", "as long as the case's archive; the agency disposes of it"
        ),
        why=Words(
            "行政机关在办理中形成的材料依法归档（档案法 第13条）；两省各持同一签名记录",
            "What an agency's work brings about is archived (Archives Law, art. 13); both provinces hold the "
            "same signed record",
        ),
    ),
)
