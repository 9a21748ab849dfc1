"""Opening a case under a delegation: once looked at before the registers are asked, once counted for good."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, context
from haiyiban.clock import local_date
from haiyiban.db import database
from haiyiban.delegations import access, ending, family, telling
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.rules import Basis, DelegationEnded, require_opening
from haiyiban.identity import persons


def require(delegation: Delegation, matter: str, *, now: datetime) -> None:
    """That a case for the matter may be opened under it as it stands.

    Raises NotInForce's kinds, DelegationUsedUp, MatterNotDelegated.
    """
    matters = None if delegation.basis == Basis.REPRESENTATIVE else delegation.matters
    require_opening(access.state_on(delegation, local_date(now)), matter, matters)


async def prove_again(delegation: Delegation, *, now: datetime) -> None:
    """What the registers showed must still be so when it is used: a guardian's child is asked about anew.

    A register that is away changes nothing. Raises DelegationEnded, and ends the delegation for good.
    """
    if delegation.basis != Basis.GUARDIAN or delegation.taker_id is None:
        return
    async with database().reading() as session:
        guardian = await persons.get(session, delegation.taker_id)
        child = await persons.get(session, delegation.giver_id)
    relatives = await family.relatives_of(guardian.id_number, id_type=guardian.id_type)
    if relatives.find(child.id_number, "child") is None and relatives.is_complete:
        async with database().transaction() as session:
            await ending.refute(session, delegation.id, now=now)
        raise DelegationEnded


async def count(session: AsyncSession, delegation_id: UUID, matter: str, *, now: datetime) -> Delegation:
    """Use a delegation once. Of two who use its last time at once, the second is refused; one that was ended
    meanwhile opens nothing.

    Raises NotInForce's kinds, DelegationUsedUp, MatterNotDelegated.
    """
    delegation = await session.scalar(
        select(Delegation)
        .where(Delegation.id == delegation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    assert delegation is not None, "delegations are never deleted"
    require(delegation, matter, now=now)
    await session.execute(
        update(Delegation).where(Delegation.id == delegation_id).values(used=Delegation.used + 1)
    )
    context.current().delegation_id = delegation_id
    await audit.record(
        session,
        "delegations.use",
        subject=delegation.giver_id,
        object_kind="delegation",
        object_id=delegation_id,
        reason=matter,
    )
    await telling.tell_giver(session, delegation, "delegations.used", matter=matter)
    return delegation
