"""Who may see and change which certificates: the one place where rows are filtered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, divisions
from haiyiban.certificates.models import Certificate
from haiyiban.certificates.rules import Status
from haiyiban.errors import NotFound, Words
from haiyiban.identity.callers import StaffCaller


class CertificateMissing(NotFound):
    """No such certificate, or it is somebody else's."""

    type = "certificates/not-found"
    title = Words("没有找到这份证照", "There is no such certificate")


def of_keeper(person_id: UUID) -> ColumnElement[bool]:
    """The certificates that a person may show: their own, and those of children they are guardian of."""
    return Certificate.keeper_id == person_id


def of_person(person_id: UUID) -> ColumnElement[bool]:
    """The certificates that a person may read: those they keep, and those that speak of them."""
    return (Certificate.keeper_id == person_id) | (Certificate.holder_id == person_id)


def of_staff(caller: StaffCaller) -> ColumnElement[bool]:
    """The certificates of a clerk's own agency, in the clerk's division and below."""
    return (Certificate.agency == caller.agency) & Certificate.division.in_(
        divisions.subtree(caller.division)
    )


async def kept(session: AsyncSession, certificate_id: UUID, person_id: UUID) -> Certificate:
    """A certificate that this person may show. Raises CertificateMissing."""
    return await _one(
        session, select(Certificate).where(Certificate.id == certificate_id, of_keeper(person_id))
    )


async def own(session: AsyncSession, certificate_id: UUID, person_id: UUID) -> Certificate:
    """A certificate that this person may read. Raises CertificateMissing."""
    return await _one(
        session, select(Certificate).where(Certificate.id == certificate_id, of_person(person_id))
    )


async def of_desk(session: AsyncSession, certificate_id: UUID, caller: StaffCaller) -> Certificate:
    """A certificate that this clerk looks after. Raises CertificateMissing."""
    return await _one(session, select(Certificate).where(Certificate.id == certificate_id, of_staff(caller)))


async def for_change(session: AsyncSession, certificate_id: UUID) -> Certificate:
    """A certificate, locked until the end of the transaction. Raises CertificateMissing."""
    query = select(Certificate).where(Certificate.id == certificate_id)
    return await _one(session, query.with_for_update().execution_options(populate_existing=True))


async def in_force(
    session: AsyncSession, person_id: UUID, types: Collection[str], *, today: date
) -> Sequence[Certificate]:
    """The certificates of these types that a person may read and that hold today, the newest first; at most
    fifty, which is more than anybody chooses from."""
    rows = await session.scalars(
        select(Certificate)
        .where(
            of_person(person_id),
            Certificate.type.in_(types),
            Certificate.status == Status.VALID,
            Certificate.valid_from <= today,
            Certificate.valid_until.is_(None) | (Certificate.valid_until >= today),
        )
        .order_by(Certificate.id.desc())
        .limit(50)
    )
    return rows.all()


async def by_ref(session: AsyncSession, ref: int) -> Certificate | None:
    """The certificate of a row number that a code carries."""
    found: Certificate | None = await session.scalar(select(Certificate).where(Certificate.ref == ref))
    return found


async def successor(session: AsyncSession, certificate: Certificate) -> UUID | None:
    """The version that corrects this one, if there is one."""
    found: UUID | None = await session.scalar(
        select(Certificate.id).where(Certificate.supersedes_id == certificate.id)
    )
    return found


async def record_look(session: AsyncSession, certificate: Certificate, person_id: UUID) -> None:
    """Record a guardian's look at a child's certificate, which is a look at another person's data."""
    if certificate.holder_id == person_id:
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


async def _one(session: AsyncSession, query: Select[Certificate]) -> Certificate:
    certificate: Certificate | None = await session.scalar(query)
    if certificate is None:
        raise CertificateMissing
    return certificate
