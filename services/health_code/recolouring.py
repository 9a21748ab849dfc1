"""Deciding everybody's colour anew after the rules changed: in batches, stopped and taken up at will.

How far a run is stands in the database and moves with each batch, in its transaction: whoever is killed in
between has done nothing of that batch, and the next process goes on behind the last one.

Source: docs/domain.md §5; docs/health-code.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, registers
from haiyiban.clock import local_date
from haiyiban.db import database
from haiyiban.identity.models import Person
from haiyiban.ids import new_id
from haiyiban.registers import Question
from services.health_code.facts import ASKED
from services.health_code.models import Recolouring, Status
from services.health_code.service import Answers, decide_all
from services.health_code.standards import rules_on

BATCH = 200
"""People in one transaction, which locks them for as long as it writes; the registers are asked before."""
AT_ONCE = 10
"""People whose registers are asked at once: below what a process asks one register at a time (20), so that
no question waits in line."""
UNDER_WAY = ("running", "stopped")


async def begin() -> Recolouring:
    """Begin a run, or take up the one that was left. One for rules no longer in force is given up."""
    now = clock.now()
    rules = rules_on(local_date(now)).id
    async with database().transaction() as session:
        run = await _under_way(session)
        if run is not None and run.rules == rules:
            run.state = "running"
            await _record(session, run, "resume")
            return run
        if run is not None:
            run.state, run.finished_at, run.after = "superseded", now, None
            await session.flush()
        run = Recolouring(
            id=new_id(),
            rules=rules,
            state="running",
            total=await session.scalar(select(func.count()).select_from(Status)) or 0,
            done=0,
            changed=0,
            unanswered=0,
            started_at=now,
        )
        session.add(run)
        await session.flush()
        await _record(session, run, "begin")
        return run


async def stop() -> bool:
    """Have whoever runs it stop after this batch; False where nothing runs."""
    async with database().transaction() as session:
        run = await _under_way(session)
        if run is None or run.state == "stopped":
            return False
        run.state = "stopped"
        await _record(session, run, "stop")
        return True


async def latest() -> Recolouring | None:
    """The run that was begun last."""
    async with database().reading() as session:
        found: Recolouring | None = await session.scalar(
            select(Recolouring).order_by(Recolouring.id.desc()).limit(1)
        )
        return found


async def run_on(run: Recolouring, passing: Callable[[Recolouring], object] = lambda _: None) -> Recolouring:
    """Batch after batch, until everybody is done or somebody says stop. `passing` hears of each."""
    while run.state == "running":
        run = await _batch(run)
        passing(run)
    return run


async def _batch(seen: Recolouring) -> Recolouring:
    """One batch; where another process was faster, or said stop, only what the run looks like now."""
    async with database().reading() as look:
        query = select(Person).join(Status, Status.person_id == Person.id).order_by(Status.person_id)
        if seen.after is not None:
            query = query.where(Status.person_id > seen.after)
        people = list(await look.scalars(query.limit(BATCH)))
        asked = [(person.id, person.id_number, person.id_type) for person in people]
    now = clock.now()
    answers = await _ask(asked)
    async with database().transaction() as session:
        run = await session.get_one(Recolouring, seen.id, with_for_update=True)
        if run.after != seen.after or run.state != "running":
            return run
        if not people:
            run.state, run.finished_at, run.after = "finished", clock.now(), None
            await _record(session, run, "finish")
            return run
        ids = [person.id for person in people]
        rows = await session.execute(select(Status.person_id, Status.colour).where(Status.person_id.in_(ids)))
        before = {row.person_id: row.colour for row in rows}
        held = await decide_all(session, answers, now=now)
        run.after = ids[-1]
        run.done += len(held)
        run.changed += sum(one.status.colour != before.get(one.person.id) for one in held)
        run.unanswered += sum(bool(one.known.silent) for one in held)
        return run


async def _ask(people: Sequence[tuple[UUID, str, str]]) -> dict[UUID, Answers]:
    """What the registers say of a batch, a few people at a time: asked all at once, most would wait in line
    for longer than a turn may take and count as unanswered."""
    answers: dict[UUID, Answers] = {}
    for some in (people[start : start + AT_ONCE] for start in range(0, len(people), AT_ONCE)):
        said = await registers.current().ask_many(
            {
                (person_id, name): Question(name, id_number, id_type)
                for person_id, id_number, id_type in some
                for name in ASKED
            }
        )
        answers |= {one[0]: {name: said[one[0], name] for name in ASKED} for one in some}
    return answers


async def _under_way(session: AsyncSession) -> Recolouring | None:
    found: Recolouring | None = await session.scalar(
        select(Recolouring).where(Recolouring.state.in_(UNDER_WAY)).with_for_update()
    )
    return found


async def _record(session: AsyncSession, run: Recolouring, act: str) -> None:
    await audit.record(
        session,
        f"health-code.recolour-{act}",
        object_kind="health-code-recolouring",
        object_id=run.id,
        reason=run.rules,
    )
