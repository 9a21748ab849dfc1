"""When to stop asking a register that does not answer, and when to try it again.

Closed: everybody asks. Open: nobody does, so that citizens do not wait two seconds each for nothing.
Half-open: one asks, and what comes back decides. Times are seconds of a clock that never goes back.
Source: architecture.md "The plug-in contract" (circuit breaker).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FAILURES = 5
"""So many in a row open the circuit."""
WINDOW_SECONDS = 60.0
"""A row older than this begins anew: one failure an hour is no outage."""
REST_SECONDS = 10.0
"""How long an open circuit rests before one question is let through."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """What we remember of one register; a new value after each event."""

    failures: int = 0
    """Failures in a row."""
    since: float = 0.0
    """When the row of failures began."""
    retry_at: float | None = None
    """When the next question may pass; None while the circuit is closed."""

    @property
    def is_closed(self) -> bool:
        return self.retry_at is None

    def allows(self, now: float) -> bool:
        """Whether a question may go out."""
        return self.retry_at is None or now >= self.retry_at

    def asked(self, now: float) -> Circuit:
        """A question goes out. Through a half-open circuit it goes alone: the others wait for its answer,
        or for as long as a rest if it never comes back (its caller hung up)."""
        return self if self.retry_at is None else replace(self, retry_at=now + REST_SECONDS)

    def answered(self) -> Circuit:
        """The register answered sensibly: closed, nothing held against it."""
        return Circuit()

    def failed(self, now: float) -> Circuit:
        """The register was away, slow or talked nonsense."""
        if self.retry_at is not None:
            return replace(self, failures=self.failures + 1, retry_at=now + REST_SECONDS)
        in_a_row = self.failures > 0 and now - self.since <= WINDOW_SECONDS
        failures = self.failures + 1 if in_a_row else 1
        return Circuit(
            failures=failures,
            since=self.since if in_a_row else now,
            retry_at=now + REST_SECONDS if failures >= FAILURES else None,
        )
