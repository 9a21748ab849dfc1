"""Who signs in for an enterprise: whom the register names, and nobody for longer than it does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from haiyiban import clock
from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.db import Database
from haiyiban.enterprises import tasks
from haiyiban.enterprises.models import Enterprise
from haiyiban.identity.models import Person
from tests import builders
from tests.builders import Somebody, slug
from tests.kernel.cases.conftest import Break
from tests.kernel.cases.office import Citizen, inbox
from tests.kernel.enterprises.companies import Company, credit_code


async def age(database: Database, company: Company) -> None:
    """A day passes since the register was asked."""
    async with database.transaction() as session:
        await session.execute(
            update(Enterprise)
            .where(Enterprise.id == UUID(company.id))
            .values(checked_at=clock.now() - timedelta(days=1))
        )


async def test_the_representative_signs_in_and_is_given_the_role_and_the_licence(unknown: Company) -> None:
    answer = await unknown.sign_in()
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["name"], shown["creditCode"]) == (unknown.name, unknown.code)
    assert (shown["role"], shown["status"], shown["matters"]) == ("legal_representative", "in_business", None)
    again = (await unknown.sign_in(consent="")).json()
    assert (again["id"], again["delegation"]) == (shown["id"], shown["delegation"])
    mine = await unknown.api.get("/enterprises", headers=unknown.owner.headers)
    assert shown["id"] in [item["id"] for item in mine.json()["items"]]
    unknown.id = shown["id"]
    assert (await unknown.get("")).json()["delegation"] == shown["delegation"]
    licences = (await unknown.get("/certificates")).json()["items"]
    assert [item["type"] for item in licences] == ["business-licence"]
    assert licences[0]["claims"]["creditCode"] == unknown.code
    own = await unknown.api.get("/certificates", headers=unknown.owner.headers)
    assert licences[0]["id"] not in own.text, "it is the company's and not the person's"


async def test_two_who_sign_in_at_once_get_one_role(unknown: Company) -> None:
    answers = await asyncio.gather(*(unknown.sign_in() for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["delegation"] for answer in answers}) == 1


async def test_the_first_time_the_statement_is_agreed_to(unknown: Company) -> None:
    refused = await unknown.sign_in(consent="")
    assert (refused.status_code, slug(refused)) == (422, "text-outdated")


async def test_whom_the_register_does_not_name_has_no_part_in_it(
    company: Company, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    refused = await company.sign_in(by=company.other)
    assert (refused.status_code, slug(refused)) == (404, "not-found")
    assert company.name not in refused.text
    for path in ("", "/roles", "/certificates"):
        assert (await company.get(path, by=company.other)).status_code == 404
    somebody = await builders.settle(sandbox, Somebody())
    low = await builders.sign_in(api, sandbox, somebody.phone)
    for headers, status in (({}, 401), (low, 403)):
        answer = await api.post("/enterprises", json={"creditCode": company.code}, headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize("code", ["91460100MA5T0ABC8E", "91460100MA5T0ABCI", "", "91460100MA5T0ABC8"])
async def test_a_code_that_cannot_be_is_refused_at_its_field(company: Company, code: str) -> None:
    """docs/domain.md §1.3, the negative rows."""
    company.code = code
    refused = await company.sign_in()
    assert (refused.status_code, slug(refused)) == (422, "invalid-credit-code")
    assert refused.json()["errors"][0]["pointer"] == "/creditCode"


async def test_a_code_is_taken_in_small_letters_and_one_that_nobody_registered_is_not_found(
    company: Company,
) -> None:
    company.code = company.code.lower()
    assert (await company.sign_in()).status_code == 201
    company.code = credit_code()
    assert (await company.sign_in()).status_code == 404


async def test_a_register_that_is_away_lets_nobody_in(unknown: Company, bad_day: Break) -> None:
    await bad_day("market_entity")
    down = await unknown.sign_in()
    assert (down.status_code, slug(down)) == (503, "register-unavailable")
    await bad_day("market_entity", mode="garbage")
    assert (await unknown.sign_in()).status_code == 503


@pytest.mark.parametrize("status", ["revoked", "cancelled"])
async def test_an_enterprise_that_was_struck_off_does_nothing(company: Company, status: str) -> None:
    await company.register(status=status)
    for answer in (await company.open(), await company.sign_in()):
        assert (answer.status_code, slug(answer)) == (403, "not-in-business")


async def test_a_change_in_the_register_ends_the_old_representatives_role_at_the_next_use(
    company: Company, sandbox: httpx.AsyncClient
) -> None:
    draft = await company.ready()
    await company.register(representative=company.other)
    refused = await company.open()
    assert (refused.status_code, slug(refused)) == (403, "delegation-ended")
    gone = await company.submit(draft)
    assert (gone.status_code, slug(gone)) == (403, "delegation-ended")
    assert (await company.sign_in()).status_code == 404
    await inbox(sandbox, company.owner.somebody.phone, containing="委托已解除")
    new = await company.sign_in(by=company.other)
    assert (new.status_code, new.json()["role"]) == (201, "legal_representative")
    # What was begun is the company's, and the new one goes on with it.
    handed_in = await company.submit(draft, by=company.other)
    assert handed_in.status_code == 200, handed_in.text
    shown = (await company.get("/certificates", by=company.other)).json()["items"]
    assert shown[0]["claims"]["representative"] == company.other.somebody.name
    assert shown[0]["version"] == 2


async def test_the_old_representative_loses_the_role_by_asking_again(company: Company) -> None:
    await company.register(representative=company.other)
    assert (await company.sign_in()).status_code == 404
    assert (await company.get("")).status_code == 404


async def test_the_night_ends_roles_that_nobody_uses(company: Company, database: Database) -> None:
    await company.register(representative=company.other)
    assert (await company.get("")).status_code == 200
    await tasks.recheck(b"")
    assert (await company.get("")).status_code == 200, "asked today already"
    await age(database, company)
    await tasks.recheck(b"")
    assert (await company.get("")).status_code == 404
    await tasks.recheck(b"")


async def test_the_night_waits_where_the_register_is_away(
    company: Company, database: Database, bad_day: Break
) -> None:
    await age(database, company)
    await bad_day("market_entity")
    await tasks.recheck(b"")
    assert (await company.get("")).status_code == 200
    await bad_day("all", mode="off")
    await company.register(representative=company.other)
    await tasks.recheck(b"")
    assert (await company.get("")).status_code == 404, "the next round asks again"


async def test_acts_for_an_enterprise_are_recorded_as_its_own(company: Company, database: Database) -> None:
    await company.open()
    async with database.reading() as session:
        enterprise = await session.get_one(Person, UUID(company.id))
        assert enterprise.id_type == "uscc"
        records = list(
            await session.scalars(
                select(AuditRecord)
                .join(AuditSubject, AuditSubject.pseudonym == AuditRecord.subject)
                .where(AuditSubject.person_id == enterprise.id)
            )
        )
    acts = {record.action for record in records}
    assert {"delegations.make", "certificates.issue", "cases.open", "registers.read"} <= acts
    opened = [record for record in records if record.action == "cases.open"]
    assert [str(record.delegation_id) for record in opened] == [company.role]


async def test_a_person_is_not_an_enterprise(company: Company, api: httpx.AsyncClient) -> None:
    """Nobody becomes an enterprise by a real name, and no enterprise takes a person's delegation."""
    body = {"name": company.name, "idType": "uscc", "idNumber": company.code}
    refused = await api.post("/me/real-name", json=body, headers=company.other.headers)
    assert refused.status_code == 422
    taker = {"name": company.name, "idNumber": company.code}
    offered = await company.appoint(taker=taker)
    assert (offered.status_code, slug(offered)) == (422, "invalid-delegation")


async def test_a_sole_trader_signs_in_as_the_owner(company: Company) -> None:
    """个体工商户 92…, docs/domain.md §1.3."""
    company.code = credit_code("92")
    await company.register(kind="sole_trader", name="秀英区测试小吃店")
    signed_in = await company.sign_in()
    assert (signed_in.status_code, signed_in.json()["kind"]) == (201, "sole_trader")


async def test_a_stale_face_does_not_sign_in(
    company: Company, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    somebody = Citizen(
        api, company.owner.somebody, await builders.sign_in(api, sandbox, company.owner.somebody.phone)
    )
    refused = await company.sign_in(by=somebody)
    assert (refused.status_code, slug(refused)) == (403, "step-up-needed")
