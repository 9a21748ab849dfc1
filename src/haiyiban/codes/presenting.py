"""The holder scans the counter (主扫): a verifier asks whoever is there, and one holder answers.

The request is a verification from its beginning, `consent_pending` and about nobody yet; its one answer names
the certificate. So it is read, settled, audited and shown in the holder's log like any other.

Source: schemas/codes/README.md "The holder scans the counter".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.certificates import Certificate, Status, access, status_on
from haiyiban.clock import local_date
from haiyiban.codes import consent
from haiyiban.codes.certificate_kind import CertificateNotValid
from haiyiban.codes.consent import Answer
from haiyiban.codes.entitlement import require_within
from haiyiban.codes.models import Consent, Verification
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.presentation_request import REQUEST_LIFE, PresentationInvalid, PresentationRequest
from haiyiban.codes.presentation_wire import PresentationAnswerCreate, PresentationRequestCreate
from haiyiban.context import current
from haiyiban.errors import Conflict, FieldError, NotAllowed, Problem, Words
from haiyiban.identity.callers import VerifierCaller
from haiyiban.ids import new_id
from haiyiban.verifiers import Purpose, purpose
from haiyiban.verifiers.models import Verifier

_CERTIFICATES_MOST = 100


class PurposeNotGranted(NotAllowed):
    """The verifier is not accredited for this purpose."""

    type = "codes/purpose-not-granted"
    title = Words(
        "您的单位没有此用途的权限；需要开通的，请联系平台管理员",
        "Your organisation may not verify for this purpose; contact the platform's operator",
    )


class NotToBePresented(Problem):
    """This purpose, or this type of certificate for it, cannot be asked for so; the pointer says which."""

    type = "codes/not-to-be-presented"
    title = Words("此用途不能这样出示", "This cannot be presented so")


class PresentationOver(Conflict):
    """The time of the request is over."""

    type = "codes/presentation-over"
    title = Words(
        "这个出示请求已过期，请让工作人员重新展示二维码",
        "This request is over; ask the counter to show a new one",
    )


class VerifierMayNotAsk(Conflict):
    """The verifier was suspended, or lost the purpose, since it asked."""

    type = "codes/verifier-may-not-ask"
    title = Words(
        "对方目前没有查验资格，请不要出示；有疑问请联系平台",
        "This verifier may not ask at present; do not show anything",
    )


async def ask(
    session: AsyncSession,
    asked: PresentationRequestCreate,
    caller: VerifierCaller,
    *,
    language: str,
    now: datetime,
) -> PresentationRequest:
    """Begin a verification that waits for whoever scans it.

    Raises UnknownPurpose, PurposeNotGranted, NotToBePresented, FieldsBeyondPurpose.
    """
    wanted = purpose(asked.purpose)
    if wanted.purpose not in caller.purposes:
        raise PurposeNotGranted
    _require_presentable(wanted, asked)
    fields = tuple(dict.fromkeys(asked.fields))
    verifier = await session.get_one(Verifier, caller.verifier_id)
    request_id = new_id()
    session.add(
        Verification(
            id=request_id,
            verifier_id=caller.verifier_id,
            request_hash=hashlib.blake2b(request_id.bytes, digest_size=16).digest(),
            purpose=wanted.purpose,
            place=asked.place or caller.place,
            single_use=request_id.bytes,
            fields=list(fields),
            outcome=Outcome.CONSENT_PENDING,
            language=language,
            at=now,
            answer_by=now + REQUEST_LIFE,
        )
    )
    await session.flush()
    await audit.record(
        session,
        "codes.request",
        object_kind="verification",
        object_id=request_id,
        fields=fields,
        reason=wanted.purpose,
        outcome=Outcome.CONSENT_PENDING,
    )
    return PresentationRequest(
        id=request_id,
        verifier_id=verifier.id,
        verifier=Words(verifier.name_zh, verifier.name_en),
        purpose=wanted.purpose,
        purpose_title=wanted.title.words,
        iat=int(now.timestamp()),
        exp=int((now + REQUEST_LIFE).timestamp()),
        fields=fields,
        certificate_type=asked.certificate_type,
    )


async def pending(session: AsyncSession, request: PresentationRequest) -> Verification:
    """The verification that a request began, as long as its verifier may ask.

    Raises PresentationInvalid, VerifierMayNotAsk.
    """
    verification = await session.get(Verification, request.id)
    verifier = await session.get(Verifier, request.verifier_id)
    if verification is None or verifier is None or verification.verifier_id != verifier.id:
        raise PresentationInvalid
    if verifier.status != "active" or request.purpose not in verifier.purposes:
        raise VerifierMayNotAsk
    return verification


async def open_request(session: AsyncSession, request: PresentationRequest, *, now: datetime) -> Verification:
    """The verification of a request that can still be answered.

    Raises PresentationInvalid, VerifierMayNotAsk, PresentationOver, AlreadyAnswered.
    """
    verification = await pending(session, request)
    if await consent.settled_by(session, verification.id) is not None:
        raise consent.AlreadyAnswered
    if now.timestamp() > request.exp:
        raise PresentationOver
    return verification


async def fitting(
    session: AsyncSession, request: PresentationRequest, person_id: UUID, *, now: datetime
) -> Sequence[Certificate]:
    """The certificates in force that this person may show and that answer the request, the newest first."""
    query = select(Certificate).where(
        access.of_keeper(person_id),
        Certificate.status == Status.VALID,
        Certificate.type.in_(types_of(request)),
    )
    rows = await session.scalars(query.order_by(Certificate.id.desc()).limit(_CERTIFICATES_MOST))
    today = local_date(now)
    return [row for row in rows if status_on(row.status, row.valid_until, today=today) is Status.VALID]


async def answer(
    session: AsyncSession,
    request: PresentationRequest,
    given: PresentationAnswerCreate,
    *,
    person_id: UUID,
    now: datetime,
) -> Consent:
    """One holder's answer; the same again gets the same.

    Raises PresentationInvalid, VerifierMayNotAsk, PresentationOver, AlreadyAnswered, CertificateMissing,
    CertificateNotValid, NotToBePresented, FieldsNotAsked.
    """
    verification = await pending(session, request)
    earlier = await consent.settled_by(session, verification.id)
    is_settled = earlier is not None
    is_over = now.timestamp() > request.exp if earlier is None else earlier.decision == "none"
    if is_over:
        raise PresentationOver
    certificate = await _chosen(session, request, given, person_id) if given.decision == "allow" else None
    if certificate is not None and not is_settled:
        status = status_on(certificate.status, certificate.valid_until, today=local_date(now))
        if status is not Status.VALID:
            raise CertificateNotValid(status)
    decided = Answer(given.decision, given.fields)
    allowed = decided.allowed(asked_of(request, certificate.type)) if certificate is not None else ()
    settled, is_new = await consent.answer(
        session, verification, certificate, decided, person_id=person_id, allowed=allowed, now=now
    )
    if is_new:
        await _record(session, verification, settled, certificate, person_id=person_id)
    return settled


def types_of(request: PresentationRequest) -> list[str]:
    """The types of certificate that answer a request."""
    if request.certificate_type is not None:
        return [request.certificate_type]
    wanted = purpose(request.purpose)
    return [type_ for type_ in wanted.certificates if set(request.fields) <= set(wanted.most(type_))]


def asked_of(request: PresentationRequest, certificate_type: str) -> tuple[str, ...]:
    """The claims that a request asks of a type: those named, or what the purpose shows by itself."""
    return request.fields or purpose(request.purpose).least(certificate_type)


def _require_presentable(wanted: Purpose, asked: PresentationRequestCreate) -> None:
    if wanted.presence:
        # Anybody can send a picture of the counter's code to somebody who is far away.
        words = Words(
            "此用途须本人在场，请扫对方的亮证码", "the holder must be present: scan the holder's code"
        )
        raise NotToBePresented(errors=[FieldError("/purpose", words)])
    if not wanted.certificates:
        words = Words("此用途不查验证照", "this purpose is not about certificates")
        raise NotToBePresented(errors=[FieldError("/purpose", words)])
    if asked.certificate_type is not None:
        if asked.certificate_type not in wanted.certificates:
            words = Words("此用途不查验这类证照", "this purpose is not about such certificates")
            raise NotToBePresented(errors=[FieldError("/certificateType", words)])
        require_within(wanted.most(asked.certificate_type), asked.fields)
        return
    reaches = [wanted.most(type_) for type_ in wanted.certificates]
    if not any(set(asked.fields) <= set(most) for most in reaches):
        # Of the type that comes nearest, so that the pointers say what to leave out.
        require_within(max(reaches, key=lambda most: len(set(asked.fields) & set(most))), asked.fields)


async def _chosen(
    session: AsyncSession, request: PresentationRequest, given: PresentationAnswerCreate, person_id: UUID
) -> Certificate:
    if given.subject_id is None:
        words = Words("请选择要出示的证照", "choose the certificate to show")
        raise NotToBePresented(errors=[FieldError("/subjectId", words)])
    certificate = await access.kept(session, given.subject_id, person_id)
    if certificate.type not in types_of(request):
        words = Words("对方要的不是这类证照", "this is not of the kind that is asked for")
        raise NotToBePresented(errors=[FieldError("/subjectId", words)])
    return certificate


async def _record(
    session: AsyncSession,
    verification: Verification,
    settled: Consent,
    certificate: Certificate | None,
    *,
    person_id: UUID,
) -> None:
    """What the holder decided; and, for the holder's log, that this verifier verified the certificate."""
    holder_id = certificate.holder_id if certificate is not None else person_id
    await audit.record(
        session,
        "codes.consent",
        subject=holder_id,
        object_kind="verification",
        object_id=verification.id,
        fields=settled.fields,
        reason=verification.purpose,
        outcome=settled.decision,
    )
    if settled.decision != "allow":
        return
    verifier = await session.get_one(Verifier, verification.verifier_id)
    pseudonym = select(AuditSubject.pseudonym).where(AuditSubject.person_id == holder_id)
    session.add(
        AuditRecord(
            id=new_id(),
            at=settled.at,
            action="codes.verify",
            outcome=settled.outcome,
            actor_kind="verifier",
            actor_id=verifier.id,
            actor_unit=verifier.name_zh,
            subject=await session.scalar(pseudonym),
            object_kind="verification",
            object_id=verification.id,
            fields=settled.fields,
            reason=verification.purpose,
            request_id=current().request_id,
            address=current().address,
        )
    )
