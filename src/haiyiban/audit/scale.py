"""The pseudonyms of a made-up province's people, without which nothing done to them could be recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator

from haiyiban.audit.models import AuditSubject
from haiyiban.loads import Load, row
from haiyiban.population import World


def subjects(world: World, people: range) -> Iterator[bytes]:
    """A random pseudonym for each: nobody may tell it, not even who knows the world's number."""
    for index in people:
        drawn = bytearray(os.urandom(16))
        drawn[6], drawn[8] = drawn[6] & 0x0F | 0x40, drawn[8] & 0x3F | 0x80  # UUIDv4
        yield row((world.person_key(index), bytes(drawn)))


LOADS = (
    Load(
        table=AuditSubject.__tablename__,
        columns="person_id, pseudonym",
        items=lambda sizes: sizes.holders,
        rows=subjects,
        item_bytes=140,
    ),
)
