"""Who did what to whom, which fields, why, when, from where, with what outcome (审计).

Records are written in the transaction that they record. They name people by a pseudonym and fields by
name, never by value: destroying the pseudonym makes them say nothing about a person.
Source: docs/domain.md §13; design of the sealed log: docs/decisions/.
"""

from haiyiban.audit.service import Act, enrol, record, record_all, refused
from haiyiban.errors import Words
from haiyiban.zone import Zone

zone = Zone(name="audit", title=Words("审计", "Audit"))

__all__ = ["Act", "enrol", "record", "record_all", "refused", "zone"]
