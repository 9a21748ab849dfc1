"""Cross-province service (跨省通办) between independent deployments of this software.

Source: docs/domain.md §9; docs/cross-province.md.
"""

from haiyiban.errors import Words
from haiyiban.zone import Zone
from services.cross_province import commands
from services.cross_province.about import WORDS, about
from services.cross_province.controllers import CrossProvinceController
from services.cross_province.desk_controllers import CrossDeskController
from services.cross_province.exchange_controller import CrossExchangeController
from services.cross_province.joint import require_agreed
from services.cross_province.leaving import forget, in_the_way
from services.cross_province.medical_controller import MedicalController
from services.cross_province.tasks import TASKS
from services.cross_province.terms import TERMS

zone = Zone(
    name="cross-province",
    title=Words("跨省通办", "Cross-province service"),
    controllers=(CrossProvinceController, CrossExchangeController, CrossDeskController, MedicalController),
    tasks=TASKS,
    before_approval=require_agreed,
    commands=(commands.neighbours,),
    terms=TERMS,
    about=about,
    about_words=WORDS,
    in_the_way=in_the_way,
    forget=forget,
)

__all__ = ["zone"]
