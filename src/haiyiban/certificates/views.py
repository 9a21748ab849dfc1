"""How a certificate looks: to who keeps it, in full, and to the clerks who look after it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from haiyiban.certificates import portraits
from haiyiban.certificates.models import Certificate
from haiyiban.certificates.rules import STATUS_CODES, STATUS_WORDS, status_on
from haiyiban.certificates.types import type_of
from haiyiban.context import current
from haiyiban.credit_codes import CREDIT_CODE
from haiyiban.residents import IdType
from haiyiban.wire import Output


class Detail(Output, kw_only=True, omit_defaults=False):
    """One claim as people read it."""

    name: str
    title: str
    text: str


class CertificateSummary(Output, kw_only=True, omit_defaults=False):
    """A certificate, in full, for who keeps it. Only status `valid` may be shown to others."""

    id: UUID
    type: str
    type_name: str
    number: str
    """证照标识."""
    version: int
    holder_name: str
    issuer: str
    issued_on: date
    valid_from: date
    valid_until: date | None
    """The last valid day; null without an end."""
    status: str
    """valid, suspended, revoked, superseded or expired."""
    status_text: str
    claims: dict[str, Any]


class CertificateRead(CertificateSummary, kw_only=True, omit_defaults=False):
    """A certificate with its metadata."""

    details: list[Detail]
    """The claims in their order, with titles, in the language of the request."""
    status_reason: str | None
    superseded_by: UUID | None
    metadata: dict[str, str]
    """By the short names of GB/T 36903 (docs/domain.md §4.2)."""
    portrait: str | None
    """Where the holder's portrait may be asked for; null where there is no face, as of an enterprise."""


class DeskCertificateSummary(Output, kw_only=True, omit_defaults=False):
    """A certificate in a clerk's list."""

    id: UUID
    type: str
    type_name: str
    number: str
    version: int
    holder_name: str
    """Masked."""
    issued_on: date
    valid_until: date | None
    status: str
    status_at: datetime
    case_id: UUID | None


class DeskCertificateRead(DeskCertificateSummary, kw_only=True, omit_defaults=False):
    """A certificate as a clerk sees it who looks after it: in full."""

    claims: dict[str, Any]
    status_reason: str | None


def summary(certificate: Certificate, *, today: date) -> CertificateSummary:
    """A certificate in its keeper's list."""
    return CertificateSummary(**_members(certificate, today))


def read(certificate: Certificate, *, successor: UUID | None, today: date) -> CertificateRead:
    """A certificate as its keeper reads it."""
    language = current().language
    return CertificateRead(
        **_members(certificate, today),
        details=[
            Detail(
                name=line.claim, title=line.title.in_language(language), text=line.text.in_language(language)
            )
            for line in type_of(certificate).lines(certificate.claims)
        ],
        status_reason=certificate.status_reason,
        superseded_by=successor,
        metadata=metadata(certificate, today=today),
        portrait=f"/api/v1/certificates/{certificate.id}/portrait"
        if portraits.speaks_of_a_person(certificate)
        else None,
    )


def desk_summary(certificate: Certificate, *, today: date) -> DeskCertificateSummary:
    """A certificate in a clerk's list: no sealed value is opened."""
    return DeskCertificateSummary(**_desk_members(certificate, today))


def desk_read(certificate: Certificate, *, today: date) -> DeskCertificateRead:
    """A certificate as its clerk reads it."""
    return DeskCertificateRead(
        **_desk_members(certificate, today),
        claims=certificate.claims,
        status_reason=certificate.status_reason,
    )


def metadata(certificate: Certificate, *, today: date) -> dict[str, str]:
    """What other systems know the certificate by. Source: GB/T 36903, 36905; docs/domain.md §4.2."""
    kind = type_of(certificate)
    status = status_on(certificate.status, certificate.valid_until, today=today)
    until = certificate.valid_until
    return {
        "ZZMC": kind.name.zh,
        "ZZLXDM": kind.description.code,
        "ZZBH": certificate.serial,
        "ZZBS": certificate.identifier,
        "ZZBFJG": certificate.issuer,
        "ZZBFJGDM": certificate.issuer_code,
        "ZZBFRQ": certificate.issued_on.isoformat(),
        "CZZT": certificate.claims["name"],
        **_holder(certificate),
        "ZZYXQQSRQ": certificate.valid_from.isoformat(),
        "ZZYXQJZRQ": until.isoformat() if until else "长期",
        "CJSJ": certificate.created_at.isoformat(timespec="seconds"),
        "KZ_ZZZTDM": STATUS_CODES[status],
        "KZ_ZZZT": STATUS_WORDS[status].zh,
    }


def _holder(certificate: Certificate) -> dict[str, str]:
    """What the holder is known by."""
    if type_of(certificate).description.holder == "enterprise":
        code = certificate.claims["creditCode"]
        return {"CZZTDM": code, "CZZTDMLX": "统一社会信用代码", "CZZTDMLXDM": CREDIT_CODE}
    return {
        "CZZTDM": certificate.claims["idNumber"],
        "CZZTDMLX": "居民身份证",
        "CZZTDMLXDM": IdType.RESIDENT_ID_CARD.value,
    }


def _members(certificate: Certificate, today: date) -> dict[str, Any]:
    status = status_on(certificate.status, certificate.valid_until, today=today)
    language = current().language
    claims = certificate.claims
    return {
        "id": certificate.id,
        "type": certificate.type,
        "type_name": type_of(certificate).name.in_language(language),
        "number": certificate.identifier,
        "version": certificate.version,
        "holder_name": claims["name"],
        "issuer": certificate.issuer,
        "issued_on": certificate.issued_on,
        "valid_from": certificate.valid_from,
        "valid_until": certificate.valid_until,
        "status": status.value,
        "status_text": STATUS_WORDS[status].in_language(language),
        "claims": claims,
    }


def _desk_members(certificate: Certificate, today: date) -> dict[str, Any]:
    return {
        "id": certificate.id,
        "type": certificate.type,
        "type_name": type_of(certificate).name.in_language(current().language),
        "number": certificate.identifier,
        "version": certificate.version,
        "holder_name": certificate.holder_masked,
        "issued_on": certificate.issued_on,
        "valid_until": certificate.valid_until,
        "status": status_on(certificate.status, certificate.valid_until, today=today).value,
        "status_at": certificate.status_at,
        "case_id": certificate.case_id,
    }
