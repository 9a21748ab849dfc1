"""Applying for another person in another province: under a delegation, and shown to the other place.

Source: docs/domain.md §9 (agent); docs/acting-for-others.md.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import delegations
from haiyiban.cases.acting import NoDelegation
from haiyiban.db import database
from haiyiban.delegations import Actor, Delegation, using
from haiyiban.delegations.rules import MatterNotDelegated
from haiyiban.errors import FieldError
from haiyiban.identity import accounts, persons
from services.cross_province.messages import CrossAgent


async def delegation_of(taker_id: UUID, on_behalf_of: UUID, matter: str, *, now: datetime) -> Delegation:
    """The delegation under which somebody applies: for the matter of that code, wherever it is handled. Read
    before the transaction, for a guardian's child is asked about anew.

    Raises NoDelegation, MatterNotDelegated, NotInForce's kinds, DelegationUsedUp.
    """
    async with database().reading() as session:
        delegation = await delegations.taken(session, on_behalf_of, Actor(taker_id))
    if delegation is None:
        raise NoDelegation(errors=[FieldError("/onBehalfOf", NoDelegation.title)])
    if delegation.role is not None:
        # An enterprise's matters are offered to no other province (offers.is_offered).
        raise MatterNotDelegated(errors=[FieldError("/matter", MatterNotDelegated.title)])
    using.require(delegation, matter, now=now)
    await using.prove_again(delegation, now=now)
    return delegation


async def agent_of(session: AsyncSession, delegation: Delegation) -> CrossAgent:
    """Who acts under a delegation, as the other place is told."""
    assert delegation.taker_id is not None, "it is a person who applies"
    taker = await persons.get(session, delegation.taker_id)
    account = await accounts.of_person(session, taker.id)
    return CrossAgent(
        name=taker.name,
        id_type=taker.id_type,
        id_number=taker.id_number,
        phone=account.phone if account else None,
        basis=delegation.basis,
        delegation=delegation.id,
        until=delegation.until,
    )
