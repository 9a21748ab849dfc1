"""Certificates that an applicant gives with a form: a field of format `certificate` holds the id of one.

It must be the applicant's own or kept by them, of a type that the field accepts, and in force on the day of
handing in; the desk sees how it stands when it looks. Nothing of it is copied into the case.
Source: docs/domain.md §4.1, §6 (免提交: who has a certificate is not asked for paper).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import certificates
from haiyiban.cases.drafting import schema_of
from haiyiban.cases.handlers import Finding
from haiyiban.cases.models import Case
from haiyiban.certificates import Certificate, Status, UnknownCertificateType
from haiyiban.certificates import types as certificate_types
from haiyiban.certificates.access import of_person
from haiyiban.certificates.rules import STATUS_WORDS
from haiyiban.errors import Words
from haiyiban.forms import get


def accepted(case: Case) -> dict[str, tuple[str, ...]]:
    """The fields of the case's form in which a certificate is chosen, with the types that each accepts."""
    return schema_of(case).certificate_fields()


async def of_case(session: AsyncSession, case: Case) -> dict[str, Certificate]:
    """The certificates that are chosen and are the applicant's, by field; what is not is left out."""
    chosen = {at: wanted for at in accepted(case) if (wanted := _chosen(case, at)) is not None}
    if not chosen:
        return {}
    rows = await session.scalars(
        select(Certificate).where(Certificate.id.in_(chosen.values()), of_person(case.applicant_id))
    )
    found = {row.id: row for row in rows}
    return {at: found[wanted] for at, wanted in chosen.items() if wanted in found}


async def to_choose_from(
    session: AsyncSession, case: Case, *, today: date
) -> dict[str, Sequence[Certificate]]:
    """By field, the certificates of the applicant that it accepts and that hold today."""
    fields = accepted(case)
    if not fields:
        return {}
    every = {type_ for types in fields.values() for type_ in types}
    held = await certificates.in_force(session, case.applicant_id, every, today=today)
    return {at: [each for each in held if each.type in types] for at, types in fields.items()}


async def findings(session: AsyncSession, case: Case, *, today: date) -> list[Finding]:
    """What keeps a chosen certificate from being handed in, and what the clerk should look at."""
    found: list[Finding] = []
    given = await of_case(session, case)
    for at, types in accepted(case).items():
        if _chosen(case, at) is None:
            continue  # nothing, or a text that the field's format refuses by itself
        title, certificate = schema_of(case).title(at), given.get(at)
        words = _not_yours(title) if certificate is None else _fault(title, certificate, types, today=today)
        if words is not None:
            found.append(Finding(code="certificate-refused", words=words, pointer=at, level="refuses"))
        elif certificate is not None and certificate.holder_id not in {case.applicant_id, case.subject_id}:
            found.append(
                Finding(
                    code="certificate-of-another",
                    words=Words(
                        f"{title.zh}的持证人不是申请人，请核对",
                        f"{title.en}: its holder is not the applicant; please check",
                    ),
                    pointer=at,
                    level="warns",
                )
            )
    return found


def name_of(type_: str) -> Words:
    """What a type of certificate is called, in its newest version."""
    try:
        return certificate_types.current(type_).name
    except UnknownCertificateType:
        # A form that is not offered any more may outlive a type.
        return Words(type_, type_)


def _chosen(case: Case, at: str) -> UUID | None:
    value = get(case.form, at)
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None  # a draft may hold any text; handing in refuses it by its format


def _not_yours(title: Words) -> Words:
    return Words(
        f"{title.zh}：所选证照不在您名下，请从列表中重新选择",
        f"{title.en}: this certificate is not yours; please choose from the list again",
    )


def _fault(title: Words, certificate: Certificate, types: Sequence[str], *, today: date) -> Words | None:
    name = certificates.type_of(certificate).name
    if certificate.type not in types:
        names = [name_of(each) for each in types]
        return Words(
            f"{title.zh}：这里不收《{name.zh}》，请选择{'或'.join(f'《{each.zh}》' for each in names)}",
            f"{title.en}: {name.en} is not accepted here; choose {' or '.join(each.en for each in names)}",
        )
    if certificate.valid_from > today:
        day = certificate.valid_from.isoformat()
        return Words(
            f"{title.zh}：《{name.zh}》{day} 起才生效，请改选其他证照或到期后再提交",
            f"{title.en}: {name.en} holds from {day} only; choose another or hand in then",
        )
    status = certificates.status_on(certificate.status, certificate.valid_until, today=today)
    if status is Status.VALID:
        return None
    said = STATUS_WORDS[status]
    return Words(
        f"{title.zh}：《{name.zh}》{said.zh}，请改选有效的证照，或先办理新的",
        f"{title.en}: {name.en} is not in force ({said.en}); choose one that is, or get a new one first",
    )
