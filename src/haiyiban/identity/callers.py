"""Who is asking: what an access token says once it is verified."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Level(StrEnum):
    """Assurance levels. Source: docs/domain.md §1.6. They compare as text, L1 lowest."""

    L1 = "L1"
    """A phone that received our SMS code."""
    L2 = "L2"
    """Name and document number agree with the population register."""
    L3 = "L3"
    """L2 and a live face."""
    L4 = "L4"
    """L3 and a certificate or a counter check."""


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody signed in."""

    kind = "anonymous"
    id: None = None
    unit: None = None


@dataclass(frozen=True, slots=True)
class Unrecognised(Anonymous):
    """Somebody whose access token is forged, expired or of an ended session.

    What is public stays open to them, so that a client may refresh while it still sends the old token.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentCaller:
    """Somebody signed in to an account (居民): a resident or a visitor."""

    kind = "resident"
    account_id: UUID
    session_id: UUID
    level: Level
    person_id: UUID | None = None
    """Known from L2 on."""
    face_at: datetime | None = None
    """When this session last passed a face check."""
    unit: None = None

    @property
    def id(self) -> UUID:
        return self.account_id


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffCaller:
    """A clerk, an enrolment officer or an operator (工作人员)."""

    kind = "staff"
    staff_id: UUID
    session_id: UUID
    roles: frozenset[str]
    agency: str
    """The agency, by the name that the matters give it (`handledBy`)."""
    division: str
    """Division whose subtree this person handles."""

    @property
    def id(self) -> UUID:
        return self.staff_id

    @property
    def unit(self) -> str:
        return self.agency


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalCaller:
    """The device of a verifier that asks (核验终端)."""

    id: UUID
    key_id: UUID
    """The key that it was enrolled with: to a terminal what a session is to a person."""
    name: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierCaller:
    """An accredited verifier's client (核验方): a shop, a school gate, a terminal."""

    kind = "verifier"
    verifier_id: UUID
    client_id: str
    name: str
    """The accredited name that holders see."""
    purposes: frozenset[str]
    terminal: TerminalCaller | None = None
    """Where the client is an enrolled terminal and not the verifier's own system."""

    @property
    def id(self) -> UUID:
        return self.verifier_id

    @property
    def session_id(self) -> UUID | None:
        return self.terminal.key_id if self.terminal else None

    @property
    def unit(self) -> str:
        return f"{self.name} · {self.terminal.name}" if self.terminal else self.name

    @property
    def place(self) -> str | None:
        """Where a verification is, when the request does not say."""
        return self.terminal.place if self.terminal else None


Caller = Anonymous | ResidentCaller | StaffCaller | VerifierCaller
ANONYMOUS = Anonymous()
UNRECOGNISED = Unrecognised()
