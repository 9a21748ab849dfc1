"""What of enterprises stands in the way of closing an account, and what ends with it (注销).

An appointed role is ended by either side, so it is ended first. A legal representative is who the register
says; they cannot end that here, so it must not keep their account open: their sign-in for the enterprise ends
with it, and whoever the register names may sign in for it again.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.delegations import Actor, Basis, Delegation, ending, in_force, taken_by
from haiyiban.errors import Words
from haiyiban.identity import persons
from haiyiban.zone import InTheWay, Kept


async def in_the_way(session: AsyncSession, person_id: UUID) -> list[InTheWay]:
    """For `Zone.in_the_way`: roles that a representative gave."""
    found = await session.scalars(
        select(Delegation)
        .where(
            taken_by(Actor(person_id)),
            in_force(clock.today()),
            Delegation.basis == Basis.ENTERPRISE,
        )
        .order_by(Delegation.id)
    )
    roles = found.all()
    names = await persons.of_ids(session, {role.giver_id for role in roles})
    return [_role(names[role.giver_id].name) for role in roles]


def _role(enterprise: str) -> InTheWay:
    return InTheWay(
        Words(f"您还是「{enterprise}」的经办人员", f"You still act for {enterprise}"),
        Words("请在「委托代办」中结束您在企业的身份", "End your role under “Acting for others”"),
        "/me/delegations",
    )


async def forget(session: AsyncSession, person_id: UUID) -> list[Kept]:
    """For `Zone.forget`: nobody is signed in as legal representative any more. Delegations say what stays."""
    found = await session.scalars(
        select(Delegation.id).where(
            taken_by(Actor(person_id)),
            Delegation.basis == Basis.REPRESENTATIVE,
            Delegation.ended_at.is_(None),
        )
    )
    for role in found.all():
        await ending.end(session, role, Actor(person_id), now=clock.now())
    return []
