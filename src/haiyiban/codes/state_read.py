"""What became of a code, as its holder reads it: at GET /codes/{id} and first on every stream of events."""

from __future__ import annotations

from datetime import datetime

from haiyiban.codes import uses
from haiyiban.codes.cti import CtiCipher
from haiyiban.codes.showing import CodeState
from haiyiban.codes.wire import CodeStateRead


def state_read(found: CodeState, *, cti: CtiCipher, language: str, now: datetime) -> CodeStateRead:
    """The state of a code; while its holder is asked, who asks for what."""
    accepted, asked = found.accepted(now), found.asked(now)
    return CodeStateRead(
        id=found.ref.id,
        kind=found.kind.name,
        state=found.state(now),
        expires_at=found.expires_at,
        used_at=accepted.at if accepted is not None else None,
        used_by=accepted.verifier.in_language(language) if accepted is not None else None,
        consent=uses.asking(asked, cti=cti, language=language) if asked is not None else None,
    )
