"""Acting for others (委托代办): a delegation says who, for whom, which matters, until when and how often.

Agreed by both sides, ended by either at once. Nothing else in the system lets one person act for another.
Source: docs/domain.md §0 (六个一), §1.6, §13; docs/acting-for-others.md.
"""

from haiyiban.delegations.about import WORDS, about
from haiyiban.delegations.access import Actor, in_force, taken, taken_by
from haiyiban.delegations.controllers import DelegationsController
from haiyiban.delegations.desk_controllers import AGENT_ROLE, DeskDelegationsController
from haiyiban.delegations.leaving import forget, in_the_way
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.rules import Basis
from haiyiban.delegations.terms import TERMS
from haiyiban.errors import Words
from haiyiban.zone import Zone

zone = Zone(
    name="delegations",
    title=Words("委托代办", "Acting for others"),
    controllers=(DelegationsController, DeskDelegationsController),
    terms=TERMS,
    about=about,
    about_words=WORDS,
    in_the_way=in_the_way,
    forget=forget,
)

__all__ = ["AGENT_ROLE", "Actor", "Basis", "Delegation", "in_force", "taken", "taken_by", "zone"]
