"""Who may see and do what in an enterprise: whoever has a role in it that is in force."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import context
from haiyiban.delegations import Actor, Basis, Delegation
from haiyiban.delegations import access as delegations
from haiyiban.enterprises.register import EnterpriseUnknown
from haiyiban.errors import NotAllowed, NotFound, Words


class RepresentativeOnly(NotAllowed):
    """Roles are given and ended by the legal representative."""

    type = "enterprises/representative-only"
    title = Words("只有法定代表人可以授权和解除", "Only the legal representative gives and ends roles")


class RoleMissing(NotFound):
    """No such role in this enterprise."""

    type = "enterprises/role-not-found"
    title = Words("没有找到这项授权", "There is no such role")


async def role_of(session: AsyncSession, enterprise_id: UUID, person_id: UUID, *, today: date) -> Delegation:
    """The role of a person in an enterprise; the representative's before any other.

    What is recorded from here on says on whose behalf it is done. Raises EnterpriseUnknown.
    """
    role = await session.scalar(
        select(Delegation)
        .where(
            delegations.taken_by(Actor(person_id)),
            delegations.in_force(today),
            Delegation.giver_id == enterprise_id,
            Delegation.role.is_not(None),
        )
        .order_by((Delegation.basis == Basis.REPRESENTATIVE).desc(), Delegation.id.desc())
        .limit(1)
    )
    if role is None:
        raise EnterpriseUnknown
    context.current().delegation_id = role.id
    return role


async def require_representative(
    session: AsyncSession, enterprise_id: UUID, person_id: UUID, *, today: date
) -> Delegation:
    """The same, for what the representative alone may do. Raises EnterpriseUnknown, RepresentativeOnly."""
    role = await role_of(session, enterprise_id, person_id, today=today)
    if role.basis != Basis.REPRESENTATIVE:
        raise RepresentativeOnly
    return role
