"""Certificates over HTTP, for the clerks of the agency that issued them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.certificates import access, service, views
from haiyiban.certificates.access import CertificateMissing
from haiyiban.certificates.models import Certificate
from haiyiban.certificates.rules import NotInForce
from haiyiban.certificates.service import InvalidClaims
from haiyiban.errors import FieldError, Malformed, NotAllowed, NotSignedIn, Problem, Words
from haiyiban.forms import merge_patch
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.wire import Input, Page, after_cursor, cursor_of, page_limit, problems

_REASON_LEAST = 4
_REASON_MOST = 200

Reason = Annotated[str, msgspec.Meta(description="Why, for the keeper to read; 4 to 200 characters")]


class InvalidReason(Problem):
    """The keeper is owed a reason."""

    type = "certificates/invalid-reason"
    title = Words("请写明原因，供持证人查看", "Please give the reason, which the keeper will read")


class CertificateCorrection(Input):
    """What the corrected version states."""

    claims: dict[str, Any]
    """A merge patch (RFC 7396) over what the certificate states: only what changes, or all of it."""
    reason: Reason


class CertificateStep(Input):
    """Why a certificate is revoked, suspended or reinstated."""

    reason: Reason


class DeskCertificatesController(Controller):
    """Certificates that my agency issued, in my division and below."""

    path = "/desk/certificates"
    tags = ["desk"]
    guards = [staff("clerk", "officer")]

    @get(summary="Certificates of my agency", responses=problems(Malformed, NotSignedIn, NotAllowed))
    async def issued(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        number: FromQuery[str | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[views.DeskCertificateSummary]:
        """Newest first; with `number`, the one of that identifier. Each name that is shown is recorded."""
        size = page_limit(limit)
        query = select(Certificate).where(access.of_staff(request.user)).order_by(Certificate.id.desc())
        if number is not None:
            query = query.where(Certificate.identifier == number.strip())
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Certificate.id < after)
        rows = list(await session.scalars(query.limit(size + 1)))
        for certificate in rows[:size]:
            await _record_look(session, certificate, "list", fields=["name"])
        today = clock.today()
        return Page(
            items=[views.desk_summary(certificate, today=today) for certificate in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @get(
        "/{certificate_id:uuid}",
        summary="Read a certificate",
        responses=problems(NotSignedIn, NotAllowed, CertificateMissing),
    )
    async def read(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], certificate_id: FromPath[UUID]
    ) -> views.DeskCertificateRead:
        """In full. The look is recorded."""
        return await _shown(session, await access.of_desk(session, certificate_id, request.user))

    @post(
        "/{certificate_id:uuid}/correction",
        status_code=201,
        summary="Correct a certificate",
        responses=problems(
            NotSignedIn, NotAllowed, CertificateMissing, NotInForce, InvalidClaims, InvalidReason
        ),
    )
    async def correct(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        certificate_id: FromPath[UUID],
        data: JSONBody[CertificateCorrection],
    ) -> views.DeskCertificateRead:
        """The next version under the same serial; the old one ends in the same step."""
        old = await access.of_desk(session, certificate_id, request.user)
        claims = merge_patch(old.claims, data.claims)
        assert isinstance(claims, dict), "an object is merged into an object"
        certificate = await service.correct(
            session, old.id, claims=claims, reason=_reason(data.reason), now=clock.now()
        )
        return await _shown(session, certificate)

    @post(
        "/{certificate_id:uuid}/revocation",
        status_code=200,
        summary="Revoke a certificate",
        responses=problems(NotSignedIn, NotAllowed, CertificateMissing, NotInForce, InvalidReason),
    )
    async def revoke(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        certificate_id: FromPath[UUID],
        data: JSONBody[CertificateStep],
    ) -> views.DeskCertificateRead:
        """For good."""
        certificate = await access.of_desk(session, certificate_id, request.user)
        await service.revoke(session, certificate.id, reason=_reason(data.reason), now=clock.now())
        return await _shown(session, certificate)

    @post(
        "/{certificate_id:uuid}/suspension",
        status_code=200,
        summary="Suspend a certificate",
        responses=problems(NotSignedIn, NotAllowed, CertificateMissing, NotInForce, InvalidReason),
    )
    async def suspend(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        certificate_id: FromPath[UUID],
        data: JSONBody[CertificateStep],
    ) -> views.DeskCertificateRead:
        """Until it is reinstated."""
        certificate = await access.of_desk(session, certificate_id, request.user)
        await service.suspend(session, certificate.id, reason=_reason(data.reason), now=clock.now())
        return await _shown(session, certificate)

    @post(
        "/{certificate_id:uuid}/reinstatement",
        status_code=200,
        summary="Reinstate a certificate",
        responses=problems(NotSignedIn, NotAllowed, CertificateMissing, NotInForce, InvalidReason),
    )
    async def reinstate(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        certificate_id: FromPath[UUID],
        data: JSONBody[CertificateStep],
    ) -> views.DeskCertificateRead:
        """Ends a suspension."""
        certificate = await access.of_desk(session, certificate_id, request.user)
        await service.reinstate(session, certificate.id, reason=_reason(data.reason), now=clock.now())
        return await _shown(session, certificate)


async def _shown(session: AsyncSession, certificate: Certificate) -> views.DeskCertificateRead:
    """The certificate to its clerk; after a step it is a look like any other."""
    await _record_look(session, certificate, "read", fields=sorted(certificate.claims))
    return views.desk_read(certificate, today=clock.today())


async def _record_look(
    session: AsyncSession, certificate: Certificate, verb: str, *, fields: list[str]
) -> None:
    await audit.record(
        session,
        f"certificates.{verb}",
        subject=certificate.holder_id,
        object_kind="certificate",
        object_id=certificate.id,
        fields=fields,
        reason=certificate.type,
    )


def _reason(given: str) -> str:
    """A reason that says something. Raises InvalidReason."""
    reason = given.strip()
    if not _REASON_LEAST <= len(reason) <= _REASON_MOST:
        raise InvalidReason(
            errors=[FieldError("/reason", Words("请填写 4 到 200 个字", "Give 4 to 200 characters"))]
        )
    return reason
