"""Who is asking, from where, under which request id: carried beside the call, not through every signature.

The edge sets it for a request and the worker for a task; audit and the access record read it.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


@dataclass(slots=True)
class Context:
    """The circumstances of one request or task."""

    request_id: str
    language: str = "zh-CN"
    address: str | None = None
    """The client's network address; audit alone keeps it."""
    actor_kind: str = "system"
    """anonymous, resident, staff, verifier or system."""
    actor_id: UUID | None = None
    actor_unit: str | None = None
    """The agency of a clerk or the accredited name of a verifier."""
    delegation_id: UUID | None = None
    """The delegation under which the actor acts for another; whatever finds one says so here."""


_current: ContextVar[Context] = ContextVar("haiyiban_context")


def current() -> Context:
    """The circumstances of this request or task; of a bare script where nothing set them."""
    return _current.get(_SCRIPT)


def enter(context: Context) -> None:
    """Begin a request or task: what runs in this asyncio task from here on is in `context`."""
    _current.set(context)


_SCRIPT = Context(request_id="script")
