"""Codes bound to a phone: made over HTTP by a phone of our own, withdrawn by what happens behind them."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, update

from haiyiban import certificates, clock
from haiyiban.audit.models import AuditRecord
from haiyiban.codes import capsules
from haiyiban.codes.claims import CertificateBody, DeviceKey, Kind
from haiyiban.codes.envelope import parse_capsule
from haiyiban.codes.models import Capsule
from haiyiban.codes.withdrawn import withdraw
from tests import builders
from tests.phone import Phone, base64url, jwk, new_key
from tests.retention import delete_due


async def test_a_phone_binds_a_childs_notice_for_twelve_hours(phone, notice) -> None:
    await phone.bind("certificate", subjectId=str(notice.id))
    code = parse_capsule(phone.capsule)
    said = code.claims
    assert (said.kind, said.exp - said.iat) == (Kind.CERTIFICATE, 12 * 3600)
    assert said.cnf == DeviceKey.of(phone.key.public_key())
    assert isinstance(said.body, CertificateBody)
    assert (said.body.type, said.body.name) == ("admission-notice", "陈*海")
    assert datetime.fromisoformat(phone.expires_at) == datetime.fromtimestamp(said.exp, UTC)
    assert UUID(phone.id).version == 7


async def test_a_new_nonce_is_sixteen_bytes_and_lives_two_minutes(api, phone) -> None:
    answer = await api.post("/codes/nonces", headers=phone.headers)
    assert answer.status_code == 201
    assert answer.json()["expiresInSeconds"] == 120
    first, second = await phone.nonce(), await phone.nonce()
    assert len(first) == len(second) == 16
    assert first != second


async def test_below_level_three_no_nonce_and_no_capsule(api, sandbox, phone) -> None:
    somebody = await builders.settle(sandbox, builders.Somebody())
    low = Phone(api, await builders.sign_in(api, sandbox, somebody.phone), phone.account_id)
    assert (await api.post("/codes/nonces", headers=low.headers)).status_code == 403
    refused = await low.ask("identity", deviceProof=low.proof(b"n" * 16))
    assert (refused.status_code, builders.slug(refused)) == (403, "step-up-needed")
    assert (await api.post("/codes/nonces")).status_code == 401


async def test_no_capsule_outlives_the_last_day_of_its_certificate(phone, notice, database) -> None:
    today = clock.today()
    async with database.transaction() as session:
        row = await session.get_one(certificates.Certificate, notice.id)
        row.valid_from, row.valid_until = date(2020, 1, 1), today
    await phone.bind("certificate", subjectId=str(notice.id))
    end = datetime.combine(today + timedelta(days=1), datetime.min.time(), clock.SHANGHAI)
    at_most = min(end - timedelta(seconds=1), clock.now() + timedelta(hours=12))
    assert datetime.fromisoformat(phone.expires_at) <= at_most


async def test_a_capsule_is_recorded_with_whom_it_speaks_of(phone, notice, database) -> None:
    await phone.bind("certificate", subjectId=str(notice.id))
    async with database.reading() as session:
        (record,) = await session.scalars(select(AuditRecord).where(AuditRecord.object_id == UUID(phone.id)))
    assert (record.action, record.object_kind) == ("codes.issue-capsule", "capsule")
    assert (record.actor_id, record.reason) == (phone.account_id, "certificate")
    assert record.subject is not None


async def test_a_repeated_request_gets_the_same_capsule_word_for_word(phone, notice) -> None:
    phone.key = new_key()
    body = {"subjectId": str(notice.id), "deviceProof": phone.proof(await phone.nonce())}
    first = await phone.ask("certificate", key="bind once", **body)
    again = await phone.ask("certificate", key="bind once", **body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content


async def test_a_capsule_for_another_account_is_refused(api, sandbox, phone, notice) -> None:
    """A thief's key over the victim's id and nonce, and over the thief's own nonce."""
    nonce = await phone.nonce()
    thief = await signed_in_phone(api, sandbox)
    for proof in (
        thief.proof(nonce),
        thief.proof(nonce, account_id=phone.account_id),
        thief.proof(await thief.nonce(), account_id=phone.account_id),
    ):
        refused = await thief.ask("identity", deviceProof=proof)
        assert_refused(refused, "device-proof-wrong", "/deviceProof")
    # Not theirs to show either, whatever the key.
    assert (await thief.ask("certificate", subjectId=str(notice.id))).status_code == 404
    # The victim's nonce was not used up.
    assert (await phone.ask("identity", deviceProof=phone.proof(nonce))).status_code == 201


async def test_a_proof_over_another_nonce_or_by_another_key_is_wrong(phone) -> None:
    nonce = await phone.nonce()
    other = new_key()
    for body in (
        {"deviceProof": phone.proof(b"n" * 16)},
        {"deviceProof": phone.proof(nonce, account_id=uuid4())},
        {"deviceProof": phone.proof(nonce), "deviceKey": jwk(other)},
    ):
        assert_refused(await phone.ask("identity", **body), "device-proof-wrong", "/deviceProof")


async def test_a_nonce_is_good_once(phone) -> None:
    nonce = await phone.nonce()
    assert (await phone.ask("identity", deviceProof=phone.proof(nonce))).status_code == 201
    phone.key = new_key()
    again = await phone.ask("identity", deviceProof=phone.proof(nonce))
    assert_refused(again, "nonce-used", "/deviceProof")


async def test_of_ten_requests_at_once_over_one_nonce_one_is_bound(phone) -> None:
    proof = phone.proof(await phone.nonce())
    answers = await asyncio.gather(*(phone.ask("identity", deviceProof=proof) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 9
    assert {builders.slug(answer) for answer in answers if answer.status_code == 422} == {"nonce-used"}


async def test_a_nonce_of_more_than_two_minutes_ago_has_expired(phone, monkeypatch) -> None:
    before = clock.now() - timedelta(seconds=121)
    with monkeypatch.context() as earlier:
        earlier.setattr(clock, "now", lambda: before)
        nonce = await phone.nonce()
    refused = await phone.ask("identity", deviceProof=phone.proof(nonce))
    assert_refused(refused, "nonce-expired", "/deviceProof")


async def test_a_device_key_is_for_one_capsule(api, sandbox, phone) -> None:
    await phone.bind("identity")
    again = await phone.ask("identity")
    assert_refused(again, "device-key-used", "/deviceKey", status=409)
    stranger = await signed_in_phone(api, sandbox)
    stranger.key = phone.key
    assert_refused(await stranger.ask("identity"), "device-key-used", "/deviceKey", status=409)


async def test_key_and_proof_are_read_before_anything_else(phone) -> None:
    der = base64url(phone.key.sign(b"anything", ec.ECDSA(hashes.SHA256())))
    private = jwk(phone.key) | {"d": base64url(b"1" * 32)}
    good = phone.proof(b"n" * 16)
    for body, slug, pointer in (
        ({"deviceProof": der}, "device-proof-malformed", "/deviceProof"),
        ({"deviceProof": good, "deviceKey": private}, "device-key-malformed", "/deviceKey"),
        ({"deviceProof": good, "deviceKey": {}}, "device-key-malformed", "/deviceKey"),
        ({"deviceProof": good, "deviceKey": None}, "device-key-incomplete", "/deviceKey"),
        ({"deviceProof": None}, "device-key-incomplete", "/deviceProof"),
    ):
        assert_refused(await phone.ask("identity", **body), slug, pointer)
    for body in ({"deviceProof": 5}, {"deviceProof": "x" * 201}, {"deviceProof": good, "deviceKey": "text"}):
        assert (await phone.ask("identity", **body)).status_code == 400


async def test_only_a_valid_certificate_is_bound(phone, notice) -> None:
    await notice.change(certificates.suspend, reason="核查")
    refused = await phone.ask("certificate", subjectId=str(notice.id))
    assert (refused.status_code, builders.slug(refused)) == (409, "certificate-not-valid")
    assert refused.json()["state"] == "suspended"


async def test_a_capsule_tells_its_state_and_has_no_picture(api, phone, notice, scan) -> None:
    await phone.bind("certificate", subjectId=str(notice.id))
    path = f"/codes/{phone.id}"
    state = (await api.get(path, headers=phone.headers)).json()
    assert (state["kind"], state["state"], state["expiresAt"]) == ("certificate", "active", phone.expires_at)
    assert "usedAt" not in state
    assert (await scan(phone.show(now())))["outcome"] == "valid"
    used = (await api.get(path, headers=phone.headers)).json()
    assert used["state"] == "active"
    assert used["usedBy"].startswith("滨海小学")
    picture = await api.get(f"{path}/image.svg", headers=phone.headers)
    assert (picture.status_code, builders.slug(picture)) == (409, "drawn-on-the-phone")


async def test_another_persons_capsule_is_not_there(api, sandbox, phone) -> None:
    await phone.bind("identity")
    stranger = await builders.resident(api, sandbox)
    for path in (f"/codes/{phone.id}", f"/codes/{phone.id}/image.svg"):
        assert (await api.get(path, headers=stranger)).status_code == 404


async def test_signing_out_withdraws_the_capsules_of_the_phone_at_once(api, sandbox, scan, accredit) -> None:
    """By itself, and from another phone."""
    counter = await accredit("counter")
    somebody = await builders.settle(sandbox, builders.Somebody())
    one = await signed_in_phone(api, sandbox, somebody)
    other = await signed_in_phone(api, sandbox, somebody)
    third = await signed_in_phone(api, sandbox, somebody)
    for phone in (one, other, third):
        await phone.bind("identity")
    assert (await api.delete("/auth/sessions/current", headers=one.headers)).status_code == 204
    sessions = (await api.get("/auth/sessions", headers=third.headers)).json()["items"]
    (remote,) = [each["id"] for each in sessions if not each["current"]]
    assert (await api.delete(f"/auth/sessions/{remote}", headers=third.headers)).status_code == 204
    for phone, outcome in ((one, "denied"), (other, "denied"), (third, "valid")):
        answer = await scan(phone.show(now()), purpose="counter", by=counter)
        assert answer["outcome"] == outcome
    state = await api.get(f"/codes/{one.id}", headers=third.headers)
    assert state.json()["state"] == "withdrawn"


async def test_what_issued_a_capsule_can_withdraw_it(phone, scan, database) -> None:
    await phone.bind("identity")
    async with database.transaction() as session:
        row = await session.get_one(Capsule, UUID(phone.id))
        await withdraw(session, Kind.IDENTITY, [row.ref], now=clock.now())
    assert (await scan(phone.show(now()), purpose="counter"))["outcome"] == "denied"


async def test_capsules_are_forgotten_a_week_after_their_end(phone, database) -> None:
    old = await bound_row(phone, database, ended=timedelta(days=8))
    recent = await bound_row(phone, database, ended=timedelta(days=6))
    for _ in range(2):
        await delete_due(capsules.TERM)
    async with database.reading() as session:
        assert await session.get(Capsule, old) is None
        assert await session.get(Capsule, recent) is not None


async def bound_row(phone: Phone, database, *, ended: timedelta) -> UUID:
    await phone.bind("identity")
    async with database.transaction() as session:
        at = clock.now() - ended
        await session.execute(update(Capsule).where(Capsule.id == UUID(phone.id)).values(expires_at=at))
    return UUID(phone.id)


async def signed_in_phone(api, sandbox, somebody: builders.Somebody | None = None) -> Phone:
    somebody = somebody or await builders.settle(sandbox, builders.Somebody())
    headers = await builders.sign_in(api, sandbox, somebody.phone)
    await builders.prove(api, headers, somebody)
    me = (await api.get("/me", headers=headers)).json()
    return Phone(api, headers, UUID(me["accountId"]))


def now() -> int:
    return int(clock.now().timestamp())


def assert_refused(answer, slug: str, pointer: str, *, status: int = 422) -> None:
    assert (answer.status_code, builders.slug(answer)) == (status, slug), answer.text
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert error["message"]
