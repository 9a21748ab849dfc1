"""Publishing a run: every case decided, every family told, every admitted child with its notice.

A few hundred are published within the officer's call. A province takes minutes: the run is then
`publishing`, a task decides it part by part, each part one transaction, each child once, and carries on where
it was stopped.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, notices, outbox
from haiyiban.cases import publishing
from haiyiban.cases.models import Case
from haiyiban.cases.publishing import Decided
from haiyiban.cases.states import FINAL, State, Verb
from haiyiban.crypto import vault
from haiyiban.db import database
from haiyiban.identity.callers import StaffCaller
from haiyiban.notices import Told
from haiyiban.sealed import place
from services.school_places.matching import UNPLACED
from services.school_places.models import AllocationRun, Enrolment, RollEntry
from services.school_places.public_file import PublicFile
from services.school_places.service import enrolments, home_uses, results, runs
from services.school_places.service.runs import CasesPending
from services.school_places.service.settling import RollChanged

TASK = "school-places.publish"
AT_ONCE = 300
"""Children published within the officer's call; of more, the task decides as many in one transaction."""
TASKS_AT_ONCE = 4
"""Tasks that share a large publication; each takes children that no other holds."""


@dataclass(frozen=True, slots=True)
class Published:
    """A run after a publication was asked for: how many children have which outcome, how many are to come."""

    run: AllocationRun
    outcomes: Counter[str]
    remaining: int = 0


async def publish(
    session: AsyncSession, enrolment_id: UUID, run_id: UUID, *, caller: StaffCaller, now: datetime
) -> Published:
    """Publish the results: a small run at once, all or none; a large one is begun, and asked again says how
    far it is.

    With four eyes the first officer releases and another one publishes; until then the run stays drawn.
    Cases that were withdrawn or ended since the roll keep no seat. Raises EnrolmentMissing, RunMissing,
    NotAllowed, WrongRunState, RollChanged, CasesPending for cases that a clerk has since suspended.
    """
    enrolment, run = await runs.lock_run(session, enrolment_id, run_id, caller=caller)
    if run.state == "publishing":
        return await _progress(session, run)
    runs.require_state(run, "drawn")
    if enrolment.four_eyes and run.publication_asked_by in (None, caller.staff_id):
        run.publication_asked_by = caller.staff_id
        await _record(session, run, "release")
        return Published(run, Counter())
    await _require_ready(session, run)
    await _require_result(session, run)
    run.state = "publishing"
    run.published_by = caller.staff_id
    await _record(session, run, "publish")
    size = await session.scalar(select(func.count()).where(RollEntry.run_id == run.id))
    if (size or 0) <= AT_ONCE:
        await _decide_some(session, enrolment, run, now=now)
        await _finish(session, run, now=now)
    else:
        for _ in range(TASKS_AT_ONCE):
            await outbox.enqueue(session, TASK, payload=run.id.bytes)
    return await _progress(session, run)


async def carry_out(payload: bytes) -> None:
    """The task: decide part after part until nothing of the run is left that can be decided."""
    run_id = UUID(bytes=payload)
    while await _carry_on(run_id):
        pass
    async with database().transaction() as session:
        run = await session.get(AllocationRun, run_id, with_for_update=True)
        if run is not None and run.state == "publishing":
            await _finish(session, run, now=clock.now())


async def resume(_: bytes) -> None:
    """Carry on publications whose task was lost, or that waited for a suspended case."""
    async with database().reading() as session:
        under_way = (
            await session.scalars(select(AllocationRun.id).where(AllocationRun.state == "publishing"))
        ).all()
    for run_id in under_way:
        await carry_out(run_id.bytes)


async def _carry_on(run_id: UUID) -> bool:
    async with database().transaction() as session:
        run = await session.get(AllocationRun, run_id)
        if run is None or run.state != "publishing":
            return False
        enrolment = await enrolments.find(session, run.enrolment_id)
        return bool(await _decide_some(session, enrolment, run, now=clock.now()))


async def _decide_some(
    session: AsyncSession, enrolment: Enrolment, run: AllocationRun, *, now: datetime
) -> int:
    """Decide children whom nobody else is deciding just now. Returns how many."""
    assert run.published_by is not None, "a publication has its officer"
    rows = (
        await session.execute(
            select(RollEntry, Case)
            .join(Case, Case.id == RollEntry.case_id)
            .where(
                RollEntry.run_id == run.id,
                RollEntry.decided_at.is_(None),
                Case.state.in_([State.ACCEPTED, *FINAL]),
            )
            .order_by(RollEntry.id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
    ).all()
    decided: list[tuple[RollEntry, Case]] = []
    for entry, case in rows:
        entry.decided_at = now
        if case.state == State.ACCEPTED:
            decided.append((entry, case))
        else:
            entry.outcome, entry.school_id, entry.choice = "withdrawn", None, None
    await publishing.decide_all(
        session,
        [Decided(case, _verdict(entry), entry.explanation["zh"]) for entry, case in decided],
        by_id=run.published_by,
        now=now,
    )
    placed = [(entry, case) for entry, case in decided if entry.school_id is not None]
    await results.issue_notices(session, placed, enrolment, now=now)
    values = {"enrolment": enrolment.name}
    await notices.tell_persons(
        session,
        "school-places.published",
        [Told(case.applicant_id, case.id, values) for _, case in decided],
    )
    await home_uses.use(
        session, [entry for entry, _ in rows if entry.choice is not None], year=enrolment.school_year
    )
    return len(rows)


async def _finish(session: AsyncSession, run: AllocationRun, *, now: datetime) -> None:
    """The run is published once nobody is left. The caller holds its lock."""
    left = await session.scalar(
        select(func.count()).where(RollEntry.run_id == run.id, RollEntry.decided_at.is_(None))
    )
    if not left:
        run.state = "published"
        run.published_at = now


async def _progress(session: AsyncSession, run: AllocationRun) -> Published:
    await session.flush()
    rows = await session.execute(
        select(RollEntry.outcome, RollEntry.decided_at.is_(None), func.count())
        .where(RollEntry.run_id == run.id)
        .group_by(RollEntry.outcome, RollEntry.decided_at.is_(None))
    )
    outcomes: Counter[str] = Counter()
    remaining = 0
    for outcome, is_open, count in rows:
        if is_open:
            remaining += count
        else:
            outcomes[outcome or ""] += count
    return Published(run, outcomes, remaining)


async def _require_ready(session: AsyncSession, run: AllocationRun) -> None:
    rows = await session.execute(
        select(Case.state, func.count())
        .join(RollEntry, RollEntry.case_id == Case.id)
        .where(RollEntry.run_id == run.id, Case.state.not_in([State.ACCEPTED, *FINAL]))
        .group_by(Case.state)
    )
    if stuck := dict(rows.all()):
        raise CasesPending(members={"pending": stuck})


async def _require_result(session: AsyncSession, run: AllocationRun) -> None:
    """What is about to be published is what the public file says, child by child. Raises RollChanged."""
    file = await asyncio.to_thread(msgspec.json.decode, run.public_file or b"", type=PublicFile)
    position_of = {pupil.pseudonym: at for at, pupil in enumerate(file.roll.pupils)}
    # A few columns of each row, and below the ORM: the officer waits for it, in a province for 150,000.
    rows = await session.stream(
        select(*_RESULT).where(RollEntry.run_id == run.id).execution_options(yield_per=1000)
    )
    async for row in rows:
        sealed_at = place(RollEntry.__tablename__, "pseudonym_sealed", row.id)
        at = position_of.get(vault().open(row.pseudonym_sealed, where=sealed_at).decode())
        if at is None or not _agree(row, file, at):
            raise RollChanged(members={"state": run.state})


def _agree(stored: Any, file: PublicFile, at: int) -> bool:
    placed = file.placements[at]
    if stored.lottery != file.lottery[at]:
        return False
    if placed == UNPLACED:
        return stored.choice is None and stored.outcome in ("coordination", "no_seat")
    return (
        stored.outcome == "choice"
        and stored.choice == file.roll.pupils[at].choices.index(placed)
        and str(stored.school_id) == file.roll.schools[placed].id
    )


def _verdict(entry: RollEntry) -> Literal[Verb.APPROVE, Verb.DENY]:
    return Verb.DENY if entry.school_id is None else Verb.APPROVE


async def _record(session: AsyncSession, run: AllocationRun, verb: str) -> None:
    await audit.record(session, f"school-places.{verb}", object_kind="allocation-run", object_id=run.id)


_RESULT = (
    RollEntry.id,
    RollEntry.pseudonym_sealed,
    RollEntry.lottery,
    RollEntry.choice,
    RollEntry.outcome,
    RollEntry.school_id,
)
