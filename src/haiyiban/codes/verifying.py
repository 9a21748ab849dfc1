"""A verification from the scanned text to the answer, in the order of the steps.

Source: schemas/codes/README.md §3; codes of verification outcomes in outcomes.py.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.batching import Batcher
from haiyiban.certificates import Certificate
from haiyiban.codes import challenges, consent, disclosures, kinds, looks, uses, wakeups
from haiyiban.codes.answers import VerificationRead, answer_of, settled_answer
from haiyiban.codes.claims import Body, Kind
from haiyiban.codes.consent_wire import Fields
from haiyiban.codes.entitlement import fields_asked, fields_shown, is_entitled, shows_presence
from haiyiban.codes.envelope import CHALLENGE_BYTES, ParsedCode
from haiyiban.codes.metrics import VERIFICATIONS
from haiyiban.codes.models import Verification
from haiyiban.codes.offline import Checked, verify_offline
from haiyiban.codes.outcomes import CHALLENGE, PRESENCE, Outcome
from haiyiban.codes.signing import CodeKeys
from haiyiban.codes.statement import Asked, Recorded, find, record
from haiyiban.context import Context
from haiyiban.errors import FieldError, Malformed, NotFound, Problem, Words
from haiyiban.identity.callers import VerifierCaller
from haiyiban.ids import new_id
from haiyiban.verifiers import Purpose, purpose
from haiyiban.wire import Input

KEY_LENGTH_MOST = 128


class IdempotencyMismatch(Problem):
    """The key was used for another verification."""

    type = "codes/idempotency-mismatch"
    title = Words("此请求编号已用于另一次核验", "This Idempotency-Key was used for another verification")


class VerificationMissing(NotFound):
    """No such verification, or another verifier made it."""

    type = "codes/verification-not-found"
    title = Words("没有找到这次核验", "There is no such verification")


class VerificationCreate(Input):
    """A scanned text and what it is verified for. `challenge`: base64url of the 8 bytes that were shown,
    at most 60 seconds ago (POST /verifications/challenges, or the terminal's own).

    `fields`: names of claims, where more is needed than the purpose shows by itself; the holder is asked.
    """

    text: str
    purpose: Annotated[str, Meta(max_length=40)]
    expected_kind: Literal["certificate", "identity", "health", "voucher", "pickup"] | None = None
    place: Annotated[str, Meta(max_length=100)] | None = None
    challenge: Annotated[str, Meta(max_length=20)] | None = None
    fields: Fields = ()


class Judgement(NamedTuple):
    """What steps 1 to 9 came to. `found` is None where the source decides."""

    found: Outcome | None
    kind: int | None = None
    single_use: bytes | None = None
    ref: int | None = None
    capsule: bytes | None = None
    """The cti of a device-bound code that passed steps 1 to 6: whether it is withdrawn comes next."""
    is_present: bool = True
    """Whether the code shows that its holder is here, as far as the purpose needs it."""
    fields: tuple[str, ...] = ()
    """To show, or to ask for."""
    is_printed: bool = False
    """A printed code shows nobody's presence and is not used up."""
    granted: Outcome = Outcome.VALID
    """What it comes to where the source has nothing against it."""
    body: Body | None = None
    """What the code itself says, where its signature holds."""


async def verify(
    asked: VerificationCreate,
    caller: VerifierCaller,
    *,
    idempotency_key: str | None,
    context: Context,
    keys: CodeKeys,
    now: datetime,
) -> VerificationRead:
    """Verify a code and record it, whatever comes out. A repeated key gets its first answer.

    Raises UnknownPurpose, IdempotencyMismatch, FieldsBeyondPurpose, Malformed.
    """
    wanted = purpose(asked.purpose)
    if idempotency_key is not None and not 0 < len(idempotency_key) <= KEY_LENGTH_MOST:
        raise Malformed(
            Words("Idempotency-Key 须为 1 到 128 个字符", "Idempotency-Key must be 1 to 128 characters")
        )
    request_hash = _hash(asked)
    judged = judge(asked, caller, wanted, keys=keys, now=now)
    verification_id = new_id()
    found, because = judged.found, None
    if found is None and not judged.is_present:
        found, because = Outcome.NOT_ENTITLED, PRESENCE
    elif found is None and judged.capsule is not None and asked.challenge is not None:
        found = await _against_challenge(asked.challenge, caller, now=now)
        because = CHALLENGE if found is not None else None
    behind = None if judged.ref is None else await kinds.standing(judged.kind or 0, judged.ref)
    if found is None and behind is not None:
        found = behind.outcome
    recorded = await _recording.ask(
        Asked(
            id=verification_id,
            verifier_id=caller.verifier_id,
            idempotency_key=idempotency_key,
            request_hash=request_hash,
            purpose=wanted.purpose,
            place=asked.place or caller.place,
            kind=judged.kind,
            # A printed code works any number of times: each verification is a use of its own.
            single_use=verification_id.bytes if judged.is_printed else judged.single_use,
            ref=judged.ref if behind is None else None,
            found=found,
            because=because,
            capsule=judged.capsule,
            of_person=behind.holder_id if behind else None,
            shown_sealed=disclosures.seal(behind.discloses, verification_id)
            if behind and behind.discloses
            else None,
            fields=",".join(judged.fields),
            granted=judged.granted,
            answer_by=now + consent.CONSENT_LIFE if judged.granted is Outcome.CONSENT_PENDING else None,
            language=context.language,
            at=now,
            actor_unit=caller.unit,
            request_id=context.request_id,
            address=context.address,
        )
    )
    if recorded.request_hash != request_hash:
        raise IdempotencyMismatch
    VERIFICATIONS.saw(recorded.outcome)
    if caller.terminal is not None and judged.body is not None and behind and behind.holder_id:
        # After it is recorded, and again when the request is repeated: whoever is killed in between loses
        # nothing that the terminal's retry does not bring back.
        await kinds.checked(
            judged.kind or 0,
            kinds.Checked(
                holder_id=behind.holder_id,
                terminal_id=caller.terminal.id,
                place=asked.place or caller.terminal.place,
                at=recorded.at,
                outcome=recorded.outcome,
                body=judged.body,
                discloses=behind.discloses,
                is_offline=False,
            ),
        )
    return answer_of(recorded)


async def read(
    session: AsyncSession, verification_id: UUID, caller: VerifierCaller, *, now: datetime
) -> VerificationRead:
    """A verification that this verifier made, as it was answered; where the holder was asked, what came of
    it. The look is recorded, unless all that can be seen is that the answer is waited for.

    Raises VerificationMissing.
    """
    recorded = await find(verification_id, caller.verifier_id)
    if recorded is None:
        raise VerificationMissing
    verification = await session.get_one(Verification, verification_id)
    if recorded.outcome is not Outcome.CONSENT_PENDING:
        await looks.record_look(session, verification)
        return answer_of(recorded)
    settled = await consent.look(session, verification, now=now)
    if settled is None:
        return answer_of(recorded)
    await looks.record_settled_look(session, verification, settled)
    certificate = await session.get(Certificate, settled.certificate_id) if settled.certificate_id else None
    return settled_answer(recorded, settled, certificate)


def judge(
    asked: VerificationCreate,
    caller: VerifierCaller,
    wanted: Purpose,
    *,
    keys: CodeKeys,
    now: datetime,
) -> Judgement:
    """Steps 1 to 9, and whether 11 asks the holder: what can be said without asking the source.

    Raises Malformed for a bad challenge, FieldsBeyondPurpose.
    """
    checked = verify_offline(
        asked.text,
        trust=keys.trust,
        now=now,
        expected_kind=_EXPECTED[asked.expected_kind],
        challenge=_challenge(asked.challenge),
    )
    if checked.code is None:
        return Judgement(checked.outcome)
    claims = checked.code.claims
    opened = keys.cti.open(claims.cti)
    is_ours = opened is not None and opened.kind == claims.kind and kinds.numbered(claims.kind) is not None
    is_bound = checked.code.proof is not None
    found = _before_the_source(checked, caller, wanted, has_source=is_ours)
    asks_for = fields_asked(wanted, claims, asked.fields) if found is None and asked.fields else ()
    return Judgement(
        found=found,
        kind=claims.kind,
        single_use=_single_use(checked.code),
        ref=opened.ref if opened is not None and is_ours else None,
        capsule=claims.cti if is_bound and checked.outcome in _AFTER_STEP_6 else None,
        is_present=shows_presence(
            wanted, claims, is_device_bound=is_bound, is_challenged=asked.challenge is not None
        ),
        fields=asks_for or fields_shown(wanted, claims),
        is_printed=claims.printed_at is not None,
        granted=Outcome.CONSENT_PENDING if asks_for else Outcome.VALID,
        body=claims.body,
    )


def _before_the_source(
    checked: Checked, caller: VerifierCaller, wanted: Purpose, *, has_source: bool
) -> Outcome | None:
    if checked.outcome is not Outcome.VALID:
        return checked.outcome
    assert checked.claims is not None
    if not is_entitled(caller, wanted, checked.claims):
        return Outcome.NOT_ENTITLED
    return None if has_source else Outcome.UNAVAILABLE


def _single_use(code: ParsedCode) -> bytes:
    """What may be accepted once: a code, or one instant of a device-bound one."""
    cti = code.claims.cti
    return cti if code.proof is None else cti + code.proof.t.to_bytes(8)


async def _against_challenge(given: str, caller: VerifierCaller, *, now: datetime) -> Outcome | None:
    challenge = _challenge(given)
    assert challenge is not None
    return await challenges.current().judge(caller.verifier_id, challenge, now=now)


def _challenge(given: str | None) -> bytes | None:
    if given is None:
        return None
    try:
        challenge = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        challenge = b""
    if len(challenge) != CHALLENGE_BYTES:
        words = Words("须为 8 个字节的 base64url", "must be 8 bytes in base64url")
        raise Malformed(errors=[FieldError("/challenge", words)])
    return challenge


def _hash(asked: VerificationCreate) -> bytes:
    return hashlib.blake2b(_encoder.encode(asked), digest_size=16).digest()


_AFTER_STEP_6 = (Outcome.VALID, Outcome.WRONG_KIND)
_encoder = msgspec.msgpack.Encoder()
_EXPECTED: dict[str | None, int | None] = {None: None} | {kind.name.lower(): int(kind) for kind in Kind}


async def _record(batch: Sequence[Asked]) -> list[Recorded]:
    """Record a batch; then tell the phones that show what was accepted or is asked for."""
    recorded = await record(batch)
    wakeups.current().send(
        asked.single_use[: uses.CTI_BYTES]
        for asked, found in zip(batch, recorded, strict=True)
        if asked.single_use is not None and found.outcome in _WAKES
    )
    return recorded


_WAKES = frozenset({Outcome.VALID, Outcome.CONSENT_PENDING})
_recording: Batcher[Asked, Recorded] = Batcher(_record)
