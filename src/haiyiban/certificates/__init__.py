"""Electronic certificates (电子证照): what an authority states about a person, with its identifier, its
versions, its status and its printable document.

Types are data (`schemas/certificates`). Claims are encrypted at rest.
Source: docs/domain.md §4.
"""

from haiyiban.certificates.access import CertificateMissing, by_ref, kept, of_keeper
from haiyiban.certificates.controllers import CertificatesController
from haiyiban.certificates.desk_controllers import DeskCertificatesController
from haiyiban.certificates.identifiers import Identifier
from haiyiban.certificates.models import Certificate
from haiyiban.certificates.rules import NotInForce, Status, status_on
from haiyiban.certificates.service import InvalidClaims, correct, issue, reinstate, revoke, suspend
from haiyiban.certificates.types import CertificateType, Issuer, UnknownCertificateType, type_of
from haiyiban.errors import Words
from haiyiban.zone import Zone

zone = Zone(
    name="certificates",
    title=Words("电子证照", "Certificates"),
    controllers=(CertificatesController, DeskCertificatesController),
)

__all__ = [
    "Certificate",
    "CertificateMissing",
    "CertificateType",
    "Identifier",
    "InvalidClaims",
    "Issuer",
    "NotInForce",
    "Status",
    "UnknownCertificateType",
    "by_ref",
    "correct",
    "issue",
    "kept",
    "of_keeper",
    "reinstate",
    "revoke",
    "status_on",
    "suspend",
    "type_of",
    "zone",
]
