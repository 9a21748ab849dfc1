"""How long certificates are kept."""

from __future__ import annotations

from haiyiban.certificates.models import Certificate
from haiyiban.errors import Words
from haiyiban.terms import Term

TERMS = (
    Term(
        data_class="certificates.certificates",
        what=Words("电子证照", "Certificates"),
        tables=(Certificate,),
        kept=Words(
            "至失效且发证机关归档期满，由发证机关处置",
            "until they end and their authority's archive term is over; the authority disposes of them",
        ),
        why=Words(
            "是发证机关的文书，与纸质证照同效（国务院令第716号 第10条；档案法 第13条）",
            "Their authority's documents, with the force of paper (State Council decree 716, art. 10; "
            "Archives Law, art. 13)",
        ),
    ),
)
