"""Bad days in mid-journey: servers restarted, processes killed, codes damaged, deadlines passed."""

from __future__ import annotations

import os
import random
import re
import signal
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from haiyiban.codes import base45
from tests.journeys.conftest import Platform, processes, running
from tests.journeys.people import Document, Official, Resident, Verifier, family

SCHOOL = "education.school-place"


def test_the_journey_goes_on_over_restarts_and_the_deadline_ends_it(tmp_path: Path) -> None:
    home = tmp_path / "state"
    with running(home, ended_by=signal.SIGTERM) as platform:
        clerk = Official(platform, "clerk")
        schools = clerk.get("/zones/school-places/schools", division="460105")["items"]
        choices = [school["id"] for school in schools if school["kind"] == "public"][:2]
        parent, late, corrected = (family(platform) for _ in range(3))
        draft = _ready(late, choices)
        wanting = _hand_in(corrected, _ready(corrected, choices))
        note = {"note": "请补充居住证明", "version": wanting["version"]}
        clerk.post(f"/desk/cases/{wanting['id']}/request-correction", note)
        case = _hand_in_while_postgresql_restarts(platform, parent, _ready(parent, choices))
        _kill_the_api(platform, parent)
        clerk.post(f"/desk/cases/{case['id']}/accept", {"note": "材料齐全", "version": case["version"]})
        _draw(platform)
        _show_good_and_bad_codes(platform, parent)
        enrolment = clerk.get("/zones/school-places/enrolments")["items"][0]
        _nobody_is_in_the_logs(platform, [parent, late, corrected])
    closes = datetime.fromisoformat(enrolment["closesAt"])
    offset = int((closes - datetime.now(UTC)).total_seconds()) + 1
    with running(home, HAIYIBAN_CLOCK_OFFSET=str(offset)) as platform:
        for person in (late, corrected):
            person.move_to(platform)
            person.sign_in()
            person.prove()
        refused = late.http.post(f"/cases/{draft['id']}/submission", json={})
        assert refused.status_code == 422
        assert any("截止" in error["message"] for error in refused.json()["errors"])
        # Within a minute the worker closes it as lapsed; it takes no more either way.
        late_too = corrected.http.post(f"/cases/{wanting['id']}/submission", json={})
        assert late_too.status_code == 409
        assert late_too.json()["type"].rsplit("/")[-1] in {"correction-too-late", "illegal-transition"}


def _ready(parent: Resident, choices: list[str]) -> Document:
    case = parent.post("/cases", {"matter": SCHOOL}, expect=201)
    body = {"form": {"choices": choices}, "version": case["version"]}
    patched: Document = parent.patch(f"/cases/{case['id']}", body)
    return patched


def _hand_in(parent: Resident, case: Document) -> Document:
    handed_in: Document = parent.post(f"/cases/{case['id']}/submission")
    return handed_in


def _hand_in_while_postgresql_restarts(platform: Platform, parent: Resident, case: Document) -> Document:
    """503 with Retry-After, then fine; and handed in once."""
    pid_file = platform.home / "postgres" / "data" / "postmaster.pid"
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    refused = 0
    deadline = time.monotonic() + 20
    while True:
        answer = parent.http.post(f"/cases/{case['id']}/submission", json={}, headers=key)
        if answer.status_code == 200:
            break
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) > 0
        refused += 1
        assert time.monotonic() < deadline, "PostgreSQL did not come back"
        time.sleep(0.05)
    assert refused, "PostgreSQL was away"
    handed_in: Document = answer.json()
    assert [step["event"] for step in handed_in["timeline"]].count("submission") == 1
    _until(lambda: any(handed_in["number"] in text for text in parent.messages()), seconds=70)
    return handed_in


def _kill_the_api(platform: Platform, parent: Resident) -> None:
    """The process that answers dies without a word, and another takes its place."""
    every = processes()
    served = {process.pid for process in every if process.parent == platform.process.pid}
    victims = [
        process.pid for process in every if process.parent in served and process.command.endswith("cli serve")
    ]
    assert len(victims) == 1
    os.kill(victims[0], signal.SIGKILL)
    _until(lambda: parent.http.get("/me").status_code == 200, seconds=20)


def _draw(platform: Platform) -> None:
    officer = Official(platform, "officer")
    enrolment = officer.get("/zones/school-places/enrolments")["items"][0]
    runs = f"/zones/school-places/enrolments/{enrolment['id']}/allocation-runs"
    run = officer.post(runs, expect=201)["runId"]
    assert officer.http.post(runs, json={}).status_code == 409
    assert officer.http.post(f"{runs}/{run}/publication", json={}).status_code == 409
    officer.post(f"{runs}/{run}/draw", {"beacon": "03 07 12 19 25 31 08"})
    assert officer.http.post(f"{runs}/{run}/draw", json={"beacon": "other"}).status_code == 409
    officer.post(f"{runs}/{run}/publication")


def _show_good_and_bad_codes(platform: Platform, parent: Resident) -> None:
    notice = parent.get("/certificates")["items"][0]["id"]
    gate, merchant = Verifier(platform), Verifier(platform, "merchant")

    def shown() -> str:
        code = parent.post("/codes", {"kind": "certificate", "subjectId": notice}, expect=201)
        return str(code["text"])

    text = shown()
    packed = base45.decode(text.removeprefix("HYB1:"))
    for at in random.Random(7).sample(range(len(packed) * 8), 24):
        flipped = bytearray(packed)
        flipped[at // 8] ^= 1 << at % 8
        outcome = gate.scan("HYB1:" + base45.encode(bytes(flipped)))["outcome"]
        assert outcome in {"malformed", "unknown_issuer", "bad_signature"}, at
    for damaged in ("", "hello", text[:-3], text.lower(), f" {text}", f"{text} ", text + "A" * 1024):
        seen = gate.scan(damaged)
        assert seen["outcome"] == "malformed"
        assert seen["reason"]
        assert seen["advice"]
    assert merchant.scan(text)["outcome"] == "not_entitled"
    wrong = {"text": text, "purpose": "enrolment", "expectedKind": "identity"}
    assert gate.post("/verifications", wrong)["outcome"] == "wrong_kind"
    unknown = gate.http.post("/verifications", json={"text": text, "purpose": "curiosity"})
    assert (unknown.status_code, unknown.json()["type"].rsplit("/")[-1]) == (422, "unknown-purpose")
    body = {"text": text + "\r\n", "purpose": "enrolment"}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = gate.http.post("/verifications", json=body, headers=key).json()
    assert first["outcome"] == "valid", "none of the refusals above has used it up"
    assert gate.http.post("/verifications", json=body, headers=key).json() == first
    assert gate.scan(text)["outcome"] == "already_used"
    assert merchant.http.get(f"/verifications/{first['id']}").status_code == 404
    assert parent.known["children"][0]["name"] not in str(first)
    looks = parent.get("/me/access-log")["items"]
    assert any(look["outcome"] == "valid" and look["fields"] for look in looks)


def _nobody_is_in_the_logs(platform: Platform, people: list[Resident]) -> None:
    logs = platform.logs()
    assert not re.search(r"\b\d{17}[\dX]\b", logs)
    for person in people:
        for value in (person.known["name"], person.known["phone"], person.known["children"][0]["name"]):
            assert value not in logs


def _until(holds: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
