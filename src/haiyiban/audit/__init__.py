"""Who did what to whom, which fields, why, when, from where, with what outcome (审计).

Records are written in the transaction that they record. They name people by a pseudonym and fields by
name, never by value: destroying the pseudonym makes them say nothing about a person. A sealer numbers them
and signs what the log holds, so that nobody can change one afterwards without it being found.
Source: docs/domain.md §13; docs/audit.md; docs/decisions/0026-the-audit-is-a-log-that-others-can-check.md.
"""

from haiyiban.audit.commands import audit
from haiyiban.audit.controllers import AuditController
from haiyiban.audit.metrics import UNSEALED
from haiyiban.audit.scale import LOADS
from haiyiban.audit.sealing import SEAL
from haiyiban.audit.service import Act, enrol, record, record_all, record_each, refused, retire
from haiyiban.audit.terms import TERMS
from haiyiban.errors import Words
from haiyiban.zone import Zone

zone = Zone(
    name="audit",
    title=Words("审计", "Audit"),
    controllers=(AuditController,),
    tasks=(SEAL,),
    metrics=(UNSEALED,),
    terms=TERMS,
    scale=LOADS,
    commands=(audit,),
)

__all__ = ["Act", "enrol", "record", "record_all", "record_each", "refused", "retire", "zone"]
