"""Within a family, by register proof: an adult child for a parent, a parent for a minor child."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.clock import local_date
from haiyiban.db import database
from haiyiban.delegations import making, rules
from haiyiban.delegations.family import Kin, Relative, relatives_of
from haiyiban.delegations.making import Terms
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.rules import AdultsOnly, Basis, GrownUp
from haiyiban.errors import FieldError, NotAllowed, Words
from haiyiban.identity import persons
from haiyiban.registers import REGISTERS, RegisterUnavailable

AT = "/giver/idNumber"


class NotYourRelative(NotAllowed):
    """The registers do not show this person as the caller's parent or child."""

    type = "delegations/not-your-relative"
    title = Words(
        "户籍和出生登记中没有找到您与对方的父母子女关系，可以由对方本人在自己的账号里委托您",
        "The registers do not show this person as your parent or child; they can name you from their account",
    )


async def for_parent(
    session: AsyncSession, taker_id: UUID, *, giver_number: str, terms: Terms, now: datetime
) -> Delegation:
    """An adult child asks; the parent's face, on this device, agrees (`faces`).

    Raises InvalidDelegation, TextOutdated, AdultsOnly, NotYourRelative, TooManyOpen, RegisterUnavailable.
    """
    today = local_date(now)
    number = making.number_of(giver_number, at=AT, today=today).number
    making.check(Basis.ADULT_CHILD, terms, today=today)
    parent = await _proven(taker_id, number, "parent")
    taker = await persons.get(session, taker_id)
    born = persons.birth_of(taker, today=today)
    if born is None or not rules.is_adult(born, today=today):
        raise AdultsOnly
    return await _make(session, Basis.ADULT_CHILD, taker_id, parent, terms=terms, agreed=False, now=now)


async def for_child(
    session: AsyncSession, taker_id: UUID, *, giver_number: str, terms: Terms, now: datetime
) -> Delegation:
    """A parent states that they act as guardian; it ends by itself when the child turns 18.

    Raises InvalidDelegation, TextOutdated, GrownUp, NotYourRelative, TooManyOpen, RegisterUnavailable.
    """
    today = local_date(now)
    child = making.number_of(giver_number, at=AT, today=today)
    making.check(Basis.GUARDIAN, terms, today=today)
    relative = await _proven(taker_id, child.number, "child")
    if rules.is_adult(child.birth, today=today):
        raise GrownUp(errors=[FieldError(AT, GrownUp.title)])
    until = min(terms.until, rules.last_day_as_minor(child.birth))
    return await _make(
        session,
        Basis.GUARDIAN,
        taker_id,
        relative,
        terms=replace(terms, until=until),
        agreed=True,
        now=now,
    )


async def _proven(taker_id: UUID, number: str, kin: Kin) -> Relative:
    """The relative as the registers show them; asked before the request's transaction begins."""
    async with database().reading() as look:
        taker = await persons.get(look, taker_id)
    relatives = await relatives_of(taker.id_number, id_type=taker.id_type)
    found = relatives.find(number, kin)
    if found is None:
        if not relatives.is_complete:
            raise RegisterUnavailable(REGISTERS["household"].title)
        raise NotYourRelative(errors=[FieldError(AT, NotYourRelative.title)])
    return found


async def _make(
    session: AsyncSession,
    basis: Basis,
    taker_id: UUID,
    relative: Relative,
    *,
    terms: Terms,
    agreed: bool,
    now: datetime,
) -> Delegation:
    giver = await persons.find_or_create(session, relative.name, id_number=relative.id_number)
    # Somebody may have written another name to this number before; the registers know.
    await persons.rename(session, giver, relative.name)
    await audit.record(
        session,
        "registers.read",
        subject=giver.id,
        object_kind="person",
        object_id=giver.id,
        fields=["birth.parents", "birth.children", "household.members"],
        reason=f"delegations: {basis}",
    )
    return await making.make(
        session,
        basis,
        terms=terms,
        giver_id=giver.id,
        taker_id=taker_id,
        giver_agreed=agreed,
        taker_agreed=True,
        now=now,
    )
