"""Roles in an enterprise: given by the representative, accepted, of a scope and an end, ended at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from haiyiban import clock, verifiers
from haiyiban.db import Database
from haiyiban.delegations import Delegation
from haiyiban.errors import Words
from tests import builders
from tests.builders import slug
from tests.kernel.cases.office import PROOF, SENIOR, Citizen
from tests.kernel.enterprises.companies import RENEWAL, Company


async def test_a_clerk_acts_in_their_scope_and_reaches_what_others_of_the_company_opened(
    company: Company,
) -> None:
    mine = await company.ready()
    role = await company.clerk()
    shown = (await company.get("", by=company.other)).json()
    assert (shown["role"], shown["delegation"], shown["matters"]) == ("clerk", role, [RENEWAL])
    signed_in = await company.sign_in(by=company.other, consent="")
    assert (signed_in.status_code, signed_in.json()["delegation"]) == (201, role)
    seen = await company.api.get(f"/cases/{mine['id']}", headers=company.other.headers)
    assert seen.status_code == 200, seen.text
    assert seen.json()["acting"]["forWhom"] == company.name
    theirs = await company.ready(by=company.other, role=role)
    for who, under in ((company.owner, company.role), (company.other, role)):
        listed = await company.api.get("/cases", params={"onBehalfOf": under}, headers=who.headers)
        assert {mine["id"], theirs["id"]} <= {item["id"] for item in listed.json()["items"]}
        own = await company.api.get("/cases", headers=who.headers)
        assert theirs["id"] not in own.text
    handed_in = await company.submit(theirs)
    assert handed_in.status_code == 200, "the representative goes on with what the clerk began"
    assert (await company.get("/certificates", by=company.other)).status_code == 200


async def test_only_the_representative_gives_and_ends_roles(company: Company) -> None:
    role = await company.clerk()
    for answer in (
        await company.appoint(by=company.other),
        await company.get("/roles", by=company.other),
        await company.get("/access-log", by=company.other),
        await company.api.post(
            f"/enterprises/{company.id}/roles/{role}/revocation", json={}, headers=company.other.headers
        ),
    ):
        assert (answer.status_code, slug(answer)) == (403, "representative-only")
    listed = (await company.get("/roles")).json()["items"]
    assert [item["role"] for item in listed] == ["clerk", "legal_representative"]
    assert listed[0]["taker"]["name"] == "周*办"
    assert listed[0]["giver"]["name"] == company.name


@pytest.mark.parametrize("by", ["representative", "holder"])
async def test_a_role_ends_at_once(company: Company, by: str) -> None:
    role = await company.clerk()
    draft = await company.ready(by=company.other, role=role)
    if by == "representative":
        at, headers = f"/enterprises/{company.id}/roles/{role}/revocation", company.owner.headers
    else:
        at, headers = f"/delegations/{role}/revocation", company.other.headers
    for _ in range(2):
        assert (await company.api.post(at, json={}, headers=headers)).json()["state"] == "ended"
    for answer in (
        await company.submit(draft, by=company.other),
        await company.open(by=company.other, role=role),
    ):
        assert (answer.status_code, slug(answer)) == (403, "delegation-ended")
    assert (await company.get("", by=company.other)).status_code == 404
    assert (await company.submit(draft)).status_code == 200, "the case is the company's"


async def test_a_role_outlasts_a_change_of_representative_and_the_new_one_ends_it(
    company: Company, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    role = await company.clerk()
    new = await Citizen.signed_in(api, sandbox)
    await company.register(representative=new)
    assert (await company.sign_in(by=new)).status_code == 201
    assert (await company.open(by=company.other, role=role)).status_code == 201
    ended = await company.api.post(
        f"/enterprises/{company.id}/roles/{role}/revocation", json={}, headers=new.headers
    )
    assert ended.json()["state"] == "ended"
    assert (await company.open(by=company.other, role=role)).status_code == 403


async def test_a_role_past_its_day_does_nothing(company: Company, database: Database) -> None:
    role = await company.clerk()
    async with database.transaction() as session:
        await session.execute(
            update(Delegation)
            .where(Delegation.id == UUID(role))
            .values(until=clock.today() - timedelta(days=1))
        )
    refused = await company.open(by=company.other, role=role)
    assert (refused.status_code, slug(refused)) == (403, "delegation-expired")
    assert (await company.get("", by=company.other)).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "status", "named"),
    [
        ({"role": "finance"}, 422, "invalid-delegation"),
        ({"matters": [PROOF]}, 422, "invalid-delegation"),
        ({"matters": []}, 400, "malformed"),
        ({"role": "legal_representative"}, 400, "malformed"),
        ({"consent": "0" * 64}, 422, "text-outdated"),
        ({"taker": builders.child()}, 422, "adults-only"),
    ],
)
async def test_what_cannot_be_given_is_refused(
    company: Company, wrong: dict[str, Any], status: int, named: str
) -> None:
    refused = await company.appoint(**wrong)
    assert (refused.status_code, slug(refused)) == (status, named)


async def test_nobody_appoints_themselves(company: Company) -> None:
    owner = company.owner.somebody
    refused = await company.appoint(taker={"name": owner.name, "idNumber": owner.id_number})
    assert (refused.status_code, slug(refused)) == (422, "to-oneself")


async def test_a_role_of_one_company_opens_nothing_of_another(
    company: Company, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    stranger = await Citizen.signed_in(api, sandbox)
    other = Company(api, sandbox, stranger, company.other, name="海口别家餐饮有限公司")
    await other.register()
    await other.signed_in()
    foreign = await other.ready()
    seen = await company.api.get(f"/cases/{foreign['id']}", headers=company.owner.headers)
    assert seen.status_code == 404
    refused = await company.open(role=other.role)
    assert (refused.status_code, slug(refused)) == (422, "no-delegation")
    role = await company.clerk()
    crossed = await company.api.post(
        f"/enterprises/{other.id}/roles/{role}/revocation", json={}, headers=stranger.headers
    )
    assert (crossed.status_code, slug(crossed)) == (404, "role-not-found")


async def test_the_representative_sees_who_did_what_in_the_companys_name(company: Company) -> None:
    role = await company.clerk()
    case = await company.handed_in(by=company.other, role=role)
    log = (await company.get("/access-log")).json()["items"]
    acts = {(item["action"], item["who"]) for item in log if item.get("delegation") == role}
    assert {("cases.open", "经办人"), ("cases.submission", "经办人")} <= acts
    assert ("delegations.make", "法定代表人") in {(item["action"], item["who"]) for item in log}
    assert case["id"] not in (await company.api.get("/me/access-log", headers=company.owner.headers)).text
    pages = await company.get("/access-log?limit=1")
    assert pages.json()["next"] is not None


async def test_matters_of_people_and_of_enterprises_do_not_mix(company: Company) -> None:
    own = await company.api.post("/cases", json={"matter": RENEWAL}, headers=company.owner.headers)
    assert (own.status_code, slug(own)) == (422, "enterprise-needed")
    body = {"matter": SENIOR, "onBehalfOf": company.role}
    crossed = await company.api.post("/cases", json=body, headers=company.owner.headers)
    assert (crossed.status_code, slug(crossed)) == (422, "matter-not-delegated")


async def test_the_licence_is_printed_and_shown_to_an_inspector_by_whoever_has_a_role(
    company: Company, database: Database
) -> None:
    await company.clerk()
    licence = (await company.get("/certificates", by=company.other)).json()["items"][0]["id"]
    printed = await company.get(f"/certificates/{licence}/document", by=company.other)
    assert printed.content.startswith(b"%PDF")
    at = f"/enterprises/{company.id}/codes"
    shown = await company.api.post(at, json={"certificateId": licence}, headers=company.other.headers)
    assert shown.status_code == 201, shown.text
    inspector = await _inspector(company.api, database)
    scan = {"text": shown.json()["text"], "purpose": "inspection"}
    seen = (await company.api.post("/verifications", json=scan, headers=inspector)).json()
    assert seen["outcome"] == "valid", seen
    assert seen["holder"]["name"] == company.name, "what an enterprise is called is public"
    assert seen["certificate"]["claims"]["creditCode"] == company.code
    missing = await company.api.post(at, json={"certificateId": company.id}, headers=company.owner.headers)
    assert missing.status_code == 404


async def _inspector(api: httpx.AsyncClient, held: Database) -> dict[str, str]:
    secret = verifiers.new_secret()
    async with held.transaction() as session:
        made = await verifiers.accredit(
            session,
            Words(f"市场监管所 {secret.client_id}", "An inspector"),
            unit="market-regulation",
            purposes=("inspection",),
            now=clock.now(),
        )
        await verifiers.add_client(session, made, secret, now=clock.now())
    answer = await api.post(
        "/auth/verifiers/token", json={"clientId": secret.client_id, "clientSecret": secret.client_secret}
    )
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}
