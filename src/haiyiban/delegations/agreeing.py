"""Between two adults: the giver offers with a fresh face, the taker accepts.

Nothing is said about whether the taker is known here: the offer waits under the number that the giver wrote,
and the name is compared when the taker, confirmed as that person, accepts.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.clock import local_date
from haiyiban.delegations import access, making, rules, telling
from haiyiban.delegations.access import Actor, DelegationMissing
from haiyiban.delegations.making import Terms
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.rules import AdultsOnly, Basis, State, ToOneself
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.identity import persons


class NameDiffers(Problem):
    """The giver wrote another name than the taker's."""

    type = "delegations/name-differs"
    title = Words(
        "委托人填写的代办人姓名与您不一致，请委托人核对后重新发起",
        "The name that was written is not yours; ask the person to make the delegation again",
    )


async def offer(
    session: AsyncSession, giver_id: UUID, *, taker_name: str, taker_number: str, terms: Terms, now: datetime
) -> Delegation:
    """The giver's side. Raises ToOneself, AdultsOnly, InvalidDelegation, TextOutdated, TooManyOpen."""
    today = local_date(now)
    taker = making.number_of(taker_number, at="/taker/idNumber", today=today)
    making.check(Basis.AGREEMENT, terms, today=today)
    giver = await persons.get(session, giver_id)
    known = await persons.by_id_number(session, taker.number)
    if giver.id_number == taker.number or (known is not None and known.id == giver_id):
        raise ToOneself(errors=[FieldError("/taker/idNumber", ToOneself.title)])
    born = persons.birth_of(giver, today=today)
    if born is None or not rules.is_adult(born, today=today):
        raise AdultsOnly
    if not rules.is_adult(taker.birth, today=today):
        raise AdultsOnly(errors=[FieldError("/taker/idNumber", AdultsOnly.title)])
    name = making.written(taker_name)
    person = await persons.find_or_create(session, name, id_number=taker.number)
    delegation = await making.make(
        session,
        Basis.AGREEMENT,
        terms=terms,
        giver_id=giver_id,
        taker_id=person.id,
        giver_agreed=True,
        taker_agreed=False,
        now=now,
        taker_name=name,
    )
    await telling.tell_other(session, delegation, "delegations.offered", by="giver")
    return delegation


async def accept(session: AsyncSession, delegation_id: UUID, actor: Actor, *, now: datetime) -> Delegation:
    """The taker's side; a second time changes nothing.

    Raises DelegationMissing (also for the giver), DelegationEnded, DelegationExpired, NameDiffers.
    """
    delegation = await access.own_for_change(session, delegation_id, actor)
    if delegation.taker_id != actor.id:
        raise DelegationMissing
    state = access.state_on(delegation, local_date(now))
    if state is not State.AWAITS_TAKER:
        rules.require_handling(state)
        return delegation
    if (await persons.get(session, actor.id)).name != delegation.taker_name:
        raise NameDiffers
    delegation.taker_agreed_at = now
    await making.record(session, delegation, "accept")
    await telling.tell_other(session, delegation, "delegations.accepted", by="taker")
    return delegation
