"""The persons of a made-up province and the accounts of its residents, as the platform itself would have
written them: it opens, finds and signs in each of them."""

from __future__ import annotations

from collections.abc import Iterator

from haiyiban.crypto import vault
from haiyiban.identity import documents
from haiyiban.identity.accounts import phone_index
from haiyiban.identity.callers import Level
from haiyiban.identity.models import Account, Person
from haiyiban.loads import Load, instant_ms, row, uuid_text
from haiyiban.population import World
from haiyiban.residents import IdType
from haiyiban.sealed import place

_ID_TYPE = IdType.RESIDENT_ID_CARD.value
_ID_TYPE_BYTES = _ID_TYPE.encode()
_LEVEL, _LANGUAGE = Level.L3.value.encode(), b"zh-CN"


def persons(world: World, people: range) -> Iterator[bytes]:
    """Residents and visitors, each made a millisecond after the one before."""
    seal, table = vault().seal, Person.__tablename__
    for person in world.people(people):
        key = world.person_key(person.number)
        id_ = uuid_text(key)
        yield row(
            (
                key,
                seal(person.name.encode(), where=place(table, "name_sealed", id_)),
                _ID_TYPE_BYTES,
                seal(person.id_number.encode(), where=place(table, "id_number_sealed", id_)),
                documents.index(person.id_number, _ID_TYPE),
                instant_ms(world.made_ms(person.number)),
            )
        )


def accounts(world: World, residents: range) -> Iterator[bytes]:
    """Of the residents who are old enough for one, with their face confirmed."""
    seal, table = vault().seal, Account.__tablename__
    for person in world.people(residents):
        if person.phone is None:
            continue
        at_ms = world.made_ms(person.number)
        key = world.key(b"account", person.number, at_ms=at_ms)
        yield row(
            (
                key,
                seal(person.phone.encode(), where=place(table, "phone_sealed", uuid_text(key))),
                phone_index(person.phone),
                world.person_key(person.number),
                _LEVEL,
                _LANGUAGE,
                instant_ms(at_ms),
            )
        )


LOADS = (
    Load(
        table=Person.__tablename__,
        columns="id, name_sealed, id_type, id_number_sealed, id_number_index, created_at",
        items=lambda sizes: sizes.holders,
        rows=persons,
        item_bytes=330,
    ),
    Load(
        table=Account.__tablename__,
        columns="id, phone_sealed, phone_index, person_id, level, language, created_at",
        items=lambda sizes: sizes.residents,
        rows=accounts,
        item_bytes=270,
    ),
)
