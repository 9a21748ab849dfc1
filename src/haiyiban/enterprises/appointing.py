"""Roles in an enterprise: its legal representative appoints somebody, who accepts, and ends it again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.clock import local_date
from haiyiban.delegations import Basis, Delegation, ending, making, rules, telling
from haiyiban.delegations.making import Terms
from haiyiban.delegations.rules import AdultsOnly, Role, ToOneself
from haiyiban.enterprises import access
from haiyiban.enterprises.access import RoleMissing
from haiyiban.errors import FieldError
from haiyiban.identity import persons


async def appoint(
    session: AsyncSession,
    enterprise_id: UUID,
    person_id: UUID,
    *,
    role: Role,
    taker_name: str,
    taker_number: str,
    terms: Terms,
    now: datetime,
) -> Delegation:
    """The representative's side; the taker accepts as of any delegation.

    Raises EnterpriseUnknown, RepresentativeOnly, ToOneself, AdultsOnly, InvalidDelegation, TextOutdated,
    TooManyOpen.
    """
    today = local_date(now)
    await access.require_representative(session, enterprise_id, person_id, today=today)
    taker = making.number_of(taker_number, at="/taker/idNumber", today=today)
    making.check(Basis.ENTERPRISE, terms, role=role, today=today)
    if (await persons.get(session, person_id)).id_number == taker.number:
        raise ToOneself(errors=[FieldError("/taker/idNumber", ToOneself.title)])
    if not rules.is_adult(taker.birth, today=today):
        raise AdultsOnly(errors=[FieldError("/taker/idNumber", AdultsOnly.title)])
    name = making.written(taker_name)
    person = await persons.find_or_create(session, name, id_number=taker.number)
    made = await making.make(
        session,
        Basis.ENTERPRISE,
        terms=terms,
        giver_id=enterprise_id,
        taker_id=person.id,
        giver_agreed=True,
        taker_agreed=False,
        role=role,
        now=now,
        taker_name=name,
    )
    await telling.tell_other(session, made, "delegations.offered", by="giver")
    return made


async def dismiss(
    session: AsyncSession, enterprise_id: UUID, person_id: UUID, *, role_id: UUID, now: datetime
) -> Delegation:
    """The representative ends a role, whoever had given it; a second time changes nothing.

    Raises EnterpriseUnknown, RepresentativeOnly, RoleMissing.
    """
    await access.require_representative(session, enterprise_id, person_id, today=local_date(now))
    role = await session.scalar(
        select(Delegation)
        .where(
            Delegation.id == role_id,
            Delegation.giver_id == enterprise_id,
            Delegation.basis == Basis.ENTERPRISE,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if role is None:
        raise RoleMissing
    await ending.end_as_giver(session, role, now=now)
    return role
