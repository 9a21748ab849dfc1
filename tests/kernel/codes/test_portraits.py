"""The holder's face beside a good verification: for whom, for how long, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from haiyiban import certificates, clock, registers
from haiyiban.audit.models import AuditRecord
from haiyiban.codes.entitlement import shows_portrait
from haiyiban.codes.models import Verification
from haiyiban.identity import persons
from haiyiban.registers import RegisterClient
from haiyiban.verifiers import purpose
from haiyiban_sandbox import portraits as drawn
from tests import builders, people

PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Holder:
    """A grown-up, signed in, with an identity code to show."""

    headers: dict[str, str]
    id_number: str
    api: httpx.AsyncClient

    async def show(self) -> str:
        answer = await self.api.post("/codes", json={"kind": "identity"}, headers=self.headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["text"])


@pytest.fixture
async def holder(api, sandbox) -> Holder:
    """Somebody at the gate."""
    who = builders.Somebody()
    return Holder(await builders.resident(api, sandbox, who), who.id_number, api)


@pytest.fixture
async def client(sandbox_url: str):
    """Fresh lines to the registers, which no other test has worn out."""
    await registers.close()
    fresh = RegisterClient(sandbox_url, key="sandbox")
    registers.install(fresh)
    yield fresh
    await registers.close()


async def look(api, seen, by) -> httpx.Response:
    return await api.get(f"/verifications/{seen['id']}/portrait", headers=by)


async def test_a_gate_sees_whose_code_it_found_valid(api, holder, scan, school, client, database) -> None:
    seen = await scan(await holder.show(), purpose="gate", key="gate")
    assert seen["outcome"] == "valid"
    assert seen["portrait"]["path"] == f"/api/v1/verifications/{seen['id']}/portrait"
    until = clock.now() + timedelta(minutes=2)
    assert abs(datetime.fromisoformat(seen["portrait"]["until"]) - until) < timedelta(seconds=20)
    answer = await look(api, seen, school)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content == drawn.portrait(holder.id_number)
    # The same answer again, and at GET.
    later = await api.get(f"/verifications/{seen['id']}", headers=school)
    assert later.json() == seen
    async with database.reading() as session:
        record = await session.scalar(
            select(AuditRecord).where(
                AuditRecord.action == "codes.read-portrait", AuditRecord.object_id == UUID(seen["id"])
            )
        )
    assert (record.fields, record.outcome, record.reason) == (["portrait"], "valid", "gate")
    assert record.actor_unit.startswith("滨海小学")


async def test_each_look_is_in_the_holders_log(api, holder, scan, school, client) -> None:
    seen = await scan(await holder.show(), purpose="gate")
    for _ in range(2):
        assert (await look(api, seen, school)).status_code == 200
    log = (await api.get("/me/access-log", headers=holder.headers)).json()["items"]
    assert [(item["action"], item["fields"]) for item in log[:3]] == [
        ("codes.read-portrait", ["portrait"]),
        ("codes.read-portrait", ["portrait"]),
        ("codes.verify", []),
    ]
    assert log[0]["purpose"] == "门岗放行"


async def test_a_visitors_face_comes_from_the_exit_entry_register(api, sandbox, scan, school, client) -> None:
    visitor = await people.Visitor().register(sandbox)
    _, session = await people.at_level_three(api, sandbox, visitor)
    seen = await scan(await Holder(session.headers, visitor.id_number, api).show(), purpose="gate")
    assert seen["outcome"] == "valid"
    answer = await look(api, seen, school)
    assert (answer.status_code, answer.content) == (200, drawn.portrait(visitor.id_number))
    await sandbox.post("/faults", json={"register": "exit_entry", "mode": "error"})
    try:
        away = await look(api, seen, school)
    finally:
        await sandbox.post("/faults", json={"register": "exit_entry", "mode": "off"})
    assert (away.status_code, away.json()["type"]) == (503, "/problems/codes/portrait-unavailable")


async def test_nobody_else_sees_it(api, holder, scan, school, accredit, client) -> None:
    seen = await scan(await holder.show(), purpose="gate")
    other = await accredit("gate")
    assert (await look(api, seen, other)).status_code == 404
    assert (await look(api, seen, holder.headers)).status_code == 403
    assert (await look(api, seen, {})).status_code == 401
    missing = await api.get(f"/verifications/{UUID(int=7)}/portrait", headers=school)
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/codes/verification-not-found")


async def test_only_a_valid_verification_shows_it(api, holder, scan, school, client) -> None:
    text = await holder.show()
    await scan(text, purpose="gate")
    again = await scan(text, purpose="gate")
    assert (again["outcome"], again.get("portrait")) == ("already_used", None)
    answer = await look(api, again, school)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/codes/portrait-not-shown")


async def test_a_purpose_that_does_not_say_so_shows_none(api, notice, show, scan, school, client) -> None:
    for wanted in ("enrolment", "gate"):  # of certificates the gate shows none either
        seen = await scan((await show(notice))["text"], purpose=wanted)
        assert (seen["outcome"], seen.get("portrait")) == ("valid", None)
        answer = await look(api, seen, school)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/codes/portrait-not-shown")


async def test_a_childs_face_is_never_shown(api, notice, show, accredit, client) -> None:
    counter = await accredit("counter")
    text = (await show(notice))["text"]
    asked = {"text": text, "purpose": "counter"}
    seen = (await api.post("/verifications", json=asked, headers=counter)).json()
    assert seen["outcome"] == "valid"
    assert (await look(api, seen, counter)).json()["type"] == "/problems/codes/portrait-not-shown"


async def test_of_a_grown_ups_certificate_the_counter_sees_it(
    api, holder, database, accredit, client
) -> None:
    counter = await accredit("counter")
    async with database.transaction() as session:
        person = await persons.by_id_number(session, holder.id_number)
        certificate = await certificates.issue(
            session,
            "social-insurance-proof",
            holder_id=person.id,
            keeper_id=person.id,
            claims={"name": "某人", "idNumber": holder.id_number, "division": "460100", "months": 7},
            case_id=None,
            now=clock.now(),
            valid_until=date(2099, 1, 1),
        )
    wanted = {"kind": "certificate", "subjectId": str(certificate.id)}
    text = (await api.post("/codes", json=wanted, headers=holder.headers)).json()["text"]
    asked = {"text": text, "purpose": "counter", "fields": ["name"]}
    seen = (await api.post("/verifications", json=asked, headers=counter)).json()
    assert (seen["outcome"], seen.get("portrait")) == ("consent_pending", None)
    assert (await look(api, seen, counter)).status_code == 404
    at = f"/verifications/{seen['id']}"
    await api.post(f"{at}/consent", json={"decision": "allow", "fields": ["name"]}, headers=holder.headers)
    settled = (await api.get(at, headers=counter)).json()
    assert settled["outcome"] == "valid"
    assert settled["portrait"]["path"].endswith("/portrait")
    assert (await look(api, seen, counter)).content == drawn.portrait(holder.id_number)


async def test_after_two_minutes_it_is_over(api, holder, scan, school, client, monkeypatch) -> None:
    seen = await scan(await holder.show(), purpose="gate")
    later = clock.now() + timedelta(minutes=2, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    answer = await look(api, seen, school)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/codes/portrait-over")


@pytest.mark.parametrize("mode", ["error", "garbage"])
async def test_a_register_that_is_away_takes_the_portrait_and_not_the_verification(
    api, sandbox, holder, scan, school, client, mode: str
) -> None:
    await sandbox.post("/faults", json={"register": "population", "mode": mode})
    try:
        seen = await scan(await holder.show(), purpose="gate")
        assert seen["outcome"] == "valid"
        answer = await look(api, seen, school)
    finally:
        await sandbox.post("/faults", json={"register": "population", "mode": "off"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/codes/portrait-unavailable")
    assert "核验结果有效" in answer.json()["title"]
    assert int(answer.headers["retry-after"]) > 0
    assert (await api.get(f"/verifications/{seen['id']}", headers=school)).json()["outcome"] == "valid"
    assert (await look(api, seen, school)).status_code == 200


async def test_it_is_stored_nowhere(api, holder, scan, school, client, database) -> None:
    seen = await scan(await holder.show(), purpose="gate")
    before = (await look(api, seen, school)).content
    assert before.startswith(PNG)
    async with database.reading() as session:
        row = await session.get_one(Verification, UUID(seen["id"]))
    assert all(before not in bytes(value) for value in vars(row).values() if isinstance(value, bytes))


async def test_the_register_is_asked_after_the_answer_and_never_in_it(
    holder, scan, client, monkeypatch
) -> None:
    """The path of every gate waits for nobody: a verification with no line to any register is as good."""
    monkeypatch.setattr(client, "lines", {})
    assert (await scan(await holder.show(), purpose="gate"))["outcome"] == "valid"


def test_a_printed_code_shows_no_face_and_a_shown_one_by_its_kind() -> None:
    counter, gate = purpose("counter"), purpose("gate")
    assert shows_portrait(counter, 1, is_printed=False)
    assert not shows_portrait(counter, 1, is_printed=True)
    assert not shows_portrait(gate, 1, is_printed=False)
    assert shows_portrait(gate, 3, is_printed=False)
    assert not shows_portrait(purpose("enrolment"), 1, is_printed=False)
    assert not shows_portrait(purpose("shop"), 4, is_printed=False)


def test_every_number_has_a_face_of_its_own() -> None:
    faces = {drawn.portrait(builders.id_number()) for _ in range(4)}
    assert len(faces) == 4
    assert all(face.startswith(PNG) and len(face) < 8_000 for face in faces)
