"""Persons: one row for each identity document, whether or not there is an account."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.crypto import vault
from haiyiban.identity.models import Person
from haiyiban.ids import new_id
from haiyiban.residents import IdType


async def find_or_create(
    session: AsyncSession, name: str, *, id_number: str, id_type: str = IdType.RESIDENT_ID_CARD
) -> Person:
    """The person of a document, whose number is in its kept form (`residents.check_document`).

    An existing person keeps the name that is known; two that create the same person at once get the same row.
    """
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
            id_number_index=_index(id_number, id_type),
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
    found: Person | None = await session.scalar(
        select(Person).where(Person.id_number_index == _index(id_number, id_type))
    )
    return found


async def ids_by_number(
    session: AsyncSession, id_numbers: Iterable[str], *, id_type: str = IdType.RESIDENT_ID_CARD
) -> dict[str, UUID]:
    """The ids of those persons whom we know, by document number in its kept form; one query for all."""
    number_of = {_index(number, id_type): number for number in id_numbers}
    if not number_of:
        return {}
    rows = await session.execute(
        select(Person.id_number_index, Person.id).where(Person.id_number_index.in_(number_of))
    )
    return {number_of[index]: person_id for index, person_id in rows}


async def get(session: AsyncSession, person_id: UUID) -> Person:
    """The person of an id that a row of ours holds."""
    return await session.get_one(Person, person_id)


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


def _index(id_number: str, id_type: str) -> bytes:
    return vault().blind("identity.document", f"{id_type}:{id_number}")
