"""Who looked at what is mine: every verification of my codes and every look at my data by others (访问记录).

It stands above all that it tells of: the audit knows the act, the verification its place, the catalogue what
an agency and a matter are called.

Source: schemas/codes/README.md §5 "the holder's side"; docs/domain.md §13.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.audit.models import AuditLeaf, AuditRecord, AuditSubject
from haiyiban.certificates.models import Certificate
from haiyiban.codes.models import Consent, Verification
from haiyiban.delegations import Delegation
from haiyiban.errors import NotFound, Words
from haiyiban.verifiers.models import Verifier

OTHERS = ("verifier", "staff")
"""A resident reaches another's data under a delegation only, which its record names; the system's own doings
are nobody's look."""


class RecordMissing(NotFound):
    """No record of this number, or one that is about somebody else."""

    type = "audit/record-not-found"
    title = Words("没有找到这条记录", "There is no such record")


class Entry(NamedTuple):
    """An audit record, and what stands behind it where it is a verification."""

    record: AuditRecord
    verification: Verification | None
    type: str | None
    """Of the certificate that the code showed."""
    type_version: int | None
    verifier: Verifier | None
    consent: Consent | None
    """What the holder answered, where asked and answered."""
    delegation: Delegation | None
    """Under which somebody acted for the person."""
    number: int | None
    """In the audit's log, once it is sealed."""


async def of_person(
    session: AsyncSession,
    person_id: UUID,
    account_id: UUID | None,
    *,
    after: UUID | None,
    limit: int,
    certificate_id: UUID | None = None,
) -> list[Entry]:
    """The acts of others on a person's data, and on that of children whose certificates the person keeps;
    newest first. `account_id`: the person's own, whose acts are left out; an enterprise has none.
    `certificate_id`: the looks at this certificate alone, without its making."""
    query = (
        select(
            AuditRecord,
            Verification,
            Certificate.type,
            Certificate.type_version,
            Verifier,
            Consent,
            Delegation,
            AuditLeaf.seq,
        )
        .outerjoin(
            Verification,
            and_(AuditRecord.object_kind == "verification", Verification.id == AuditRecord.object_id),
        )
        .outerjoin(Consent, Consent.verification_id == Verification.id)
        .outerjoin(
            Certificate,
            Certificate.id == func.coalesce(Consent.certificate_id, Verification.certificate_id),
        )
        .outerjoin(Verifier, Verifier.id == AuditRecord.actor_id)
        .outerjoin(Delegation, Delegation.id == AuditRecord.delegation_id)
        .outerjoin(AuditLeaf, AuditLeaf.record_id == AuditRecord.id)
        .where(
            AuditRecord.subject.in_(_pseudonyms(person_id)),
            AuditRecord.actor_kind.in_(OTHERS) | AuditRecord.delegation_id.is_not(None),
            AuditRecord.actor_id.is_distinct_from(account_id),
        )
        .order_by(AuditRecord.id.desc())
        .limit(limit)
    )
    if certificate_id is not None:
        looked_at = and_(AuditRecord.object_kind == "certificate", AuditRecord.object_id == certificate_id)
        query = query.where(
            (Certificate.id == certificate_id) | looked_at, AuditRecord.action != "certificates.issue"
        )
    if after is not None:
        query = query.where(AuditRecord.id < after)
    return [Entry._make(row) for row in (await session.execute(query)).all()]


async def require_own(session: AsyncSession, record_id: UUID, person_id: UUID) -> None:
    """That a record is about the person, or a child whose certificates the person keeps. Raises
    RecordMissing."""
    query = select(AuditRecord.id).where(
        AuditRecord.id == record_id, AuditRecord.subject.in_(_pseudonyms(person_id))
    )
    if await session.scalar(query) is None:
        raise RecordMissing


def _pseudonyms(person_id: UUID) -> Select[UUID]:
    concerned = select(Certificate.holder_id).where(Certificate.keeper_id == person_id).distinct()
    return select(AuditSubject.pseudonym).where(
        (AuditSubject.person_id == person_id) | AuditSubject.person_id.in_(concerned)
    )
