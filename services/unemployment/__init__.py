"""Unemployment benefit (失业保险金): the estimate, the application, the grant and its payments.

Source: docs/domain.md §7; docs/unemployment.md.
"""

from haiyiban.errors import Words
from haiyiban.zone import Zone
from services.unemployment.about import WORDS, about
from services.unemployment.controllers import UnemploymentController
from services.unemployment.handler import MoveHandler, UnemploymentBenefitHandler
from services.unemployment.leaving import forget, in_the_way
from services.unemployment.move_controllers import MovesController, MovesDeskController
from services.unemployment.payments.controllers import PaymentsController
from services.unemployment.payments.desk_controllers import PaymentsDeskController
from services.unemployment.payments.tasks import TASKS
from services.unemployment.terms import TERMS

zone = Zone(
    name="unemployment",
    title=Words("失业保险", "Unemployment benefit"),
    controllers=(
        UnemploymentController,
        PaymentsController,
        PaymentsDeskController,
        MovesController,
        MovesDeskController,
    ),
    handlers={
        "employment.unemployment-benefit": UnemploymentBenefitHandler(),
        "employment.unemployment-transfer": MoveHandler(),
    },
    tasks=TASKS,
    terms=TERMS,
    about=about,
    about_words=WORDS,
    in_the_way=in_the_way,
    forget=forget,
)

__all__ = ["zone"]
