"""The signed document of a certificate, with its printed code.

It is served from here because a certificate knows nothing of codes.
"""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from litestar import Controller, Response, get
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import certificates, clock
from haiyiban.audit import proving
from haiyiban.certificates import Certificate, CertificateMissing, DocumentsNotSigned, PrintedCode, document
from haiyiban.clock import local_date
from haiyiban.codes.drawing import qr_svg
from haiyiban.codes.printed import printed_text
from haiyiban.codes.signing import code_keys
from haiyiban.db import database
from haiyiban.errors import NotSignedIn
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import problems

log = logging.getLogger(__name__)


class DocumentController(Controller):
    """Certificates on paper and as files."""

    path = "/certificates"
    tags = ["certificates"]
    guards = [resident(Level.L3)]

    @get(
        "/{certificate_id:uuid}/document",
        summary="Print a certificate",
        operation_id="certificatesDocument",
        media_type="application/pdf",
        response_headers=[ResponseHeader(name="Content-Disposition", documentation_only=True)],
        responses=problems(CertificateMissing, NotSignedIn, StepUpNeeded, DocumentsNotSigned),
    )
    async def document(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], certificate_id: FromPath[UUID]
    ) -> Response[bytes]:
        """The certificate as a page of PDF, signed (PAdES) and with a code to scan. One that does not hold
        any more says so in red. The signature is stamped (B-LT) unless the time-stamping authority is away.
        """
        person = request.user.person_id
        assert person is not None, "the guard lets nobody in without a person"
        certificate, answer = await signed_document(certificate_id, person, now=clock.now())
        await certificates.record_look(session, certificate, person)
        return answer


async def signed_document(
    certificate_id: UUID, person_id: UUID, *, now: datetime
) -> tuple[Certificate, Response[bytes]]:
    """The document of a certificate that this person may read, with the certificate; the caller records it.

    Raises CertificateMissing, DocumentsNotSigned.
    """
    # A transaction of its own, over before the time-stamping authority is asked.
    async with database().transaction() as before:
        certificate = await certificates.own(before, certificate_id, person_id)
        sealed = await proving.of_act(
            before,
            ("certificates.issue", "certificates.correct"),
            subject=certificate.holder_id,
            object_kind="certificate",
            object_id=certificate.id,
        )
        text = await printed_text(before, certificate, keys=code_keys(now), now=now)
    status = certificates.status_on(certificate.status, certificate.valid_until, today=local_date(now))
    code = PrintedCode(text, qr_svg(text))
    signed = await document.make(certificate, status=status, code=code, sealed=sealed, now=now)
    log.info("document signed: %s", signed.level)
    name = f"{certificate.type}-v{certificate.version}.pdf"
    answer = Response(
        signed.pdf,
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )
    return certificate, answer
