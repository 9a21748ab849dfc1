"""Notices (告知): what people are told by SMS at each step of what concerns them.

A notice is promised in the transaction that causes it and sent by the worker (haiyiban.outbox). Its text
carries no full name and no document number, for a phone lies about and numbers are issued again.
"""

from haiyiban.errors import Words
from haiyiban.notices.leaving import forget
from haiyiban.notices.service import Told, tell_person, tell_persons, tell_phone
from haiyiban.notices.tasks import REPAIR, SEND
from haiyiban.notices.terms import TERMS
from haiyiban.zone import Zone

zone = Zone(name="notices", title=Words("告知", "Notices"), tasks=(SEND, REPAIR), terms=TERMS, forget=forget)

__all__ = ["Told", "tell_person", "tell_persons", "tell_phone", "zone"]
