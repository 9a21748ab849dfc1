"""Background work of cross-province service; each does and repairs."""

from __future__ import annotations

from sqlalchemy import select

from haiyiban import clock
from haiyiban.cases.calendar import calendar_from
from haiyiban.clock import local_date
from haiyiban.db import database
from haiyiban.divisions import PROVINCE
from haiyiban.ids import new_id
from haiyiban.zone import Task
from services.cross_province import refreshing, reporting, sending, working
from services.cross_province.models import Alert, CrossCase
from services.cross_province.receiving import PROCESS
from services.cross_province.rules import is_late

_AT_ONCE = 500


async def watch(_: bytes) -> None:
    """Raise an alert for each hop that takes longer than one working day; one for each standstill."""
    now = clock.now()
    async with database().transaction() as session:
        waiting = await session.scalars(
            select(CrossCase)
            .where(
                CrossCase.hop_since.is_not(None),
                ~select(Alert.id)
                .where(Alert.case_id == CrossCase.id, Alert.since == CrossCase.hop_since)
                .exists(),
            )
            .order_by(CrossCase.hop_since)
            .limit(_AT_ONCE)
            .with_for_update(of=CrossCase, skip_locked=True)
        )
        for case in waiting.all():
            since = case.hop_since
            assert since is not None, "the query asks for it"
            calendar = await calendar_from(session, local_date(since))
            if is_late(since, local_date(now), calendar=calendar, division=PROVINCE):
                session.add(Alert(id=new_id(), case_id=case.id, state=case.state, since=since, raised_at=now))
            else:
                # Oldest first: nobody after it is late either.
                break


TASKS = (
    Task(name=sending.DELIVER, run=sending.deliver),
    Task(name="cross-province.deliver-due", run=sending.repair, schedule="* * * * * */5"),
    Task(name=PROCESS, run=working.process),
    Task(name="cross-province.process-waiting", run=working.repair, schedule="* * * * * */30"),
    Task(name="cross-province.report", run=reporting.report, schedule="* * * * * */10"),
    Task(name="cross-province.refresh", run=refreshing.refresh, schedule="* * * * * */15"),
    Task(name="cross-province.watch", run=watch, schedule="*/10 * * * *"),
)
