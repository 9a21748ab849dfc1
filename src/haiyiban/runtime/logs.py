"""The log of a process: one line an event, on standard error, without the words of exceptions."""

from __future__ import annotations

import logging
import sys
from types import TracebackType

from haiyiban.runtime.crashes import trace

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Lines(logging.Formatter):
    """Traces in place of tracebacks, whoever logs: the queue library would print the values too."""

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 - logging's own name
        return trace(ei[1]) if ei[1] is not None else ""


def configure() -> None:
    """Set this process's log up; done once at its start."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # It says at INFO which address each call to a register went to, thousands of times.
    logging.getLogger("httpx").setLevel(logging.WARNING)
