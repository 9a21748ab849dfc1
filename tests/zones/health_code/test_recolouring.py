"""Everybody's colour anew: stopped, killed and raced, it leaves nobody out and does nothing twice."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, event, func, select, update

from haiyiban import clock
from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.codes.models import Capsule
from haiyiban.db import Database
from services.health_code import recolouring, rejudging
from services.health_code.models import Recolouring, Status
from tests import builders
from tests.terminal import operator_of
from tests.zones.health_code.test_appeals import appealed, corrected, positive
from tests.zones.health_code.test_code import phone_of, shown, well

PEOPLE = 3
DESK = "/zones/health-code/desk/recolouring"


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


async def begin(database: Database) -> Recolouring:
    """As the desk and the command line do."""
    async with database.transaction() as session:
        return await recolouring.begin(session, now=clock.now())


async def finished() -> Recolouring:
    run = await recolouring.run_on()
    assert run is not None
    return run


async def begun(database: Database) -> Recolouring:
    """A run that stands before the three."""
    run = await begin(database)
    async with database.transaction() as session:
        before = await session.scalar(
            select(Status.person_id).order_by(Status.person_id.desc()).offset(PEOPLE).limit(1)
        )
        await session.execute(update(Recolouring).values(after=before, total=PEOPLE))
    async with database.reading() as session:
        found = await recolouring.latest(session)
    assert found is not None
    assert found.id == run.id
    return found


async def colours(database: Database) -> list[str]:
    async with database.reading() as session:
        newest = select(Status.colour).order_by(Status.person_id.desc()).limit(PEOPLE)
        return list(await session.scalars(newest))


async def forgotten(database: Database) -> None:
    """As on the next day: nothing that the registers said counts any more."""
    async with database.transaction() as session:
        await session.execute(update(Status).values(facts_sealed=None))


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
    await begun(database)
    run = await recolouring.run_on(lambda run: heard.append(run.done))
    assert run is not None
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
    begun_run, at_first = await begun(database), await decided(database)

    async def stop() -> str:
        async with database.transaction() as session:
            return (await recolouring.stop(session)).state

    stops: list[asyncio.Task[str]] = []
    run = await recolouring.run_on(lambda _: stops or stops.append(asyncio.ensure_future(stop())))
    assert run is not None
    assert run.state == "stopped"
    assert await asyncio.gather(*stops) == ["stopped"]
    assert 1 <= run.done < PEOPLE
    with pytest.raises(recolouring.NoRecolouring):
        await stop()
    await recolouring.work(b"")
    resumed = await begin(database)
    assert (resumed.id, resumed.done) == (begun_run.id, run.done), "the worker left it alone"
    run = await finished()
    assert (run.state, run.done, run.changed) == ("finished", PEOPLE, PEOPLE)
    assert await decided(database) - at_first == PEOPLE


@pytest.mark.parametrize("writes", ["decide_all", "keep"])
async def test_killed_before_the_commit_a_batch_is_done_by_the_next_process(
    writes: str, database: Database, people: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the registers are asked or what they said today is held."""
    if writes == "decide_all":
        await forgotten(database)
    at_first, _ = await decided(database), await begun(database)
    write, calls = getattr(recolouring, writes), iter(range(9))

    async def dies(*args: object, **more: object) -> object:
        written = await write(*args, **more)
        if next(calls) == 1:
            raise Killed
        return written

    monkeypatch.setattr(recolouring, writes, dies)
    with pytest.raises(Killed):
        await recolouring.work(b"")
    assert sorted(await colours(database)) == ["green", "yellow", "yellow"]
    await recolouring.work(b"")
    run = await finished()
    assert (run.state, run.done) == ("finished", PEOPLE)
    assert await colours(database) == ["green"] * PEOPLE
    assert await decided(database) - at_first == PEOPLE


async def test_after_a_process_that_vanished_the_run_waits_until_its_time_is_over(
    database: Database, people: list[dict[str, str]]
) -> None:
    """kill -9 gives nothing back."""
    await begun(database)
    for seconds, done in ((30, 0), (-1, PEOPLE)):
        async with database.transaction() as session:
            until = clock.now() + timedelta(seconds=seconds)
            await session.execute(update(Recolouring).values(taken_until=until))
        await recolouring.work(b"")
        async with database.reading() as session:
            run = await recolouring.latest(session)
        assert run is not None
        assert run.done == done


async def test_two_processes_share_a_run_without_doing_anybody_twice(
    database: Database, people: list[dict[str, str]]
) -> None:
    at_first, _ = await decided(database), await begun(database)
    both = await asyncio.gather(finished(), finished())
    assert {one.state for one in both} == {"finished"}
    assert max(one.done for one in both) == PEOPLE
    assert await decided(database) - at_first == PEOPLE


async def read(database: Database) -> int:
    """How often registers were read, by the audit."""
    async with database.reading() as session:
        query = select(func.count()).where(AuditRecord.action == "registers.read")
        return await session.scalar(query) or 0


async def newest(database: Database) -> list[Status]:
    async with database.reading() as session:
        query = select(Status).order_by(Status.person_id.desc()).limit(PEOPLE)
        return list(await session.scalars(query))


async def test_by_what_registers_said_today_nobody_is_asked_again_and_no_colour_looks_newer(
    database: Database, people: list[dict[str, str]]
) -> None:
    at_first, before, _ = await read(database), await newest(database), await begun(database)
    run = await finished()
    assert (run.done, run.changed) == (PEOPLE, PEOPLE)
    assert await colours(database) == ["green"] * PEOPLE
    assert await read(database) == at_first
    ids = {one.person_id for one in before}
    async with database.reading() as session:
        query = (
            select(AuditRecord.object_kind, AuditRecord.fields, AuditRecord.reason, AuditSubject.person_id)
            .join(AuditSubject, AuditSubject.pseudonym == AuditRecord.subject)
            .where(
                AuditRecord.action == "health-code.decide", AuditRecord.object_id == AuditSubject.person_id
            )
            .order_by(AuditRecord.at.desc())
            .limit(PEOPLE)
        )
        records = [tuple(row) for row in await session.execute(query)]
    assert {(record[0], *record[1], record[2]) for record in records} == {("person", "colour", run.rules)}
    assert {record[3] for record in records} == ids
    after = await newest(database)
    assert [(one.decided_at, one.asked_at) for one in after] == [
        (one.decided_at, one.asked_at) for one in before
    ]


@pytest.mark.parametrize("why", ["forgotten", "yesterday", "other areas", "a fact that is not held"])
async def test_what_is_not_held_or_no_longer_counts_is_asked(
    why: str, database: Database, people: list[dict[str, str]]
) -> None:
    async with database.transaction() as session:
        for one in await session.scalars(select(Status).order_by(Status.person_id.desc()).limit(PEOPLE)):
            if why == "forgotten":
                one.facts = None
            elif why == "yesterday":
                one.asked_at -= timedelta(days=1)
            elif why == "other areas":
                one.facts = one.facts | {"under": "another"}
            else:
                held = {name: value for name, value in one.facts["asked"].items() if name != "isolated_as"}
                one.facts = one.facts | {"asked": held}
    asked_at = (await newest(database))[0].asked_at
    at_first, _ = await read(database), await begun(database)
    run = await finished()
    assert (run.done, run.changed, await colours(database)) == (PEOPLE, PEOPLE, ["green"] * PEOPLE)
    assert await read(database) > at_first
    assert (await newest(database))[0].asked_at > asked_at


async def test_who_is_asked_while_a_batch_is_judged_keeps_what_was_answered_then(
    database: Database, people: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run judged by older facts."""
    judge = rejudging.judge

    async def judged(*args: Any, **more: Any) -> Any:
        found = await judge(*args, **more)
        async with database.transaction() as session:
            one = await session.get_one(Status, args[1][0].person_id)
            one.colour, one.asked_at = "red", clock.now()
        return found

    monkeypatch.setattr(recolouring, "BATCH", PEOPLE)
    run = await begun(database)
    monkeypatch.setattr(recolouring, "judge", judged)
    after = await recolouring._batch(run)
    assert (after.done, after.changed) == (PEOPLE, PEOPLE - 1)
    assert await colours(database) == ["green", "green", "red"]


async def test_held_facts_are_judged_with_what_was_declared_and_corrected(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, people: list[dict[str, str]]
) -> None:
    """The first was corrected by two clerks; the second declared symptoms; the third is like everybody."""
    somebody, one = await appealed(api, sandbox, positive())
    await corrected(api, one)
    said = {"symptoms": True, "feverClinic": False, "riskTravel": False}
    told = await api.post("/zones/health-code/declarations", json=said, headers=people[2])
    assert told.is_success, told.text
    # Whoever appealed joined after the three, so the newest three are without the first of them.
    assert (await shown(api, somebody))["colour"] == "green"
    before = await newest(database)
    async with database.transaction() as session:
        mine = [each.person_id for each in before]
        await session.execute(update(Status).where(Status.person_id.in_(mine)).values(colour="grey"))
    at_first, _ = await read(database), await begun(database)
    run = await finished()
    assert (run.done, run.changed) == (PEOPLE, PEOPLE)
    assert [(each.colour, each.reasons) for each in await newest(database)] == [
        ("green", ["manual-change"]),
        ("yellow", ["symptoms"]),
        ("green", []),
    ]
    assert await read(database) == at_first


async def test_a_batch_ends_with_the_last_whom_it_may_ask_about(
    database: Database, people: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is held, the other two are asked about, one a batch."""
    monkeypatch.setattr(recolouring, "BATCH", PEOPLE)
    monkeypatch.setattr(recolouring, "ASKED_AT_ONCE", 1)
    ids = [one.person_id for one in await newest(database)]
    async with database.transaction() as session:
        await session.execute(update(Status).where(Status.person_id.in_(ids[:2])).values(facts_sealed=None))
    await begun(database)
    heard: list[int] = []
    run = await recolouring.run_on(lambda run: heard.append(run.done))
    assert run is not None
    assert (heard, run.changed) == ([2, 3, 3], PEOPLE)
    assert await colours(database) == ["green"] * PEOPLE


async def test_a_run_for_rules_no_longer_in_force_is_given_up(
    database: Database, people: list[dict[str, str]]
) -> None:
    old = await begun(database)
    async with database.transaction() as session:
        await session.execute(update(Recolouring).values(rules="urn:older"))
    run = await begin(database)
    assert (run.id != old.id, run.after) == (True, None)


async def test_an_operator_begins_watches_stops_and_resumes_it_at_the_desk(
    api: httpx.AsyncClient, database: Database, people: list[dict[str, str]]
) -> None:
    operator = await operator_of(api, database)
    before = (await api.get(DESK, headers=operator)).json()
    assert before["run"] is None
    assert before["rules"].startswith("urn:haiyiban:health-code:rules:")
    refused = await api.post(f"{DESK}/stop", headers=operator)
    assert (refused.status_code, builders.slug(refused)) == (409, "no-recolouring")

    first = (await api.post(DESK, headers=operator)).json()["run"]
    assert (first["state"], first["done"], first.get("total")) == ("running", 0, None)
    assert (await api.post(DESK, headers=operator)).json()["run"]["id"] == first["id"], "a second tap"
    stopped = (await api.post(f"{DESK}/stop", headers=operator)).json()["run"]
    assert stopped["state"] == "stopped"
    await recolouring.work(b"")
    assert (await api.get(DESK, headers=operator)).json()["run"]["done"] == 0
    await begun(database)
    await recolouring.work(b"")
    run = (await api.get(DESK, headers=operator)).json()["run"]
    assert (run["state"], run["done"], run["changed"]) == ("finished", PEOPLE, PEOPLE)
    assert run["finishedAt"]
    async with database.reading() as session:
        acts = list(
            await session.execute(
                select(AuditRecord.action, AuditRecord.actor_kind)
                .where(AuditRecord.object_id == UUID(run["id"]))
                .order_by(AuditRecord.at)
            )
        )
    assert [tuple(act) for act in acts] == [
        ("health-code.recolour-begin", "staff"),
        ("health-code.recolour-stop", "staff"),
        ("health-code.recolour-resume", acts[2][1]),
        ("health-code.recolour-finish", acts[3][1]),
    ]


async def test_nobody_but_an_operator_reaches_it(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    clerk = await builders.staff(api, agency="health", division="460000")
    resident = await builders.resident(api, sandbox)
    for headers, status in (({}, 401), (clerk, 403), (resident, 403)):
        for method, path in (("GET", DESK), ("POST", DESK), ("POST", f"{DESK}/stop")):
            assert (await api.request(method, path, headers=headers)).status_code == status


@pytest.mark.parametrize("is_held", [True, False])
async def test_a_batch_takes_as_many_statements_for_three_as_for_one(
    is_held: bool, database: Database, people: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    for size in (1, PEOPLE):
        monkeypatch.setattr(recolouring, "BATCH", size)
        async with database.transaction() as session:
            await session.execute(update(Status).values(colour="yellow"))
        if not is_held:
            await forgotten(database)
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
