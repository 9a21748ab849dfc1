"""Writing down what the register says: the enterprise, its licence, and whose role it has ended.

A legal representative's role lasts for as long as the register names them. The one before loses it in the
transaction in which we learn of it, and is told.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, certificates
from haiyiban.clock import local_date
from haiyiban.credit_codes import CREDIT_CODE
from haiyiban.delegations import Basis, Delegation, ending
from haiyiban.enterprises.models import Enterprise
from haiyiban.enterprises.register import IN_BUSINESS, Registered
from haiyiban.identity import persons
from haiyiban.identity.models import Person

LICENCE = "business-licence"


async def keep(session: AsyncSession, registered: Registered, *, now: datetime) -> Enterprise:
    """The enterprise as registered, locked until the end of the transaction."""
    person = await persons.find_or_create(
        session, registered.name, id_number=registered.code, id_type=CREDIT_CODE
    )
    # Two who sign in at once write one after the other.
    await session.execute(select(Person.id).where(Person.id == person.id).with_for_update())
    await persons.rename(session, person, registered.name)
    enterprise = await session.get(Enterprise, person.id, populate_existing=True)
    if enterprise is None:
        enterprise = Enterprise(id=person.id)
        session.add(enterprise)
    elif enterprise.checked_at > registered.as_of:
        # Somebody asked later than we did and was answered first.
        return enterprise
    enterprise.kind = registered.kind
    enterprise.division = registered.division
    enterprise.status = registered.status
    enterprise.registered_on = registered.registered_on
    enterprise.term_until = registered.term_until
    enterprise.checked_at = registered.as_of
    await session.flush()
    await audit.record(
        session,
        "registers.read",
        subject=person.id,
        object_kind="enterprise",
        object_id=person.id,
        fields=registered.fields,
        reason="enterprises: market_entity",
    )
    await _end_former(session, enterprise, registered, now=now)
    return enterprise


async def forget(session: AsyncSession, enterprise_id: UUID, *, as_of: datetime, now: datetime) -> None:
    """The register no longer knows the enterprise: nobody represents it any more."""
    enterprise = await session.get_one(Enterprise, enterprise_id, with_for_update=True)
    enterprise.status = "unregistered"
    enterprise.checked_at = as_of
    role = await representative(session, enterprise_id)
    if role is not None:
        await ending.refute(session, role.id, now=now)


async def representative(session: AsyncSession, enterprise_id: UUID) -> Delegation | None:
    """The role of its legal representative, if one has signed in for it."""
    found: Delegation | None = await session.scalar(
        select(Delegation).where(
            Delegation.giver_id == enterprise_id,
            Delegation.basis == Basis.REPRESENTATIVE,
            Delegation.ended_at.is_(None),
        )
    )
    return found


async def _end_former(
    session: AsyncSession, enterprise: Enterprise, registered: Registered, *, now: datetime
) -> None:
    role = await representative(session, enterprise.id)
    if role is None or role.taker_id is None:
        return
    known = await persons.by_id_number(session, registered.representative_number)
    if known is None or known.id != role.taker_id:
        await ending.refute(session, role.id, now=now)


async def issue_licence(
    session: AsyncSession, enterprise: Enterprise, registered: Registered, *, now: datetime
) -> None:
    """The business licence as a certificate (电子营业执照), as the register has it now."""
    is_over = registered.term_until is not None and registered.term_until < local_date(now)
    if registered.status != IN_BUSINESS or is_over:
        return
    claims = _claims(registered)
    if enterprise.certificate_id is not None:
        held = await certificates.kept(session, enterprise.certificate_id, enterprise.id)
        if held.status != certificates.Status.VALID or held.claims == claims:
            return
        corrected = await certificates.correct(
            session,
            held.id,
            claims=claims,
            reason="市场主体登记信息变更",
            valid_until=registered.term_until,
            now=now,
        )
        enterprise.certificate_id = corrected.id
        return
    issued = await certificates.issue(
        session,
        LICENCE,
        holder_id=enterprise.id,
        keeper_id=enterprise.id,
        claims=claims,
        case_id=None,
        valid_until=registered.term_until,
        division=registered.division,
        now=now,
    )
    enterprise.certificate_id = issued.id


def _claims(registered: Registered) -> dict[str, str]:
    claims = {
        "name": registered.name,
        "creditCode": registered.code,
        "kind": registered.kind,
        "representative": registered.representative_name,
        "address": registered.address,
        "division": registered.division,
        "registeredOn": registered.registered_on.isoformat(),
    }
    if registered.term_until is not None:
        claims["termUntil"] = registered.term_until.isoformat()
    return claims
