"""Codes as the platform runs them: operations, kinds, tasks and commands."""

from haiyiban.codes import trust_commands, verify_command
from haiyiban.codes.about import WORDS, about
from haiyiban.codes.batch_controller import BatchController
from haiyiban.codes.certificate_commands import certificate
from haiyiban.codes.certificate_kind import CERTIFICATE
from haiyiban.codes.challenge_controller import ChallengeController
from haiyiban.codes.consent_controller import ConsentController, MyConsentsController
from haiyiban.codes.controllers import SHOWN, CodeController
from haiyiban.codes.document_controller import DocumentController
from haiyiban.codes.double_uses import DoubleUseController
from haiyiban.codes.events_controller import CodeEventsController
from haiyiban.codes.identity_kind import IDENTITY
from haiyiban.codes.leaving import forget
from haiyiban.codes.list_controllers import DenyListController, StatusListController, TrustListController
from haiyiban.codes.metrics import METRICS
from haiyiban.codes.presentation_controller import PresentationController
from haiyiban.codes.printed import printed_text
from haiyiban.codes.terms import TERMS
from haiyiban.codes.verification_controller import VerificationController
from haiyiban.errors import Words
from haiyiban.tallies import Tally
from haiyiban.zone import Zone

zone = Zone(
    name="codes",
    title=Words("亮证码", "Codes"),
    terms=TERMS,
    metrics=METRICS,
    code_kinds=(CERTIFICATE, IDENTITY),
    commands=(certificate, trust_commands.trust, verify_command.verify),
    tallies=(
        Tally(name=SHOWN),
        Tally(
            name="codes.verified",
            query="SELECT '', '', count(*) FROM codes_verification WHERE id >= :first AND id < :past "
            "HAVING count(*) > 0",
        ),
    ),
    controllers=(
        BatchController,
        ChallengeController,
        CodeController,
        CodeEventsController,
        ConsentController,
        DenyListController,
        DocumentController,
        DoubleUseController,
        MyConsentsController,
        PresentationController,
        StatusListController,
        TrustListController,
        VerificationController,
    ),
    about=about,
    about_words=WORDS,
    forget=forget,
)

__all__ = ["printed_text", "zone"]
