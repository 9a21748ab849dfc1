"""Everybody's colour anew: stopped, killed and raced, it leaves nobody out and does nothing twice."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import delete, event, func, select, update

from haiyiban.audit.models import AuditRecord
from haiyiban.codes.models import Capsule
from haiyiban.db import Database
from services.health_code import recolouring
from services.health_code.models import Recolouring, Status
from tests import builders
from tests.zones.health_code.test_code import phone_of, shown, well

PEOPLE = 3


class Killed(Exception):
    """Where the process died."""


@pytest.fixture
async def people(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[list[dict[str, str]]]:
    """Three who are well and whose kept colour is another, as after a change of the rules. Their ids are the
    newest, so that a run can begin behind whom other tests left."""
    monkeypatch.setattr(recolouring, "BATCH", 1)
    headers = [await builders.resident(api, sandbox, well()) for _ in range(PEOPLE)]
    for one in headers:
        await shown(api, one)
    async with database.transaction() as session:
        newest = select(Status.person_id).order_by(Status.person_id.desc()).limit(PEOPLE)
        mine = list(await session.scalars(newest))
        await session.execute(update(Status).where(Status.person_id.in_(mine)).values(colour="yellow"))
        await session.execute(delete(Recolouring))
    yield headers
    async with database.transaction() as session:
        await session.execute(delete(Recolouring))


async def begun(database: Database) -> Recolouring:
    """A run that stands before the three."""
    run = await recolouring.begin()
    async with database.transaction() as session:
        before = await session.scalar(
            select(Status.person_id).order_by(Status.person_id.desc()).offset(PEOPLE).limit(1)
        )
        await session.execute(update(Recolouring).values(after=before, total=PEOPLE))
    found = await recolouring.latest()
    assert found is not None
    assert found.id == run.id
    return found


async def colours(database: Database) -> list[str]:
    async with database.reading() as session:
        newest = select(Status.colour).order_by(Status.person_id.desc()).limit(PEOPLE)
        return list(await session.scalars(newest))


async def decided(database: Database) -> int:
    async with database.reading() as session:
        return (
            await session.scalar(
                select(func.count())
                .select_from(AuditRecord)
                .where(AuditRecord.action == "health-code.decide")
            )
            or 0
        )


async def test_a_run_recolours_everybody_and_withdraws_what_phones_hold(
    api: httpx.AsyncClient, database: Database, people: list[dict[str, str]]
) -> None:
    phone = await (await phone_of(api, people[0])).bind("health")
    async with database.transaction() as session:
        await session.execute(update(Status).values(colour="yellow"))
    heard: list[int] = []
    run = await recolouring.run_on(await begun(database), lambda run: heard.append(run.done))
    assert (run.state, run.done, run.changed, run.unanswered) == ("finished", PEOPLE, PEOPLE, 0)
    assert heard == [1, 2, 3, 3]
    assert await colours(database) == ["green"] * PEOPLE
    async with database.reading() as session:
        capsule = await session.scalar(select(Capsule).where(Capsule.id == phone.id))
        assert capsule is not None
        assert capsule.withdrawn_at is not None


async def test_stopped_and_taken_up_it_leaves_nobody_out_and_does_nobody_twice(
    database: Database, people: list[dict[str, str]]
) -> None:
    run, at_first = await begun(database), await decided(database)

    stops: list[asyncio.Task[bool]] = []
    run = await recolouring.run_on(
        run, lambda _: stops or stops.append(asyncio.ensure_future(recolouring.stop()))
    )
    assert run.state == "stopped"
    assert await asyncio.gather(*stops) == [True]
    assert 1 <= run.done < PEOPLE
    assert not await recolouring.stop(), "it stands already"
    resumed = await recolouring.begin()
    assert (resumed.id, resumed.done) == (run.id, run.done)
    run = await recolouring.run_on(resumed)
    assert (run.state, run.done, run.changed) == ("finished", PEOPLE, PEOPLE)
    assert await decided(database) - at_first == PEOPLE


async def test_killed_before_the_commit_a_batch_is_done_by_the_next_process(
    database: Database, people: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, at_first = await begun(database), await decided(database)
    decide_all, calls = recolouring.decide_all, iter(range(9))

    async def dies(*args: object, **more: object) -> object:
        held = await decide_all(*args, **more)  # type: ignore[arg-type]
        if next(calls) == 1:
            raise Killed
        return held

    monkeypatch.setattr(recolouring, "decide_all", dies)
    with pytest.raises(Killed):
        await recolouring.run_on(run)
    assert sorted(await colours(database)) == ["green", "yellow", "yellow"]
    run = await recolouring.run_on(await recolouring.begin())
    assert (run.state, run.done) == ("finished", PEOPLE)
    assert await colours(database) == ["green"] * PEOPLE
    assert await decided(database) - at_first == PEOPLE


async def test_two_processes_share_a_run_without_doing_anybody_twice(
    database: Database, people: list[dict[str, str]]
) -> None:
    run, at_first = await begun(database), await decided(database)
    both = await asyncio.gather(recolouring.run_on(run), recolouring.run_on(run))
    assert {one.state for one in both} == {"finished"}
    assert max(one.done for one in both) == PEOPLE
    assert await decided(database) - at_first == PEOPLE


async def test_a_run_for_rules_no_longer_in_force_is_given_up(
    database: Database, people: list[dict[str, str]]
) -> None:
    old = await begun(database)
    async with database.transaction() as session:
        await session.execute(update(Recolouring).values(rules="urn:older"))
    run = await recolouring.begin()
    assert (run.id != old.id, run.after) == (True, None)


async def test_a_batch_takes_as_many_statements_for_three_as_for_one(
    database: Database, people: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    for size in (1, PEOPLE):
        monkeypatch.setattr(recolouring, "BATCH", size)
        async with database.transaction() as session:
            await session.execute(update(Status).values(colour="yellow"))
        run, count = await begun(database), [0]

        def counted(_: object, __: object, statement: str, *___: object, count: list[int] = count) -> None:
            # The application beside it publishes lists over the same engine.
            count[0] += any(table in statement for table in ("health_code_", "audit_record", "identity_p"))

        engine = database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", counted)
        await recolouring._batch(run)
        event.remove(engine, "before_cursor_execute", counted)
        told.append(count[0])
    assert told[0] == told[1]


async def test_the_command_line_runs_it_to_the_end_and_says_how_far_it_is(
    database: Database, environ: dict[str, str], people: list[dict[str, str]]
) -> None:
    done = await _command(environ, "recolour")
    assert done.startswith("finished: "), done
    assert await colours(database) == ["green"] * PEOPLE
    assert await _command(environ, "progress") == done
    assert "Nothing runs" in await _command(environ, "stop")


async def _command(environ: dict[str, str], verb: str) -> str:
    """In a process of its own, for it installs a database and keys of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "haiyiban.cli", "health-code", verb),
        env=os.environ | environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    return told.decode()
