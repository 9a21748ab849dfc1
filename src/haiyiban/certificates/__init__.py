"""Electronic certificates (电子证照): what an authority states about a person, with its identifier, its
versions, its status and its printable document.

Types are data (`schemas/certificates`). Claims are encrypted at rest.
Source: docs/domain.md §4.
"""

import asyncio

from haiyiban import clock
from haiyiban.certificates import demo_authority
from haiyiban.certificates.about import WORDS, about
from haiyiban.certificates.access import (
    CertificateMissing,
    by_ref,
    in_force,
    kept,
    of_keeper,
    own,
    record_look,
)
from haiyiban.certificates.controllers import CertificatesController, DocumentAuthorityController
from haiyiban.certificates.desk_controllers import DeskCertificatesController
from haiyiban.certificates.document import PrintedCode
from haiyiban.certificates.identifiers import Identifier
from haiyiban.certificates.leaving import forget
from haiyiban.certificates.metrics import SIGNING_REMAINING
from haiyiban.certificates.models import Certificate
from haiyiban.certificates.rules import NotInForce, Status, status_on
from haiyiban.certificates.service import (
    InvalidClaims,
    ToIssue,
    correct,
    issue,
    issue_all,
    reinstate,
    revoke,
    suspend,
)
from haiyiban.certificates.signer import DocumentsNotSigned
from haiyiban.certificates.terms import TERMS
from haiyiban.certificates.types import CertificateType, Issuer, UnknownCertificateType, type_of
from haiyiban.errors import Words
from haiyiban.settings import Settings
from haiyiban.zone import Zone


async def _seed() -> None:
    """The demo's own certificate authority; it needs the network for a moment."""
    await asyncio.to_thread(demo_authority.prepare, Settings.from_env(), now=clock.now())


zone = Zone(
    name="certificates",
    title=Words("电子证照", "Certificates"),
    controllers=(CertificatesController, DocumentAuthorityController, DeskCertificatesController),
    terms=TERMS,
    metrics=(SIGNING_REMAINING,),
    seed=_seed,
    about=about,
    about_words=WORDS,
    forget=forget,
)

__all__ = [
    "Certificate",
    "CertificateMissing",
    "CertificateType",
    "DocumentsNotSigned",
    "Identifier",
    "InvalidClaims",
    "Issuer",
    "NotInForce",
    "PrintedCode",
    "Status",
    "ToIssue",
    "UnknownCertificateType",
    "by_ref",
    "correct",
    "in_force",
    "issue",
    "issue_all",
    "kept",
    "of_keeper",
    "own",
    "record_look",
    "reinstate",
    "revoke",
    "status_on",
    "suspend",
    "type_of",
    "zone",
]
