"""Out of work: from a question to money in an account, until there is work again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import running
from tests.journeys.people import Document, Official, Resident, resident, works_again

pytestmark = pytest.mark.long

ZONE = "/zones/unemployment"
CARD = "6228480402564890018"


def test_who_lost_work_is_paid_and_who_works_again_is_stopped_in_time(tmp_path: Path) -> None:
    home = tmp_path / "state"
    with running(home) as platform:
        luo = resident(platform, "unemployed person")
        _apply(luo)
        _decide(Official(platform, "benefit-clerk"), luo)
        grant = _paid(luo, Official(platform, "fund-officer"))
        yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
        works_again(platform, luo.known, since=yesterday)
        suspension = _until(lambda: _payments(luo, grant)["suspension"])
        assert suspension["because"] == "employed"
        _until(lambda: any("已暂停" in text for text in luo.messages()))
        proof = luo.get("/certificates")["items"][0]
        assert proof["status"] == "valid", "nobody is stopped before the days to object are over"
    object_by = datetime.fromisoformat(suspension["objectBy"]).replace(tzinfo=UTC)
    offset = (object_by + timedelta(days=2) - datetime.now(UTC)).total_seconds()
    with running(home, HAIYIBAN_CLOCK_OFFSET=str(int(offset))) as platform:
        luo.move_to(platform)
        luo.sign_in()
        luo.prove()
        ended = _until(lambda: (told := _payments(luo, grant))["endedOn"] and told)
        assert ended["endedBecause"] == "employed"
        [proof] = luo.get("/certificates")["items"]
        assert proof["status"] == "revoked"
        late = luo.http.post(f"{ZONE}/grants/{grant}/objection", json={"words": "已离职"})
        assert late.status_code == 409
        assert luo.known["idNumber"] not in platform.logs()


def _apply(luo: Resident) -> None:
    told = luo.get(f"{ZONE}/estimate")
    assert (told["eligible"], told["months"]) == ("yes", 18)
    draft = luo.post("/cases", {"matter": "employment.unemployment-benefit"}, expect=201)
    submitted = luo.post(f"/cases/{draft['id']}/submission")
    assert submitted["state"] == "submitted"


def _decide(clerk: Official, luo: Resident) -> None:
    [case] = clerk.get("/desk/cases", matter="employment.unemployment-benefit")["items"]
    for verb in ("accept", "approve"):
        case = clerk.post(f"/desk/cases/{case['id']}/{verb}", {"note": "已核实", "version": case["version"]})
    assert case["state"] == "approved"
    [grant] = luo.get(f"{ZONE}/grants")["items"]
    assert (grant["state"], grant["months"]) == ("running", 18)


def _paid(luo: Resident, officer: Official) -> str:
    """The card is given, the hourly run finds what is due, an officer releases the file, the bank pays it."""
    luo.post(f"{ZONE}/bank-account", {"number": CARD})
    grant = str(luo.get(f"{ZONE}/grants")["items"][0]["id"])
    today = datetime.now(UTC) + timedelta(hours=8)
    if today.day < 5:
        return grant  # paid from the 5th on: there is nothing to wait for yet
    batch = _until(
        lambda: next(
            (each for each in officer.get(f"{ZONE}/batches")["items"] if each["state"] == "made"), None
        )
    )
    officer.post(f"{ZONE}/batches/{batch['id']}/release")
    _until(lambda: [each["state"] for each in _payments(luo, grant)["payments"]] == ["paid"])
    books = officer.get(f"{ZONE}/reconciliation")
    assert books["differences"] == []
    assert books["paidFen"] == books["bankFen"] == batch["totalFen"]
    return grant


def _payments(luo: Resident, grant: str) -> Document:
    found: Document = luo.get(f"{ZONE}/grants/{grant}/payments")
    return found


def _until(look: Callable[[], Any], *, seconds: float = 90) -> Any:
    """What comes of it within a time: the demo's periodic tasks come every ten seconds."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.5)
    return found
