"""What crosses the wire about terminals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from haiyiban.verifiers.models import Terminal, Verifier
from haiyiban.verifiers.terminals import is_silent
from haiyiban.wire import Input, Output

Label = Annotated[str, Meta(min_length=1, max_length=100)]
Instant = Annotated[datetime, Meta(tz=True)]
LifeMinutes = Annotated[int, Meta(ge=15, le=1440)]
DEFAULT_LIFE_MINUTES = 60


class TerminalCreate(Input):
    """A terminal to be: whose, what it is called, where it stands, what it verifies for when it does not say
    (the verifier's first purpose), and how long its one-time code lives."""

    verifier_id: UUID
    name: Label
    place: Label
    purpose: Annotated[str, Meta(max_length=40)] | None = None
    valid_for_minutes: LifeMinutes = DEFAULT_LIFE_MINUTES


class OneTimeCodeCreate(Input):
    """How long a one-time code lives."""

    valid_for_minutes: LifeMinutes = DEFAULT_LIFE_MINUTES


class OneTimeCodeRead(Output):
    """A one-time code, shown this once: read it out to whoever sets the terminal up."""

    terminal_id: UUID
    one_time_code: str
    expires_at: datetime


class TerminalRead(Output):
    """A terminal as the operator sees it."""

    id: UUID
    verifier_id: UUID
    verifier: str
    name: str
    place: str
    purpose: str
    status: str
    last_sequence: int
    """Of the batch that it uploaded last; 0 before the first."""
    is_silent: bool
    """Active, and not heard for longer than `silentAfterMinutes`."""
    last_seen_at: datetime | None = None
    list_issued_at: datetime | None = None
    queue_length: int | None = None
    skew_seconds: int | None = None
    software_version: str | None = None
    suspended_at: datetime | None = None
    reason: str | None = None

    @classmethod
    def of(cls, terminal: Terminal, verifier: Verifier, language: str, *, now: datetime) -> TerminalRead:
        return cls(
            id=terminal.id,
            verifier_id=verifier.id,
            verifier=verifier.name_en if language.startswith("en") else verifier.name_zh,
            name=terminal.name,
            place=terminal.place,
            purpose=terminal.purpose,
            status=terminal.status,
            last_sequence=terminal.next_sequence - 1,
            last_seen_at=terminal.last_seen_at,
            list_issued_at=terminal.list_issued_at,
            queue_length=terminal.queue_length,
            skew_seconds=terminal.skew_seconds,
            software_version=terminal.software_version,
            is_silent=is_silent(terminal, now=now),
            suspended_at=terminal.suspended_at,
            reason=terminal.suspension_reason,
        )


class FleetRead(Output):
    """A page of the fleet, and from how many minutes of silence on a terminal counts as silent."""

    items: list[TerminalRead]
    silent_after_minutes: int
    next: str | None


class TerminalEnrolmentCreate(Input):
    """The one-time code and the public half (JWK, P-256) of a key pair that the terminal has just made."""

    one_time_code: Annotated[str, Meta(max_length=40)]
    public_key: dict[str, Any]


class TerminalEnrolmentRead(Output):
    """What a terminal signs in with; the secret is shown this once."""

    terminal_id: UUID
    client_id: str
    client_secret: str
    next_sequence: int
    """Of the first batch that it may upload."""


class SecretCreate(Input):
    """A terminal's signed wish for a new secret."""

    terminal_id: UUID
    requested_at: Instant
    signature: Annotated[str, Meta(max_length=100)]


class SecretRead(Output):
    """The new secret, shown this once; the old ones sign in until then."""

    client_id: str
    client_secret: str
    old_secrets_until: datetime


class HeartbeatCreate(Input):
    """How a terminal is: when the older of its lists was issued (null: it has none), how many verifications
    wait to be uploaded, what time it has, which version of its software runs."""

    list_issued_at: Instant | None
    queue_length: Annotated[int, Meta(ge=0, le=1_000_000)]
    clock: Instant | None = None
    software_version: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[ -~]+$")] | None = None


class HeartbeatRead(Output, omit_defaults=False):
    """The server's time, how far the terminal is ahead of it, and in words what to do."""

    server_time: datetime
    skew_seconds: int | None
    advice: list[str]
