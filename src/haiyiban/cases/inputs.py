"""What applicants and clerks send."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar.params import HeaderParameter
from msgspec import Meta

from haiyiban.wire import Input

IfMatch = Annotated[str | None, HeaderParameter(name="If-Match")]
"""The entity tag of the case that the caller has seen; another one is answered 412."""
Remark = Annotated[str, Meta(max_length=2000)]


class Subject(Input):
    """Whom the case is about."""

    id_number: str


class CaseCreate(Input):
    """Open a case for a matter."""

    matter: str
    subject: Subject | None = None
    on_behalf_of: UUID | None = None
    """A delegation under which somebody else is represented."""


class CasePatch(Input):
    """Change a draft."""

    form: dict[str, Any] = {}
    """An RFC 7396 merge patch."""
    version: int | None = None
    disputes: dict[str, str] = {}
    """Pointer of a locked field → what is wrong with it."""


class CaseSeen(Input):
    """Which version of the case the applicant has seen, if they say."""

    version: int | None = None


class CaseSubmission(CaseSeen):
    """What comes with handing in. `commitment`: the hash of the text that the matter's `commitment` names,
    where it names one."""

    commitment: Annotated[str, Meta(max_length=64)] | None = None


class RatingCreate(Input):
    """Rate a case; 5 is best."""

    score: int
    reasons: list[str] = []
    comment: str = ""


class CorrectionItem(Input):
    """One thing to correct."""

    pointer: str
    message: Remark


class VerbCreate(Input):
    """What comes with a verb. `version` is the version of the case that the clerk has seen."""

    version: int | None = None
    note: Remark = ""
    reason: Remark = ""
    """Why the clock stops; shown as the note where there is none."""
    days: int | None = None
    agency: str | None = None
    resume_on: date | None = None
    items: Annotated[list[CorrectionItem], Meta(max_length=100)] = []
