"""What is kept for how long, and what was deleted, at the operator's desk."""

from __future__ import annotations

from datetime import datetime

from litestar import Controller, get
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.context import current
from haiyiban.errors import NotAllowed, NotSignedIn
from haiyiban.identity.guards import staff
from haiyiban.retention import report
from haiyiban.retention.models import Run
from haiyiban.retention.report import Line
from haiyiban.wire import Output, problems


class RetentionRunRead(Output):
    """One look through a class of data for what was due."""

    began_at: datetime
    gone: int
    """Rows deleted, so far while it has not ended."""
    due: int | None = None
    """Rows due when it began; left out until they are counted."""
    held: int | None = None
    """Rows that were due and stay for now: another row refers to them, or they were locked."""
    ended_at: datetime | None = None
    oldest: datetime | None = None
    """From when the oldest row counts that was left."""
    failed: str | None = None
    """The kind of error that stopped it."""


class RetentionTermRead(Output, omit_defaults=False):
    """One class of data, its term and the rule behind it."""

    data_class: str
    what: str
    kept: str
    why: str
    is_deleted: bool
    """Whether the platform deletes it; else whoever `kept` names, or nobody."""
    gone: int
    """Rows deleted so far."""
    last_run: RetentionRunRead | None
    """Null before the first, and of what the platform does not delete."""


class RetentionRead(Output):
    """Every class of data there is."""

    items: list[RetentionTermRead]


class RetentionController(Controller):
    """How long data are kept."""

    path = "/desk/retention"
    tags = ["desk"]
    guards = [staff("operator")]

    @get(
        summary="How long each class of data is kept, and what was deleted",
        responses=problems(NotSignedIn, NotAllowed),
    )
    async def terms(self, session: NamedDependency[AsyncSession]) -> RetentionRead:
        """Each class with its term, the rule behind it and its last run, for operators. No figure is of
        anybody; what is overdue is counted by `haiyiban retention report`, which may take its time."""
        return RetentionRead(items=[_read(each) for each in await report.lines(session)])


def _read(line: Line) -> RetentionTermRead:
    language = current().language
    return RetentionTermRead(
        data_class=line.term.data_class,
        what=line.term.what.in_language(language),
        kept=line.term.kept.in_language(language),
        why=line.term.why.in_language(language),
        is_deleted=line.term.ending is not None,
        gone=line.gone,
        last_run=_run(line.run) if line.run is not None else None,
    )


def _run(run: Run) -> RetentionRunRead:
    return RetentionRunRead(
        began_at=run.began_at,
        gone=run.gone,
        due=run.due,
        held=run.held,
        ended_at=run.ended_at,
        oldest=run.oldest,
        failed=run.failed,
    )
