"""What a decision brings about: the certificate that the matter issues, and what its handler does."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import certificates
from haiyiban.cases.handlers import handler_of
from haiyiban.cases.models import Case
from haiyiban.forms import MISSING, get
from haiyiban.matters import catalogue


async def carry_out(session: AsyncSession, case: Case, *, now: datetime) -> UUID | None:
    """The effects of an approval or a denial. Returns the certificate that was issued, if any."""
    handler = handler_of(case.matter)
    if handler is not None:
        return await handler.decided(session, case, now=now)
    matter = catalogue().version(case.matter, case.matter_version)
    if matter.issues is None or case.outcome != "approved":
        return None
    assert case.subject_id is not None, "what was handed in is about somebody"
    claims = {
        name: value
        for name, pointer in matter.claims.items()
        if (value := get(case.form, pointer)) is not MISSING
    }
    certificate = await certificates.issue(
        session,
        matter.issues,
        holder_id=case.subject_id,
        keeper_id=case.applicant_id,
        claims=claims,
        case_id=case.id,
        agency=case.agency,
        division=case.division,
        now=now,
    )
    return certificate.id


async def take_back(session: AsyncSession, case: Case, certificate_id: UUID | None, *, now: datetime) -> None:
    """A decision that was undone leaves no valid certificate behind, and nothing that its handler did."""
    if certificate_id is not None:
        await certificates.revoke(session, certificate_id, reason="审批决定已撤回", now=now)
    handler = handler_of(case.matter)
    if handler is not None:
        await handler.undone(session, case, now=now)
