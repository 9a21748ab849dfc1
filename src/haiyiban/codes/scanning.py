"""A code scanned for an act of a zone's own, such as handing goods over: verified and recorded like any, and
then the row that it is about, which a verifier never sees.

Source: schemas/codes/README.md §1, §3.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from haiyiban.codes import kinds, verifying
from haiyiban.codes.answers import VerificationRead
from haiyiban.codes.entitlement import kind_name
from haiyiban.codes.envelope import parse
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.signing import CodeKeys, code_keys
from haiyiban.codes.verifying import VerificationCreate
from haiyiban.context import current
from haiyiban.identity.callers import VerifierCaller


class Subject(NamedTuple):
    """What a valid code is about: a row among the things of its kind, and whom it speaks of."""

    ref: int
    holder_id: UUID


class Scan(NamedTuple):
    """The verification, and where it came to `valid` its subject."""

    answer: VerificationRead
    subject: Subject | None
    spent: int | None = None
    """The row of a genuine code of the expected kind that is used up, over or withdrawn: an act that is
    repeated with it, for its answer was lost, can be found by that."""


async def scan(asked: VerificationCreate, caller: VerifierCaller, *, now: datetime) -> Scan:
    """Verify a code of a kind with a standing of its own (identity, voucher, pick-up and the zones' kinds).

    The code is used up, whatever becomes of the act. Raises what `verifying.verify` raises.
    """
    keys = code_keys(now)
    answer = await verifying.verify(
        asked, caller, idempotency_key=None, context=current(), keys=keys, now=now
    )
    if answer.outcome is not Outcome.VALID:
        return Scan(answer, None, _spent(asked, answer.outcome, keys))
    claims = parse(asked.text).claims
    opened = keys.cti.open(claims.cti)
    assert opened is not None, "its signature holds, so it is ours"
    standing = await kinds.standing(opened.kind, opened.ref)
    if standing is None or standing.holder_id is None:
        return Scan(answer, None)
    return Scan(answer, Subject(opened.ref, standing.holder_id))


def _spent(asked: VerificationCreate, outcome: Outcome, keys: CodeKeys) -> int | None:
    if outcome not in _GENUINE:
        return None
    claims = parse(asked.text).claims
    opened = keys.cti.open(claims.cti)
    is_it = kind_name(claims.kind) == asked.expected_kind
    return opened.ref if is_it and opened is not None and opened.kind == claims.kind else None


_GENUINE = frozenset({Outcome.ALREADY_USED, Outcome.EXPIRED, Outcome.DENIED})
"""What is said only of codes whose signature holds."""
