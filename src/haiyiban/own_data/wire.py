"""What crosses the wire of one's own data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from haiyiban.wire import Output


class ExportRead(Output, omit_defaults=False):
    """Everything that is kept about me. `folders`: name of a feature or zone → kind → what is kept, opened.
    Times are those of Hainan, amounts are fen, empty members are left out."""

    made_at: datetime
    folders: dict[str, Any]


class KeptRead(Output):
    """What stays, until when and by which rule."""

    what: str
    until: str
    why: str


class DeletionRead(Output, omit_defaults=False):
    """The account is closed; the phone that signed in to it signs in to a new, empty one."""

    kept: list[KeptRead]
