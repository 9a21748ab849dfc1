"""Everybody's colour anew, at the operator's desk."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.errors import NotAllowed, NotSignedIn
from haiyiban.identity.guards import staff
from haiyiban.wire import Output, problems
from services.health_code import recolouring
from services.health_code.models import Recolouring
from services.health_code.recolouring import NoRecolouring
from services.health_code.standards import rules_on


class RecolouringRead(Output):
    """One run through everybody's colour. `state`: running, stopped, finished, or superseded by newer
    rules."""

    id: UUID
    state: str
    rules: str
    """The id of the rules that it was begun for."""
    done: int
    changed: int
    """Whose colour became another."""
    unanswered: int
    """Of whom a register was silent: the last known colour stays, and is decided when next asked."""
    started_at: datetime
    total: int | None = None
    """People when it began; left out until the worker has counted them."""
    finished_at: datetime | None = None


class RecolouringsRead(Output, omit_defaults=False):
    """The rules in force, and the last run; null before the first."""

    rules: str
    rules_from: date
    run: RecolouringRead | None


class RecolouringController(Controller):
    """Everybody's colour decided anew after the rules changed."""

    path = "/zones/health-code/desk/recolouring"
    tags = ["health-code"]
    guards = [staff("operator")]

    @get(summary="How far the recolouring is", responses=problems(NotSignedIn, NotAllowed))
    async def progress(self, session: NamedDependency[AsyncSession]) -> RecolouringsRead:
        """The last run."""
        return _read(await recolouring.latest(session))

    @post(
        status_code=200,
        summary="Decide everybody's colour anew",
        responses=problems(NotSignedIn, NotAllowed),
    )
    async def begin(self, session: NamedDependency[AsyncSession]) -> RecolouringsRead:
        """Begins a run, or goes on with the one that was stopped; the worker does it. A second tap changes
        nothing. A run that was begun for rules no longer in force is given up and begun anew."""
        return _read(await recolouring.begin(session, now=clock.now()))

    @post(
        "/stop",
        status_code=200,
        summary="Stop the recolouring",
        responses=problems(NotSignedIn, NotAllowed, NoRecolouring),
    )
    async def stop(self, session: NamedDependency[AsyncSession]) -> RecolouringsRead:
        """After the batch that it is in; whose colour was decided stays decided."""
        return _read(await recolouring.stop(session))


def _read(run: Recolouring | None) -> RecolouringsRead:
    table = rules_on(clock.today())
    return RecolouringsRead(
        rules=table.id,
        rules_from=table.effective_from,
        run=None
        if run is None
        else RecolouringRead(
            id=run.id,
            state=run.state,
            rules=run.rules,
            done=run.done,
            changed=run.changed,
            unanswered=run.unanswered,
            started_at=run.started_at,
            total=run.total,
            finished_at=run.finished_at,
        ),
    )
