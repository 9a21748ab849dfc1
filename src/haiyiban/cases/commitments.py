"""告知承诺: the applicant is told what must hold, promises that it does, and need not prove it with papers.

Which text, in which version, was accepted when and by whom is kept with the case: the promise is what a later
check holds them to. Source: 国办发〔2020〕42号 (告知承诺制); docs/domain.md §3.6, §13.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from haiyiban import texts
from haiyiban.cases.models import Case
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.matters import catalogue


class CommitmentNeeded(Problem):
    """The matter is handed in with a commitment; `text` and `hash` say which."""

    type = "cases/commitment-needed"
    title = Words("请阅读并确认告知承诺书后再提交", "Please read and accept the commitment before handing in")


def accept(case: Case, given: str | None, *, by: UUID, now: datetime) -> None:
    """Keep what is committed to with what is handed in; after a correction it is accepted anew.

    Raises CommitmentNeeded, TextOutdated.
    """
    wanted = catalogue().version(case.matter, case.matter_version).commitment
    if wanted is None:
        return
    if given is None:
        text = texts.current(wanted)
        raise CommitmentNeeded(
            errors=[FieldError("/commitment", CommitmentNeeded.title)],
            members={"text": text.slug, "hash": text.hash},
        )
    text = texts.agreed(wanted, given, at="/commitment")
    case.commitment = {"text": text.name, "hash": text.hash, "at": now.isoformat(), "by": str(by)}
