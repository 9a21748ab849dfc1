"""Who looked at what is mine: every verification of my codes and every look at my data by others (访问记录).

It stands above all that it tells of: the audit knows the act, the verification its place, the catalogue what
an agency and a matter are called.

Source: schemas/codes/README.md §5 "the holder's side"; docs/domain.md §13.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.certificates.models import Certificate
from haiyiban.codes.models import Consent, Verification
from haiyiban.delegations import Delegation
from haiyiban.verifiers.models import Verifier

OTHERS = ("verifier", "staff")
"""A resident reaches another's data under a delegation only, which its record names; the system's own doings
are nobody's look."""


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
    concerned = select(Certificate.holder_id).where(Certificate.keeper_id == person_id).distinct()
    pseudonyms = select(AuditSubject.pseudonym).where(
        (AuditSubject.person_id == person_id) | AuditSubject.person_id.in_(concerned)
    )
    query = (
        select(
            AuditRecord,
            Verification,
            Certificate.type,
            Certificate.type_version,
            Verifier,
            Consent,
            Delegation,
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
        .where(
            AuditRecord.subject.in_(pseudonyms),
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
