"""What holds of a certificate on a day, and for how long: pure rules.

Source: docs/domain.md §4.2 (status codes of GB/T 36903 as exchanged).
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from haiyiban.errors import Conflict, Words


class Status(StrEnum):
    """What a certificate is worth today. `expired` is never stored: the date says it."""

    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


STATUS_CODES: Final = {
    Status.VALID: "01",
    Status.SUSPENDED: "02",
    Status.REVOKED: "03",
    Status.SUPERSEDED: "05",
    Status.EXPIRED: "05",
}
"""Only 01 may be shown. Source: docs/domain.md §4.2."""

STATUS_WORDS: Final = {
    Status.VALID: Words("有效", "Valid"),
    Status.SUSPENDED: Words("已暂停使用", "Suspended"),
    Status.REVOKED: Words("已撤销", "Revoked"),
    Status.SUPERSEDED: Words("已更正换发", "Replaced by a corrected version"),
    Status.EXPIRED: Words("已过有效期", "Expired"),
}


def status_on(stored: str, valid_until: date | None, *, today: date) -> Status:
    """The status today of a certificate whose row says `stored`; a withdrawn one does not expire any more."""
    status = Status(stored)
    if status is Status.VALID and valid_until is not None and today > valid_until:
        return Status.EXPIRED
    return status


def end_after_days(issued_on: date, days: int) -> date:
    """The last valid day of what is valid for so many natural days after its issue."""
    return issued_on + timedelta(days=days)


def end_at_month_day(issued_on: date, month_day: str) -> date:
    """The next `MM-DD` on or after the issue, such as the end of September. Never 02-29."""
    month, day = map(int, month_day.split("-"))
    this_year = date(issued_on.year, month, day)
    return this_year if this_year >= issued_on else this_year.replace(year=issued_on.year + 1)


class Verb(StrEnum):
    """What an authority does to a certificate that it has issued."""

    CORRECT = "correct"
    REVOKE = "revoke"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"


_MOVES: Final = {
    Verb.CORRECT: ((Status.VALID,), Status.SUPERSEDED),
    Verb.REVOKE: ((Status.VALID, Status.SUSPENDED), Status.REVOKED),
    Verb.SUSPEND: ((Status.VALID,), Status.SUSPENDED),
    Verb.REINSTATE: ((Status.SUSPENDED,), Status.VALID),
}


class NotInForce(Conflict):
    """The certificate does not stand where this step begins; the members say how it stands."""

    type = "certificates/not-in-force"
    title = Words(
        "证照当前的状态不能这样办理，请查看最新状态",
        "This cannot be done to the certificate as it stands; see its status",
    )


def next_status(stored: str, verb: Verb) -> Status:
    """The stored status after a step. Raises NotInForce."""
    before, after = _MOVES[verb]
    if stored not in before:
        raise NotInForce(members={"state": stored})
    return after
