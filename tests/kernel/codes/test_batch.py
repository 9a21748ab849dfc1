"""What terminals verified offline, uploaded: judged again, found where a code was used twice, never lost."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from haiyiban import certificates, clock
from haiyiban.audit.models import AuditRecord
from haiyiban.codes import terms as codes_terms
from haiyiban.codes.models import Verification
from haiyiban.codes.offline_records import OfflineBatch, OfflineVerification
from haiyiban.db import Database
from haiyiban.identity.models import SignIn
from haiyiban.terms import YEAR
from tests import terminal as terminals
from tests.builders import slug
from tests.phone import Phone
from tests.retention import delete_due
from tests.terminal import Terminal

TERM_OF = {term.data_class: term for term in codes_terms.TERMS}
Enrol = Callable[..., Awaitable[Terminal]]


@pytest.fixture
async def verifier_id(database: Database) -> UUID:
    """A school with terminals."""
    return await terminals.accredited_for(database, "enrolment", "gate")


@pytest.fixture
def enrolled(api: httpx.AsyncClient, database: Database, verifier_id: UUID) -> Enrol:
    """Enrols a terminal of the school, or of `owner`."""

    async def made(owner: UUID | None = None, *, name: str = "东门一号") -> Terminal:
        return await terminals.enrolled_at(api, database, owner or verifier_id, name=name)

    return made


@pytest.fixture
async def gate(enrolled: Enrol) -> Terminal:
    """A terminal."""
    return await enrolled()


async def results(terminal: Terminal, batch: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    answer = await terminal.upload(batch)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


async def test_an_offline_verification_is_judged_again_and_the_holder_reads_of_it(
    api, notice, show, gate
) -> None:
    text = (await show(notice))["text"]
    assert gate.scan(text) == "valid"
    verified_at = gate.queue[0]["verifiedAt"]
    answer = await gate.upload()
    assert answer.status_code == 200, answer.text
    assert (answer.json()["sequence"], answer.json()["nextSequence"]) == (1, 2)
    (result,) = answer.json()["results"]
    assert result == {
        "id": result["id"],
        "kept": True,
        "outcome": "valid",
        "recomputed": "valid",
        "agrees": True,
        "doubleUse": False,
        "note": None,
    }
    (seen,) = (await api.get("/me/access-log", headers=notice.keeper)).json()["items"]
    assert seen["who"].startswith("核验方")
    assert (seen["action"], seen["outcome"]) == ("codes.verify-offline", "valid")
    assert seen["what"] == "小学新生录取通知书（离线核验）"
    assert (seen["purpose"], seen["place"]) == ("新生报到核验", "滨海小学东门")
    assert seen["at"][:19] == verified_at[:19]
    assert seen["receivedAt"] >= seen["at"]
    assert seen["fields"] == []


async def test_two_terminals_offline_with_the_same_code(api, database, notice, show, enrolled) -> None:
    east, west = await enrolled(name="东门"), await enrolled(name="西门")
    text = (await show(notice))["text"]
    assert (east.scan(text), west.scan(text)) == ("valid", "valid")
    (first,) = await results(east)
    (second,) = await results(west)
    assert (first["doubleUse"], second["doubleUse"]) == (False, True)
    assert (second["outcome"], second["recomputed"], second["agrees"]) == ("valid", "valid", True)
    assert "核验过一次" in second["note"]
    operator = await terminals.operator_of(api, database)
    listed = await api.get(f"/desk/double-uses?terminal_id={west.id}", headers=operator)
    (entry,) = listed.json()["items"]
    assert (entry["terminal"], entry["recordId"], entry["kind"]) == ("西门", second["id"], "certificate")
    assert (entry["first"]["terminal"], entry["first"]["offline"]) == ("东门", True)
    assert notice.child_name not in listed.text
    newest, oldest = (await api.get("/me/access-log", headers=notice.keeper)).json()["items"]
    assert (oldest["outcome"], newest["outcome"]) == ("valid", "already_used")


async def test_a_code_used_online_is_found_used_again_offline(
    api, database, notice, show, scan, gate
) -> None:
    text = (await show(notice))["text"]
    accepted = await scan(text)
    assert accepted["outcome"] == "valid"
    gate.scan(text)
    (result,) = await results(gate)
    assert result["doubleUse"]
    operator = await terminals.operator_of(api, database)
    (entry,) = (await api.get(f"/desk/double-uses?terminal_id={gate.id}", headers=operator)).json()["items"]
    assert (entry["first"]["verificationId"], entry["first"]["offline"]) == (accepted["id"], False)


async def test_a_code_used_offline_is_found_used_online(notice, show, scan, gate) -> None:
    text = (await show(notice))["text"]
    gate.scan(text)
    assert not (await results(gate))[0]["doubleUse"]
    assert (await scan(text))["outcome"] == "already_used"


async def test_a_code_twice_in_one_batch(notice, show, gate) -> None:
    text = (await show(notice))["text"]
    gate.scan(text)
    gate.scan(text)
    first, second = await results(gate)
    assert sorted([first["doubleUse"], second["doubleUse"]]) == [False, True]


async def test_a_refused_scan_uses_nothing_up(notice, show, scan, gate) -> None:
    text = (await show(notice))["text"]
    gate.remember(text, outcome="stale_lists")
    (result,) = await results(gate)
    assert (result["recomputed"], result["agrees"], result["doubleUse"]) == ("valid", True, False)
    assert (await scan(text))["outcome"] == "valid"


async def test_what_was_revoked_before_and_after(notice, show, gate) -> None:
    before = (await show(notice))["text"]
    gate.scan(before)
    later = (await show(notice))["text"]
    await notice.change(certificates.revoke, reason="测试")
    assert gate.scan(later) == "valid"
    stood, gone = await results(gate)
    assert (stood["recomputed"], stood["agrees"]) == ("valid", True)
    assert "撤销" in stood["note"]
    assert (gone["recomputed"], gone["agrees"], gone["doubleUse"]) == ("revoked", False, False)
    assert "无从得知" in gone["note"]


async def test_a_phone_shown_at_two_gates_in_one_instant(api, notice, enrolled, database) -> None:
    east, west = await enrolled(), await enrolled()
    phone = await _phone(api, notice)
    text = phone.show(int(clock.now().timestamp()))
    assert (east.scan(text), west.scan(text)) == ("valid", "valid")
    other = phone.show(int(clock.now().timestamp()) - 30)
    west.scan(other)
    await results(east)
    again, another_instant = await results(west)
    assert (again["doubleUse"], another_instant["doubleUse"]) == (True, False)


async def test_a_capsule_of_a_phone_that_signed_out_a_moment_before(api, notice, gate, database) -> None:
    phone = await _phone(api, notice)
    text = phone.show(int(clock.now().timestamp()))
    async with database.transaction() as session:
        for sign_in in await session.scalars(select(SignIn).where(SignIn.account_id == phone.account_id)):
            sign_in.ended_at = clock.now()
            sign_in.ended_because = "test"
    gate.scan(text)
    gate.remember(text, outcome="denied")
    let_in, denied = await results(gate)
    assert (let_in["recomputed"], let_in["agrees"]) == ("valid", True)
    assert "收回" in let_in["note"]
    assert (denied["recomputed"], denied["agrees"], denied["doubleUse"]) == ("denied", True, False)


async def test_the_same_batch_again_gets_the_same_answer_word_for_word(notice, show, gate, database) -> None:
    gate.scan((await show(notice))["text"])
    batch = gate.batch()
    first = await gate.upload(batch)
    gate.sequence = 1
    again = await gate.upload(batch)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    signed_anew = gate.signed({name: value for name, value in batch.items() if name != "signature"})
    assert signed_anew["signature"] != batch["signature"]
    assert (await gate.upload(signed_anew)).content == first.content
    english = await gate.api.post(
        "/verifications/batch", json=batch, headers=await gate.headers() | {"Accept-Language": "en"}
    )
    assert english.content == first.content
    async with database.reading() as session:
        assert await _count(session, OfflineVerification, gate) == 1
        assert await _count(session, OfflineBatch, gate) == 1


async def test_the_same_batch_many_times_at_once(notice, show, gate, database) -> None:
    gate.scan((await show(notice))["text"])
    batch, headers = gate.batch(), await gate.headers()
    answers = await asyncio.gather(
        *(gate.api.post("/verifications/batch", json=batch, headers=headers) for _ in range(6))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    async with database.reading() as session:
        assert await _count(session, OfflineVerification, gate) == 1


async def test_batches_come_one_after_the_other(notice, show, gate) -> None:
    gate.scan((await show(notice))["text"])
    gate.sequence = 2
    gap = await gate.upload()
    assert (gap.status_code, slug(gap), gap.json()["nextSequence"]) == (409, "out-of-sequence", 1)
    gate.sequence = gap.json()["nextSequence"]
    await results(gate)
    gate.remember("x", outcome="malformed")
    gate.sequence = 1
    other = await gate.upload()
    assert (other.status_code, slug(other), other.json()["nextSequence"]) == (409, "out-of-sequence", 2)


async def test_a_broken_record_never_loses_the_others(notice, show, gate) -> None:
    good = gate.remember((await show(notice))["text"])
    now = clock.now()
    gate.queue += [
        good | {"verifiedAt": now.isoformat()},
        {
            "id": "too-long",
            "text": "HYB1:" + "A" * 1100,
            "verifiedAt": now.isoformat(),
            "outcome": "malformed",
        },
        "not a record",
        {"id": "no-text", "verifiedAt": now.isoformat(), "outcome": "valid"},
        {"id": "x" * 100, "text": "x", "verifiedAt": now.isoformat(), "outcome": "valid"},
        good | {"id": "future", "verifiedAt": (now + timedelta(minutes=5)).isoformat()},
        good | {"id": "old", "verifiedAt": (now - timedelta(days=32)).isoformat()},
        good | {"id": "before", "verifiedAt": (now - timedelta(days=1)).isoformat()},
        good | {"id": "why", "purpose": "no-such-purpose"},
        good | {"id": "last", "text": "garbage", "outcome": "malformed"},
    ]
    answer = await gate.upload(gate.batch())
    assert answer.status_code == 200, answer.text
    told = answer.json()["results"]
    assert [one["id"] for one in told] == [
        good["id"],
        good["id"],
        "too-long",
        None,
        "no-text",
        None,
        "future",
        "old",
        "before",
        "why",
        "last",
    ]
    assert [one["kept"] for one in told] == [True, False, True, *[False] * 7, True]
    assert told[2]["recomputed"] == "malformed"
    assert told[2]["agrees"]
    refused = [one for one in told if not one["kept"]]
    assert all(one["note"] and one["recomputed"] is None and not one["doubleUse"] for one in refused)
    assert "31" in told[7]["note"]
    gate.queue = [good]
    (again,) = await results(gate)
    assert (again["kept"], again["doubleUse"]) == (False, False)


async def test_purpose_and_place_of_a_record(api, notice, show, gate) -> None:
    gate.remember((await show(notice))["text"])
    gate.queue[0] |= {"purpose": "gate", "place": "操场"}
    gate.remember((await show(notice))["text"])
    gate.queue[1] |= {"purpose": "shop"}
    entitled, not_entitled = await results(gate)
    assert (entitled["recomputed"], not_entitled["recomputed"]) == ("valid", "not_entitled")
    log = (await api.get("/me/access-log", headers=notice.keeper)).json()["items"]
    assert {(one["purpose"], one["place"]) for one in log} == {
        ("门岗放行", "操场"),
        ("购物核销与提货", "滨海小学东门"),
    }


@pytest.mark.parametrize("records", [[], [{}] * 501])
async def test_a_batch_of_nothing_and_of_too_much(gate, records) -> None:
    refused = await gate.upload(gate.signed({"terminalId": gate.id, "sequence": 1, "records": records}))
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/records"


async def test_another_key_and_another_verifier(api, database, gate, enrolled) -> None:
    gate.remember("x", outcome="malformed")
    stranger = await enrolled(await terminals.accredited_for(database, "enrolment"))
    neighbour = await enrolled()
    forged = neighbour.signed({"terminalId": gate.id, "sequence": 1, "records": gate.queue})
    for sender in (gate, neighbour):
        refused = await sender.upload(forged)
        assert (refused.status_code, slug(refused)) == (422, "bad-batch-signature")
    not_theirs = await stranger.upload(gate.batch())
    assert (not_theirs.status_code, slug(not_theirs)) == (404, "terminal-not-found")
    async with database.reading() as session:
        assert await _count(session, OfflineBatch, gate) == 0
    assert (await results(gate))[0]["kept"]


async def test_a_stolen_secret_signs_no_batch_and_a_suspended_terminal_uploads_none(
    api, database, gate
) -> None:
    gate.remember("x", outcome="malformed")
    thief = Terminal(api)
    thief.client, thief.id, thief.queue = gate.client, gate.id, gate.queue
    refused = await thief.upload()
    assert (refused.status_code, slug(refused)) == (422, "bad-batch-signature")
    headers, batch = await gate.headers(), gate.batch()
    operator = await terminals.operator_of(api, database)
    await api.post(f"/desk/terminals/{gate.id}/suspension", json={"reason": "被盗"}, headers=operator)
    assert (await api.post("/verifications/batch", json=batch, headers=headers)).status_code == 401
    assert (await gate.sign_in()).status_code == 403


async def test_a_key_that_was_replaced_signs_nothing_more(api, database, gate) -> None:
    operator = await terminals.operator_of(api, database)
    gate.scan("HYB1:", at=clock.now())
    stale = gate.batch()
    code = await api.post(f"/desk/terminals/{gate.id}/one-time-codes", json={}, headers=operator)
    new = Terminal(api)
    assert (await new.enrol(code.json()["oneTimeCode"])).status_code == 201
    refused = await new.upload(stale)
    assert (refused.status_code, slug(refused)) == (422, "bad-batch-signature")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(data=st.data())
async def test_any_bit_that_is_changed_is_noticed(data, gate) -> None:
    gate.queue.clear()
    gate.remember("HYB1:" + "A" * 30, outcome="malformed", at=clock.now().replace(microsecond=0))
    gate.queue[0]["id"] = "r1"
    body = bytearray(rfc8785.dumps(gate.batch()))
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    body[bit // 8] ^= 1 << bit % 8
    headers = await gate.headers()
    answer = await gate.api.post(
        "/verifications/batch",
        content=bytes(body),
        headers=headers | {"Content-Type": "application/json"},
    )
    assert answer.status_code in {400, 404, 422}, answer.text


async def test_the_signature_has_one_spelling(gate) -> None:
    gate.remember("x", outcome="malformed")
    batch = gate.batch()
    signature = batch["signature"]
    raw = base64.urlsafe_b64decode(signature + "==")
    last = signature[:-1] + next(
        letter
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        if letter != signature[-1] and base64.urlsafe_b64decode(signature[:-1] + letter + "==") == raw
    )
    for other in (signature + "==", signature + "\n", last, "", "A", signature[:-1], "签名"):
        refused = await gate.upload(batch | {"signature": other})
        assert (refused.status_code, slug(refused)) == (422, "bad-batch-signature"), other


async def test_numbers_and_names_are_signed_in_their_one_form(gate) -> None:
    """A body that is spelt otherwise and says the same is the same."""
    gate.remember("x", outcome="malformed")
    batch = gate.batch()
    spelt = json.dumps(dict(reversed(batch.items())), indent=3, ensure_ascii=True)
    answer = await gate.api.post(
        "/verifications/batch",
        content=spelt,
        headers=await gate.headers() | {"Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text


async def test_the_audit_and_the_verifiers_own_look(api, notice, show, gate, database) -> None:
    gate.scan((await show(notice))["text"])
    answer = await gate.upload()
    async with database.reading() as session:
        records = list(
            await session.scalars(
                select(AuditRecord).where(AuditRecord.request_id == answer.headers["x-request-id"])
            )
        )
        kept = await session.scalar(
            select(OfflineVerification).where(OfflineVerification.terminal_id == UUID(gate.id))
        )
    by_action = {record.action: record for record in records}
    assert set(by_action) == {"codes.verify-offline", "codes.upload-batch"}
    offline = by_action["codes.verify-offline"]
    assert offline.subject is not None
    assert offline.actor_unit.endswith(" · 东门一号")
    seen = await api.get(f"/verifications/{kept.id}", headers=await gate.headers())
    assert (seen.status_code, seen.json()["outcome"]) == (200, "valid")
    assert seen.json()["certificate"]["claims"] == {}


async def test_500_records_do_not_keep_others_waiting(notice, show, gate, api, database) -> None:
    texts = [(await show(notice))["text"] for _ in range(50)]
    for _ in range(10):
        for text in texts:
            gate.remember(text)
    headers, batch = await gate.headers(), gate.batch()
    upload = asyncio.create_task(api.post("/verifications/batch", json=batch, headers=headers))
    answered_meanwhile = 0
    while not upload.done():
        # An answer in this process may come without a pause, and then nobody else's turn would.
        await asyncio.sleep(0.01)
        await api.get("/verification-purposes")
        answered_meanwhile += 1
    answer = upload.result()
    assert answer.status_code == 200, answer.text
    assert sum(one["doubleUse"] for one in answer.json()["results"]) == 450
    assert answered_meanwhile > 5
    async with database.reading() as session:
        assert await _count(session, OfflineVerification, gate) == 500
        accepted = await session.scalar(
            select(func.count())
            .select_from(Verification)
            .join(OfflineVerification, OfflineVerification.id == Verification.id)
            .where(OfflineVerification.terminal_id == UUID(gate.id), Verification.outcome == "valid")
        )
    assert accepted == 50


async def _phone(api: httpx.AsyncClient, notice: Any) -> Phone:
    return await Phone(api, notice.keeper, _account(notice)).bind("certificate", subjectId=str(notice.id))


def _account(notice: Any) -> UUID:
    token = notice.keeper["Authorization"].removeprefix("Bearer ").split(".")[1]
    return UUID(json.loads(base64.urlsafe_b64decode(token + "=="))["sub"])


async def _count(session: Any, model: Any, terminal: Terminal) -> int:
    return int(
        await session.scalar(
            select(func.count()).select_from(model).where(model.terminal_id == UUID(terminal.id))
        )
    )


async def test_three_years_after_a_verification_its_record_is_deleted_and_the_audit_stays(
    api, notice, show, scan, gate, database
) -> None:
    code, young = await show(notice), await scan((await show(notice))["text"])
    used = await scan(code["text"], place="北门")
    gate.remember((await show(notice))["text"])
    await results(gate)
    long_ago = clock.now() - 3 * YEAR - timedelta(days=1)
    async with database.transaction() as session:
        of_gate = OfflineVerification.terminal_id == UUID(gate.id)
        [offline] = await session.scalars(select(OfflineVerification).where(of_gate))
        ids, batch_id = [UUID(used["id"]), offline.id], offline.batch_id
        await session.execute(update(Verification).where(Verification.id.in_(ids)).values(at=long_ago))
        (await session.get_one(OfflineBatch, batch_id)).received_at = long_ago
    run = await delete_due(TERM_OF["codes.offline-batches"])
    assert run.held, "an upload stays as long as a verification in it"
    await delete_due(TERM_OF["codes.verifications"])
    await delete_due(TERM_OF["codes.offline-batches"])
    async with database.reading() as session:
        for each in ids:
            assert await session.get(Verification, each) is None
            assert (await session.get_one(AuditRecord, each)).object_id == each
        assert await session.get(OfflineVerification, ids[1]) is None
        assert await session.get(OfflineBatch, batch_id) is None
        assert await session.get(Verification, UUID(young["id"])) is not None
    listed = (await api.get("/me/access-log", headers=notice.keeper)).json()["items"]
    told = {each["id"]: each for each in listed}
    assert told[used["id"]]["outcome"] == "valid"
    assert "place" not in told[used["id"]], "where it was is gone with the record"
    assert told[young["id"]]["what"] == "小学新生录取通知书"
