"""Would I get it? Asked over HTTP, answered from the registers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from haiyiban import clock
from haiyiban.audit.models import AuditRecord
from haiyiban.db import Database
from services.unemployment.rules import monthly_fen
from services.unemployment.standards import standards
from tests import builders

PATH = "/zones/unemployment/estimate"


def out_of_work(months: int = 70, reason: str | None = "contract_expired", **more: Any) -> builders.Somebody:
    """Somebody whose insurance stopped 40 days ago."""
    stopped = (clock.today() - timedelta(days=40)).isoformat()
    insurance = {"months": months, "division": "460100", "stoppedOn": stopped}
    if reason:
        insurance["stopReason"] = reason
    return builders.Somebody(more={"socialInsurance": insurance, **more})


async def asked(api: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, Any]:
    answer = await api.get(PATH, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


def states(found: dict[str, Any]) -> dict[str, str]:
    return {reason["code"]: reason["state"] for reason in found["reasons"]}


async def test_who_lost_work_is_told_how_long_and_how_much(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    headers = await builders.resident(api, sandbox, out_of_work())
    found = await asked(api, headers)
    assert (found["eligible"], found["months"]) == ("yes", 18)
    assert found["monthlyFen"] == monthly_fen("460100", paid_on=clock.today(), standards=standards())
    assert found["from"] == clock.today().isoformat()
    assert set(states(found).values()) == {"met"}
    assert found["medicalPaidByFund"] is True
    assert {figure["name"]: figure["confidence"] for figure in found["figures"]}["rate"] == "low"
    me = (await api.get("/me", headers=headers)).json()["accountId"]
    async with database.reading() as session:
        read = set(
            await session.scalars(
                select(AuditRecord.reason).where(
                    AuditRecord.action == "registers.read", AuditRecord.actor_id == me
                )
            )
        )
    assert "unemployment.estimate: social_insurance" in read


@pytest.mark.parametrize(
    ("somebody", "failed"),
    [
        (lambda: out_of_work(11), "paid_long_enough"),
        (lambda: out_of_work(reason="resigned"), "involuntary"),
        (lambda: out_of_work(employment={"employer": "样例公司", "since": "2026-01-05"}), "not_employed"),
        (lambda: out_of_work(pension={"since": "2026-01-01"}), "no_pension"),
        (builders.Somebody, "paid_long_enough"),
    ],
)
async def test_who_would_get_none_is_told_why(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, somebody: Any, failed: str
) -> None:
    found = await asked(api, await builders.resident(api, sandbox, somebody()))
    assert (found["eligible"], found["months"], found["monthlyFen"]) == ("no", 0, 0)
    assert states(found)[failed] == "not_met"
    told = next(reason["text"] for reason in found["reasons"] if reason["code"] == failed)
    assert any("一" <= letter <= "鿿" for letter in told)


async def test_an_ended_employment_is_none(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    ended = {"employer": "样例公司", "since": "2016-03-01", "until": clock.today().isoformat()}
    found = await asked(api, await builders.resident(api, sandbox, out_of_work(employment=ended)))
    assert found["eligible"] == "yes"


@pytest.mark.parametrize("register", ["social_insurance", "employment", "pension"])
async def test_a_register_that_is_away_leaves_it_open_and_never_says_no(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, register: str
) -> None:
    headers = await builders.resident(api, sandbox, out_of_work())
    await sandbox.post("/faults", json={"register": register, "mode": "error"})
    found = await asked(api, headers)
    assert found["eligible"] == "unknown"
    assert "not_met" not in states(found).values()
    assert [one["register"] for one in found["sources"] if not one["isAnswering"]] == [register]
    assert (found["months"] is None) == (register == "social_insurance")


async def test_it_is_shown_from_l3_on_and_to_residents_alone(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    assert (await api.get(PATH)).status_code == 401
    low = await builders.sign_in(api, sandbox, builders.phone())
    assert builders.slug(await api.get(PATH, headers=low)) == "step-up-needed"
    assert (await api.get(PATH, headers=await builders.staff(api))).status_code == 403


async def test_it_speaks_english_to_who_asks_for_it(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    headers = await builders.resident(api, sandbox, out_of_work())
    found = await asked(api, {**headers, "Accept-Language": "en"})
    assert "contract expired" in " ".join(reason["text"] for reason in found["reasons"])
