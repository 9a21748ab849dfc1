"""How an enterprise looks to those who act for it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.delegations import Actor, Basis, Delegation
from haiyiban.delegations import access as delegations
from haiyiban.enterprises.models import Enterprise
from haiyiban.enterprises.wire import EnterpriseRead
from haiyiban.identity.models import Person

_MOST = 200


async def read(session: AsyncSession, role: Delegation) -> EnterpriseRead:
    """The enterprise of a role."""
    enterprise = await session.get_one(Enterprise, role.giver_id)
    return _one(enterprise, await session.get_one(Person, role.giver_id), role)


async def of_person(session: AsyncSession, person_id: UUID, *, today: date) -> list[EnterpriseRead]:
    """Every role of a person that is in force, newest first."""
    rows = await session.execute(
        select(Enterprise, Person, Delegation)
        .join(Person, Person.id == Enterprise.id)
        .join(Delegation, Delegation.giver_id == Enterprise.id)
        .where(
            delegations.taken_by(Actor(person_id)),
            delegations.in_force(today),
            Delegation.role.is_not(None),
        )
        .order_by(Delegation.id.desc())
        .limit(_MOST)
    )
    return [_one(*row) for row in rows]


def _one(enterprise: Enterprise, person: Person, role: Delegation) -> EnterpriseRead:
    assert role.role is not None, "a delegation of an enterprise has one"
    return EnterpriseRead(
        id=enterprise.id,
        name=person.name,
        credit_code=person.id_number,
        kind=enterprise.kind,
        division=enterprise.division,
        status=enterprise.status,
        registered_on=enterprise.registered_on,
        term_until=enterprise.term_until,
        checked_at=enterprise.checked_at,
        role=role.role,
        delegation=role.id,
        matters=None if role.basis == Basis.REPRESENTATIVE else role.matters,
        until=role.until,
    )
