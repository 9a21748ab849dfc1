"""What an examination finds."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from haiyiban.errors import Words


class State(StrEnum):
    """How bad it is."""

    FINE = "fine"
    WARNING = "warning"
    """It works; somebody should look at it in the coming days."""
    FAULT = "fault"
    """People are turned away, or soon will be."""
    UNKNOWN = "unknown"
    """It could not be looked at, for a reason that another finding names."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at, what was found and what to do."""

    subject: Words
    state: State
    found: Words
    advice: Words | None = None


def fine(subject: Words, found: Words) -> Finding:
    """Nothing to do."""
    return Finding(subject, State.FINE, found)


def warning(subject: Words, found: Words, advice: Words) -> Finding:
    """To be looked at."""
    return Finding(subject, State.WARNING, found, advice)


def fault(subject: Words, found: Words, advice: Words) -> Finding:
    """To be mended now."""
    return Finding(subject, State.FAULT, found, advice)


def unknown(subject: Words, found: Words) -> Finding:
    """Not looked at."""
    return Finding(subject, State.UNKNOWN, found)
