"""Signing in for an enterprise: as its legal representative, whom the register names, or by a role."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.clock import local_date
from haiyiban.credit_codes import CREDIT_CODE
from haiyiban.db import database
from haiyiban.delegations import Actor, Basis, Delegation, access, ending, making
from haiyiban.delegations.making import Terms
from haiyiban.delegations.rules import DelegationEnded, Notify, Role, State
from haiyiban.enterprises import keeping, register
from haiyiban.enterprises.register import IN_BUSINESS, EnterpriseUnknown, NotInBusiness, Registered
from haiyiban.identity import persons
from haiyiban.registers import RegisterUnavailable

PROOF_LIFE = timedelta(days=366)
"""How long a representative's role lasts without the register being asked again; it is asked each night."""


async def sign_in(
    session: AsyncSession, person_id: UUID, *, raw_code: str, consent: str, now: datetime
) -> Delegation:
    """The role under which somebody acts for the enterprise of a code.

    The register is asked each time. Raises InvalidCode, EnterpriseUnknown (also for who has no part in it),
    NotInBusiness, TextOutdated (a representative's first time without the statement), RegisterUnavailable.
    """
    code = register.code_of(raw_code, at="/creditCode")
    registered = await register.ask(code)
    if registered is None:
        raise EnterpriseUnknown
    person = await persons.get(session, person_id)
    if person.id_number == registered.representative_number:
        if registered.status != IN_BUSINESS:
            raise NotInBusiness
        return await _represent(session, person_id, registered, consent=consent, now=now)
    role = await _role_in(session, person_id, registered, now=now)
    if role is None:
        await _learn(registered, person_id, now=now)
        raise EnterpriseUnknown
    await keeping.keep(session, registered, now=now)
    if registered.status != IN_BUSINESS:
        raise NotInBusiness
    return role


async def prove_again(delegation: Delegation, *, now: datetime) -> None:
    """Who acts for an enterprise opens nothing once the register says otherwise; it is asked at each use.

    A register that is away changes nothing here: the case asks it too, and cannot be handed in without it.
    Raises DelegationEnded, NotInBusiness.
    """
    if delegation.role is None:
        return
    async with database().reading() as look:
        code = (await persons.get(look, delegation.giver_id)).id_number
    try:
        registered = await register.ask(code)
    except RegisterUnavailable:
        return
    async with database().transaction() as session:
        if registered is None:
            await keeping.forget(session, delegation.giver_id, as_of=now, now=now)
        else:
            await keeping.keep(session, registered, now=now)
        fresh = await session.get_one(Delegation, delegation.id, populate_existing=True)
        is_over = fresh.ended_at is not None
    if is_over:
        raise DelegationEnded
    if registered is None or registered.status != IN_BUSINESS:
        raise NotInBusiness


async def _represent(
    session: AsyncSession, person_id: UUID, registered: Registered, *, consent: str, now: datetime
) -> Delegation:
    enterprise = await keeping.keep(session, registered, now=now)
    await keeping.issue_licence(session, enterprise, registered, now=now)
    until = local_date(now) + PROOF_LIFE
    role = await keeping.representative(session, enterprise.id)
    if role is not None and access.state_on(role, local_date(now)) is not State.ACTIVE:
        await ending.refute(session, role.id, now=now)
        role = None
    if role is not None:
        role.until = until
        return role
    return await making.make(
        session,
        Basis.REPRESENTATIVE,
        terms=Terms(matters=(), until=until, times=None, notify=Notify.TAKER, consent=consent),
        giver_id=enterprise.id,
        taker_id=person_id,
        giver_agreed=True,
        taker_agreed=True,
        role=Role.REPRESENTATIVE,
        now=now,
    )


async def _learn(registered: Registered, person_id: UUID, *, now: datetime) -> None:
    """Who was its representative and asks again loses the role now, although they are refused."""
    async with database().transaction() as session:
        enterprise = await persons.by_id_number(session, registered.code, id_type=CREDIT_CODE)
        role = await keeping.representative(session, enterprise.id) if enterprise else None
        if role is not None and role.taker_id == person_id:
            await keeping.keep(session, registered, now=now)


async def _role_in(
    session: AsyncSession, person_id: UUID, registered: Registered, *, now: datetime
) -> Delegation | None:
    """A role of this person in force, other than the representative's, whom the register does not name."""
    enterprise = await persons.by_id_number(session, registered.code, id_type=CREDIT_CODE)
    if enterprise is None:
        return None
    found: Delegation | None = await session.scalar(
        select(Delegation)
        .where(
            access.taken_by(Actor(person_id)),
            access.in_force(local_date(now)),
            Delegation.giver_id == enterprise.id,
            Delegation.basis == Basis.ENTERPRISE,
        )
        .order_by(Delegation.id.desc())
        .limit(1)
    )
    return found
