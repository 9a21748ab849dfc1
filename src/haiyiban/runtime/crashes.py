"""What a crash leaves in the log: where it happened and of what kind, never what the error says.

The words of an error quote what it stumbled over ("invalid literal for int(): '46010519…'"), and that is
somebody's personal data. Which line it was is enough to find a mistake.
"""

from __future__ import annotations

import traceback

from sqlalchemy.exc import DBAPIError


def trace(error: BaseException) -> str:
    """The error and its causes, innermost last, each with its frames, on one line."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < 5:
        frames = " < ".join(map(_where, reversed(traceback.extract_tb(seen.__traceback__))))
        parts.append(f"{kind(seen)} at {frames or 'no frame'}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return " | because of ".join(parts)


def _where(frame: traceback.FrameSummary) -> str:
    module = "/".join(frame.filename.split("/")[-2:])
    return f"{module}:{frame.lineno} {frame.name}"


def kind(error: BaseException) -> str:
    """Its sort; of one of PostgreSQL's also code, table and constraint. None of its words."""
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, DBAPIError):
        cause = error.orig.__cause__ if error.orig else None
        told = [getattr(cause, part, None) for part in ("sqlstate", "table_name", "constraint_name")]
        return f"{name} [{' '.join(str(item) for item in told if item)}]"
    return name
