"""How long is kept what the register says of enterprises."""

from __future__ import annotations

from haiyiban.enterprises.models import Enterprise
from haiyiban.errors import Words
from haiyiban.terms import Term

TERMS = (
    Term(
        data_class="enterprises.enterprises",
        what=Words("企业登记信息", "What the register says of an enterprise"),
        tables=(Enterprise,),
        kept=Words("与该企业的办件和证照同期", "as long as the enterprise's cases and certificates"),
        why=Words(
            "登记信息依法公示（企业信息公示暂行条例 第6条），办件须能对应到企业",
            "The register is public by law (企业信息公示暂行条例, art. 6), and a case must be somebody's",
        ),
    ),
)
