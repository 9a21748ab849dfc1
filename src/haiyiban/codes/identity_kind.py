"""Identity codes (身份码, kind 2): I am here, under my masked name. Everybody has one, their own.

What a verifier reads is the masked name and nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from haiyiban.codes.claims import Kind, PlainBody
from haiyiban.codes.disclosures import Disclosure
from haiyiban.codes.kinds import CodeKind, Found, Showable, Standing, Wanted
from haiyiban.codes.outcomes import Outcome
from haiyiban.db import database
from haiyiban.errors import FieldError, NotFound, Problem, Words
from haiyiban.identity.models import Person
from haiyiban.masking import mask_name


class OwnIdentityOnly(Problem):
    """An identity code was asked for with a subject, and it can only be of whoever asks."""

    type = "codes/own-identity-only"
    title = Words("身份码只能出示本人的", "An identity code is of yourself alone")

    def __init__(self) -> None:
        words = Words("身份码不需要 subjectId，请去掉", "leave it out of the request for an identity code")
        super().__init__(errors=[FieldError("/subjectId", words)])


async def find(batch: Sequence[Wanted]) -> list[Found]:
    """Each person's own."""
    rows = {row.id: row for row in await _rows(_BY_ID, [wanted.person_id for wanted in batch])}
    return [
        OwnIdentityOnly() if wanted.subject_id is not None else _showable(rows[wanted.person_id])
        for wanted in batch
    ]


async def find_again(ref: int, person_id: UUID, _: datetime) -> Found:
    """The same, where the code was this person's."""
    rows = await _rows(_BY_REF, [ref])
    return _showable(rows[0]) if rows and rows[0].id == person_id else NotFound()


async def standing(refs: Sequence[int]) -> list[Standing]:
    """A person stands as long as the code that says so lives."""
    rows = {row.ref: row for row in await _rows(_BY_REF, list(refs))}
    return [
        Standing(Outcome.VALID, rows[ref].id, Disclosure(name=_masked(rows[ref])))
        if ref in rows
        else Standing(Outcome.UNAVAILABLE)
        for ref in refs
    ]


def _showable(row: Any) -> Showable:
    return Showable(row.ref, row.id, PlainBody(name=_masked(row)))


def _masked(row: Any) -> str:
    return mask_name(Person.name.opened(row.name_sealed, row.id))


async def _rows(statement: str, keys: list[Any]) -> Sequence[Any]:
    return await database().fetch(statement, keys)


_BY_ID = "SELECT id, ref, name_sealed FROM identity_person WHERE id = ANY($1::uuid[])"
_BY_REF = "SELECT id, ref, name_sealed FROM identity_person WHERE ref = ANY($1::bigint[])"

IDENTITY = CodeKind(
    number=Kind.IDENTITY, name="identity", find=find, find_again=find_again, standing=standing
)
