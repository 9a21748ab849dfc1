"""Codes of certificates (kind 1): only one in force may be shown, by the person who keeps it.

Source: docs/domain.md §4.2 (only status 01 may be shown).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from haiyiban.certificates import CertificateMissing, Status, status_on
from haiyiban.certificates.rules import STATUS_WORDS
from haiyiban.clock import SHANGHAI, local_date
from haiyiban.codes.claims import CertificateBody, Kind
from haiyiban.codes.kinds import CodeKind, Found, Showable, Wanted
from haiyiban.db import database
from haiyiban.errors import Conflict, FieldError, Problem, Words


class SubjectMissing(Problem):
    """The request does not say what to show."""

    type = "codes/subject-missing"
    title = Words("请选择要出示的证照", "Choose the certificate to show")

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/subjectId", self.title)])


class CertificateNotValid(Conflict):
    """The certificate may not be shown as it stands; the member `state` says how."""

    type = "codes/certificate-not-valid"
    title = Words(
        "这份证照当前不能出示，请查看最新证照或联系发证部门",
        "This certificate cannot be shown now; open the latest one or contact the issuing agency",
    )

    def __init__(self, status: Status) -> None:
        super().__init__(STATUS_WORDS[status], members={"state": status.value})


class _Row(NamedTuple):
    ref: int
    holder_id: UUID
    type: str
    holder_masked: str
    status: str
    valid_until: date | None


async def find(batch: Sequence[Wanted]) -> list[Found]:
    """The certificates that these persons want to show."""
    rows = await database().fetch(
        _SUBJECTS, [wanted.subject_id for wanted in batch], [wanted.person_id for wanted in batch]
    )
    return [_found(wanted, row) for wanted, row in zip(batch, rows, strict=True)]


async def find_again(ref: int, person_id: UUID, now: datetime) -> Found:
    """The certificate of a code that this person showed before."""
    row = next(iter(await database().fetch(_BY_REF, ref, person_id)), None)
    return CertificateMissing() if row is None else showable(_Row._make(row), now=now)


def showable(row: _Row, *, now: datetime) -> Found:
    """Whether a certificate may be shown as it stands, and what strangers read in its code."""
    status = status_on(row.status, row.valid_until, today=local_date(now))
    if status is not Status.VALID:
        return CertificateNotValid(status)
    body = CertificateBody(row.type, row.holder_masked, row.valid_until)
    return Showable(row.ref, row.holder_id, body, until=_last_second(row.valid_until))


def _found(wanted: Wanted, row: Any) -> Found:
    if wanted.subject_id is None:
        return SubjectMissing()
    return CertificateMissing() if row.ref is None else showable(_Row._make(row), now=wanted.now)


def _last_second(day: date | None) -> datetime | None:
    if day is None or day == date.max:
        return None
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI) - timedelta(seconds=1)


# Below the ORM and for many requests at once: a code is asked for each minute by everybody in a queue.
_SUBJECTS = """
SELECT c.ref, c.holder_id, c.type, c.holder_masked, c.status, c.valid_until
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS wanted (id, keeper_id, ord)
LEFT JOIN certificates_certificate c ON c.id = wanted.id AND c.keeper_id = wanted.keeper_id
ORDER BY ord
"""
_BY_REF = """
SELECT ref, holder_id, type, holder_masked, status, valid_until
FROM certificates_certificate WHERE ref = $1 AND keeper_id = $2
"""

CERTIFICATE = CodeKind(
    number=Kind.CERTIFICATE, name="certificate", find=find, find_again=find_again, standing=None
)
