"""Who somebody is and how sure we are: accounts, persons, sessions, staff, assurance levels.

Source: docs/domain.md §1; docs/decisions/.
"""

from haiyiban.errors import Words
from haiyiban.identity.about import WORDS, about
from haiyiban.identity.auth_controller import AuthController
from haiyiban.identity.me_controller import MeController
from haiyiban.identity.scale import LOADS
from haiyiban.identity.seed import seed
from haiyiban.identity.staff_desk import StaffDeskController
from haiyiban.identity.terms import TERMS
from haiyiban.zone import Zone

zone = Zone(
    name="identity",
    title=Words("身份", "Identity"),
    controllers=(AuthController, MeController, StaffDeskController),
    terms=TERMS,
    seed=seed,
    scale=LOADS,
    about=about,
    about_words=WORDS,
)
