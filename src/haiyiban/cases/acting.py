"""For whom a case is opened: for oneself, or under a delegation for the one who gave it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import delegations, enterprises
from haiyiban.cases.handlers import Applicant
from haiyiban.cases.models import Case
from haiyiban.db import database
from haiyiban.delegations import Actor, Delegation, using
from haiyiban.delegations.rules import MatterNotDelegated
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.identity import accounts, persons
from haiyiban.matters.matter import Matter


class NoDelegation(Problem):
    """Acting for others is arranged by a delegation, and there is none that the caller takes."""

    type = "cases/no-delegation"
    title = Words(
        "没有有效的委托，请先由本人办理委托", "There is no delegation; ask the person to make one first"
    )


class EnterpriseNeeded(Problem):
    """The matter is an enterprise's, and people apply for one by a role in it."""

    type = "cases/enterprise-needed"
    title = Words(
        "这个事项由企业办理，请先以企业身份登录，再选择该企业",
        "This matter is for enterprises: sign in for one first, and apply on its behalf",
    )


class Standing(NamedTuple):
    """Who applies, and under which delegation somebody opens the case for them."""

    applicant: Applicant
    delegation: Delegation | None = None


async def standing_of(actor: Actor, on_behalf_of: UUID | None, *, matter: Matter, now: datetime) -> Standing:
    """Read before any register is asked about anybody.

    Raises EnterpriseNeeded, NoDelegation, NotInForce's kinds, DelegationUsedUp, MatterNotDelegated,
    NotInBusiness.
    """
    if on_behalf_of is None and not actor.is_agent:
        if matter.subject == "enterprise":
            raise EnterpriseNeeded(errors=[FieldError("/onBehalfOf", EnterpriseNeeded.title)])
        async with database().reading() as session:
            return Standing(await applicant(session, actor.id))
    async with database().reading() as session:
        delegation = None
        if on_behalf_of is not None:
            delegation = await delegations.taken(session, on_behalf_of, actor)
        if delegation is None:
            raise NoDelegation(errors=[FieldError("/onBehalfOf", NoDelegation.title)])
        if (matter.subject == "enterprise") != (delegation.role is not None):
            raise MatterNotDelegated(errors=[FieldError("/matter", MatterNotDelegated.title)])
        using.require(delegation, matter.code, now=now)
        standing = Standing(await applicant(session, delegation.giver_id, delegation), delegation)
    await using.prove_again(delegation, now=now)
    await enterprises.prove_again(delegation, now=now)
    return standing


async def applicant_of(session: AsyncSession, case: Case) -> Applicant:
    """Who applies in a case that is open."""
    delegation = await session.get(Delegation, case.delegation_id) if case.delegation_id else None
    return await applicant(session, case.applicant_id, delegation)


async def applicant(
    session: AsyncSession, person_id: UUID, delegation: Delegation | None = None
) -> Applicant:
    """A person as forms are prefilled for them; the phone is their account's or the paper's, of an enterprise
    that of whoever acts for it."""
    person = await persons.get(session, person_id)
    at_the_phone = person_id
    if delegation is not None and delegation.role is not None and delegation.taker_id is not None:
        at_the_phone = delegation.taker_id
    account = await accounts.of_person(session, at_the_phone)
    phone = account.phone if account else None
    if phone is None and delegation is not None:
        phone = delegation.contact
    return Applicant(person.id, person.name, person.id_number, phone, person.id_type)
