"""Verifiers (核验方): who may check codes, for which purposes, and how their systems sign in.

Purposes are data (`schemas/purposes`).
"""

from haiyiban.errors import Words
from haiyiban.verifiers.controllers import (
    PurposeController,
    VerifierDeskController,
    VerifierTokenController,
)
from haiyiban.verifiers.purposes import Purpose, UnknownPurpose, purpose
from haiyiban.verifiers.scale import LOADS
from haiyiban.verifiers.seed import seed
from haiyiban.verifiers.service import ClientSecret, accredit, add_client, new_secret
from haiyiban.verifiers.terminal_controller import TerminalController
from haiyiban.verifiers.terminal_desk import TerminalDeskController
from haiyiban.verifiers.terms import TERMS
from haiyiban.zone import Zone

zone = Zone(
    name="verifiers",
    title=Words("核验方", "Verifiers"),
    controllers=(
        VerifierTokenController,
        PurposeController,
        VerifierDeskController,
        TerminalDeskController,
        TerminalController,
    ),
    terms=TERMS,
    seed=seed,
    scale=LOADS,
)

__all__ = [
    "ClientSecret",
    "Purpose",
    "UnknownPurpose",
    "accredit",
    "add_client",
    "new_secret",
    "purpose",
    "zone",
]
