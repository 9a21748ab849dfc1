"""What an offline verification should have come to: the text judged again at the instant of its scanning, by
what the terminal could know then. Pure.

A terminal holds lists that are hours old by right, so a capsule withdrawn a moment before is not held against
it. What was revoked since is said in a note.

Source: schemas/codes/README.md "Offline".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from haiyiban.certificates import Status, status_on
from haiyiban.clock import SHANGHAI, local_date
from haiyiban.codes.batch_wire import OfflineRecord
from haiyiban.codes.claims import CertificateBody, Kind
from haiyiban.codes.entitlement import is_entitled
from haiyiban.codes.envelope import ParsedCode
from haiyiban.codes.offline import HEALTH_LISTS_LIVE, LISTS_LIVE, Checked, verify_offline
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.trust import TrustList
from haiyiban.errors import Words
from haiyiban.identity.callers import VerifierCaller
from haiyiban.verifiers import Purpose

OLDEST = timedelta(days=31)
CLOCK_TOLERANCE = timedelta(seconds=60)
"""How far ahead of ours the clock of a terminal may be that still keeps a record."""
ITS_OWN_GROUNDS = frozenset({Outcome.STALE_LISTS, Outcome.WRONG_KIND, Outcome.ALREADY_USED})
"""What only the terminal can know: the age of its lists, what it expected, what it had scanned before."""
ONLINE_ONLY = frozenset({Outcome.CONSENT_PENDING, Outcome.CONSENT_REFUSED})

UNREADABLE = Words(
    "记录格式不对，未收录；请升级终端程序",
    "Not of the expected form, not kept; update the terminal's program",
)
REPEATED = Words("编号重复，本条未再收录", "This id was uploaded before; this one is not kept")
IN_THE_FUTURE = Words(
    "核验时间晚于服务器时间，未收录；请校准终端时钟",
    "Verified in the future, not kept; set the terminal's clock right",
)
TOO_OLD = Words("核验时间早于 31 天，未收录", "Verified more than 31 days ago, not kept")
BEFORE_ENROLMENT = Words(
    "核验时间早于终端入网时间，未收录", "Verified before the terminal was enrolled, not kept"
)
NO_SUCH_PURPOSE = Words("没有这个核验用途，未收录", "There is no such purpose; not kept")


class Behind(NamedTuple):
    """What is known of the thing behind a code, as it stands now."""

    capsule_withdrawn_at: datetime | None = None
    """By the end of the sign-in on the phone, or by what issued it."""
    status: str | None = None
    """Of the certificate, as stored."""
    status_at: datetime | None = None
    valid_until: date | None = None
    standing: Outcome | None = None
    """Of another kind, now; None where nothing was found."""


class Recomputed(NamedTuple):
    """An outcome, and what to know beside it."""

    outcome: Outcome
    note: Words | None = None


def read_records(records: Sequence[Any]) -> list[OfflineRecord | None]:
    """The records that can be read; None in place of one that cannot."""
    return [_read(record) for record in records]


def refusal(record: OfflineRecord, *, enrolled_at: datetime, now: datetime) -> Words | None:
    """Why a record is not kept, by its time."""
    if record.verified_at > now + CLOCK_TOLERANCE:
        return IN_THE_FUTURE
    if record.verified_at < now - OLDEST:
        return TOO_OLD
    if record.verified_at < enrolled_at - CLOCK_TOLERANCE:
        return BEFORE_ENROLMENT
    return None


def check_again(records: Sequence[OfflineRecord], trust: TrustList) -> list[Checked]:
    """Steps 1 to 6 of each text, at the instant of its scanning. 80 µs a record: call it in a thread."""
    return [verify_offline(record.text, trust=trust, now=record.verified_at) for record in records]


def recompute(
    record: OfflineRecord, checked: Checked, behind: Behind, *, purpose: Purpose, caller: VerifierCaller
) -> Recomputed:
    """The outcome by what the terminal could know, and then by what stood behind the code at that instant."""
    if checked.code is None or checked.outcome is not Outcome.VALID:
        return Recomputed(checked.outcome)
    withdrawn = _withdrawn_at(checked.code, behind)
    if withdrawn is not None and _on_its_list(withdrawn, record, checked.code):
        return Recomputed(Outcome.DENIED)
    if not is_entitled(caller, purpose, checked.code.claims):
        return Recomputed(Outcome.NOT_ENTITLED)
    if checked.code.claims.kind == Kind.CERTIFICATE:
        found = _certificate(behind, record.verified_at)
    elif behind.standing is None:
        found = Recomputed(Outcome.UNAVAILABLE)
    else:
        # How another kind stood then is not kept.
        found = Recomputed(Outcome.VALID, _since(behind.standing))
    if found == (Outcome.VALID, None) and withdrawn is not None:
        return Recomputed(Outcome.VALID, _withdrawn(withdrawn))
    return found


def agrees(said: Outcome, recomputed: Outcome) -> bool:
    """Whether the terminal judged right, as far as the server can tell."""
    return said == recomputed or said in ITS_OWN_GROUNDS


def single_use(code: ParsedCode) -> bytes | None:
    """What may be accepted once: a code, or one instant of a device-bound one. None of a printed code."""
    body = code.claims.body
    if isinstance(body, CertificateBody) and body.status is not None:
        return None
    cti = code.claims.cti
    return cti if code.proof is None else cti + code.proof.t.to_bytes(8)


def local_time(instant: datetime) -> str:
    """An instant as it is read in Hainan."""
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def _read(record: Any) -> OfflineRecord | None:
    try:
        read = msgspec.convert(record, OfflineRecord)
    except msgspec.ValidationError:
        return None
    return None if read.outcome in ONLINE_ONLY else read


def _withdrawn_at(code: ParsedCode, behind: Behind) -> datetime | None:
    """Since when a capsule is withdrawn; None of one that is not, and of a code that lives a minute."""
    if code.proof is None:
        return None
    out_of_force = behind.status_at if behind.status not in {None, Status.VALID} else None
    known = [at for at in (behind.capsule_withdrawn_at, out_of_force) if at is not None]
    return min(known, default=None)


def _on_its_list(withdrawn: datetime, record: OfflineRecord, code: ParsedCode) -> bool:
    """Whether the terminal must have known, or did."""
    oldest_list = HEALTH_LISTS_LIVE if code.claims.kind == Kind.HEALTH else LISTS_LIVE
    must = withdrawn <= record.verified_at - oldest_list
    return must or (withdrawn <= record.verified_at and record.outcome is Outcome.DENIED)


def _certificate(behind: Behind, at: datetime) -> Recomputed:
    if behind.status is None or behind.status_at is None:
        return Recomputed(Outcome.UNAVAILABLE)
    status = status_on(behind.status, behind.valid_until, today=local_date(at))
    if status in {Status.VALID, Status.EXPIRED}:
        return Recomputed(Outcome(status.value))
    when = local_time(behind.status_at)
    outcome = Outcome.SUSPENDED if status is Status.SUSPENDED else Outcome.REVOKED
    if behind.status_at > at:
        return Recomputed(
            Outcome.VALID,
            Words(
                f"核验时有效；证照已于 {when} 暂停、撤销或更正",
                f"It stood then; the certificate was suspended, revoked or corrected at {when}",
            ),
        )
    return Recomputed(
        outcome,
        Words(
            f"证照在核验前已于 {when} 暂停、撤销或更正，离线终端无从得知",
            f"The certificate was suspended, revoked or corrected at {when}, which no offline terminal knows",
        ),
    )


def _withdrawn(at: datetime) -> Words:
    when = local_time(at)
    return Words(
        f"此码已于 {when} 收回，终端的名单可能尚未更新",
        f"This code was withdrawn at {when}; the terminal's list need not have said so yet",
    )


def _since(standing: Outcome) -> Words | None:
    if standing is Outcome.VALID:
        return None
    return Words(
        "其依据现已失效，核验时的情况无从查考",
        "What stands behind it no longer holds; whether it did then is not known",
    )
