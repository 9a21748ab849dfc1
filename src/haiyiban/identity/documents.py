"""A person's documents (证件): several may lead to one person, where an authority says so.

Source: docs/domain.md §1.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select, union_all
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.crypto import vault
from haiyiban.identity.models import Document, Person


def index(id_number: str, id_type: str) -> bytes:
    """What a document is found by: a blind index of its kind and its number in the kept form."""
    return vault().blind("identity.document", f"{id_type}:{id_number}")


async def hold(session: AsyncSession, indexes: Iterable[bytes]) -> None:
    """Let nobody else make a person of these documents before this transaction ends.

    Two sessions that give two documents of one person at once would otherwise make two persons. Always in
    one order, so that they wait for each other and do not block each other.
    """
    for each in sorted(indexes):
        key = int.from_bytes(each[:8], signed=True)
        await session.execute(select(func.pg_advisory_xact_lock(key)))


async def persons_of(session: AsyncSession, indexes: Iterable[bytes]) -> dict[bytes, UUID]:
    """Whose documents these are, of those that we know; one query for all."""
    wanted = list(indexes)
    if not wanted:
        return {}
    own = select(Person.id_number_index, Person.id).where(Person.id_number_index.in_(wanted))
    linked = select(Document.id_number_index, Document.person_id).where(Document.id_number_index.in_(wanted))
    rows = await session.execute(union_all(own, linked))
    return {row.id_number_index: row.id for row in rows}


async def link(session: AsyncSession, person: Person, indexes: Iterable[bytes]) -> None:
    """Let these documents lead to a person from now on, as far as none of them does so already."""
    known = await persons_of(session, indexes)
    for each in sorted(set(indexes) - set(known)):
        await session.execute(
            upsert(Document)
            .values(id_number_index=each, person_id=person.id, created_at=clock.now())
            .on_conflict_do_nothing()
        )
