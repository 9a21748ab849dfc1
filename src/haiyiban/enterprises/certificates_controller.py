"""Certificates that belong to an enterprise, over HTTP, to whoever has a role in it."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, certificates, clock
from haiyiban.certificates import Certificate, CertificateMissing, DocumentsNotSigned, Status
from haiyiban.certificates import views as certificate_views
from haiyiban.codes import kinds, showing
from haiyiban.codes.certificate_kind import CertificateNotValid
from haiyiban.codes.document_controller import signed_document
from haiyiban.codes.kinds import Wanted
from haiyiban.codes.signing import code_keys
from haiyiban.db import database
from haiyiban.delegations import Actor
from haiyiban.enterprises import access
from haiyiban.enterprises.register import EnterpriseUnknown
from haiyiban.enterprises.wire import EnterpriseCodeCreate, EnterpriseCodeRead
from haiyiban.errors import Malformed, NotSignedIn
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import Page, after_cursor, cursor_of, page_limit, problems


class EnterpriseCertificatesController(Controller):
    """An enterprise's certificates: its business licence (电子营业执照) and its permits."""

    path = "/enterprises/{enterprise_id:uuid}"
    tags = ["enterprises"]
    guards = [resident(Level.L3)]

    @get(
        "/certificates",
        summary="An enterprise's certificates",
        responses=problems(EnterpriseUnknown, Malformed, NotSignedIn, StepUpNeeded),
    )
    async def certificates(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        enterprise_id: FromPath[UUID],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[certificate_views.CertificateSummary]:
        """Newest first; versions that a correction replaced are left out."""
        size = page_limit(limit)
        await access.role_of(session, enterprise_id, Actor.of(request.user).id, today=clock.today())
        query = (
            select(Certificate)
            .where(Certificate.keeper_id == enterprise_id, Certificate.status != Status.SUPERSEDED)
            .order_by(Certificate.id.desc())
        )
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Certificate.id < after)
        rows = list(await session.scalars(query.limit(size + 1)))
        for certificate in rows[:size]:
            await _record_look(session, certificate)
        today = clock.today()
        return Page(
            items=[certificate_views.summary(certificate, today=today) for certificate in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @get(
        "/certificates/{certificate_id:uuid}/document",
        summary="Print an enterprise's certificate",
        media_type="application/pdf",
        response_headers=[ResponseHeader(name="Content-Disposition", documentation_only=True)],
        responses=problems(
            EnterpriseUnknown, CertificateMissing, NotSignedIn, StepUpNeeded, DocumentsNotSigned
        ),
    )
    async def document(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        enterprise_id: FromPath[UUID],
        certificate_id: FromPath[UUID],
    ) -> Response[bytes]:
        """As `GET /certificates/{id}/document`."""
        async with database().reading() as look:
            await access.role_of(look, enterprise_id, Actor.of(request.user).id, today=clock.today())
        certificate, document = await signed_document(certificate_id, enterprise_id, now=clock.now())
        await _record_look(session, certificate)
        return document

    @post(
        "/codes",
        status_code=201,
        summary="Show an enterprise's certificate",
        responses=problems(
            EnterpriseUnknown, CertificateMissing, CertificateNotValid, NotSignedIn, StepUpNeeded
        ),
    )
    async def show(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        enterprise_id: FromPath[UUID],
        data: JSONBody[EnterpriseCodeCreate],
    ) -> EnterpriseCodeRead:
        """A code good for 60 seconds and one use, such as of the licence on an inspector's visit."""
        now = clock.now()
        await access.role_of(session, enterprise_id, Actor.of(request.user).id, today=clock.today())
        certificate = await certificates.kept(session, data.certificate_id, enterprise_id)
        kind = kinds.named("certificate")
        found = await kinds.find(kind, Wanted(enterprise_id, certificate.id, now))
        shown = showing.show(kind, found, keys=code_keys(now), now=now)
        await _record_look(session, certificate)
        return EnterpriseCodeRead(id=shown.id, text=shown.text, expires_at=shown.expires_at)


async def _record_look(session: AsyncSession, certificate: Certificate) -> None:
    """Whoever acts for an enterprise looks at what is not their own."""
    await audit.record(
        session,
        "certificates.read",
        subject=certificate.holder_id,
        object_kind="certificate",
        object_id=certificate.id,
        fields=sorted(certificate.claims),
        reason=certificate.type,
    )
