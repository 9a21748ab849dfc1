"""A health code from the first look to the end of the service: declared, appealed, corrected by two clerks,
shown at a terminal online and offline, an appointment; then the zone is switched off and its data deleted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from haiyiban.codes.trust_file import root_jwk
from haiyiban.runtime import state_folder
from haiyiban.verifiers.terminal_keys import public_key
from tests.journeys.conftest import Platform, running
from tests.journeys.people import Document, Official, Person, Resident, newcomer
from tests.phone import Phone
from tests.terminal import Terminal

pytestmark = pytest.mark.long

ZONE = "/zones/health-code"
REST = "school_places,unemployment,duty_free,cross_province"


async def test_a_health_code_lives_is_checked_and_ends_with_its_service(tmp_path: Path) -> None:
    home = tmp_path / "state"
    with running(home) as platform:
        somebody = _arrive(platform)
        appealed = await _turn_yellow_on_the_phone(platform, somebody)
        _correct(platform, somebody, appealed)
        await _pass_the_gate(platform, somebody)
        _be_vaccinated(somebody)
        _recolour(platform)
    with running(home, HAIYIBAN_ZONES=REST) as platform:
        _switched_off(platform, somebody)


def _arrive(platform: Platform) -> Resident:
    """Green, one dose of two, tested the day before, and back from a journey."""
    now = datetime.now(UTC)
    somebody = newcomer(
        platform,
        tests=[{"result": "negative", "sampledAt": (now - timedelta(hours=30)).isoformat()}],
        vaccinations=[{"product": "inactivated"}],
        trips=[
            {
                "from": "440300",
                "to": "460100",
                "departedAt": (now - timedelta(days=days)).isoformat(),
                "arrivedAt": (now - timedelta(days=days) + timedelta(hours=2)).isoformat(),
            }
            for days in (3, 12)
        ],
    )
    somebody.sign_in()
    somebody.prove()
    code = somebody.get(f"{ZONE}/code")
    assert (code["colour"], code["golden"], code["negativeWithinHours"]) == ("green", False, 48)
    assert "接种" in code["reminder"]
    assert [place["name"] for place in code["itinerary"]] == ["广东省", "海口市"]
    assert code["itineraryOf"]["days"] == 7, "as since 2022-07"
    return somebody


async def _turn_yellow_on_the_phone(platform: Platform, somebody: Resident) -> Document:
    """What is declared shows at once, and takes the green one off the phone."""
    async with _phone(platform, somebody) as phone:
        await phone.bind("health")
        code = somebody.post(f"{ZONE}/declarations", {"symptoms": True}, expect=201)
        assert (code["colour"], [why["code"] for why in code["reasons"]]) == ("yellow", ["symptoms"])
        assert code["reasons"][0]["text"]
        assert somebody.get(f"/codes/{phone.id}")["state"] == "withdrawn"
    said = {"reason": "只是过敏性鼻炎", "division": "460105", "evidence": "门诊病历 2026-118"}
    appealed: Document = somebody.post(f"{ZONE}/appeals", said, expect=201)
    assert appealed["state"] == "open"
    again = somebody.http.post(f"{ZONE}/appeals", json=said)
    assert again.status_code == 409, again.text
    return appealed


def _correct(platform: Platform, somebody: Resident, appealed: Document) -> None:
    """One clerk proposes and cannot confirm; the other one does."""
    first, second = Official(platform, "health-clerk"), Official(platform, "health-clerk-2")
    queue = first.get(f"{ZONE}/desk/appeals")["items"]
    assert [row["reason"] for row in queue if row["id"] == appealed["id"]] == ["只是过敏性鼻炎"]
    at = f"{ZONE}/desk/appeals/{appealed['id']}"
    until = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    proposal = {"colour": "green", "until": until, "reason": "病历核实", "evidence": "病历 2026-118"}
    assert first.post(f"{at}/proposal", proposal)["state"] == "proposed"
    alone = first.http.post(f"{at}/confirmation", json={})
    assert alone.json()["type"].endswith("second-person-needed"), alone.text
    assert somebody.get(f"{ZONE}/code")["colour"] == "yellow"
    second.post(f"{at}/confirmation")
    code = somebody.get(f"{ZONE}/code")
    assert (code["colour"], code["reasons"][-1]["code"]) == ("green", "manual-change")
    assert somebody.get(f"{ZONE}/appeals")["items"][0]["state"] == "corrected"


async def _pass_the_gate(platform: Platform, somebody: Resident) -> None:
    """Online, then offline out of the queue of another gate; the fleet says how the terminals are."""
    operator = Official(platform, "operator")
    owner = next(one["id"] for one in operator.get("/desk/verifiers")["items"] if "gate" in one["purposes"])
    gates = []
    async with httpx.AsyncClient(base_url=f"{platform.demo['api']}/api/v1", timeout=30) as http:
        for name in ("健康易通一号", "健康易通二号"):
            body = {"verifierId": owner, "name": name, "place": f"{name} · 港口", "purpose": "gate"}
            code = operator.post("/desk/terminals", body, expect=201)["oneTimeCode"]
            gate = Terminal(http)
            assert (await gate.enrol(code)).status_code == 201
            gates.append(gate)
        online, offline = gates
        scanned = {"text": somebody.get(f"{ZONE}/code")["text"], "purpose": "gate"}
        seen = await http.post("/verifications", json=scanned, headers=await online.headers())
        assert (seen.json()["outcome"], seen.json()["subject"]["colour"]) == ("valid", "green"), seen.text

        root = public_key(root_jwk(platform.home / "keys"))
        assert root is not None
        await offline.fetch_trust(root)
        async with _phone(platform, somebody) as phone:
            await phone.bind("health")
            t = int(datetime.now(UTC).timestamp())
            # No line: the phone shows by itself and the terminal judges by itself.
            assert offline.scan(phone.show(t), at=datetime.fromtimestamp(t, UTC)) == "valid"
        well = {"listIssuedAt": None, "queueLength": 1, "softwareVersion": "2.4.0"}
        await http.post("/terminals/me/heartbeat", json=well, headers=await offline.headers())
        uploaded = await offline.upload()
        assert [one["agrees"] for one in uploaded.json()["results"]] == [True], uploaded.text
    checks = somebody.get(f"{ZONE}/checks")
    assert [(one["terminal"], one["isOffline"]) for one in checks["items"]] == [
        ("健康易通二号", True),
        ("健康易通一号", False),
    ]
    fleet = {one["id"]: one for one in operator.get("/desk/terminals", silent=False)["items"]}
    assert fleet[offline.id]["softwareVersion"] == "2.4.0"
    silent = operator.get("/desk/terminals", silent=True)["items"]
    assert not {online.id, offline.id} & {one["id"] for one in silent}
    assert [one["name"] for one in silent] == ["一号机"], "the demo's own, which was never heard"


def _be_vaccinated(somebody: Resident) -> None:
    slots = somebody.get(f"{ZONE}/slots", division="460105")["items"]
    made = somebody.post(f"{ZONE}/slots/{slots[0]['id']}/appointments", expect=201)
    again = somebody.http.post(f"{ZONE}/slots/{slots[1]['id']}/appointments", json={})
    assert again.status_code == 409, again.text
    assert somebody.post(f"{ZONE}/appointments/{made['id']}/cancellation")["state"] == "cancelled"
    assert somebody.get(f"{ZONE}/slots", division="460105")["items"][0]["left"] == slots[0]["left"]
    somebody.post(f"{ZONE}/slots/{slots[1]['id']}/appointments", expect=201)


def _recolour(platform: Platform) -> None:
    operator = Official(platform, "operator")
    assert operator.post(f"{ZONE}/desk/recolouring")["run"]["state"] == "running"
    deadline = datetime.now(UTC) + timedelta(seconds=60)
    while (run := operator.get(f"{ZONE}/desk/recolouring")["run"])["state"] == "running":
        assert datetime.now(UTC) < deadline, "the worker does it"
    assert (run["state"], run["done"]) == ("finished", run["total"])


def _switched_off(platform: Platform, somebody: Resident) -> None:
    """Its addresses are gone; then so are its rows."""
    somebody.move_to(platform)
    somebody.sign_in()
    assert somebody.http.get(f"{ZONE}/code").status_code == 404
    servers = json.loads((platform.home / state_folder.SERVERS).read_bytes())
    environ = os.environ | {
        "HAIYIBAN_ENV": "demo",
        "HAIYIBAN_HOME": str(platform.home),
        "HAIYIBAN_ZONES": REST,
        "DATABASE_URL": servers["databaseUrl"],
        "REDIS_URL": servers["redisUrl"],
    }
    for words in ("2 checks", "Nothing is kept"):
        ended = subprocess.run(
            [sys.executable, "-m", "haiyiban.cli", "end-zone", "health-code", "--yes"],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert words in ended.stdout, ended.stdout + ended.stderr


@asynccontextmanager
async def _phone(platform: Platform, person: Person) -> AsyncIterator[Phone]:
    """The same person's phone, which makes keys and shows codes by itself."""
    account = UUID(person.get("/me")["accountId"])
    headers = {"Authorization": person.http.headers["Authorization"]}
    async with httpx.AsyncClient(base_url=f"{platform.demo['api']}/api/v1", timeout=30) as http:
        yield Phone(http, headers, account)
