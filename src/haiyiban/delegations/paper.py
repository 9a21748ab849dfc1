"""A village agent (代办员) acts by a paper that the giver signed before a witness.

The paper is kept at the village; its hash and where it is filed are kept here, so that nobody can exchange it
later. The giver must be known to the population register and live where the agent serves.
Source: docs/domain.md §0 (六个一), §13 (consent: text, time, channel).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, divisions, registers, residents
from haiyiban.clock import local_date
from haiyiban.delegations import making, rules, telling
from haiyiban.delegations.making import Terms
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.rules import AdultsOnly, Basis, InvalidDelegation, Notify
from haiyiban.errors import FieldError, NotAllowed, Problem, Words
from haiyiban.identity import persons
from haiyiban.identity.callers import StaffCaller

PAPER_LIFE: Final = timedelta(days=30)
"""How old a signature may be when it is recorded. [design]"""


class GiverUnknown(Problem):
    """The population register does not know this name with this number."""

    type = "delegations/identity-mismatch"
    title = Words(
        "姓名与证件号码不一致，请对照委托人的身份证检查",
        "Name and number do not belong together; check the giver's card",
    )


class LivesElsewhere(NotAllowed):
    """The giver is not registered where this agent serves."""

    type = "delegations/lives-elsewhere"
    title = Words(
        "委托人的户籍不在您的代办范围，请到其所在村（社区）代办点办理",
        "The giver is registered elsewhere; their own village's agent can help",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What is recorded of the signed paper."""

    document_hash: str
    """SHA-256 of the scanned paper, in hex."""
    reference: str
    """Where paper and scan are filed."""
    signed_on: date
    witness_name: str
    witness_phone: str


async def record(
    session: AsyncSession,
    agent: StaffCaller,
    *,
    giver_name: str,
    giver_number: str,
    phone: str | None,
    terms: Terms,
    paper: Paper,
    now: datetime,
) -> Delegation:
    """Record a paper consent; it is in force at once, and the giver is told where a phone is known.

    Raises InvalidDelegation, TextOutdated, AdultsOnly, GiverUnknown, LivesElsewhere, TooManyOpen,
    RegisterUnavailable.
    """
    today = local_date(now)
    number = making.number_of(giver_number, at="/giver/idNumber", today=today)
    making.check(Basis.PAPER, terms, today=today)
    contact = _contact(phone)
    if errors := _faults(terms, paper, contact, today=today):
        raise InvalidDelegation(errors=errors)
    if not rules.is_adult(number.birth, today=today):
        raise AdultsOnly(errors=[FieldError("/giver/idNumber", AdultsOnly.title)])
    name = making.written(giver_name)
    matches, answer = await asyncio.gather(
        registers.confirm_identity(name, number.number), registers.current().ask("population", number.number)
    )
    if not matches:
        raise GiverUnknown
    lives = answer.fact("/hukou/division")
    if lives.state == "unknown":
        raise registers.RegisterUnavailable(registers.REGISTERS["population"].title)
    if not _serves(agent.division, lives.value):
        raise LivesElsewhere
    giver = await persons.find_or_create(session, name, id_number=number.number)
    await persons.rename(session, giver, name)
    await audit.record(
        session,
        "registers.read",
        subject=giver.id,
        object_kind="person",
        object_id=giver.id,
        fields=["population.hukou", "population.name"],
        reason=f"delegations: {Basis.PAPER}",
    )
    delegation = await making.make(
        session,
        Basis.PAPER,
        terms=terms,
        giver_id=giver.id,
        agent_id=agent.staff_id,
        giver_agreed=True,
        taker_agreed=True,
        now=now,
        contact=contact,
        paper={
            "documentHash": paper.document_hash.lower(),
            "reference": paper.reference,
            "signedOn": paper.signed_on.isoformat(),
            "witness": {"name": making.written(paper.witness_name), "phone": paper.witness_phone},
        },
    )
    await telling.tell_other(session, delegation, "delegations.recorded", by="taker")
    return delegation


def _faults(terms: Terms, paper: Paper, contact: str | None, *, today: date) -> list[FieldError]:
    errors = []
    if not today - PAPER_LIFE <= paper.signed_on <= today:
        words = Words("签字日期须在最近 30 天内", "It must have been signed within the last 30 days")
        errors.append(FieldError("/paper/signedOn", words))
    if terms.notify != Notify.GIVER:
        words = Words("村级代办的通知发给委托人本人", "Of what a village agent does the giver is told")
        errors.append(FieldError("/notices", words))
    if _mobile(paper.witness_phone) is None:
        words = Words("请填写见证人的手机号", "Give the witness's mobile number")
        errors.append(FieldError("/paper/witness/phone", words))
    if contact == "":
        words = Words(
            "手机号码不对；没有手机的可以不填", "This cannot be a mobile number; leave it out if none"
        )
        errors.append(FieldError("/giver/phone", words))
    return errors


def _contact(phone: str | None) -> str | None:
    """The giver's phone in its kept form; empty where it cannot be right."""
    return None if phone is None else _mobile(phone) or ""


def _mobile(raw: str) -> str | None:
    try:
        return residents.normalise_mobile(raw)
    except residents.InvalidMobile:
        return None


def _serves(agent: str, lives: object) -> bool:
    """Whether somebody lives where an agent serves. A register may know no village: then what holds both
    counts, for the agent's supervisor sees the ledger."""
    if not isinstance(lives, str) or divisions.find(lives) is None or divisions.find(agent) is None:
        return False
    return divisions.is_within(lives, agent) or divisions.is_within(agent, lives)
