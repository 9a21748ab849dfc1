"""Health code (健康码): a colour by rules that everybody can read, and what stands beside it.

The rules are data (`schemas/zones/health_code`): `expressions` judges their conditions, `rules` decides,
`facts` says what is known of somebody. Source: docs/domain.md §5; docs/health-code.md.
"""

from haiyiban.errors import Words
from haiyiban.zone import Zone
from services.health_code import commands, recolouring, retention
from services.health_code.about import WORDS, about
from services.health_code.appeal_controllers import AppealController
from services.health_code.appointment_controllers import AppointmentController, SlotDeskController
from services.health_code.card_controllers import CardCheckController
from services.health_code.check_controllers import HealthCheckController
from services.health_code.children_controllers import ChildrenController
from services.health_code.code_kind import HEALTH
from services.health_code.controllers import HealthCodeController
from services.health_code.desk_controllers import HealthCodeDeskController
from services.health_code.leaving import forget
from services.health_code.recolouring_controllers import RecolouringController
from services.health_code.scale import LOADS
from services.health_code.seed import seed
from services.health_code.tasks import RECHECK
from services.health_code.terms import TERMS

zone = Zone(
    name="health-code",
    title=Words("健康码", "Health code"),
    controllers=(
        HealthCodeController,
        ChildrenController,
        AppealController,
        HealthCheckController,
        CardCheckController,
        HealthCodeDeskController,
        AppointmentController,
        SlotDeskController,
        RecolouringController,
    ),
    tasks=(RECHECK, recolouring.WORK),
    terms=TERMS,
    commands=(commands.health_code,),
    seed=seed,
    scale=LOADS,
    code_kinds=(HEALTH,),
    kept=retention.kept,
    delete_kept=retention.delete_all,
    about=about,
    about_words=WORDS,
    forget=forget,
)

__all__ = ["zone"]
