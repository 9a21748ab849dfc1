"""What of delegations stands in the way of closing an account, what ends with it, and what stays (注销)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.delegations import access, ending
from haiyiban.delegations.access import Actor
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.rules import State
from haiyiban.errors import Words
from haiyiban.zone import InTheWay, Kept


async def in_the_way(session: AsyncSession, person_id: UUID) -> list[InTheWay]:
    """For `Zone.in_the_way`: those in force, given and taken. Roles in enterprises are theirs to name."""
    found = await session.scalars(
        select(Delegation)
        .where(access.of_either(Actor(person_id)), access.in_force(clock.today()), Delegation.role.is_(None))
        .order_by(Delegation.id)
    )
    return [
        InTheWay(
            Words(f"您委托他人代办，有效至 {each.until}", f"Somebody acts for you until {each.until}")
            if each.giver_id == person_id
            else Words(f"您正为他人代办，有效至 {each.until}", f"You act for somebody until {each.until}"),
            Words("请在「委托代办」中结束这份委托", "End it under “Acting for others”"),
            "/me/delegations",
        )
        for each in found
    ]


async def forget(session: AsyncSession, person_id: UUID) -> list[Kept]:
    """For `Zone.forget`: offers that wait for an answer end, and the other side is told."""
    mine = access.of_either(Actor(person_id))
    found = await session.scalars(select(Delegation).where(mine, Delegation.ended_at.is_(None)))
    for delegation in found.all():
        if access.state_on(delegation, clock.today()) in {State.AWAITS_TAKER, State.AWAITS_GIVER}:
            await ending.end(session, delegation.id, Actor(person_id), now=clock.now())
    if await session.scalar(select(Delegation.id).where(mine).limit(1)) is None:
        return []
    return [
        Kept(
            Words("已结束的委托记录", "Delegations that ended"),
            Words("委托结束后三年", "three years after their end"),
            Words(
                "代办行为的效力发生争议时须有凭据（民法典 第165条、第188条）",
                "They prove who might act for whom (Civil Code, art. 165, 188)",
            ),
        )
    ]
