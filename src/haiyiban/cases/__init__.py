"""Cases (办件): one application for a matter, from draft to outcome, for every matter alike (一张审批网)."""

from haiyiban.cases import counted, tasks
from haiyiban.cases.about import WORDS, about
from haiyiban.cases.access_log_controller import AccessLogController, EnterpriseAccessLogController
from haiyiban.cases.certificates_controller import CaseCertificatesController
from haiyiban.cases.controllers import CasesController
from haiyiban.cases.decision_controllers import CaseDecisionController, DeskDecisionController
from haiyiban.cases.desk_controllers import DeskController
from haiyiban.cases.errands_controller import ErrandsController
from haiyiban.cases.leaving import forget, in_the_way
from haiyiban.cases.ledger_controller import LedgerController
from haiyiban.cases.materials import stored, sweep
from haiyiban.cases.materials_controllers import CaseFilesController, DeskFilesController
from haiyiban.cases.models import Case
from haiyiban.cases.publishing import decide as decide_by_publication
from haiyiban.cases.seed import seed
from haiyiban.cases.terms import TERMS
from haiyiban.cases.tracking_controller import TrackingController
from haiyiban.errors import Words
from haiyiban.zone import Task, Zone

zone = Zone(
    name="cases",
    title=Words("办件", "Cases"),
    controllers=(
        CasesController,
        CaseCertificatesController,
        CaseDecisionController,
        CaseFilesController,
        DeskFilesController,
        DeskDecisionController,
        DeskController,
        ErrandsController,
        LedgerController,
        TrackingController,
        AccessLogController,
        EnterpriseAccessLogController,
    ),
    tasks=(
        Task(name="cases.lapse", run=tasks.lapse, schedule="* * * * *"),
        Task(name="cases.resume", run=tasks.resume, schedule="* * * * *"),
        Task(name="cases.deem", run=tasks.deem, schedule="*/5 * * * *"),
        Task(name="cases.close", run=tasks.close, schedule="*/10 * * * *"),
        Task(name="cases.sweep-files", run=sweep, schedule="43 2 * * *"),
        Task(name="cases.ask_again", run=tasks.ask_again, schedule="* * * * * */10"),
    ),
    tallies=counted.TALLIES,
    terms=TERMS,
    seed=seed,
    objects=stored,
    about=about,
    about_words=WORDS,
    in_the_way=in_the_way,
    forget=forget,
)

__all__ = ["Case", "decide_by_publication", "zone"]
