"""Showing a code: a signed text that lives a minute, made from the certificate as it stands now.

Showing writes nothing: the id of a code carries its subject and its moment, so the same id always gives
the same text, and whether it was used is for the verifications to tell.

Source: schemas/codes/README.md §1–2; docs/domain.md §4.2 (only status 01 may be shown).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from haiyiban.batching import Batcher
from haiyiban.certificates import CertificateMissing, Status, status_on
from haiyiban.certificates.rules import STATUS_WORDS
from haiyiban.clock import local_date
from haiyiban.codes.claims import CertificateBody, Claims, Kind
from haiyiban.codes.cti import CodeRef, new_code_id
from haiyiban.codes.envelope import sign_form_a
from haiyiban.codes.signing import CODE_LIFE, CodeKeys
from haiyiban.db import database
from haiyiban.errors import Conflict, FieldError, NotFound, Problem, Words


class KindNotOffered(Problem):
    """Codes of this kind cannot be shown yet."""

    type = "codes/kind-not-offered"
    title = Words("这种亮证码暂未开通", "Codes of this kind are not offered yet")


class DeviceCodesNotOffered(Problem):
    """Codes bound to the phone cannot be had yet."""

    type = "codes/device-codes-not-offered"
    title = Words(
        "暂不支持绑定手机的亮证码，请不带 deviceKey 再试",
        "Device-bound codes are not offered yet; try again without deviceKey",
    )


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


class CodeMissing(NotFound):
    """No such code, somebody else's, or one that is over."""

    type = "codes/not-found"
    title = Words("没有找到这个亮证码，或已过期，请刷新", "There is no such code, or it is over; refresh it")


class Shown(NamedTuple):
    """A code to show."""

    id: UUID
    text: str
    expires_at: datetime


class CodeState(NamedTuple):
    """What became of a code."""

    ref: CodeRef
    expires_at: datetime
    used_at: datetime | None
    used_by_zh: str | None
    used_by_en: str | None

    def state(self, now: datetime) -> str:
        if self.used_at is not None:
            return "used"
        return "shown" if now <= self.expires_at else "expired"


class _Subject(NamedTuple):
    ref: int
    type: str
    holder_masked: str
    status: str
    valid_until: date | None


class _Wanted(NamedTuple):
    certificate_id: UUID
    keeper_id: UUID


async def show_certificate(certificate_id: UUID, person_id: UUID, *, keys: CodeKeys, now: datetime) -> Shown:
    """A fresh code for a certificate that this person may show. Raises CertificateMissing,
    CertificateNotValid."""
    subject = await _subjects.ask(_Wanted(certificate_id, person_id))
    if subject is None:
        raise CertificateMissing
    code_id = new_code_id(Kind.CERTIFICATE, subject.ref, now=now)
    return _signed(_opened(code_id, keys), subject, keys=keys, now=now)


async def state_of(code_id: UUID, person_id: UUID, *, keys: CodeKeys, now: datetime) -> CodeState:
    """What became of a code of mine. Raises CodeMissing."""
    ref = _opened(code_id, keys)
    if ref.kind != Kind.CERTIFICATE or ref.made_at > now:
        raise CodeMissing
    async with database().autocommit.connect() as connection:
        found = await connection.exec_driver_sql(_STATE, (ref.ref, person_id, keys.cti.seal(code_id)))
        row = found.first()
    if row is None:
        raise CodeMissing
    return CodeState(ref, _second(ref) + CODE_LIFE, row.at, row.name_zh, row.name_en)


async def text_of(code_id: UUID, person_id: UUID, *, keys: CodeKeys, now: datetime) -> str:
    """The text of a code of mine that still lives, signed again. Raises CodeMissing, CertificateNotValid."""
    state = await state_of(code_id, person_id, keys=keys, now=now)
    if state.state(now) != "shown":
        raise CodeMissing
    async with database().autocommit.connect() as connection:
        row = (await connection.exec_driver_sql(_BY_REF, (state.ref.ref,))).one()
    return _signed(state.ref, _Subject._make(row), keys=keys, now=now).text


def _opened(code_id: UUID, keys: CodeKeys) -> CodeRef:
    ref = keys.cti.open(keys.cti.seal(code_id))
    if ref is None:
        raise CodeMissing
    return ref


def _signed(ref: CodeRef, subject: _Subject, *, keys: CodeKeys, now: datetime) -> Shown:
    status = status_on(subject.status, subject.valid_until, today=local_date(now))
    if status is not Status.VALID:
        raise CertificateNotValid(status)
    made_at = _second(ref)
    expires_at = made_at + CODE_LIFE
    claims = Claims(
        iss=keys.issuer,
        iat=int(made_at.timestamp()),
        exp=int(expires_at.timestamp()),
        cti=keys.cti.seal(ref.id),
        kind=Kind.CERTIFICATE,
        body=CertificateBody(subject.type, subject.holder_masked, subject.valid_until),
    )
    text = sign_form_a(claims, keys.signer(ref.made_at))
    return Shown(ref.id, text, expires_at)


def _second(ref: CodeRef) -> datetime:
    """When a code was made, in whole seconds as its claims say it."""
    return ref.made_at.replace(microsecond=0)


# Below the ORM and for many requests at once: a code is asked for each minute by everybody in a queue.
_SUBJECTS = """
SELECT c.ref, c.type, c.holder_masked, c.status, c.valid_until
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS wanted (id, keeper_id, ord)
LEFT JOIN certificates_certificate c ON c.id = wanted.id AND c.keeper_id = wanted.keeper_id
ORDER BY ord
"""
_BY_REF = "SELECT ref, type, holder_masked, status, valid_until FROM certificates_certificate WHERE ref = $1"
_STATE = """
SELECT v.at, verifier.name_zh, verifier.name_en
FROM certificates_certificate c
LEFT JOIN codes_verification v ON v.single_use = $3 AND v.outcome = 'valid'
LEFT JOIN verifiers_verifier verifier ON verifier.id = v.verifier_id
WHERE c.ref = $1 AND c.keeper_id = $2
"""


async def _look_up(batch: Sequence[_Wanted]) -> list[_Subject | None]:
    columns: Any = tuple(list(column) for column in zip(*batch, strict=True))
    async with database().autocommit.connect() as connection:
        rows = (await connection.exec_driver_sql(_SUBJECTS, columns)).fetchall()
    return [_Subject._make(row) if row.ref is not None else None for row in rows]


_subjects: Batcher[_Wanted, _Subject | None] = Batcher(_look_up, in_flight=2)
