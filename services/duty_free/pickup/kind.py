"""Pick-up codes (提货码, kind 5): of an order that waits to be picked up on return, shown by its buyer.

Strangers read the masked name and nothing more. Source: schemas/codes/README.md §1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from haiyiban.clock import SHANGHAI, local_date
from haiyiban.codes.certificate_kind import SubjectMissing
from haiyiban.codes.claims import Kind, PlainBody
from haiyiban.codes.disclosures import Disclosure
from haiyiban.codes.kinds import (
    CodeKind,
    Found,
    NotToShowNow,
    Showable,
    Standing,
    SubjectUnknown,
    Wanted,
)
from haiyiban.codes.outcomes import Outcome
from haiyiban.db import database
from haiyiban.errors import Words
from haiyiban.identity.models import Person
from haiyiban.masking import mask_name
from services.duty_free.allowance.rule_table import Mode
from services.duty_free.allowance.settling import OrderMissing

FACE_WITHIN = timedelta(minutes=10)
"""How fresh the buyer's face check must be. Source: docs/domain.md §8.3 (face and document of the buyer)."""


class OrderToShowMissing(SubjectMissing):
    """The request does not say which order is to be picked up."""

    title = Words("请选择要提货的订单", "Choose the order to pick up")


class OrderToShowUnknown(SubjectUnknown):
    """No such order, or somebody else's."""

    title = OrderMissing.title


class NotForPickup(NotToShowNow):
    """The order is not one that waits to be picked up on return."""

    title = Words("这笔订单不需要或不能再返岛提取", "This order does not wait to be picked up on return")


async def find(batch: Sequence[Wanted]) -> list[Found]:
    """The orders that these persons want to show."""
    rows = await database().fetch(
        _SUBJECTS, [wanted.subject_id for wanted in batch], [wanted.person_id for wanted in batch]
    )
    return [_found(wanted, row) for wanted, row in zip(batch, rows, strict=True)]


async def find_again(ref: int, person_id: Any, now: datetime) -> Found:
    """The order of a code that this person showed before."""
    row = next(iter(await database().fetch(_BY_REF_AND_PERSON, ref, person_id)), None)
    return OrderToShowUnknown() if row is None else _showable(row, now)


async def standing(refs: Sequence[int]) -> list[Standing]:
    """An order stands while it waits; one that was settled takes its codes with it."""
    found = await database().fetch(_BY_REFS, list(refs))
    rows = {row.ref: row for row in found}
    return [_standing(rows.get(ref)) for ref in refs]


def _standing(row: Any) -> Standing:
    if row is None:
        return Standing(Outcome.UNAVAILABLE)
    outcome = Outcome.VALID if row.state == "reserved" else Outcome.DENIED
    return Standing(outcome, row.person_id, Disclosure(name=_masked(row)))


def _found(wanted: Wanted, row: Any) -> Found:
    if wanted.subject_id is None:
        return OrderToShowMissing()
    return OrderToShowUnknown() if row.ref is None else _showable(row, wanted.now)


def _showable(row: Any, now: datetime) -> Found:
    if row.pick_up != Mode.ON_RETURN or row.state != "reserved" or local_date(now) > row.collect_by:
        return NotForPickup(row.state)
    until = datetime.combine(row.collect_by + timedelta(days=1), time(), SHANGHAI) - timedelta(seconds=1)
    return Showable(row.ref, row.person_id, PlainBody(name=_masked(row)), until=until)


def _masked(row: Any) -> str:
    return mask_name(Person.name.opened(row.name_sealed, row.person_id))


_COLUMNS = "o.ref, o.person_id, o.pick_up, o.state, o.collect_by, p.name_sealed"
_SUBJECTS = f"""
SELECT {_COLUMNS}
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS wanted (id, person_id, ord)
LEFT JOIN duty_free_order o ON o.id = wanted.id AND o.person_id = wanted.person_id
LEFT JOIN identity_person p ON p.id = o.person_id
ORDER BY ord
"""  # noqa: S608 - constants of ours
_ROWS = f"SELECT {_COLUMNS} FROM duty_free_order o JOIN identity_person p ON p.id = o.person_id"  # noqa: S608
_BY_REF_AND_PERSON = f"{_ROWS} WHERE o.ref = $1 AND o.person_id = $2"
_BY_REFS = f"{_ROWS} WHERE o.ref = ANY($1::bigint[])"

PICKUP = CodeKind(
    number=Kind.PICKUP,
    name="pickup",
    find=find,
    find_again=find_again,
    standing=standing,
    capsule_life=timedelta(minutes=30),
    face_within=FACE_WITHIN,
)
