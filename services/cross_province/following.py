"""What the receiving place (收件地) does with what the handling place says: keeps it, tells the applicant."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.certificates import Status
from haiyiban.clock import local_date
from haiyiban.codes.claims import CertificateBody, Kind
from haiyiban.codes.offline import verify_offline
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.trust import TrustList
from services.cross_province import cases, joint
from services.cross_province.messages import CrossCertificate, CrossMessage, Type
from services.cross_province.models import CrossCase
from services.cross_province.rules import FINAL, State, is_past
from services.cross_province.signatures import SKEW


async def followed(
    session: AsyncSession,
    message: CrossMessage,
    cross: CrossCase,
    *,
    trust: TrustList | None,
    now: datetime,
) -> str:
    """Carry out what a message of the handling place says. The outcome."""
    if cross.state in FINAL:
        return "already-ended"
    if message.type == Type.PROGRESS and message.step == joint.ASKED:
        return joint.asked(cross, message, now=now)
    cross.remote_number = message.case_no_local or cross.remote_number
    cross.news = {
        "opinion": message.opinion,
        "items": [msgspec.to_builtins(item) for item in message.items],
    }
    times = message.times
    if times is not None:
        by = local_date(times.correct_by) if times.correct_by else None
        cross.due_on = by if message.type == Type.CORRECTION else times.promised_on
    match message.type:
        case Type.RECEIPT:
            return await _step(session, cross, State.REACHED, now=now)
        case Type.ACCEPTED:
            return await _step(session, cross, State.ACCEPTED, now=now, tell="accepted")
        case Type.PROGRESS:
            return await _step(session, cross, State.IN_PROGRESS, now=now)
        case Type.CORRECTION:
            return await _step(session, cross, State.CORRECTION_REQUESTED, now=now, tell="correction")
        case Type.RETURNED:
            state = State.CORRECTION_REQUESTED if message.step == "correction" else State.RETURNED
            return await _step(session, cross, state, now=now, tell="returned")
        case Type.RESULT:
            return await _result(session, message, cross, trust=trust, now=now)
    return "not-understood"


async def _step(
    session: AsyncSession, cross: CrossCase, state: State, *, now: datetime, tell: str | None = None
) -> str:
    if is_past(cross.state, state):
        return "already-past"
    await cases.move(session, cross, state, by=cross.neighbour, now=now)
    if tell is not None:
        await cases.tell(session, cross, tell)
    return "done"


async def _result(
    session: AsyncSession, message: CrossMessage, cross: CrossCase, *, trust: TrustList | None, now: datetime
) -> str:
    if message.result is None:
        return "no-result"
    outcome = "done"
    cross.outcome = message.result.outcome
    if (issued := message.result.certificate) is not None:
        if trust is not None and is_proven(issued, cross.neighbour, trust=trust, now=now):
            cross.certificate = msgspec.to_builtins(issued)
            cross.certificate_status = Status.VALID
        else:
            # Shown to nobody: whoever could write it into a message could not sign it.
            outcome = "certificate-not-proven"
    refused = message.result.outcome == "refused"
    state = State.REFUSED if refused else State.RESULT_RETURNED
    await cases.move(session, cross, state, by=cross.neighbour, now=now)
    await cases.tell(session, cross, "refused" if refused else "result")
    return outcome


def is_proven(issued: CrossCertificate, division: str, *, trust: TrustList, now: datetime) -> bool:
    """Whether a certificate's printed code is the handling place's own word, by its trust list."""
    # Our clock may be behind theirs by as much as a message's signature may be ahead.
    checked = verify_offline(issued.code, trust=trust, now=now + SKEW, expected_kind=Kind.CERTIFICATE)
    said = checked.claims
    return (
        checked.outcome is Outcome.VALID
        and said is not None
        # A city of the province may issue under its own code.
        and said.iss[:2] == division[:2]
        and isinstance(said.body, CertificateBody)
        and said.body.type == issued.type
        and said.body.valid_until == issued.valid_until
    )
