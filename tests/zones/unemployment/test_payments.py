"""From a granted month to money in an account, and back where the bank does not want it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, select, update

from haiyiban import clock, registers
from haiyiban.cases.models import Case
from haiyiban.db import Database
from haiyiban.registers import RegisterClient
from services.unemployment.models import Batch, Grant, Payment, Recovery
from services.unemployment.payments import banking, batches, reconciling, rules, run, suspending
from services.unemployment.payments.iso20022 import (
    NotTheDocument,
    Transfer,
    payment_file,
    read_report,
    read_statement,
)
from services.unemployment.rules import monthly_fen
from services.unemployment.schedule import month_of
from services.unemployment.standards import standards
from tests import builders
from tests.builders import slug
from tests.kernel.cases.office import Citizen, Office
from tests.zones.unemployment.dying_worker import STEPS
from tests.zones.unemployment.test_applying import accepted, handed_in, out_of_work

HERE = "/zones/unemployment"


def card() -> str:
    """A bank card's number that nobody else has."""
    body = "622848" + f"{UUID(bytes=os.urandom(16)).int % 10**12:012d}"
    return next(body + str(digit) for digit in range(10) if rules.is_account_number(body + str(digit)))


@pytest.fixture(autouse=True)
async def lines(sandbox_url: str, database: Database) -> AsyncIterator[None]:
    """Fresh lines to the outside, and books in which nothing is open from another test."""
    await registers.close()
    registers.install(RegisterClient(sandbox_url, key="sandbox"))
    async with database.transaction() as session:
        await session.execute(delete(Payment))
        await session.execute(delete(Batch))
        await session.execute(update(Grant).values(ended_on=clock.today(), ended_because="test", used=0))
    yield
    await registers.close()


class Drawer:
    """Somebody to whom the benefit was granted, some months ago where the test wants it."""

    def __init__(self, citizen: Citizen, somebody: builders.Somebody, grant_id: UUID) -> None:
        self.citizen, self.somebody, self.grant_id = citizen, somebody, grant_id

    async def post(self, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        return await self.citizen.api.post(f"{HERE}{path}", json=body, headers=self.citizen.headers)

    async def payments(self) -> dict[str, Any]:
        at = f"{HERE}/grants/{self.grant_id}/payments"
        answer = await self.citizen.api.get(at, headers=self.citizen.headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def states(self) -> list[str]:
        """Of each payment, the earliest first."""
        return [each["state"] for each in reversed((await self.payments())["payments"])]


@pytest.fixture
def drawer(api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database) -> Any:
    """Grants the benefit to somebody new: `ago` months ago, with an account that the bank knows."""
    office = Office(api, agency="human-resources", division="460105")

    async def make(*, ago: int = 0, account: str = "open", **more: Any) -> Drawer:
        somebody = out_of_work(12, **more)
        citizen = await Citizen.signed_in(api, sandbox, somebody)
        case = await accepted(office, await handed_in(citizen))
        approved = await office.act(case, "approve", version=case["version"])
        assert approved.status_code == 200, approved.text
        async with database.transaction() as session:
            grant = await session.scalar(
                select(Grant).join(Case, Case.id == Grant.case_id).where(Case.id == UUID(case["id"]))
            )
            assert grant is not None
            # Paid from the 5th on; today may be before it.
            grant.starts_on = month_of(clock.today(), -ago - (clock.today().day < rules.RUN_DAY))
            made = Drawer(citizen, somebody, grant.id)
        if account:
            number = card()
            await sandbox.post(
                "/bank/accounts", json={"number": number, "name": somebody.name, "state": account}
            )
            answer = await made.post("/bank-account", {"number": f"{number[:4]} {number[4:]}"})
            assert answer.status_code == 200, answer.text
        return made

    return make


@pytest.fixture
async def officer(api: httpx.AsyncClient) -> dict[str, str]:
    return await builders.staff(api, agency="human-resources", division="460000", role="officer")


async def release_all(api: httpx.AsyncClient, officer: dict[str, str]) -> list[dict[str, Any]]:
    items = (await api.get(f"{HERE}/batches", headers=officer)).json()["items"]
    for batch in [each for each in items if each["state"] == "made"]:
        answer = await api.post(f"{HERE}/batches/{batch['id']}/release", headers=officer)
        assert answer.status_code == 200, answer.text
    return list(items)


async def pay_everything(api: httpx.AsyncClient, officer: dict[str, str]) -> None:
    """What an hour brings, with an officer who looks in between."""
    await run.run()
    await batches.make()
    await release_all(api, officer)
    await banking.send()
    await banking.read_back()


async def agree(api: httpx.AsyncClient, officer: dict[str, str]) -> int:
    """Both books tell the same; the sum in fen."""
    told = (await api.get(f"{HERE}/reconciliation", headers=officer)).json()
    assert told["differences"] == []
    assert told["paidFen"] == told["bankFen"]
    return int(told["paidFen"])


def benefit() -> int:
    amount = monthly_fen("460105", paid_on=clock.today(), standards=standards())
    assert amount is not None
    return amount


async def test_a_month_is_paid_once_however_often_the_run_comes(
    api: httpx.AsyncClient, drawer: Any, officer: dict[str, str], database: Database
) -> None:
    who = await drawer()
    await asyncio.gather(run.run(), run.run())
    await asyncio.gather(batches.make(), batches.make())
    assert await who.states() == ["batched"]
    [batch] = await release_all(api, officer)
    assert (batch["state"], batch["count"], batch["totalFen"]) == ("made", 1, benefit())
    again = await api.post(f"{HERE}/batches/{batch['id']}/release", headers=officer)
    assert (again.status_code, slug(again)) == (409, "already-released")
    await asyncio.gather(banking.send(), banking.send())
    await asyncio.gather(banking.read_back(), banking.read_back())
    await pay_everything(api, officer)
    assert await who.states() == ["paid"]
    assert await agree(api, officer) == benefit()
    async with database.reading() as look:
        assert (await look.get_one(Grant, who.grant_id)).used == 1


async def test_later_months_want_a_word_and_every_month_an_account(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, drawer: Any, officer: dict[str, str]
) -> None:
    """The first month needs no word of its own; without an account nothing is due; both are told once."""
    who = await drawer(ago=1, account="")
    for _ in range(2):
        await run.run()
    assert await who.states() == []
    told = (await sandbox.get("/sms", params={"phone": who.somebody.phone})).json()
    number = card()
    await sandbox.post("/bank/accounts", json={"number": number, "name": who.somebody.name})
    assert (await who.post("/bank-account", {"number": number})).status_code == 200
    await run.run()
    assert await who.states() == ["due"]
    assert (await who.post("/declarations")).status_code == 200
    assert (await who.post("/declarations")).status_code == 200
    if clock.today().day >= rules.RUN_DAY:
        await run.run()
        assert await who.states() == ["due", "due"]
    assert len([each for each in told if "收款账户" in each["text"]]) <= 1


async def test_a_month_that_was_forgotten_is_paid_with_the_next_word(drawer: Any) -> None:
    """It holds up what comes after it until then, and no longer."""
    who = await drawer(ago=2)
    await run.run()
    assert await who.states() == ["due"]
    assert (await who.post("/declarations")).status_code == 200
    await run.run()
    assert await who.states() == ["due"] * (2 + (clock.today().day >= rules.RUN_DAY))


def test_a_word_is_for_the_months_before_it_too() -> None:
    december = date(2026, 12, 1)
    assert rules.spoken_for(december, starts_on=date(2026, 10, 17)) == [
        date(2026, 10, 1),
        date(2026, 11, 1),
        december,
    ]
    assert rules.spoken_for(december, starts_on=december) == [december]


@pytest.mark.parametrize("account", ["closed", "returning"])
async def test_what_the_bank_gives_back_is_paid_again_to_another_account(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, drawer: Any, officer: dict[str, str], account: str
) -> None:
    """Refused at once, or taken and given back days later; nothing is lost and nothing paid twice."""
    who = await drawer(account=account)
    await pay_everything(api, officer)
    if account == "returning":
        assert await who.states() == ["paid"]
        assert await agree(api, officer) == benefit()
        await sandbox.post("/bank/returns", json={})
        await banking.read_back()
    assert await who.states() == ["returned"]
    assert await agree(api, officer) == 0
    await pay_everything(api, officer)
    assert await who.states() == ["returned"], "the same account would only give it back again"
    number = card()
    await sandbox.post("/bank/accounts", json={"number": number, "name": who.somebody.name})
    assert (await who.post("/bank-account", {"number": number})).status_code == 200
    await pay_everything(api, officer)
    assert await who.states() == ["returned", "paid"]
    assert await agree(api, officer) == benefit()


async def test_a_silent_register_leaves_the_month_open_and_the_grant_as_it_is(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, drawer: Any
) -> None:
    who = await drawer()
    await sandbox.post("/faults", json={"register": "employment", "mode": "error"})
    await run.run()
    assert await who.states() == []
    assert (await who.payments())["suspension"] is None
    await sandbox.post("/faults", json={"register": "employment", "mode": "off"})
    await registers.close()
    registers.install(RegisterClient(os.environ["HAIYIBAN_REGISTERS_URL"], key="sandbox"))
    await run.run()
    assert await who.states() == ["due"]


async def works_again(sandbox: httpx.AsyncClient, who: Drawer, since: date) -> None:
    """The registers hear of a new employer."""
    who.somebody.more["employment"] = {"employer": "示例公司", "since": since.isoformat()}
    await builders.settle(sandbox, who.somebody)


async def test_who_works_again_is_told_may_object_and_is_stopped(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    drawer: Any,
    officer: dict[str, str],
    database: Database,
) -> None:
    """What was paid since the month of the event is to be paid back; months left are kept."""
    who = await drawer()
    await pay_everything(api, officer)
    await works_again(sandbox, who, clock.today() - timedelta(days=40))
    await run.run()
    told = (await who.payments())["suspension"]
    assert (told["because"], told["hasObjected"]) == ("employed", False)
    assert date.fromisoformat(told["objectBy"]) > clock.today() + timedelta(days=10)
    await run.run()
    async with database.transaction() as session:
        grant = await session.get_one(Grant, who.grant_id)
        assert grant.ended_on is None, "nobody is stopped before the days to object are over"
        grant.object_by = clock.today() - timedelta(days=1)
    late = await who.post(f"/grants/{who.grant_id}/objection", {"words": "已离职"})
    assert (late.status_code, slug(late)) == (409, "objection-over")
    await suspending.stop_what_nobody_objected_to()
    told = await who.payments()
    assert (told["endedBecause"], told["endedOn"]) == ("employed", clock.today().isoformat())
    async with database.reading() as look:
        recovery = await look.scalar(select(Recovery).where(Recovery.grant_id == who.grant_id))
        assert recovery is not None
        assert recovery.amount_fen == benefit()
        grant = await look.get_one(Grant, who.grant_id)
        assert grant.months - grant.used == grant.months - 1
    proofs = (await api.get("/certificates", headers=who.citizen.headers)).json()["items"]
    assert [proof["status"] for proof in proofs] == ["revoked"]


@pytest.mark.parametrize(
    ("register", "fact", "because"),
    [
        ("deregistration", {"reason": "died", "on": "2026-01-31"}, "died"),
        ("deregistration", {"reason": "military_service", "on": "2026-01-31"}, "military_service"),
        ("deregistration", {"reason": "moved_abroad", "on": "2026-01-31"}, "moved_abroad"),
        ("custody", {"since": "2026-01-31"}, "imprisoned"),
        ("pension", {"since": "2026-01-31"}, "pension"),
    ],
)
async def test_every_register_that_ends_the_right_suspends_it_from_the_day_it_tells(
    sandbox: httpx.AsyncClient,
    drawer: Any,
    database: Database,
    register: str,
    fact: dict[str, str],
    because: str,
) -> None:
    """社会保险法 art. 51, 失业保险条例 art. 15: death, service, moving abroad, prison, a pension."""
    who = await drawer()
    who.somebody.more[register] = fact
    await builders.settle(sandbox, who.somebody)
    await run.run()
    told = (await who.payments())["suspension"]
    assert told["because"] == because
    assert told["words"]
    async with database.reading() as look:
        assert (await look.get_one(Grant, who.grant_id)).event_on == date(2026, 1, 31)
    assert await who.states() == []


async def test_who_was_in_prison_before_is_paid_and_a_silent_prison_register_stops_nobody(
    sandbox: httpx.AsyncClient, drawer: Any
) -> None:
    who = await drawer()
    who.somebody.more["custody"] = {"since": "2019-01-01", "until": "2020-01-01"}
    await builders.settle(sandbox, who.somebody)
    await sandbox.post("/faults", json={"register": "custody", "mode": "error"})
    await run.run()
    assert await who.states() == []
    assert (await who.payments())["suspension"] is None
    await sandbox.post("/faults", json={"register": "custody", "mode": "off"})
    await registers.close()
    registers.install(RegisterClient(os.environ["HAIYIBAN_REGISTERS_URL"], key="sandbox"))
    await run.run()
    assert await who.states() == ["due"]


async def test_an_objection_keeps_the_grant_until_a_clerk_decides(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, drawer: Any, database: Database
) -> None:
    who = await drawer()
    early = await who.post(f"/grants/{who.grant_id}/objection", {"words": "?"})
    assert (early.status_code, slug(early)) == (409, "not-suspended")
    await works_again(sandbox, who, clock.today())
    await run.run()
    blank = await who.post(f"/grants/{who.grant_id}/objection", {"words": "  "})
    assert (blank.status_code, slug(blank)) == (422, "words-needed")
    answer = await who.post(f"/grants/{who.grant_id}/objection", {"words": "单位登记错人了"})
    assert answer.json()["suspension"]["hasObjected"] is True
    async with database.transaction() as session:
        (await session.get_one(Grant, who.grant_id)).object_by = clock.today() - timedelta(days=1)
    await suspending.stop_what_nobody_objected_to()
    clerk = await builders.staff(api, agency="human-resources", division="460105")
    waiting = (await api.get(f"{HERE}/objections", headers=clerk)).json()["items"]
    assert [each["words"] for each in waiting if each["grantId"] == str(who.grant_id)] == ["单位登记错人了"]
    at = f"{HERE}/objections/{who.grant_id}/decision"
    elsewhere = await builders.staff(api, agency="human-resources", division="460200")
    assert (
        await api.post(at, json={"decision": "resume", "note": "属实"}, headers=elsewhere)
    ).status_code == 404
    other = await builders.staff(api, agency="education", division="460105")
    assert (await api.post(at, json={"decision": "resume", "note": "属实"}, headers=other)).status_code == 403
    silent = await api.post(at, json={"decision": "resume", "note": ""}, headers=clerk)
    assert (silent.status_code, slug(silent)) == (422, "words-needed")
    decided = await api.post(at, json={"decision": "resume", "note": "已向单位核实"}, headers=clerk)
    assert decided.json() == {"grantId": str(who.grant_id), "state": "running"}
    twice = await api.post(at, json={"decision": "stop", "note": "?"}, headers=clerk)
    assert (twice.status_code, slug(twice)) == (409, "not-suspended")
    # The register has not mended its record: what was found wrong is set aside, and the month is paid.
    await run.run()
    told = await who.payments()
    assert told["suspension"] is None
    assert await who.states() == ["due"]
    await works_again(sandbox, who, clock.today() - timedelta(days=1))
    await run.run()
    assert (await who.payments())["suspension"]["because"] == "employed", "another event counts anew"


async def test_what_was_on_its_way_to_the_bank_is_to_be_paid_back_too(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    drawer: Any,
    officer: dict[str, str],
    database: Database,
) -> None:
    """Stopped while a file with its payment waits; the money arrives, and later comes back."""
    who = await drawer(account="returning")
    await run.run()
    await batches.make()
    await works_again(sandbox, who, clock.today() - timedelta(days=40))
    await run.run()
    async with database.transaction() as session:
        (await session.get_one(Grant, who.grant_id)).object_by = clock.today() - timedelta(days=1)
    await suspending.stop_what_nobody_objected_to()

    async def owed() -> int | None:
        async with database.reading() as look:
            found: int | None = await look.scalar(
                select(Recovery.amount_fen).where(Recovery.grant_id == who.grant_id)
            )
        return found

    assert await owed() is None
    await release_all(api, officer)
    await banking.send()
    await banking.read_back()
    assert (await who.states(), await owed()) == (["paid"], benefit())
    await sandbox.post("/bank/returns", json={})
    await banking.read_back()
    assert (await who.states(), await owed()) == (["returned"], None)


async def test_a_decision_to_stop_ends_the_grant(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, drawer: Any
) -> None:
    who = await drawer()
    await works_again(sandbox, who, clock.today())
    await run.run()
    await who.post(f"/grants/{who.grant_id}/objection", {"words": "不对"})
    clerk = await builders.staff(api, agency="human-resources", division="460105")
    at = f"{HERE}/objections/{who.grant_id}/decision"
    decided = await api.post(at, json={"decision": "stop", "note": "已核实在岗"}, headers=clerk)
    assert decided.json()["state"] == "ended"
    none = await who.post("/declarations")
    assert (none.status_code, slug(none)) == (409, "no-grant")


async def test_accounts_and_grants_are_their_holders_own(
    api: httpx.AsyncClient, drawer: Any, officer: dict[str, str]
) -> None:
    who, other = await drawer(account=""), await drawer(account="")
    missing = await api.get(f"{HERE}/bank-account", headers=who.citizen.headers)
    assert (missing.status_code, slug(missing)) == (404, "account-not-found")
    for number in ("", "6228", "6228481234567890123", "62284812345678x0"):
        refused = await who.post("/bank-account", {"number": number})
        assert (refused.status_code, slug(refused)) == (422, "invalid-account"), number
        assert refused.json()["errors"][0]["pointer"] == "/number"
    number = card()
    assert (await who.post("/bank-account", {"number": number})).status_code == 200
    shown = (await api.get(f"{HERE}/bank-account", headers=who.citizen.headers)).json()["number"]
    assert "*" in shown
    assert shown.endswith(number[-4:])
    at = f"{HERE}/grants/{who.grant_id}/payments"
    assert (await api.get(at, headers=other.citizen.headers)).status_code == 404
    assert (await other.post(f"/grants/{who.grant_id}/objection", {"words": "?"})).status_code == 404
    assert (await api.get(at)).status_code == 401
    clerk = await builders.staff(api, agency="human-resources", division="460105", role="officer")
    assert (await api.get(f"{HERE}/batches", headers=clerk)).status_code == 403, "the fund is the province's"
    missing = await api.post(f"{HERE}/batches/{UUID(int=7)}/release", headers=officer)
    assert (missing.status_code, slug(missing)) == (404, "batch-not-found")


async def test_a_bank_that_is_away_is_asked_again(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, drawer: Any, officer: dict[str, str]
) -> None:
    who = await drawer()
    await run.run()
    await batches.make()
    await release_all(api, officer)
    await sandbox.post("/faults", json={"register": "bank", "mode": "error"})
    await banking.send()
    away = await api.get(f"{HERE}/reconciliation", headers=officer)
    assert away.status_code in (200, 503)
    await sandbox.post("/faults", json={"register": "bank", "mode": "off"})
    await registers.close()
    registers.install(RegisterClient(os.environ["HAIYIBAN_REGISTERS_URL"], key="sandbox"))
    await banking.send()
    await banking.read_back()
    assert await who.states() == ["paid"]


async def test_the_books_agree_to_the_fen_after_a_kill_at_every_step(
    api: httpx.AsyncClient,
    drawer: Any,
    officer: dict[str, str],
    database: Database,
    environ: dict[str, str],
    worker: subprocess.Popen[bytes],
) -> None:
    """A worker is killed where it hurts most, again and again; the next one takes up what is there."""
    people = [await drawer(), await drawer(account="closed"), await drawer()]
    # The other worker of these tests must not do meanwhile what the dying ones left undone.
    worker.send_signal(signal.SIGSTOP)
    try:
        for step in STEPS:
            ended = await _worker(environ, step)
            assert ended == -signal.SIGKILL, f"{step}: {ended}"
        assert await _worker(environ) == 0
    finally:
        worker.send_signal(signal.SIGCONT)
    assert [await who.states() for who in people] == [["paid"], ["returned"], ["paid"]]
    assert await agree(api, officer) == 2 * benefit()
    async with database.reading() as look:
        used = [(await look.get_one(Grant, who.grant_id)).used for who in people]
        batch_sums = list(await look.scalars(select(Batch.total_fen)))
    assert used == [1, 0, 1]
    assert sum(batch_sums) == 3 * benefit(), "each month stands in one file, however many workers began one"
    found = await reconciling.reconcile()
    assert (found.paid_fen, found.bank_fen) == (2 * benefit(), 2 * benefit())


async def _worker(environ: dict[str, str], *step: str) -> int:
    command = (sys.executable, "-m", "tests.zones.unemployment.dying_worker", *step)
    root = Path(__file__).parents[3]
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environ}, cwd=root)
    return await process.wait()


AT = datetime.fromisoformat("2026-12-05T06:20:00+08:00")


def test_the_same_payments_are_the_same_bytes_and_names_keep_their_rare_characters() -> None:
    transfers = [Transfer("a1", 150_300, "李𠅤 & <b>", "6228480402564890018", "2026-12")]
    file = payment_file("m1", transfers, payer="失业保险基金", made_at=AT)
    assert file == payment_file("m1", transfers, payer="失业保险基金", made_at=AT)
    text = file.decode()
    assert "<CtrlSum>1503.00</CtrlSum>" in text
    assert "李𠅤 &amp; &lt;b&gt;" in text


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"not xml",
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        b"<Document/>",
        b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">'
        b"<OrgnlMsgId>other</OrgnlMsgId></Document>",
    ],
)
def test_what_is_not_the_banks_document_is_refused(document: bytes) -> None:
    with pytest.raises(NotTheDocument):
        read_report(document, message_id="m1")
    with pytest.raises(NotTheDocument):
        read_statement(document)


@pytest.mark.parametrize(
    ("number", "is_one"),
    [("6228480402564890018", True), ("6228480402564890019", False), ("4111111111111111", True), ("0", False)],
)
def test_a_card_number_checks_itself(number: str, is_one: bool) -> None:
    """ISO/IEC 7812-1 (Luhn)."""
    assert rules.is_account_number(number) is is_one


async def test_an_officer_looks_into_a_file_and_sees_what_the_bank_said(
    api: httpx.AsyncClient, officer: dict[str, str], drawer: Any
) -> None:
    await drawer(account="closed")
    await pay_everything(api, officer)
    [batch] = (await api.get(f"{HERE}/batches", headers=officer)).json()["items"]
    at = f"{HERE}/batches/{batch['id']}/payments"
    [payment] = (await api.get(at, headers=officer)).json()["items"]
    assert (payment["state"], payment["attempt"], payment["amountFen"]) == ("returned", 0, batch["totalFen"])
    assert payment["reason"]
    nowhere = await api.get(at.replace(batch["id"], str(UUID(int=1))), headers=officer)
    assert (nowhere.status_code, slug(nowhere)) == (404, "batch-not-found")
    clerk = await builders.staff(api, agency="human-resources", division="460000")
    assert (await api.get(at, headers=clerk)).status_code == 403
