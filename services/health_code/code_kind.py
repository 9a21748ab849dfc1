"""Health codes (健康码, kind 3): the colour, the gold edge and the window of a negative test, and no more.

What a code shows was decided within the last minutes; where nothing was, it is decided first. A capsule ends
with the window of its test, so that a phone never shows a test as younger than it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from haiyiban import clock
from haiyiban.clock import local_date
from haiyiban.codes.claims import Colour as Shade
from haiyiban.codes.claims import HealthBody, Kind
from haiyiban.codes.disclosures import Disclosure
from haiyiban.codes.kinds import CodeKind, Found, Showable, Standing, Wanted
from haiyiban.codes.outcomes import Outcome
from haiyiban.crypto import vault
from haiyiban.db import database
from haiyiban.errors import NotFound
from haiyiban.identity.models import Person
from haiyiban.masking import mask_name
from haiyiban.sealed import place
from services.health_code import checks, children
from services.health_code.service import refresh
from services.health_code.standards import standards
from services.health_code.windows import window

CAPSULE_LIFE = timedelta(hours=4)
"""Source: schemas/codes/README.md §1."""
FRESH = timedelta(minutes=5)


class Row(NamedTuple):
    """A person and their code as it is kept."""

    id: UUID
    ref: int
    name_sealed: bytes
    colour: str
    golden: bool
    negative_at: datetime | None
    decided_at: datetime
    asked_at: datetime


async def find(batch: Sequence[Wanted]) -> list[Found]:
    """Each person's own or their child's, decided anew where that was not done just now."""
    others = [wanted for wanted in batch if wanted.subject_id not in (None, wanted.person_id)]
    proved = await children.proved([(one.person_id, one.subject_id) for one in others]) if others else set()
    of = [
        wanted.person_id
        if wanted.subject_id in (None, wanted.person_id)
        else wanted.subject_id
        if (wanted.person_id, wanted.subject_id) in proved
        else None
        for wanted in batch
    ]
    ids = [person_id for person_id in of if person_id is not None]
    rows = {row.id: row for row in await _rows(_BY_ID, ids)}
    old = {
        person_id: wanted.now
        for person_id, wanted in zip(of, batch, strict=True)
        if person_id is not None and _is_old(rows.get(person_id), wanted.now)
    }
    if old:
        await asyncio.gather(*(refresh(person_id, now=now) for person_id, now in old.items()))
        rows |= {row.id: row for row in await _rows(_BY_ID, list(old))}
    return [
        children.ChildMissing() if person_id is None else showable(rows[person_id], wanted.now)
        for person_id, wanted in zip(of, batch, strict=True)
    ]


async def find_again(ref: int, person_id: UUID, now: datetime) -> Found:
    """The same, where the code was this person's or their child's."""
    rows = await _rows(_BY_REF, [ref])
    if not rows:
        return NotFound()
    is_theirs = rows[0].id == person_id or await children.proved([(person_id, rows[0].id)])
    return showable(rows[0], now) if is_theirs else NotFound()


async def standing(refs: Sequence[int]) -> list[Standing]:
    """The colour as it is now, with its age: it may be another than the code said a moment ago."""
    rows = {row.ref: row for row in await _rows(_BY_REF, list(refs))}
    now = clock.now()
    return [_standing(rows[ref], now) if ref in rows else Standing(Outcome.UNAVAILABLE) for ref in refs]


def showable(row: Row, now: datetime) -> Showable:
    """What a code says of a row. The last known colour is grey once it is too old."""
    colour, ends = _colour(row, now)
    hours = window(row.negative_at, now=now)
    if hours is not None and row.negative_at is not None:
        ends = min(ends, row.negative_at + timedelta(hours=hours))
    # A capsule must end after it begins, in whole seconds.
    body = HealthBody(masked(row), Shade[colour.upper()], row.golden, hours)
    return Showable(row.ref, row.id, body, until=max(ends, now + timedelta(seconds=1)))


def masked(row: Row) -> str:
    """The name that strangers read. Opened by hand: the statement brings rows, not objects of the ORM."""
    where = place(Person.__tablename__, "name_sealed", row.id)
    return mask_name(vault().open(row.name_sealed, where=where).decode())


def _standing(row: Row, now: datetime) -> Standing:
    colour, _ = _colour(row, now)
    subject = {
        "colour": colour,
        "golden": row.golden,
        "negativeWithinHours": window(row.negative_at, now=now),
        "asOf": row.decided_at.isoformat(),
    }
    return Standing(Outcome.VALID, row.id, Disclosure(name=masked(row), subject=subject))


def _colour(row: Row, now: datetime) -> tuple[str, datetime]:
    """The colour and until when it may be shown without being decided anew."""
    hours = standards().on(local_date(now)).last_known_hours
    ends = row.decided_at + timedelta(hours=hours)
    return (row.colour, ends) if now <= ends else ("grey", now + CAPSULE_LIFE)


def _is_old(row: Row | None, now: datetime) -> bool:
    return row is None or now - row.asked_at > FRESH


async def _rows(statement: str, keys: list[UUID] | list[int]) -> list[Row]:
    return [Row._make(row) for row in await database().fetch(statement, keys)]


_SELECT = """
SELECT person.id, person.ref, person.name_sealed, colour, golden, negative_at, decided_at, asked_at
FROM identity_person AS person JOIN health_code_status AS status ON status.person_id = person.id
WHERE """
_BY_ID = _SELECT + "person.id = ANY($1::uuid[])"
_BY_REF = _SELECT + "person.ref = ANY($1::bigint[])"

HEALTH = CodeKind(
    number=Kind.HEALTH,
    name="health",
    find=find,
    find_again=find_again,
    standing=standing,
    capsule_life=CAPSULE_LIFE,
    checked=checks.keep,
)
