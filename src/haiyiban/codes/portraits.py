"""The holder's portrait beside a good verification, for the verifier to compare with who stands there.

A code can be lent and a challenge relayed; a face cannot. Where its purpose says so, a verifier may look at
the portrait for a short time after its own valid verification. The picture comes at that moment from the
population register, a visitor's from the exit-entry register, and goes straight to the verifier: it is stored
nowhere, and the path of `POST /verifications` never waits for it. Each look is audited, and the holder reads
of it.

Source: schemas/codes/README.md "Portraits"; docs/domain.md §13; 个人信息保护法 art. 6, 28, 31.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, registers
from haiyiban.certificates import Certificate
from haiyiban.clock import local_date
from haiyiban.codes import consent, kinds
from haiyiban.codes.claims import Kind
from haiyiban.codes.cti import CtiCipher
from haiyiban.codes.entitlement import PORTRAIT_LIFE, shows_portrait
from haiyiban.codes.models import Verification
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.verifying import VerificationMissing
from haiyiban.credit_codes import CREDIT_CODE
from haiyiban.db import database
from haiyiban.errors import Conflict, NotFound, Unavailable, Words
from haiyiban.identity import persons
from haiyiban.identity.callers import VerifierCaller
from haiyiban.identity.rules import needs_guardian
from haiyiban.registers import Portrait, RegisterUnavailable
from haiyiban.registers.breaker import REST_SECONDS
from haiyiban.verifiers.purposes import purposes

_CTI_BYTES = 16
_FIELD = "portrait"


class PortraitNotShown(NotFound):
    """This verification shows no portrait: its purpose or its outcome does not, or the holder is a child."""

    type = "codes/portrait-not-shown"
    title = Words(
        "本次核验不提供照片；核验结果不受影响，需要时请核对实体证件",
        "This verification shows no portrait; its outcome stands, look at a document where you need a face",
    )


class PortraitMissing(NotFound):
    """The register has no portrait of the holder."""

    type = "codes/portrait-missing"
    title = Words(
        "登记库中没有此人的照片；核验结果不受影响，请核对实体证件",
        "The register holds no portrait of this person; the outcome stands, please look at a document",
    )


class PortraitOver(Conflict):
    """The time to look is over."""

    type = "codes/portrait-over"
    title = Words(
        "照片只在核验后 2 分钟内可看；需要时请重新核验",
        "The portrait can be seen for 2 minutes after a verification; verify again where it is needed",
    )


class PortraitUnavailable(Unavailable):
    """The register does not answer. The verification stands."""

    type = "codes/portrait-unavailable"
    title = Words(
        "核验结果有效，照片暂时无法取得；请稍后再看，或核对实体证件",
        "The verification stands; its portrait cannot be fetched now, try again or look at a document",
    )


class _Whose(NamedTuple):
    person_id: UUID
    id_number: str
    id_type: str
    purpose: str


async def fetch(
    session: AsyncSession, verification_id: UUID, caller: VerifierCaller, *, cti: CtiCipher, now: datetime
) -> Portrait:
    """The portrait of the holder of a code that this verifier has just found valid; the look is recorded.

    `session` is untouched until the register has answered. Raises VerificationMissing, PortraitNotShown,
    PortraitMissing, PortraitOver, PortraitUnavailable.
    """
    async with database().reading() as reading:
        whose = await _whose(reading, verification_id, caller, cti=cti, now=now)
    try:
        found = await registers.portrait_of(whose.id_number, whose.id_type)
    except RegisterUnavailable:
        raise PortraitUnavailable(retry_after_seconds=int(REST_SECONDS)) from None
    if found is None:
        raise PortraitMissing
    await audit.record(
        session,
        "codes.read-portrait",
        subject=whose.person_id,
        object_kind="verification",
        object_id=verification_id,
        fields=[_FIELD],
        reason=whose.purpose,
        outcome=Outcome.VALID,
    )
    return found


async def _whose(
    session: AsyncSession, verification_id: UUID, caller: VerifierCaller, *, cti: CtiCipher, now: datetime
) -> _Whose:
    verification = await session.get(Verification, verification_id)
    if verification is None or verification.verifier_id != caller.verifier_id:
        raise VerificationMissing
    outcome, at, certificate_id = verification.outcome, verification.at, verification.certificate_id
    if outcome == Outcome.CONSENT_PENDING:
        settled = await consent.settled_by(session, verification_id)
        if settled is not None:
            outcome, at, certificate_id = settled.outcome, settled.at, settled.certificate_id
    kind = int(Kind.CERTIFICATE) if certificate_id is not None else verification.kind or 0
    is_printed = verification.single_use == verification.id.bytes
    wanted = purposes().get(verification.purpose)
    is_offered = wanted is not None and shows_portrait(wanted, kind, is_printed=is_printed)
    if outcome != Outcome.VALID or not is_offered:
        raise PortraitNotShown
    if now > at + PORTRAIT_LIFE:
        raise PortraitOver
    if certificate_id is not None:
        holder_id: UUID | None = (await session.get_one(Certificate, certificate_id)).holder_id
    else:
        holder_id = await _holder_behind(verification.single_use, kind, cti=cti)
    if holder_id is None:
        raise PortraitNotShown
    person = await persons.get(session, holder_id)
    if person.id_type == CREDIT_CODE:
        raise PortraitNotShown
    today = local_date(now)
    birth = persons.birth_of(person, today=today)
    # The face of a child under 14 is sensitive information that no purpose here reaches.
    if birth is None or needs_guardian(birth, today=today):
        raise PortraitNotShown
    return _Whose(person.id, person.id_number, person.id_type, verification.purpose)


async def _holder_behind(single_use: bytes | None, kind: int, *, cti: CtiCipher) -> UUID | None:
    """Whom a code of a kind other than the certificate speaks of: its cti names the row."""
    opened = cti.open(single_use[:_CTI_BYTES]) if single_use is not None else None
    if opened is None or opened.kind != kind:
        return None
    behind = await kinds.standing(kind, opened.ref)
    return behind.holder_id if behind is not None else None
