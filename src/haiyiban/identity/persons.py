"""Persons: one row for each, found by any of their documents, whether or not there is an account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.identity import documents
from haiyiban.identity.models import Person
from haiyiban.ids import new_id
from haiyiban.residents import IdType, parse_identity_number


async def find_or_create(
    session: AsyncSession, name: str, *, id_number: str, id_type: str = IdType.RESIDENT_ID_CARD
) -> Person:
    """The person of a document, whose number is in its kept form (`residents.check_document`).

    An existing person keeps the name that is known; two that create the same person at once get the same row.
    """
    known = await by_id_number(session, id_number, id_type=id_type)
    if known is not None:
        return known
    await documents.hold(session, [documents.index(id_number, id_type)])
    known = await by_id_number(session, id_number, id_type=id_type)
    return known or await _create(session, name, id_number=id_number, id_type=id_type)


async def _create(session: AsyncSession, name: str, *, id_number: str, id_type: str) -> Person:
    fresh = Person(id=new_id())
    fresh.name = name
    fresh.id_number = id_number
    created = await session.scalar(
        upsert(Person)
        .values(
            id=fresh.id,
            name_sealed=fresh.name_sealed,
            id_type=id_type,
            id_number_sealed=fresh.id_number_sealed,
            id_number_index=documents.index(id_number, id_type),
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["id_number_index"])
        .returning(Person.id)
    )
    if created is not None:
        await audit.enrol(session, created)
        await audit.record(
            session, "identity.create-person", subject=created, object_kind="person", object_id=created
        )
    person = await by_id_number(session, id_number, id_type=id_type)
    assert person is not None, "persons are never deleted"
    return person


async def by_id_number(
    session: AsyncSession, id_number: str, *, id_type: str = IdType.RESIDENT_ID_CARD
) -> Person | None:
    """The person of a document number in its kept form, if we know one."""
    found = await documents.persons_of(session, [documents.index(id_number, id_type)])
    return await session.get_one(Person, found.popitem()[1]) if found else None


async def ids_by_number(
    session: AsyncSession, id_numbers: Iterable[str], *, id_type: str = IdType.RESIDENT_ID_CARD
) -> dict[str, UUID]:
    """The ids of those persons whom we know, by document number in its kept form; one query for all."""
    number_of = {documents.index(number, id_type): number for number in id_numbers}
    found = await documents.persons_of(session, number_of)
    return {number_of[index]: person_id for index, person_id in found.items()}


async def get(session: AsyncSession, person_id: UUID) -> Person:
    """The person of an id that a row of ours holds."""
    return await session.get_one(Person, person_id)


async def of_ids(session: AsyncSession, person_ids: Iterable[UUID]) -> dict[UUID, Person]:
    """The persons of ids that rows of ours hold; one query for all."""
    found = await session.scalars(select(Person).where(Person.id.in_(set(person_ids))))
    return {person.id: person for person in found}


async def rename(session: AsyncSession, person: Person, name: str) -> None:
    """Keep the name that the population register has just confirmed, where it is another than before."""
    if person.name != name:
        person.name = name
        await audit.record(
            session,
            "identity.rename-person",
            subject=person.id,
            object_kind="person",
            object_id=person.id,
            fields=["name"],
        )


def birth_of(person: Person, *, today: date) -> date | None:
    """When a person was born, as the number or a register says it; None where neither does."""
    if len(person.id_number) == 18:
        return parse_identity_number(person.id_number, today=today).birth
    return date.fromisoformat(person.birth) if person.birth else None
