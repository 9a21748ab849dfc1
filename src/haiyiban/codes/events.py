"""What a phone that shows a code is told while it shows it: pure, from what is known of the code's uses.

Source: design of the holder's side in schemas/codes/README.md; WHATWG HTML §9.2 (server-sent events).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from haiyiban.codes.cti import CtiCipher
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.uses import Use, asking
from haiyiban.wire import Output

HEARTBEAT = b": \n\n"
"""A comment: it keeps the line open, and finds out that nobody is there."""


class ScannedRead(Output):
    """The code was accepted: by whom (its accredited name), for what, where and when."""

    verification_id: UUID
    used_by: str
    used_at: datetime
    purpose: str
    place: str | None = None


class ConsentAnsweredRead(Output, omit_defaults=False):
    """A request was answered, on this phone or another; `none` where nobody answered in time."""

    id: UUID
    decision: str
    fields: list[str]
    outcome: str


class ExpiredRead(Output):
    """The code's time is over and nobody used it."""

    id: UUID
    expires_at: datetime


class Event(NamedTuple):
    """One event of the stream."""

    name: str
    data: Any

    def encoded(self) -> bytes:
        """As it is sent."""
        return b"event: %b\ndata: %b\n\n" % (self.name.encode(), msgspec.json.encode(self.data))


Stages = Mapping[UUID, str]
"""What was told of each use, by the name of its event."""


def stages(uses: Sequence[Use], now: datetime) -> Stages:
    """How far each use has come."""
    return {use.id: _stage(use, now) for use in uses}


def news(uses: Sequence[Use], told: Stages, *, cti: CtiCipher, language: str, now: datetime) -> list[Event]:
    """What happened that was not told yet, the oldest first."""
    fresh = [use for use in reversed(uses) if told.get(use.id) != _stage(use, now)]
    return [_event(use, cti=cti, language=language, now=now) for use in fresh]


def _stage(use: Use, now: datetime) -> str:
    if use.answer_by is None:
        return "scanned"
    return "consent-asked" if use.is_open(now) else "consent-answered"


def _event(use: Use, *, cti: CtiCipher, language: str, now: datetime) -> Event:
    name = _stage(use, now)
    if name == "scanned":
        told: Any = ScannedRead(
            verification_id=use.id,
            used_by=use.verifier.in_language(language),
            used_at=use.at,
            purpose=use.purpose_words.in_language(language),
            place=use.place,
        )
    elif name == "consent-asked":
        told = asking(use, cti=cti, language=language)
    else:
        told = ConsentAnsweredRead(
            id=use.id,
            decision=use.decision or "none",
            fields=list(use.allowed or ()),
            outcome=use.settled or Outcome.CONSENT_REFUSED,
        )
    return Event(name, told)
