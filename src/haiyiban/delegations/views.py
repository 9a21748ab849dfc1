"""How a delegation looks to its two sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, context, divisions
from haiyiban.credit_codes import CREDIT_CODE
from haiyiban.delegations.access import Actor, state_on
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.wire import DelegatedMatter, DelegationRead, PaperRead, PartyRead
from haiyiban.errors import Words
from haiyiban.identity.models import Person, Staff
from haiyiban.masking import mask_id_number, mask_name
from haiyiban.matters import catalogue

AGENT = Words("代办员", "Village agent")


async def read(session: AsyncSession, delegation: Delegation, actor: Actor) -> DelegationRead:
    """One delegation."""
    return (await read_all(session, [delegation], actor))[0]


async def read_all(
    session: AsyncSession, delegations: Sequence[Delegation], actor: Actor
) -> list[DelegationRead]:
    """Several, with one look at the people and one at the agents."""
    people = await _people(session, delegations)
    units = await _units(session, delegations)
    return [_one(each, actor, people, units) for each in delegations]


def _one(
    delegation: Delegation, actor: Actor, people: dict[UUID, Person], units: dict[UUID, str]
) -> DelegationRead:
    language = context.current().language
    paper = delegation.paper
    is_giver = not actor.is_agent and delegation.giver_id == actor.id
    return DelegationRead(
        id=delegation.id,
        basis=delegation.basis,
        state=state_on(delegation, clock.today()),
        side="giver" if is_giver else "taker",
        role=delegation.role,
        giver=party(people[delegation.giver_id]),
        taker=_taker(delegation, people, units, language),
        matters=[
            DelegatedMatter(code=code, name=catalogue().get(code).name.words.in_language(language))
            for code in delegation.matters
        ],
        until=delegation.until,
        times=delegation.times,
        used=delegation.used,
        notices=delegation.notify,
        text=delegation.text,
        text_hash=delegation.text_hash,
        made_at=delegation.made_at,
        giver_agreed_at=delegation.giver_agreed_at,
        taker_agreed_at=delegation.taker_agreed_at,
        ended_at=delegation.ended_at,
        ended_by=delegation.ended_by,
        paper=PaperRead(
            document_hash=paper["documentHash"],
            reference=paper["reference"],
            signed_on=paper["signedOn"],
            witness=mask_name(paper["witness"]["name"]),
        )
        if paper
        else None,
    )


class Sides(NamedTuple):
    """Both sides by name, masked; a village agent by their village."""

    giver: str
    taker: str


async def sides(session: AsyncSession, delegation: Delegation) -> Sides:
    """Who acts for whom, as every case of a delegation shows it."""
    people = await _people(session, [delegation])
    units = await _units(session, [delegation])
    taker = _taker(delegation, people, units, context.current().language)
    name = f"{taker.name}（{taker.unit}）" if taker.unit else taker.name
    return Sides(party(people[delegation.giver_id]).name, name)


def party(person: Person, *, name: str | None = None) -> PartyRead:
    """A person, masked; an enterprise in full, for what it is called is public."""
    if person.id_type == CREDIT_CODE:
        return PartyRead(name=person.name, id_number=person.id_number)
    return PartyRead(name=mask_name(name or person.name), id_number=mask_id_number(person.id_number))


def _taker(
    delegation: Delegation, people: dict[UUID, Person], units: dict[UUID, str], language: str
) -> PartyRead:
    if delegation.agent_id is not None:
        return PartyRead(name=AGENT.in_language(language), unit=units[delegation.agent_id])
    assert delegation.taker_id is not None, "one of the two takes it"
    # Until they have agreed, the giver is shown what the giver wrote and not what we know.
    written = delegation.taker_name if delegation.taker_agreed_at is None else None
    return party(people[delegation.taker_id], name=written)


async def _people(session: AsyncSession, delegations: Sequence[Delegation]) -> dict[UUID, Person]:
    wanted = {each.giver_id for each in delegations} | {
        each.taker_id for each in delegations if each.taker_id is not None
    }
    rows = await session.scalars(select(Person).where(Person.id.in_(wanted)))
    return {person.id: person for person in rows}


async def _units(session: AsyncSession, delegations: Sequence[Delegation]) -> dict[UUID, str]:
    wanted = {each.agent_id for each in delegations if each.agent_id is not None}
    if not wanted:
        return {}
    rows = await session.execute(select(Staff.id, Staff.division).where(Staff.id.in_(wanted)))
    return {staff_id: place_of(division) for staff_id, division in rows}


def place_of(division: str) -> str:
    """What an agent's place is called."""
    found = divisions.find(division)
    return found.name if found else division
