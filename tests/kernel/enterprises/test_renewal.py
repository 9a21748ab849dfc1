"""Renewing a licence: in time, by commitment, and by silence. 行政许可法 art. 50; docs/domain.md §3.6."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from haiyiban import clock, texts
from haiyiban.cases import renewals, tasks
from haiyiban.cases.models import Case
from haiyiban.db import Database
from haiyiban.matters import catalogue
from haiyiban.matters.matter import Renewal
from tests.builders import slug
from tests.kernel.cases.conftest import Break
from tests.kernel.cases.office import Office, inbox
from tests.kernel.enterprises.companies import COMMITMENT, RENEWAL, Company

RULE = Renewal(expires="/licence/validUntil", days_before=30, days_before_most=90)
TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("left", "is_in_time"),
    [(91, False), (90, True), (60, True), (31, True), (30, True), (29, False), (0, False), (-1, False)],
)
def test_it_is_handed_in_thirty_days_before_the_end(left: int, is_in_time: bool) -> None:
    """Natural days before the licence's last day, thirty among them."""
    found = renewals.findings(RULE, TODAY + timedelta(days=left), today=TODAY)
    assert bool(found) != is_in_time
    assert all(finding.level == "refuses" and finding.pointer == RULE.expires for finding in found)


def test_the_matters_file_holds_the_figures_of_the_law() -> None:
    matter = catalogue().get(RENEWAL)
    assert matter.renewal is not None
    assert (matter.renewal.days_before, matter.commitment) == (30, "food-licence-renewal-commitment")


async def test_a_renewal_goes_from_the_register_to_the_new_licence_by_commitment(
    company: Company, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    matter = (await api.get(f"/matters/{RENEWAL}")).json()
    assert matter["commitment"] == "food-licence-renewal-commitment"
    draft = await company.ready()
    assert draft["form"]["enterprise"]["name"] == company.name
    assert "/licence/validUntil" in draft["locked"]
    assert draft["acting"]["basis"] == "legal_representative"
    tried = await company.submit(draft, commitment=None)
    assert (tried.status_code, slug(tried)) == (422, "commitment-needed")
    assert (tried.json()["text"], tried.json()["hash"]) == (matter["commitment"], COMMITMENT)
    outdated = await company.submit(draft, commitment="0" * 64)
    assert (outdated.status_code, slug(outdated)) == (422, "text-outdated")
    handed_in = await company.submit(draft)
    assert handed_in.status_code == 200, handed_in.text
    kept = handed_in.json()["commitment"]
    assert (kept["text"], kept["hash"]) == ("food-licence-renewal-commitment.v1", COMMITMENT)
    office = Office(api, agency="market-regulation")
    at_desk = await office.done(handed_in.json(), "accept")
    assert at_desk["commitment"]["hash"] == COMMITMENT
    await office.done(handed_in.json(), "approve")
    licence = (await company.get("/certificates")).json()["items"][0]
    assert licence["type"] == "food-business-licence"
    assert licence["claims"]["licenceNumber"] == "JY24601050000099", "the number stays"
    assert licence["validUntil"] == (clock.today() + timedelta(days=1826)).isoformat()
    await inbox(sandbox, company.owner.somebody.phone, containing=handed_in.json()["number"])


@pytest.mark.parametrize(("left", "says"), [(100, "之后申请"), (29, "30 日前"), (-1, "已过有效期")])
async def test_out_of_time_it_is_refused_with_the_day(unknown: Company, left: int, says: str) -> None:
    unknown.licence_days = left
    await unknown.register()
    await unknown.signed_in()
    refused = await unknown.submit(await unknown.ready())
    assert (refused.status_code, slug(refused)) == (422, "invalid-form")
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "/licence/validUntil"
    assert says in error["message"]


async def test_who_holds_no_licence_has_none_to_renew(unknown: Company) -> None:
    await unknown.register(licences={})
    await unknown.signed_in()
    opened = (await unknown.open()).json()
    until = (clock.today() + timedelta(days=60)).isoformat()
    form = {"unchanged": True, "licence": {"number": "JY0000", "validUntil": until, "scope": "x"}}
    patched = await unknown.api.patch(
        f"/cases/{opened['id']}", json={"form": form}, headers=unknown.owner.headers
    )
    assert patched.status_code == 200, patched.text
    refused = await unknown.submit(opened)
    assert slug(refused) == "invalid-form"
    assert "没有这份许可证" in refused.text, "typed in is not registered"


async def test_a_disputed_last_day_is_not_the_registers(company: Company) -> None:
    draft = await company.ready()
    later = (clock.today() + timedelta(days=89)).isoformat()
    patched = await company.api.patch(
        f"/cases/{draft['id']}",
        json={
            "form": {"licence": {"validUntil": later}},
            "disputes": {"/licence/validUntil": "日期不对"},
        },
        headers=company.owner.headers,
    )
    assert patched.status_code == 200, patched.text
    assert slug(await company.submit(draft)) == "invalid-form"


async def test_a_register_that_is_away_keeps_it_from_being_handed_in(
    company: Company, bad_day: Break
) -> None:
    await bad_day("market_entity")
    opened = await company.open()
    assert opened.status_code == 201, "who may act was proven when they signed in"
    refused = await company.submit(opened.json())
    assert slug(refused) == "invalid-form"
    assert "/licence/validUntil" in [error["pointer"] for error in refused.json()["errors"]]


@pytest.mark.parametrize("state", ["submitted", "accepted", "suspended"])
async def test_without_a_decision_by_the_last_day_it_is_deemed_renewed(
    company: Company, api: httpx.AsyncClient, database: Database, state: str
) -> None:
    case = await company.handed_in()
    office = Office(api, agency="market-regulation")
    if state != "submitted":
        await office.done(case, "accept")
    if state == "suspended":
        await office.done(case, "suspend", reason="专家评审")
    await tasks.deem(b"")
    assert (await _row(database, case)).state == state, "the last day is not over"
    await _expire(database, case)
    await tasks.deem(b"")
    await tasks.deem(b"")
    shown = await api.get(f"/cases/{case['id']}", headers=company.owner.headers)
    assert (shown.json()["state"], shown.json()["outcome"]) == ("approved", "approved")
    last = shown.json()["timeline"][-1]
    assert (last["event"], last["by"]) == ("approve", "system")
    assert "第五十条" in last["note"]
    licences = (await company.get("/certificates")).json()["items"]
    assert [item["type"] for item in licences].count("food-business-licence") == 1
    too_late = await office.act(case, "deny", note="不予延续")
    assert (too_late.status_code, slug(too_late)) == (409, "illegal-transition")


async def test_a_correction_that_the_applicant_owes_is_not_the_authoritys_silence(
    company: Company, api: httpx.AsyncClient, database: Database
) -> None:
    case = await company.handed_in()
    await Office(api, agency="market-regulation").done(case, "request-correction", note="请核对地址")
    await _expire(database, case)
    await tasks.deem(b"")
    assert (await _row(database, case)).state == "correction_requested"


async def test_a_decision_before_the_end_stands(
    company: Company, api: httpx.AsyncClient, database: Database
) -> None:
    case = await company.handed_in()
    office = Office(api, agency="market-regulation")
    await office.done(case, "accept")
    await office.done(case, "deny", note="场所已搬迁，不符合延续条件")
    await _expire(database, case)
    await tasks.deem(b"")
    assert (await _row(database, case)).state == "denied"


async def test_a_commitment_is_the_one_that_was_read(company: Company) -> None:
    text = (await company.api.get("/texts/food-licence-renewal-commitment")).json()
    assert text["hash"] == texts.current("food-licence-renewal-commitment").hash
    assert "行政许可法" in text["body"]
    changed = replace_body(text["slug"])
    assert changed.hash != text["hash"], "one word more is another text"


def replace_body(slug_: str) -> texts.AgreedText:
    text = texts.current(slug_)
    return msgspec.structs.replace(text, body=texts.Both(text.body.zh + "。", text.body.en))


async def _row(database: Database, case: dict[str, Any]) -> Case:
    async with database.reading() as session:
        return await session.get_one(Case, UUID(case["id"]))


async def _expire(database: Database, case: dict[str, Any]) -> None:
    """The licence's last day was yesterday."""
    async with database.transaction() as session:
        row = await session.get_one(Case, UUID(case["id"]))
        assert row.deemed_after == clock.today() + timedelta(days=60), "as the register says"
        row.deemed_after = clock.today() - timedelta(days=1)
