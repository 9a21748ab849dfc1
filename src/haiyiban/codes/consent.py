"""Step 11 of a verification: the holder is asked, and answers once.

A code whose holder is asked is reserved for that verification. The verification's row never changes; the
answer is a row beside it. Whoever writes that row first, the holder or the end of the time, has settled it.

Source: schemas/codes/README.md "Consent"; docs/domain.md §13 (data minimisation).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.certificates import Certificate, Status, status_on
from haiyiban.clock import local_date
from haiyiban.codes.models import Consent, Verification
from haiyiban.codes.outcomes import Outcome
from haiyiban.errors import Conflict, FieldError, NotFound, Problem, Words

CONSENT_LIFE = timedelta(seconds=60)
"""How long a verifier waits at the counter for an answer."""


class ConsentMissing(NotFound):
    """Nobody asked for this, or it is for somebody else to answer."""

    type = "codes/consent-not-found"
    title = Words("没有找到这次授权请求", "There is no such request for consent")


class ConsentOver(Conflict):
    """The time to answer is over; the verifier was told that nobody answered."""

    type = "codes/consent-over"
    title = Words(
        "确认时间已过，本次没有授权；仍要办理的，请刷新亮证码让对方重新扫",
        "The time to answer is over and nothing was shown; refresh the code and have it scanned again",
    )


class AlreadyAnswered(Conflict):
    """It was answered otherwise, or by somebody else; the first answer stands."""

    type = "codes/already-answered"
    title = Words(
        "这次请求已经答复过，以第一次为准", "This request was answered already; the first answer stands"
    )


class FieldsNotAsked(Problem):
    """The holder allows what nobody asked for, or nothing at all."""

    type = "codes/fields-not-asked"
    title = Words("请从对方请求的信息中选择", "Choose among the fields that were asked for")


class Answer(NamedTuple):
    """What a holder decides. `fields` are the claims allowed: None for all that were asked for."""

    decision: str
    fields: Sequence[str] | None

    def allowed(self, asked: Sequence[str]) -> tuple[str, ...]:
        """The claims allowed among those asked for, in their order. Raises FieldsNotAsked."""
        given = asked if self.fields is None else self.fields
        words = Words("对方没有请求这一项", "this was not asked for")
        unknown = [FieldError(f"/fields/{at}", words) for at, name in enumerate(given) if name not in asked]
        if unknown:
            raise FieldsNotAsked(errors=unknown)
        if self.decision == "refuse":
            return ()
        if asked and not given:
            words = Words("请至少选择一项，或选择不同意", "choose at least one, or refuse")
            raise FieldsNotAsked(errors=[FieldError("/fields", words)])
        return tuple(name for name in asked if name in given)


async def asked_of(
    session: AsyncSession, verification_id: UUID, person_id: UUID
) -> tuple[Verification, Certificate]:
    """A request for consent that is this person's to answer, and what it is about. Raises ConsentMissing."""
    query = select(Verification, Certificate).join(Certificate, Certificate.id == Verification.certificate_id)
    row = (
        await session.execute(
            query.where(
                Verification.id == verification_id,
                Verification.outcome == Outcome.CONSENT_PENDING,
                Certificate.keeper_id == person_id,
            )
        )
    ).first()
    if row is None:
        raise ConsentMissing
    verification, certificate = row
    return verification, certificate


async def answer(
    session: AsyncSession,
    verification: Verification,
    certificate: Certificate | None,
    given: Answer,
    *,
    person_id: UUID,
    allowed: Sequence[str],
    now: datetime,
) -> tuple[Consent, bool]:
    """Settle a request by its answer: the settlement, and whether it is new or the same given again.

    What the certificate is worth counts at this moment. Raises ConsentOver, AlreadyAnswered.
    """
    assert verification.answer_by is not None
    settled = await settled_by(session, verification.id)
    if settled is None and now > verification.answer_by:
        raise ConsentOver
    if settled is None:
        status = await _standing(session, certificate, now=now) if certificate is not None else None
        settled = await _settle(
            session,
            Consent(
                verification_id=verification.id,
                decision=given.decision,
                fields=list(allowed),
                certificate_id=certificate.id if certificate is not None else None,
                status=status,
                outcome=_outcome(given.decision, status),
                person_id=person_id,
                at=now,
            ),
        )
        if settled is not None:
            return settled, True
        # Somebody was faster: a second device, or the end of the time.
        settled = await settled_by(session, verification.id)
    assert settled is not None
    if settled.decision == "none":
        raise ConsentOver
    about = certificate.id if certificate is not None else None
    same = (settled.decision, settled.person_id, settled.fields) == (given.decision, person_id, [*allowed])
    if not same or settled.certificate_id != about:
        raise AlreadyAnswered(members={"state": settled.decision})
    return settled, False


async def look(session: AsyncSession, verification: Verification, *, now: datetime) -> Consent | None:
    """What became of a request; None while the holder may still answer. The first look after that settles
    it, so that an answer on its way is either in time or refused, and never both."""
    assert verification.answer_by is not None
    settled = await settled_by(session, verification.id)
    if settled is not None or now <= verification.answer_by:
        return settled
    nobody = Consent(
        verification_id=verification.id,
        decision="none",
        fields=[],
        certificate_id=verification.certificate_id,
        outcome=Outcome.CONSENT_REFUSED,
        at=now,
    )
    return await _settle(session, nobody) or await settled_by(session, verification.id)


async def settled_by(session: AsyncSession, verification_id: UUID) -> Consent | None:
    """The settlement of a request, if it has one."""
    found: Consent | None = await session.scalar(
        select(Consent).where(Consent.verification_id == verification_id)
    )
    return found


async def _settle(session: AsyncSession, consent: Consent) -> Consent | None:
    """Write the settlement; None where another was there first."""
    values = {column.key: getattr(consent, column.key) for column in Consent.__table__.columns}
    statement = upsert(Consent).values(values).on_conflict_do_nothing().returning(Consent)
    written: Consent | None = await session.scalar(statement)
    return written


async def _standing(session: AsyncSession, certificate: Certificate, *, now: datetime) -> Status:
    """What a certificate is worth now; locked, for a revocation on its way must come before or after."""
    locked = select(Certificate).where(Certificate.id == certificate.id).with_for_update(read=True)
    row = (await session.scalars(locked.execution_options(populate_existing=True))).one()
    return status_on(row.status, row.valid_until, today=local_date(now))


def _outcome(decision: str, status: Status | None) -> Outcome:
    if decision != "allow" or status is None:
        return Outcome.CONSENT_REFUSED
    return _OUTCOMES[status]


_OUTCOMES = {
    Status.VALID: Outcome.VALID,
    Status.SUSPENDED: Outcome.SUSPENDED,
    Status.REVOKED: Outcome.REVOKED,
    Status.SUPERSEDED: Outcome.REVOKED,
    Status.EXPIRED: Outcome.EXPIRED,
}
