"""Voucher codes (券码, kind 4): of a voucher that can still be used, shown by its owner.

Strangers read the masked name, the face value and the threshold. Source: schemas/codes/README.md §1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from haiyiban import clock
from haiyiban.codes.certificate_kind import SubjectMissing
from haiyiban.codes.claims import Kind, VoucherBody
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
from services.duty_free.vouchers.rules import state_now


class VoucherToShowMissing(SubjectMissing):
    """The request does not say which voucher is to be used."""

    title = Words("请选择要使用的消费券", "Choose the voucher to use")


class VoucherToShowUnknown(SubjectUnknown):
    """No such voucher, or somebody else's."""

    title = Words("没有找到这张消费券", "There is no such voucher of yours")


class VoucherNotToShow(NotToShowNow):
    """The voucher was used, or its time is over."""

    title = Words("这张消费券已使用或已过期", "This voucher was used, or has expired")


async def find(batch: Sequence[Wanted]) -> list[Found]:
    """The vouchers that these persons want to show."""
    rows = await database().fetch(
        _SUBJECTS, [wanted.subject_id for wanted in batch], [wanted.person_id for wanted in batch]
    )
    return [_found(wanted, row) for wanted, row in zip(batch, rows, strict=True)]


async def find_again(ref: int, person_id: Any, now: datetime) -> Found:
    """The voucher of a code that this person showed before."""
    row = next(iter(await database().fetch(_BY_REF_AND_PERSON, ref, person_id)), None)
    return VoucherToShowUnknown() if row is None else _showable(row, now)


async def standing(refs: Sequence[int]) -> list[Standing]:
    """A voucher stands until it was used or its time is over."""
    now = clock.now()
    found = await database().fetch(_BY_REFS, list(refs))
    rows = {row.ref: row for row in found}
    return [_standing(rows.get(ref), now) for ref in refs]


def _standing(row: Any, now: datetime) -> Standing:
    if row is None:
        return Standing(Outcome.UNAVAILABLE)
    state = state_now(row.state, row.valid_until, now=now)
    if state != "claimed":
        return Standing(Outcome.EXPIRED if state == "expired" else Outcome.DENIED, row.person_id)
    shown = {
        "faceFen": row.face_fen,
        "thresholdFen": row.threshold_fen,
        "validUntil": row.valid_until.isoformat().replace("+00:00", "Z"),
    }
    return Standing(Outcome.VALID, row.person_id, Disclosure(name=_masked(row), subject=shown))


def _found(wanted: Wanted, row: Any) -> Found:
    if wanted.subject_id is None:
        return VoucherToShowMissing()
    return VoucherToShowUnknown() if row.ref is None else _showable(row, wanted.now)


def _showable(row: Any, now: datetime) -> Found:
    state = state_now(row.state, row.valid_until, now=now)
    if state != "claimed":
        return VoucherNotToShow(state)
    body = VoucherBody(name=_masked(row), face_fen=row.face_fen, threshold_fen=row.threshold_fen)
    return Showable(row.ref, row.person_id, body, until=row.valid_until)


def _masked(row: Any) -> str:
    return mask_name(Person.name.opened(row.name_sealed, row.person_id))


_COLUMNS = "v.ref, v.person_id, v.state, v.valid_until, v.face_fen, v.threshold_fen, p.name_sealed"
_SUBJECTS = f"""
SELECT {_COLUMNS}
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS wanted (id, person_id, ord)
LEFT JOIN duty_free_voucher v ON v.id = wanted.id AND v.person_id = wanted.person_id
LEFT JOIN identity_person p ON p.id = v.person_id
ORDER BY ord
"""  # noqa: S608 - constants of ours
_ROWS = f"SELECT {_COLUMNS} FROM duty_free_voucher v JOIN identity_person p ON p.id = v.person_id"  # noqa: S608
_BY_REF_AND_PERSON = f"{_ROWS} WHERE v.ref = $1 AND v.person_id = $2"
_BY_REFS = f"{_ROWS} WHERE v.ref = ANY($1::bigint[])"

VOUCHER = CodeKind(number=Kind.VOUCHER, name="voucher", find=find, find_again=find_again, standing=standing)
