"""Check records: what a terminal scans, online and from its queue, once within a minute, and not for ever."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, text, update

from haiyiban import clock
from haiyiban.clock import local_date
from haiyiban.codes.claims import Colour as Shade
from haiyiban.codes.claims import HealthBody
from haiyiban.codes.kinds import Checked
from haiyiban.codes.outcomes import Outcome
from haiyiban.db import Database
from haiyiban.retention import forgetting
from services.health_code import checks
from services.health_code.models import Check
from services.health_code.standards import standards
from tests import builders, queries
from tests.retention import delete_due
from tests.terminal import Terminal, accredited_for, enrolled_at
from tests.zones.health_code.test_code import DECLARATIONS, gate_of, person_of, phone_of, shown, well

CHECKS = "/zones/health-code/checks"
AT = datetime(2022, 4, 10, 8, 0, 30, tzinfo=UTC)


@pytest.fixture
async def terminal(api: httpx.AsyncClient, database: Database) -> Terminal:
    """One at a gate."""
    return await enrolled_at(api, database, await accredited_for(database, "gate", "enrolment"))


async def scan(api: httpx.AsyncClient, terminal: Terminal, text: str, **more: Any) -> str:
    """Verify online."""
    headers = await terminal.headers() | {"Idempotency-Key": more.pop("key", uuid4().hex)}
    answer = await api.post("/verifications", json={"text": text, "purpose": "gate"} | more, headers=headers)
    assert answer.is_success, answer.text
    return str(answer.json()["outcome"])


async def mine(api: httpx.AsyncClient, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = await api.get(CHECKS, headers=headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def back(database: Database, **span: float) -> None:
    """Let time pass over what is kept."""
    moved = timedelta(**span)
    async with database.transaction() as session:
        await session.execute(
            update(Check).values(at=Check.at - moved, minute=Check.minute - moved // timedelta(minutes=1))
        )


def seen(at: datetime, holder: UUID, terminal: UUID, outcome: Outcome = Outcome.VALID) -> Checked:
    body = HealthBody("符*康", Shade.GREEN)
    return Checked(holder, terminal, "东门", at, outcome, body, None, is_offline=True)


def test_of_several_within_a_minute_at_one_terminal_the_first_counts() -> None:
    one, other, gate, door = (UUID(int=number) for number in range(1, 5))
    at = [AT + timedelta(seconds=seconds) for seconds in (0, 60, 61, 90)]
    given = [seen(each, one, gate) for each in reversed(at)]
    given += [seen(at[1], one, door), seen(at[1], other, gate)]
    given += [seen(at[0], other, door, Outcome.BAD_SIGNATURE), seen(at[0], other, door, Outcome.ALREADY_USED)]
    kept = [(each.at, each.holder_id, each.terminal_id) for each in checks.once_each(given)]
    assert kept == [(at[0], one, gate), (at[2], one, gate), (at[1], one, door), (at[1], other, gate)]


def test_the_days_that_are_kept_and_those_of_the_itinerary_are_dated() -> None:
    held = standards()
    assert held.check_records_on(date(2022, 4, 10)).days == 14
    assert [held.on(date(2022, 7, day)).itinerary_days for day in (7, 8)] == [14, 7]
    assert not held.on(date(2022, 7, 8)).asterisk


async def test_a_check_online_is_kept_once_a_minute_and_its_person_reads_where(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, terminal: Terminal
) -> None:
    headers = await builders.resident(api, sandbox, well())
    code = (await shown(api, headers))["text"]
    assert await scan(api, terminal, code, key="again", place="2 号闸机") == "valid"
    assert await scan(api, terminal, code, key="again", place="2 号闸机") == "valid"
    assert await scan(api, terminal, (await shown(api, headers))["text"]) == "valid"
    assert await scan(api, terminal, code) == "already_used"
    (kept,) = await mine(api, headers)
    assert kept["place"] == "2 号闸机"
    assert (kept["terminal"], kept["colour"], kept["outcome"]) == ("东门一号", "green", "valid")
    assert kept["isOffline"] is False
    await back(database, seconds=61)
    assert await scan(api, terminal, (await shown(api, headers))["text"]) == "valid"
    listed = await mine(api, headers)
    assert [one["place"] for one in listed] == ["滨海小学东门", "2 号闸机"]
    first = (await api.get(CHECKS, params={"limit": 1}, headers=headers)).json()
    rest = (await api.get(CHECKS, params={"limit": 1, "cursor": first["next"]}, headers=headers)).json()
    assert first["items"] + rest["items"] == listed
    assert rest["next"] is None
    assert first["kept"]["days"] == standards().check_records_on(local_date(clock.now())).days


async def test_what_a_terminal_judged_offline_comes_in_with_its_batch_and_a_replay_adds_nothing(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, terminal: Terminal
) -> None:
    headers = await builders.resident(api, sandbox, well())
    phone = await (await phone_of(api, headers)).bind("health")
    now = int(clock.now().timestamp())
    # A second showing at once, and one that the phone made up for yesterday.
    for t in (now, now + 1):
        terminal.scan(phone.show(t), at=datetime.fromtimestamp(t, UTC))
    for record in terminal.queue:
        record["purpose"] = "gate"
    batch = terminal.batch()
    first = await terminal.upload(batch)
    assert [one["recomputed"] for one in first.json()["results"]] == ["valid", "valid"], first.text
    (kept,) = await mine(api, headers)
    assert (kept["isOffline"], kept["colour"], kept["outcome"]) == (True, "green", "valid")
    again = await terminal.upload(batch)
    assert again.json() == first.json()
    assert await scan(api, terminal, (await shown(api, headers))["text"]) == "valid"
    assert await mine(api, headers) == [kept], "online, within the same minute"


async def test_a_withdrawn_code_tells_where_it_was_shown_with_the_colour_of_now(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, terminal: Terminal
) -> None:
    headers = await builders.resident(api, sandbox, well())
    phone = await (await phone_of(api, headers)).bind("health")
    said = await api.post(DECLARATIONS, json={"symptoms": True}, headers=headers)
    assert said.json()["colour"] == "yellow"
    assert await scan(api, terminal, phone.show(int(clock.now().timestamp()))) == "denied"
    (kept,) = await mine(api, headers)
    assert (kept["colour"], kept["outcome"]) == ("yellow", "denied")


async def test_a_forged_code_and_a_verifier_without_a_terminal_leave_no_record(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, terminal: Terminal
) -> None:
    headers = await builders.resident(api, sandbox, well())
    code = (await shown(api, headers))["text"]
    forged = code[:-4] + ("AAAA" if code[-4:] != "AAAA" else "BBBB")
    assert await scan(api, terminal, forged) != "valid"
    counter = await gate_of(api, database)
    answer = await api.post("/verifications", json={"text": code, "purpose": "gate"}, headers=counter)
    assert answer.json()["outcome"] == "valid"
    assert await mine(api, headers) == []


async def test_others_read_nothing_and_a_strange_cursor_is_refused(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, terminal: Terminal
) -> None:
    headers = await builders.resident(api, sandbox, well())
    await scan(api, terminal, (await shown(api, headers))["text"])
    other = await builders.resident(api, sandbox, well())
    assert await mine(api, other) == []
    assert (await api.get(CHECKS)).status_code == 401
    for cursor in ("x", "AAAA", "a" * 32 + "!"):
        refused = await api.get(CHECKS, params={"cursor": cursor}, headers=headers)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/cursor")


async def test_the_record_holds_nobody_in_clear_and_is_read_by_the_key_alone(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, terminal: Terminal
) -> None:
    somebody = well()
    headers = await builders.resident(api, sandbox, somebody)
    async with queries.heard(database) as statements:
        await scan(api, terminal, (await shown(api, headers))["text"])
    checks = [statement for statement in statements if "health_code_check" in statement]
    assert len(checks) == 1, "one statement for a check"
    async with database.transaction() as session:
        person = await person_of(session, somebody)
        row = str(
            (
                await session.execute(
                    text("SELECT c FROM health_code_check c WHERE person_id = :p"), {"p": person}
                )
            ).scalar_one()
        )
        assert somebody.name not in row
        assert somebody.id_number not in row
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(
            await session.scalars(
                text(
                    "EXPLAIN SELECT FROM health_code_check WHERE person_id = :p AND terminal_id = :p"
                    " AND minute BETWEEN 1 AND 3"
                ),
                {"p": person},
            )
        )
    assert "pk_health_code_check" in plan


async def test_records_older_than_their_days_are_neither_shown_nor_kept(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    database: Database,
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 1)
    headers = await builders.resident(api, sandbox, well())
    for _ in range(2):
        await scan(api, terminal, (await shown(api, headers))["text"])
        await back(database, days=14)
    assert await mine(api, headers) == []
    await scan(api, terminal, (await shown(api, headers))["text"])
    await delete_due(checks.TERM)
    assert len(await mine(api, headers)) == 1
    async with database.reading() as session:
        old = select(func.count()).select_from(Check).where(Check.at < checks.kept_since(clock.now()))
        assert await session.scalar(old) == 0
