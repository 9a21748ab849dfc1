"""Making a delegation: what is asked for is checked, kept with the text that was agreed to, and told."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, residents, texts
from haiyiban.clock import local_date
from haiyiban.delegations import room, rules
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.room import Asker
from haiyiban.delegations.rules import (
    Basis,
    InvalidDelegation,
    Notify,
    Role,
)
from haiyiban.errors import FieldError
from haiyiban.ids import new_id
from haiyiban.matters import catalogue
from haiyiban.matters.catalogue import MatterUnknown

TEXTS = {
    Basis.GUARDIAN: "guardianship",
    Basis.REPRESENTATIVE: "legal-representative",
    Basis.ENTERPRISE: "enterprise-role",
}
"""What is agreed to, by basis; for all others `delegation`."""
LEVEL_MOST = "L3"
"""A matter that asks for more must be applied for in person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What somebody wants to be represented in, and what they agreed to."""

    matters: Sequence[str]
    until: date
    times: int | None
    notify: Notify
    consent: str
    """The hash of the text that was read."""


def check(basis: Basis, terms: Terms, *, role: Role | None = None, today: date) -> texts.AgreedText:
    """The text that is agreed to. Raises InvalidDelegation with every fault, TextOutdated."""
    offered = [code for code in terms.matters if _may_be_delegated(code, role)]
    errors = rules.faults(matters=terms.matters, offered=offered, until=terms.until, today=today)
    if errors:
        raise InvalidDelegation(errors=errors)
    return texts.agreed(TEXTS.get(basis, "delegation"), terms.consent, at="/consent")


def _may_be_delegated(code: str, role: Role | None) -> bool:
    try:
        matter = catalogue().get(code)
    except MatterUnknown:
        return False
    if matter.min_level > LEVEL_MOST or (matter.subject == "enterprise") != (role is not None):
        return False
    return role is None or role in matter.roles


def number_of(raw: str, *, at: str, today: date) -> residents.IdentityNumber:
    """An identity number taken apart. `at`: the pointer of the request. Raises InvalidDelegation."""
    try:
        return residents.parse_identity_number(raw, today=today)
    except residents.InvalidIdNumber as error:
        raise InvalidDelegation(errors=[FieldError(at, error.words)]) from None


def written(name: str) -> str:
    """A name in its one written form."""
    return " ".join(unicodedata.normalize("NFC", name).split())


async def make(
    session: AsyncSession,
    basis: Basis,
    *,
    terms: Terms,
    giver_id: UUID,
    taker_id: UUID | None = None,
    agent_id: UUID | None = None,
    giver_agreed: bool,
    taker_agreed: bool,
    role: Role | None = None,
    now: datetime,
    **more: Any,
) -> Delegation:
    """Write a delegation whose terms were checked. `more`: takerName, contact, paper.

    Raises TooManyOpen, TooManyToday, TextOutdated.
    """
    text = check(basis, terms, role=role, today=local_date(now))
    most = rules.MOST_OPEN if role is None else rules.MOST_ROLES
    asker = Asker(giver_id, is_giver=True)
    if not giver_agreed:
        assert taker_id is not None, "who asks for a giver's agreement is a person"
        asker = Asker(taker_id, is_giver=False)
    await room.require(session, asker, most, now=now)
    delegation = Delegation(
        id=new_id(),
        basis=basis,
        giver_id=giver_id,
        taker_id=taker_id,
        agent_id=agent_id,
        role=role,
        matters=list(dict.fromkeys(terms.matters)),
        until=terms.until,
        times=terms.times,
        used=0,
        notify=terms.notify,
        text=text.name,
        text_hash=text.hash,
        made_at=now,
        giver_agreed_at=now if giver_agreed else None,
        taker_agreed_at=now if taker_agreed else None,
    )
    for name, value in more.items():
        setattr(delegation, name, value)
    session.add(delegation)
    await session.flush()
    await record(session, delegation, "make", fields=["taker", "matters", "until", "times"])
    return delegation


async def record(
    session: AsyncSession, delegation: Delegation, verb: str, *, fields: Sequence[str] = ()
) -> None:
    """The audit of what was done to a delegation; its subject is the giver."""
    await audit.record(
        session,
        f"delegations.{verb}",
        subject=delegation.giver_id,
        object_kind="delegation",
        object_id=delegation.id,
        fields=fields,
        reason=delegation.basis,
    )
