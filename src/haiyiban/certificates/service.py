"""Issuing certificates and what an authority does to them afterwards, each with its audit and its notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, notices, outbox
from haiyiban.audit import Act
from haiyiban.certificates import access, types
from haiyiban.certificates.identifiers import Identifier, new_serial
from haiyiban.certificates.models import Certificate
from haiyiban.certificates.rules import Status, Verb, next_status
from haiyiban.certificates.types import CertificateType, Issuer
from haiyiban.clock import local_date
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.ids import new_id
from haiyiban.masking import mask_name
from haiyiban.notices import Told

NEWS_DELAY = timedelta(seconds=60)
"""News of a certificate waits as long as the decision behind it can be undone, and is recalled with it."""


class InvalidClaims(Problem):
    """What the certificate would state is not what its type's schema says."""

    type = "certificates/invalid-claims"
    title = Words("证照内容不完整或不正确，请按提示修改", "The certificate's content is incomplete or wrong")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToIssue:
    """The first version of a certificate, to be issued.

    `keeper_id` may show it: the holder, or the guardian of a child. Its end and the agency and division that
    look after it are the type's where they are not given.
    """

    holder_id: UUID
    keeper_id: UUID
    claims: Mapping[str, Any]
    case_id: UUID | None
    valid_until: date | None = None
    agency: str | None = None
    division: str | None = None


async def issue(
    session: AsyncSession,
    type_: str,
    *,
    holder_id: UUID,
    keeper_id: UUID,
    claims: Mapping[str, Any],
    case_id: UUID | None,
    now: datetime,
    issuer: Issuer | None = None,
    valid_until: date | None = None,
    agency: str | None = None,
    division: str | None = None,
) -> Certificate:
    """Issue the first version of a certificate (`ToIssue`), valid from today. The issuer is the type's where
    it is not given. Raises InvalidClaims, UnknownCertificateType.
    """
    wanted = ToIssue(
        holder_id=holder_id,
        keeper_id=keeper_id,
        claims=claims,
        case_id=case_id,
        valid_until=valid_until,
        agency=agency,
        division=division,
    )
    [certificate] = await issue_all(session, type_, [wanted], issuer=issuer, now=now)
    return certificate


async def issue_all(
    session: AsyncSession,
    type_: str,
    wanted: Sequence[ToIssue],
    *,
    now: datetime,
    issuer: Issuer | None = None,
) -> list[Certificate]:
    """Issue many certificates of one type, in their order, in a few statements: all or none.

    Raises InvalidClaims, UnknownCertificateType.
    """
    kind = types.current(type_)
    issued = [_first(kind, each, issuer=issuer or kind.description.issuer, now=now) for each in wanted]
    session.add_all(issued)
    await session.flush()
    await audit.record_all(
        session,
        [
            _act(certificate, "issue", fields=each.claims)
            for certificate, each in zip(issued, wanted, strict=True)
        ],
    )
    values = {"type": kind.name.zh}
    told = [Told(certificate.keeper_id, certificate.id, values) for certificate in issued]
    await notices.tell_persons(session, "certificates.issued", told, delay=NEWS_DELAY)
    return issued


async def correct(
    session: AsyncSession,
    certificate_id: UUID,
    *,
    claims: Mapping[str, Any],
    reason: str,
    valid_until: date | None = None,
    now: datetime,
) -> Certificate:
    """Issue the next version under the same serial, and end the old one in the same transaction. It ends when
    the old one would, unless `valid_until` says otherwise.

    Of two corrections at once the second waits, then finds the old one superseded. Raises
    CertificateMissing, NotInForce, InvalidClaims.
    """
    old = await access.for_change(session, certificate_id)
    old_claims = old.claims
    kind = types.current(old.type)
    _set_status(old, Verb.CORRECT, reason=reason, now=now)
    # The index that allows one version in force must see the old one gone before the new one comes.
    await session.flush()
    certificate = Certificate(
        id=new_id(),
        type=old.type,
        type_version=kind.description.version,
        serial=old.serial,
        version=old.version + 1,
        holder_id=old.holder_id,
        keeper_id=old.keeper_id,
        case_id=old.case_id,
        agency=old.agency,
        division=old.division,
        issuer=old.issuer,
        issuer_code=old.issuer_code,
        issued_on=local_date(now),
        valid_from=old.valid_from,
        valid_until=valid_until or old.valid_until,
        status=Status.VALID,
        status_at=now,
        supersedes_id=old.id,
        created_at=now,
    )
    _state(certificate, kind, claims)
    session.add(certificate)
    await session.flush()
    changed = [name for name in {**old_claims, **claims} if old_claims.get(name) != claims.get(name)]
    await _record(session, certificate, Verb.CORRECT, fields=changed)
    await notices.tell_person(
        session, old.keeper_id, "certificates.reissued", about=certificate.id, type=kind.name.zh
    )
    return certificate


async def revoke(session: AsyncSession, certificate_id: UUID, *, reason: str, now: datetime) -> Certificate:
    """End a certificate for good. The keeper hears of it, unless the news of its issue was not out yet.

    Raises CertificateMissing, NotInForce.
    """
    certificate = await _move(session, certificate_id, Verb.REVOKE, reason=reason, now=now)
    if not await outbox.recall(session, certificate.id, since=certificate.created_at):
        await _tell(session, certificate, "certificates.revoked")
    return certificate


async def suspend(session: AsyncSession, certificate_id: UUID, *, reason: str, now: datetime) -> Certificate:
    """Keep a certificate from being shown until it is reinstated. Raises CertificateMissing, NotInForce."""
    certificate = await _move(session, certificate_id, Verb.SUSPEND, reason=reason, now=now)
    await _tell(session, certificate, "certificates.suspended")
    return certificate


async def reinstate(
    session: AsyncSession, certificate_id: UUID, *, reason: str, now: datetime
) -> Certificate:
    """Let a suspended certificate be shown again. Raises CertificateMissing, NotInForce."""
    certificate = await _move(session, certificate_id, Verb.REINSTATE, reason=reason, now=now)
    await _tell(session, certificate, "certificates.reinstated")
    return certificate


def _first(kind: CertificateType, wanted: ToIssue, *, issuer: Issuer, now: datetime) -> Certificate:
    described = kind.description
    today = local_date(now)
    certificate = Certificate(
        id=new_id(),
        type=described.type,
        type_version=described.version,
        serial=new_serial(),
        version=1,
        holder_id=wanted.holder_id,
        keeper_id=wanted.keeper_id,
        case_id=wanted.case_id,
        agency=wanted.agency or described.agency,
        division=wanted.division or described.division,
        issuer=issuer.name.zh,
        issuer_code=issuer.code,
        issued_on=today,
        valid_from=today,
        valid_until=wanted.valid_until or described.validity.end(today),
        status=Status.VALID,
        status_at=now,
        created_at=now,
    )
    _state(certificate, kind, wanted.claims)
    return certificate


def _state(certificate: Certificate, kind: CertificateType, claims: Mapping[str, Any]) -> None:
    """Check what a new version states and seal it. Raises InvalidClaims."""
    if errors := kind.schema.validate(dict(claims)):
        raise InvalidClaims(errors=[FieldError(f"/claims{error.pointer}", error.message) for error in errors])
    certificate.claims = dict(claims)
    name = claims["name"]
    certificate.holder_masked = name if kind.description.holder == "enterprise" else mask_name(name)
    certificate.identifier = str(
        Identifier(
            type_code=kind.description.code,
            issuer_code=certificate.issuer_code,
            serial=certificate.serial,
            version=certificate.version,
        )
    )


async def _move(
    session: AsyncSession, certificate_id: UUID, verb: Verb, *, reason: str, now: datetime
) -> Certificate:
    certificate = await access.for_change(session, certificate_id)
    _set_status(certificate, verb, reason=reason, now=now)
    await session.flush()
    await _record(session, certificate, verb, fields=["status"])
    return certificate


def _set_status(certificate: Certificate, verb: Verb, *, reason: str, now: datetime) -> None:
    certificate.status = next_status(certificate.status, verb)
    certificate.status_at = now
    certificate.status_reason = reason


async def _tell(session: AsyncSession, certificate: Certificate, template: str) -> None:
    name = types.type_of(certificate).name.zh
    await notices.tell_person(session, certificate.keeper_id, template, about=certificate.id, type=name)


async def _record(session: AsyncSession, certificate: Certificate, verb: str, *, fields: Any) -> None:
    await audit.record_all(session, [_act(certificate, verb, fields=fields)])


def _act(certificate: Certificate, verb: str, *, fields: Any) -> Act:
    return Act(
        f"certificates.{verb}",
        subject=certificate.holder_id,
        object_kind="certificate",
        object_id=certificate.id,
        fields=sorted(fields),
        reason=certificate.type,
    )
