"""Certificates over HTTP, for the people who keep them."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, get
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.certificates import access, document, views
from haiyiban.certificates.access import CertificateMissing
from haiyiban.certificates.models import Certificate
from haiyiban.certificates.rules import Status, status_on
from haiyiban.errors import Malformed, NotSignedIn
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import Page, after_cursor, cursor_of, page_limit, problems


class CertificatesController(Controller):
    """My certificates (电子证照), and those of children I am guardian of."""

    path = "/certificates"
    tags = ["certificates"]
    guards = [resident(Level.L3)]

    @get(summary="My certificates", responses=problems(Malformed, NotSignedIn, StepUpNeeded))
    async def mine(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[views.CertificateSummary]:
        """Newest first. Versions that a correction replaced are left out; they can still be read by id."""
        size = page_limit(limit)
        person = _person(request)
        query = (
            select(Certificate)
            .where(access.of_person(person), Certificate.status != Status.SUPERSEDED)
            .order_by(Certificate.id.desc())
        )
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Certificate.id < after)
        rows = list(await session.scalars(query.limit(size + 1)))
        for certificate in rows[:size]:
            await _record_look(session, certificate, person)
        today = clock.today()
        return Page(
            items=[views.summary(certificate, today=today) for certificate in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @get(
        "/{certificate_id:uuid}",
        summary="Read a certificate",
        responses=problems(CertificateMissing, NotSignedIn, StepUpNeeded),
    )
    async def read(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], certificate_id: FromPath[UUID]
    ) -> views.CertificateRead:
        """In full, with its metadata. What is not one's own is not found."""
        certificate = await access.own(session, certificate_id, _person(request))
        await _record_look(session, certificate, _person(request))
        successor = await access.successor(session, certificate)
        return views.read(certificate, successor=successor, today=clock.today())

    @get(
        "/{certificate_id:uuid}/document",
        summary="Print a certificate",
        media_type="application/pdf",
        response_headers=[ResponseHeader(name="Content-Disposition", documentation_only=True)],
        responses=problems(CertificateMissing, NotSignedIn, StepUpNeeded),
    )
    async def document(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], certificate_id: FromPath[UUID]
    ) -> Response[bytes]:
        """The certificate as a page of PDF; one that does not hold any more says so in red."""
        certificate = await access.own(session, certificate_id, _person(request))
        await _record_look(session, certificate, _person(request))
        status = status_on(certificate.status, certificate.valid_until, today=clock.today())
        return Response(
            await document.render(certificate, status=status, now=clock.now()),
            media_type="application/pdf",
            headers={
                "Content-Disposition": f'inline; filename="{certificate.type}-v{certificate.version}.pdf"',
            },
        )


async def _record_look(session: AsyncSession, certificate: Certificate, person: UUID) -> None:
    """A guardian's look at a child's certificate is a look at another person's data."""
    if certificate.holder_id == person:
        return
    await audit.record(
        session,
        "certificates.read",
        subject=certificate.holder_id,
        object_kind="certificate",
        object_id=certificate.id,
        fields=sorted(certificate.claims),
        reason=certificate.type,
    )


def _person(request: ResidentRequest) -> UUID:
    person = request.user.person_id
    assert person is not None, "the guard lets nobody in without a person"
    return person
