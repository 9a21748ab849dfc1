"""Closing an account: what stands in the way, what goes at once, what stays. PIPL art. 47."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from haiyiban import clock, notices, texts
from haiyiban.audit import keys, proofs, proving
from haiyiban.audit import terms as audit_terms
from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.cases.models import Case
from haiyiban.cases.seed import seed
from haiyiban.db import Database
from haiyiban.identity import accounts, closing
from haiyiban.identity.models import Account, Device, RefreshToken, SignIn
from haiyiban.outbox import OutboxMessage
from haiyiban.settings import Settings
from haiyiban.terms import YEAR
from services.duty_free.vouchers.models import Voucher
from services.health_code.models import Declaration, Status
from tests import builders
from tests.contracts.duty_free_flow import open_campaign
from tests.kernel.cases.office import PROOF, SENIOR, Citizen
from tests.kernel.enterprises.companies import Company
from tests.people import (
    Resident,
    SignedIn,
    at_level_three,
    give_real_name,
    pass_face_check,
    sign_in,
    slug,
    step_by_step,
)
from tests.retention import delete_due
from tests.sealed_log import grow

[PSEUDONYMS] = [term for term in audit_terms.TERMS if term.data_class == "audit.pseudonyms"]


@pytest.fixture(scope="module", autouse=True)
async def calendar(database: Database) -> None:
    """The published years of the calendar."""
    await seed()


async def delete(api: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    return await api.post("/me/deletion", json={}, headers=headers)


async def test_the_account_ends_and_the_phone_signs_in_to_a_new_one(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    resident, session = await step_by_step(api, sandbox)
    account_id = UUID(session.answer["accountId"])
    opened = await api.post("/cases", json={"matter": SENIOR}, headers=session.headers)
    assert opened.status_code == 201, opened.text
    said = {"symptoms": False, "feverClinic": False, "riskTravel": False}
    declared = await api.post("/zones/health-code/declarations", json=said, headers=session.headers)
    assert declared.is_success, declared.text
    person_id = await _person(database, account_id)

    answer = await delete(api, session.headers)
    assert answer.status_code == 200, answer.text
    assert [each["what"] for each in answer.json()["kept"]] == [
        "姓名和证件号码（加密）",
        "审计和访问记录（以代号记人，不含内容）",
    ]
    assert all(each["until"] and each["why"] for each in answer.json()["kept"])

    assert (await api.get("/me", headers=session.headers)).status_code == 401
    refreshed = await api.post(
        "/auth/sessions/refresh", json={"refreshToken": session.answer["refreshToken"]}
    )
    assert refreshed.status_code == 401
    async with database.reading() as look:
        account = await look.get_one(Account, account_id)
        assert (account.phone_sealed, account.phone_index, account.wechat_index) == (None, None, None)
        assert (account.person_id, account.level) == (None, "L1")
        for table, of in (
            (Case, Case.applicant_id == person_id),
            (Device, Device.account_id == account_id),
            (Declaration, Declaration.person_id == person_id),
            (Status, Status.person_id == person_id),
            (
                RefreshToken,
                RefreshToken.session_id.in_(select(SignIn.id).where(SignIn.account_id == account_id)),
            ),
        ):
            assert await look.scalar(select(func.count()).select_from(table).where(of)) == 0, table
        [session_row] = await look.scalars(select(SignIn).where(SignIn.account_id == account_id))
        assert (session_row.label, session_row.ended_because) == ("", "account closed")
        records = await look.scalars(
            select(AuditRecord).where(AuditRecord.request_id == answer.headers["x-request-id"])
        )
        assert {"me.delete", "health-code.delete", "identity.end-session"} <= {
            each.action for each in records
        }

    again = await sign_in(api, sandbox, resident.phone)
    assert UUID(again.answer["accountId"]) != account_id
    me = (await api.get("/me", headers=again.headers)).json()
    assert me["assurance"] == "L1"
    assert me.get("person") is None


async def test_what_the_law_keeps_is_there_again_for_the_same_person(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    citizen = await Citizen.signed_in(api, sandbox)
    case = await citizen.handed_in(PROOF)
    assert (await citizen.withdraw(case)).status_code == 200
    answer = await delete(api, citizen.headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["kept"][0]["what"] == "已提交过的办件及其材料、办理过程"
    somebody = citizen.somebody
    back = await sign_in(api, sandbox, somebody.phone)
    named = Resident(name=somebody.name, phone=somebody.phone, id_number=somebody.id_number)
    assert (await give_real_name(api, back, named))["assurance"] == "L2"
    await pass_face_check(api, back)
    listed = await api.get("/cases", headers=back.headers)
    assert [each["id"] for each in listed.json()["items"]] == [case["id"]]


async def test_three_years_after_the_account_nothing_leads_from_the_audit_to_the_person(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    resident, session = await step_by_step(api, sandbox)
    person_id = await _person(database, UUID(session.answer["accountId"]))
    assert (await delete(api, session.headers)).status_code == 200
    kept = await _subject(database, person_id)
    assert kept is not None
    assert kept.retired_at is not None
    await delete_due(PSEUDONYMS)
    assert await _subject(database, person_id) is not None, "logs must be somebody's for three years"

    # Whoever comes back before that finds their own log, and no time runs.
    back = await sign_in(api, sandbox, resident.phone)
    await give_real_name(api, back, resident)
    await pass_face_check(api, back)
    again = await _subject(database, person_id)
    assert again is not None
    assert (again.pseudonym, again.retired_at) == (kept.pseudonym, None)

    assert (await delete(api, back.headers)).status_code == 200
    await _close_earlier(database, person_id, 3 * YEAR + timedelta(days=1))
    await grow(database)
    await delete_due(PSEUDONYMS)
    assert await _subject(database, person_id) is None
    async with database.reading() as look:
        ended = (AuditRecord.subject == kept.pseudonym) & (AuditRecord.action == "me.delete")
        first, _ = await look.scalars(select(AuditRecord.id).where(ended).order_by(AuditRecord.id))
        sealed = await proving.sealed(look, first)
    proved = proofs.check(sealed.proof, keys.public(Settings.from_env()))
    assert proved.entry["subject"] == kept.pseudonym, "the sealed record stays as it was"

    # Who comes back later begins a new log, under another pseudonym.
    late = await sign_in(api, sandbox, resident.phone)
    await give_real_name(api, late, resident)
    new = await _subject(database, person_id)
    assert new is not None
    assert new.pseudonym != kept.pseudonym


async def _subject(database: Database, person_id: UUID) -> AuditSubject | None:
    async with database.reading() as look:
        return await look.get(AuditSubject, person_id)


async def _close_earlier(database: Database, person_id: UUID, by: timedelta) -> None:
    async with database.transaction() as work:
        (await work.get_one(AuditSubject, person_id)).retired_at = clock.now() - by


async def test_an_open_case_stands_in_the_way_with_the_way_out(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    citizen = await Citizen.signed_in(api, sandbox)
    case = await citizen.handed_in(PROOF)
    refused = await delete(api, citizen.headers)
    assert (refused.status_code, slug(refused)) == (409, "account-in-use")
    [found] = refused.json()["inTheWay"]
    assert case["number"] in found["what"]
    assert "撤回" in found["wayOut"]
    assert found["link"] == f"/cases/{case['id']}"
    told = await api.post("/me/deletion", json={}, headers=citizen.headers | {"Accept-Language": "en"})
    assert told.json()["inTheWay"][0]["wayOut"].startswith("Wait for the decision")
    assert (await api.get("/me", headers=citizen.headers)).status_code == 200
    assert (await citizen.get(case))["state"] == "submitted"


async def test_a_delegation_in_force_stands_in_the_way_and_an_offer_does_not(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    giver = await Citizen.signed_in(api, sandbox)
    taker = await Citizen.signed_in(api, sandbox, builders.Somebody(name="欧阳代办"))
    made = await _offer(api, giver, taker)
    # An offer that nobody has accepted ends with the account.
    other = await Citizen.signed_in(api, sandbox, builders.Somebody(name="欧阳旁人"))
    await _offer(api, other, taker)
    assert (await delete(api, other.headers)).status_code == 200
    accepted = await api.post(f"/delegations/{made}/acceptance", json={}, headers=taker.headers)
    assert accepted.status_code == 200, accepted.text
    for side in (giver, taker):
        refused = await delete(api, side.headers)
        assert refused.status_code == 409
        assert [each["link"] for each in refused.json()["inTheWay"]] == ["/me/delegations"]
        assert "欧阳" not in refused.text
    ended = await api.post(f"/delegations/{made}/revocation", json={}, headers=giver.headers)
    assert ended.status_code == 200
    answer = await delete(api, giver.headers)
    assert answer.status_code == 200
    assert "已结束的委托记录" in {each["what"] for each in answer.json()["kept"]}


async def test_an_appointed_role_stands_in_the_way_and_what_a_register_says_does_not(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    representative = await Citizen.signed_in(api, sandbox)
    clerk = await Citizen.signed_in(api, sandbox, builders.Somebody(name="欧阳经办"))
    company = Company(api, sandbox, representative, clerk)
    await company.register()
    role = await (await company.signed_in()).clerk()
    refused = await delete(api, clerk.headers)
    assert (refused.status_code, slug(refused)) == (409, "account-in-use")
    [found] = refused.json()["inTheWay"]
    assert company.name in found["what"]
    assert (await delete(api, representative.headers)).status_code == 200
    # The role outlasts who gave it, and its holder may end it.
    ended = await api.post(f"/delegations/{role}/revocation", json={}, headers=clerk.headers)
    assert ended.status_code == 200, ended.text
    assert (await delete(api, clerk.headers)).status_code == 200


async def test_a_voucher_that_is_not_used_stands_in_the_way_until_it_expires(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    _, session = await at_level_three(api, sandbox)
    campaign = await open_campaign()
    claimed = await api.post(f"/zones/duty-free/campaigns/{campaign}/claims", headers=session.headers)
    assert claimed.status_code == 201, claimed.text
    refused = await delete(api, session.headers)
    assert refused.status_code == 409
    [found] = refused.json()["inTheWay"]
    assert found["what"].startswith("消费券")
    assert found["link"] == "/duty-free"
    async with database.transaction() as work:
        voucher = await work.get_one(Voucher, UUID(claimed.json()["voucherId"]))
        voucher.valid_until = clock.now() - timedelta(seconds=1)
    answer = await delete(api, session.headers)
    assert answer.status_code == 200, answer.text
    assert "免税订单、年度额度和消费券核销记录" in {each["what"] for each in answer.json()["kept"]}


async def test_two_clicks_at_once_are_answered_alike_and_a_later_one_finds_nobody_signed_in(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    _, session = await at_level_three(api, sandbox)
    account_id = UUID(session.answer["accountId"])
    first, second = await asyncio.gather(delete(api, session.headers), delete(api, session.headers))
    assert {first.status_code, second.status_code} <= {200, 401}
    assert 200 in {first.status_code, second.status_code}
    if first.status_code == second.status_code:
        assert first.json() == second.json()
    assert (await delete(api, session.headers)).status_code == 401
    async with database.reading() as look:
        closed = select(func.count()).where(
            AuditRecord.action == "me.delete", AuditRecord.object_id == account_id
        )
        assert await look.scalar(closed) == 1


async def test_who_signs_in_while_the_account_is_being_closed_gets_a_new_one(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    resident, session = await at_level_three(api, sandbox)
    account_id = UUID(session.answer["accountId"])
    person_id = await _person(database, account_id)

    async def signing_in() -> UUID:
        async with database.transaction() as work:
            return (await accounts.find_or_create(work, resident.phone)).id

    async with database.transaction() as work:
        await closing.close(work, await closing.hold(work, account_id, person_id), now=clock.now())
        waiting = asyncio.create_task(signing_in())
        await asyncio.sleep(0.3)
        assert not waiting.done()
    assert await waiting != account_id


async def test_a_second_device_and_a_notice_that_waits_go_too(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    """A vaccination is reminded of a day before: the message must not reach the phone's next account."""
    resident, session = await at_level_three(api, sandbox)
    second = SignedIn.by(await builders.arrive(resident.name, resident.id_number, resident.phone))
    about = UUID(session.answer["accountId"])
    person = await _person(database, about)
    async with database.transaction() as work:
        assert await notices.tell_person(
            work, person, "health-code.appeal-refused", about=about, delay=timedelta(days=1)
        )
    assert (await delete(api, session.headers)).status_code == 200
    assert (await api.get("/me", headers=second.headers)).status_code == 401
    async with database.reading() as look:
        [message] = await look.scalars(select(OutboxMessage).where(OutboxMessage.about == about))
    assert message.outcome == "recalled"
    assert message.payload == {"template": "health-code.appeal-refused"}


async def _offer(api: httpx.AsyncClient, giver: Citizen, taker: Citizen) -> str:
    agreement: dict[str, Any] = {
        "basis": "agreement",
        "taker": {"name": taker.somebody.name, "idNumber": taker.somebody.id_number},
        "matters": [PROOF],
        "until": clock.today().isoformat(),
        "consent": texts.current("delegation").hash,
    }
    made = await api.post("/delegations", json=agreement, headers=giver.headers)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def _person(database: Database, account_id: UUID) -> UUID:
    async with database.reading() as look:
        found = await look.scalar(select(Account.person_id).where(Account.id == account_id))
    assert found is not None
    return found
