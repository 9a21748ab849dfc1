"""The certificates of a case's form as its applicant chooses and sees them, and as its clerk checks them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, certificates, clock, context
from haiyiban.cases import given_certificates
from haiyiban.cases.models import Case
from haiyiban.certificates import Certificate
from haiyiban.certificates.rules import STATUS_WORDS
from haiyiban.certificates.views import Detail
from haiyiban.matters import catalogue
from haiyiban.wire import Output

_ENDING = 4


class GivenCertificate(Output, kw_only=True, omit_defaults=False):
    """A certificate that a field holds or may hold, as much as one needs to recognise it."""

    id: UUID
    type: str
    type_name: str
    holder_name: str
    """Masked."""
    number_ending: str
    """The last four characters of its serial (尾号)."""
    issuer: str
    valid_from: date
    valid_until: date | None
    """The last valid day; null without an end."""
    status: str
    """valid, suspended, revoked, superseded or expired, today."""
    status_text: str


class DeskGivenCertificate(GivenCertificate, kw_only=True, omit_defaults=False):
    """The same as the clerk checks it, who sees of it what any verifier would see first."""

    number: str
    """证照标识, in full."""
    details: list[Detail]
    """The least that it states, with titles, in the language of the request."""
    is_looked_after_here: bool
    """Whether the agency of the case issued it, so that its clerks find it among their certificates."""


class AcceptedType(Output, kw_only=True, omit_defaults=False):
    """A type of certificate that a field accepts, and the matter by which one gets it, where there is one."""

    type: str
    name: str
    matter: str | None
    matter_name: str | None


class CertificateField(Output, kw_only=True, omit_defaults=False):
    """A field in which a certificate is chosen, with those that may be."""

    pointer: str
    accepted: list[AcceptedType]
    items: list[GivenCertificate]


class CertificateChoices(Output, kw_only=True, omit_defaults=False):
    """Every field of a case's form in which a certificate is chosen."""

    fields: list[CertificateField]


async def choices(session: AsyncSession, case: Case, *, reader: UUID) -> CertificateChoices:
    """What the applicant may choose; that it is looked at on another's behalf is recorded."""
    held = await given_certificates.to_choose_from(session, case, today=clock.today())
    for certificate in {each.id: each for found in held.values() for each in found}.values():
        if certificate.holder_id != reader:
            await _record_look(session, certificate, fields=["name", "validUntil"], reason=case.matter)
    return CertificateChoices(
        fields=[
            CertificateField(
                pointer=at,
                accepted=[_accepted(type_) for type_ in types],
                items=[GivenCertificate(**_members(each)) for each in held[at]],
            )
            for at, types in given_certificates.accepted(case).items()
        ]
    )


async def given(session: AsyncSession, case: Case) -> dict[str, GivenCertificate]:
    """The certificates that the applicant has chosen, by field."""
    found = await given_certificates.of_case(session, case)
    return {at: GivenCertificate(**_members(each)) for at, each in found.items()}


async def given_at_desk(session: AsyncSession, case: Case) -> dict[str, DeskGivenCertificate]:
    """The same for the clerk, as they stand today. Each is a look at its holder's certificate."""
    shown = {}
    language = context.current().language
    for at, each in (await given_certificates.of_case(session, case)).items():
        kind = certificates.type_of(each)
        least = kind.least(each.claims)
        await _record_look(session, each, fields=sorted(least), reason=case.matter)
        shown[at] = DeskGivenCertificate(
            **_members(each),
            number=each.identifier,
            details=[
                Detail(
                    name=line.claim,
                    title=line.title.in_language(language),
                    text=line.text.in_language(language),
                )
                for line in kind.lines(least)
            ],
            is_looked_after_here=each.agency == case.agency,
        )
    return shown


def _members(certificate: Certificate) -> dict[str, Any]:
    language = context.current().language
    status = certificates.status_on(certificate.status, certificate.valid_until, today=clock.today())
    return {
        "id": certificate.id,
        "type": certificate.type,
        "type_name": certificates.type_of(certificate).name.in_language(language),
        "holder_name": certificate.holder_masked,
        "number_ending": certificate.serial[-_ENDING:],
        "issuer": certificate.issuer,
        "valid_from": certificate.valid_from,
        "valid_until": certificate.valid_until,
        "status": status.value,
        "status_text": STATUS_WORDS[status].in_language(language),
    }


def _accepted(type_: str) -> AcceptedType:
    language = context.current().language
    matter = catalogue().issuing(type_)
    return AcceptedType(
        type=type_,
        name=given_certificates.name_of(type_).in_language(language),
        matter=matter.code if matter else None,
        matter_name=matter.name.words.in_language(language) if matter else None,
    )


async def _record_look(
    session: AsyncSession, certificate: Certificate, *, fields: list[str], reason: str
) -> None:
    await audit.record(
        session,
        "certificates.read",
        subject=certificate.holder_id,
        object_kind="certificate",
        object_id=certificate.id,
        fields=fields,
        reason=reason,
    )
