"""Certificates over HTTP, for the people who keep them."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.certificates import access, portraits, views
from haiyiban.certificates.access import CertificateMissing
from haiyiban.certificates.models import Certificate
from haiyiban.certificates.rules import Status
from haiyiban.certificates.signer import DocumentsNotSigned, document_signer
from haiyiban.errors import Malformed, NotFound, NotSignedIn, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import Page, after_cursor, cursor_of, page_limit, problems


class NoListHere(NotFound):
    """The authority publishes its revocation list itself; the signer's certificate says where."""

    type = "certificates/no-revocation-list"
    title = Words(
        "吊销列表由签发机构自行公布，地址见签名证书",
        "The authority publishes its revocation list itself; the signer's certificate says where",
    )


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
            await access.record_look(session, certificate, person)
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
        await access.record_look(session, certificate, _person(request))
        successor = await access.successor(session, certificate)
        return views.read(certificate, successor=successor, today=clock.today())

    @get(
        "/{certificate_id:uuid}/portrait",
        summary="The portrait of a certificate's holder",
        media_type="image/png",
        responses=problems(
            CertificateMissing,
            NotSignedIn,
            StepUpNeeded,
            portraits.CertificatePortraitMissing,
            portraits.CertificatePortraitUnavailable,
        ),
    )
    async def portrait(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], certificate_id: FromPath[UUID]
    ) -> Response[bytes]:
        """A PNG or JPEG, from the register that the certificate rests on, as it is asked for: show it while
        the person looks and keep nothing. Of another person only a child's, and that look is recorded. Where
        the register is away (503) the certificate stands all the same.
        """
        found = await portraits.fetch(session, certificate_id, _person(request), now=clock.now())
        return Response(found.image, media_type=found.media_type, headers=_NEVER_STORED)


class DocumentAuthorityController(Controller):
    """Whom the signatures of documents are checked against."""

    path = "/document-authority"
    tags = ["certificates"]

    @get(
        "/roots",
        summary="Roots of documents",
        media_type="application/x-pem-file",
        responses=problems(DocumentsNotSigned),
    )
    async def roots(self) -> Response[bytes]:
        """The roots that lead to whoever signs and stamps our documents (PEM), for a PDF reader to trust."""
        return Response(document_signer(clock.now()).roots_pem, media_type="application/x-pem-file")

    @get(
        "/crl",
        summary="Revoked signers of documents",
        media_type="application/pkix-crl",
        responses=problems(DocumentsNotSigned, NoListHere),
    )
    async def crl(self) -> Response[bytes]:
        """The revocation list of the authority over our signers (RFC 5280, DER), where it is kept here."""
        lists = document_signer(clock.now()).crls
        if not lists:
            raise NoListHere
        return Response(lists[0].dump(), media_type="application/pkix-crl")


def _person(request: ResidentRequest) -> UUID:
    person = request.user.person_id
    assert person is not None, "the guard lets nobody in without a person"
    return person


_NEVER_STORED = {"Cache-Control": "no-store", "Content-Disposition": "inline"}
