"""What the tests of the time after the results share: a published enrolment, and the passing of its days."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select, update

from haiyiban import clock, db
from haiyiban.audit.models import AuditRecord
from services.school_places import tasks
from services.school_places.afterwards_models import Answer, Waiting
from services.school_places.models import AllocationRun, Enrolment
from tests import builders
from tests.builders import Somebody
from tests.zones.school_places.conftest import Headers, MakeRound, Round, applied, drawn, family

PLACEMENTS = "/zones/school-places/placements"


@dataclass
class Family:
    """A family with its headers and its one case."""

    who: Somebody
    headers: Headers
    case: dict[str, Any]


@dataclass
class Results:
    """An enrolment whose results are out."""

    api: httpx.AsyncClient
    made: Round
    run: str
    families: list[Family]
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> str:
        return f"/zones/school-places/enrolments/{self.made.id}"

    def school(self, name: str) -> str:
        return self.made.schools[name]

    async def place(self, family: Family) -> dict[str, Any]:
        """The family's placement as it reads it."""
        answer = await self.api.get(PLACEMENTS, headers=family.headers)
        assert answer.status_code == 200, answer.text
        found = [item for item in answer.json()["items"] if item["caseId"] == family.case["id"]]
        assert len(found) == 1
        return dict(found[0])

    async def by_school(self) -> dict[str | None, list[Family]]:
        """Who is where now."""
        placed: dict[str | None, list[Family]] = {}
        for one in self.families:
            placed.setdefault((await self.place(one))["school"], []).append(one)
        return placed

    async def post(self, family: Family, path: str, **body: Any) -> httpx.Response:
        """An act on the family's own placement."""
        place = await self.place(family)
        return await self.api.post(f"{PLACEMENTS}/{place['id']}/{path}", json=body, headers=family.headers)

    async def refuse(self, family: Family) -> None:
        """The family gives its place up, and ten minutes pass."""
        answer = await self.post(family, "refusal")
        assert answer.status_code == 200, answer.text
        await undo_time_passes()

    async def offers(self, family: Family) -> list[dict[str, Any]]:
        """The seats that are offered to the family now."""
        place = await self.place(family)
        return [row for row in place["waitingLists"] if row["state"] == "offered"]

    async def windows_pass(self) -> None:
        """The time to answer and to appeal goes by."""
        async with db.database().transaction() as session:
            run = await session.get_one(AllocationRun, UUID(self.run))
            assert run.published_at is not None
            run.published_at -= timedelta(days=30)

    async def appeal_window_passes(self) -> None:
        """The time to appeal goes by; places can still be confirmed or refused."""
        async with db.database().transaction() as session:
            enrolment = await session.get_one(Enrolment, self.made.id)
            enrolment.answer_workdays = 60
        await self.windows_pass()


async def publish(api: httpx.AsyncClient, officer: Headers, made: Round, families: list[Family]) -> Results:
    """Draw and publish."""
    run = await drawn(api, officer, made)
    answer = await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    assert answer.status_code == 200, answer.text
    return Results(api, made, run, families)


async def apply_all(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, clerk: Headers, made: Round, wishes: list[str]
) -> list[Family]:
    """A family for each wish: "AB" lives at A and wants A before B; "-A" lives nowhere in particular."""
    families = []
    for wish in wishes:
        who = family(None if wish.startswith("-") else wish[0])
        choices = [made.schools[name] for name in wish.strip("-")]
        headers, case = await applied(api, sandbox, clerk, who, choices)
        families.append(Family(who, headers, case))
    return families


async def results_of(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
    *,
    seats: dict[str, int],
    wishes: list[str],
    **changes: Any,
) -> Results:
    """An enrolment from its opening to its results."""
    made = await make_round(seats)
    if changes:
        async with db.database().transaction() as session:
            enrolment = await session.get_one(Enrolment, made.id)
            for name, value in changes.items():
                setattr(enrolment, name, value)
    return await publish(api, officer, made, await apply_all(api, sandbox, clerk, made, wishes))


async def acts_about(object_id: str) -> list[str]:
    """What the audit holds of school places about a placement, a case or an enrolment, in order."""
    async with db.database().reading() as session:
        rows = await session.scalars(
            select(AuditRecord)
            .where(
                AuditRecord.object_id == UUID(object_id),
                AuditRecord.action.startswith("school-places."),
                AuditRecord.outcome == "done",
            )
            .order_by(AuditRecord.id)
        )
        records = list(rows)
    assert all(record.subject or record.object_kind == "enrolment" for record in records)
    return [record.action.removeprefix("school-places.") for record in records]


async def undo_time_passes() -> None:
    """Refusals of before can no longer be taken back, and the worker has come round."""
    async with db.database().transaction() as session:
        await session.execute(update(Answer).values(at=Answer.at - timedelta(minutes=11)))
    await tasks.carry_on(b"")


async def offers_run_out() -> None:
    """The time to answer is over for whatever is on offer, and the worker has come round."""
    async with db.database().transaction() as session:
        await session.execute(
            update(Waiting)
            .where(Waiting.state == "offered")
            .values(answer_by=clock.now() - timedelta(seconds=1))
        )
    await tasks.carry_on(b"")


async def texts_of(sandbox: httpx.AsyncClient, phone: str, words: str) -> list[str]:
    """A phone's messages, once one with these words has come."""
    texts: list[str] = []
    for _ in range(200):
        texts = [message["text"] for message in (await sandbox.get("/sms", params={"phone": phone})).json()]
        if any(words in text for text in texts):
            return texts
        await asyncio.sleep(0.05)
    raise AssertionError(f"no message with {words}: {texts}")


slug = builders.slug
