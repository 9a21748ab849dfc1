"""Deciding everybody's colour anew after the rules changed: in batches, stopped and taken up at will.

An operator begins a run and the worker does it, a turn after the other. How far it is stands in the
database and moves with each batch, in its transaction: whoever is killed in between has done nothing of that
batch, and the next process goes on behind the last one.

Source: docs/domain.md §5; docs/health-code.md.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, registers
from haiyiban.clock import local_date
from haiyiban.db import database
from haiyiban.errors import Conflict, Words
from haiyiban.identity.models import Person
from haiyiban.ids import new_id
from haiyiban.registers import Question
from haiyiban.zone import Task
from services.health_code.facts import ASKED
from services.health_code.models import Recolouring, Status
from services.health_code.rejudging import Judged, judge, keep, next_kept
from services.health_code.service import Answers, decide_all
from services.health_code.standards import rules_on

BATCH = 2000
"""People in one transaction at most, which locks those who change for as long as it writes."""
ASKED_AT_ONCE = 200
"""Of whom at most so many are asked about, before the transaction; a batch ends with the last of them."""
UNDER_WAY = ("running", "stopped")
TURN = timedelta(seconds=20)
"""How long a process works before it looks whether it should end; a worker that is asked to stop waits so."""
TAKEN = timedelta(seconds=60)
"""How long a process has the run to itself: a turn, and a batch whose registers are slow. One that was killed
holds the run up for so long."""
LOOK_AGAIN_SECONDS = 1.0


class NoRecolouring(Conflict):
    """Nothing runs that could be stopped."""

    type = "health-code/no-recolouring"
    title = Words("当前没有正在进行的重算", "No recolouring is under way")


async def begin(session: AsyncSession, *, now: datetime) -> Recolouring:
    """Begin a run, or take up the one that was stopped; one that runs stays as it is. One for rules no longer
    in force is given up."""
    rules = rules_on(local_date(now)).id
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('health_code_recolouring'))"))
    run = await _under_way(session)
    if run is not None and run.rules == rules:
        if run.state == "stopped":
            run.state = "running"
            await _record(session, run, "resume")
        return run
    if run is not None:
        run.state, run.finished_at, run.after = "superseded", now, None
        await session.flush()
    run = Recolouring(
        id=new_id(), rules=rules, state="running", done=0, changed=0, unanswered=0, started_at=now
    )
    session.add(run)
    await session.flush()
    await _record(session, run, "begin")
    return run


async def stop(session: AsyncSession) -> Recolouring:
    """Have whoever runs it stop after this batch. Raises NoRecolouring."""
    run = await _under_way(session)
    if run is None or run.state == "stopped":
        raise NoRecolouring
    run.state = "stopped"
    await _record(session, run, "stop")
    return run


async def latest(session: AsyncSession) -> Recolouring | None:
    """The run that was begun last."""
    found: Recolouring | None = await session.scalar(
        select(Recolouring).order_by(Recolouring.id.desc()).limit(1)
    )
    return found


async def run_on(passing: Callable[[Recolouring], object] = lambda _: None) -> Recolouring | None:
    """Work until everybody is done or somebody says stop; while another process has the run, watch it.
    `passing` hears of each batch."""
    while True:
        run = await turn(passing)
        if run is None or run.state != "running":
            return run
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def turn(passing: Callable[[Recolouring], object] = lambda _: None) -> Recolouring | None:
    """Some seconds of the run that is under way, unless another process has it; how it is then."""
    run, is_mine = await _take()
    if run is None or not is_mine:
        return run
    ends = time.monotonic() + TURN.total_seconds()
    try:
        while run.state == "running" and time.monotonic() < ends:
            run = await _batch(run)
            passing(run)
    finally:
        async with database().transaction() as session:
            await session.execute(
                update(Recolouring).where(Recolouring.id == run.id).values(taken_until=None)
            )
    return run


async def work(_: bytes) -> None:
    """The worker's share: whoever is killed is followed by the next turn of any worker."""
    await turn()


async def _take() -> tuple[Recolouring | None, bool]:
    """The latest run, and whether it is ours for a turn. Who has it first counts how many people there are,
    so that nobody waits for that at a desk."""
    async with database().transaction() as session:
        now = clock.now()
        run = await latest(session)
        if run is None or run.state != "running":
            return run, False
        await session.refresh(run, with_for_update=True)
        if run.state != "running" or (run.taken_until is not None and run.taken_until > now):
            return run, False
        run.taken_until = now + TAKEN
        if run.total is None:
            run.total = await session.scalar(select(func.count()).select_from(Status)) or 0
        return run, True


async def _batch(seen: Recolouring) -> Recolouring:
    """One batch; where another process was faster, or said stop, only what the run looks like now."""
    now = clock.now()
    people, others, to_ask = await _judged(seen.after, now=now)
    answers = await _ask(to_ask)
    async with database().transaction() as session:
        run = await session.get_one(Recolouring, seen.id, with_for_update=True)
        if run.after != seen.after or run.state != "running":
            return run
        if not people:
            run.state, run.finished_at, run.after = "finished", clock.now(), None
            await _record(session, run, "finish")
            return run
        rows = await session.execute(
            select(Status.person_id, Status.colour).where(Status.person_id.in_(answers))
        )
        before = {row.person_id: row.colour for row in rows}
        run.changed += await keep(session, others, now=now)
        held = await decide_all(session, answers, now=now) if answers else []
        run.after = people[-1]
        run.done += len(people)
        run.changed += sum(one.status.colour != before.get(one.person.id) for one in held)
        run.unanswered += sum(bool(one.known.silent) for one in held)
        run.taken_until = clock.now() + TAKEN
        return run


async def _judged(after: UUID | None, *, now: datetime) -> tuple[list[UUID], list[Judged], list[UUID]]:
    """The next people: all of them, those whose colour becomes another by what is held of them, and those
    whom the registers must be asked about."""
    kept = await next_kept(after, BATCH)
    async with database().reading() as look:
        others, to_ask = await judge(look, kept, now=now)
    ids = [one.person_id for one in kept]
    asked = [person_id for person_id in ids if person_id in to_ask]
    if len(asked) > ASKED_AT_ONCE:
        asked = asked[:ASKED_AT_ONCE]
        ids = ids[: ids.index(asked[-1]) + 1]
        others = [one for one in others if one.kept.person_id <= asked[-1]]
    return ids, others, asked


async def _ask(person_ids: Sequence[UUID]) -> dict[UUID, Answers]:
    """What the registers say of some people, in a few calls of each."""
    if not person_ids:
        return {}
    async with database().reading() as look:
        people = list(await look.scalars(select(Person).where(Person.id.in_(person_ids))))
    said = await registers.current().ask_crowd(
        {
            (person.id, name): Question(name, person.id_number, person.id_type)
            for person in people
            for name in ASKED
        }
    )
    return {person.id: {name: said[person.id, name] for name in ASKED} for person in people}


async def _under_way(session: AsyncSession) -> Recolouring | None:
    found: Recolouring | None = await session.scalar(
        select(Recolouring).where(Recolouring.state.in_(UNDER_WAY)).with_for_update()
    )
    return found


WORK = Task(name="health-code.recolour", run=work, schedule="* * * * * */5")


async def _record(session: AsyncSession, run: Recolouring, act: str) -> None:
    await audit.record(
        session,
        f"health-code.recolour-{act}",
        object_kind="health-code-recolouring",
        object_id=run.id,
        reason=run.rules,
    )
