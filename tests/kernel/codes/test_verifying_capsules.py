"""Codes that a phone drew by itself, verified online: the steps in their order, single use, presence."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from uuid import UUID

import pytest

from haiyiban import certificates, clock
from haiyiban.codes import envelope
from haiyiban.codes.claims import Kind
from haiyiban.codes.models import Capsule
from haiyiban.codes.withdrawn import withdraw
from tests import builders
from tests.phone import Phone, base64url


@pytest.fixture
async def bound(phone: Phone, notice) -> Phone:
    """The parent's phone with a capsule of the child's notice."""
    return await phone.bind("certificate", subjectId=str(notice.id))


async def test_a_school_verifies_a_code_that_the_phone_drew(bound, scan) -> None:
    answer = await scan(bound.show(now()))
    assert (answer["outcome"], answer["kind"]) == ("valid", "certificate")
    assert answer["holder"]["name"] == "陈*海"
    assert answer["certificate"]["claims"]["school"] == "秀英区滨海小学"


async def test_one_instant_of_a_capsule_works_once_and_the_next_works_again(bound, scan) -> None:
    t = now()
    assert (await scan(bound.show(t)))["outcome"] == "valid"
    assert (await scan(bound.show(t)))["outcome"] == "already_used"
    # Another signature over the same instant is the same code.
    assert (await scan(bound.show(t, challenge=b"12345678")))["outcome"] == "already_used"
    assert (await scan(bound.show(t + 1)))["outcome"] == "valid"


async def test_a_stolen_code_played_at_two_verifiers_in_one_second_lets_one_in(bound, scan, accredit) -> None:
    text = bound.show(now())
    others = [await accredit("enrolment") for _ in range(3)]
    answers = await asyncio.gather(*(scan(text, by=by) for by in others for _ in range(4)))
    assert sorted(answer["outcome"] for answer in answers) == ["already_used"] * 11 + ["valid"]


async def test_a_repeated_verification_is_answered_word_for_word(bound, scan) -> None:
    text = bound.show(now())
    first = await scan(text, key="once")
    assert first["outcome"] == "valid"
    assert await scan(text, key="once") == first


@pytest.mark.parametrize(
    ("ahead", "outcome"),
    [(4, "valid"), (30, "not_yet_valid"), (-58, "valid"), (-65, "expired"), (-3600, "expired")],
)
async def test_an_instant_ahead_or_behind(bound, scan, ahead: int, outcome: str) -> None:
    assert (await scan(bound.show(now() + ahead)))["outcome"] == outcome


async def test_of_the_two_twins_of_a_signature_the_high_one_is_bad(bound, scan) -> None:
    assert (await scan(bound.show(now(), low=False)))["outcome"] == "bad_signature"
    assert (await scan(bound.show(now())))["outcome"] == "valid"


async def test_a_capsule_without_its_phone_is_no_code(bound, scan) -> None:
    """Whoever has seen a code has its capsule."""
    assert (await scan(envelope.to_text(bound.capsule)))["outcome"] == "malformed"
    thief = Phone(bound.api, bound.headers, bound.account_id, capsule=bound.capsule)
    assert (await scan(thief.show(now())))["outcome"] == "bad_signature"


async def test_withdrawn_comes_after_the_signature_and_the_time(bound, scan, database) -> None:
    await take_back(bound, database)
    assert (await scan(bound.show(now())))["outcome"] == "denied"
    assert (await scan(bound.show(now(), low=False)))["outcome"] == "bad_signature"
    assert (await scan(bound.show(now() - 90)))["outcome"] == "expired"


async def test_withdrawn_comes_before_kind_and_entitlement_and_certificate(
    bound, notice, scan, accredit, database
) -> None:
    shop = await accredit("shop")
    t = now()
    assert (await scan(bound.show(t), expectedKind="identity"))["outcome"] == "wrong_kind"
    assert (await scan(bound.show(t), by=shop, purpose="shop"))["outcome"] == "not_entitled"
    await notice.change(certificates.revoke, reason="录取取消")
    for by, asked in (
        (None, {}),
        (None, {"expectedKind": "identity"}),
        (shop, {"purpose": "shop"}),
        (None, {"purpose": "gate"}),
    ):
        answer = await scan(bound.show(t), by=by, **asked)
        assert answer["outcome"] == "denied", asked
        assert not {"holder", "certificate", "kind"} & set(answer)


async def test_a_suspension_denies_the_capsule_and_its_end_gives_it_back(bound, notice, scan) -> None:
    await notice.change(certificates.suspend, reason="核查")
    assert (await scan(bound.show(now())))["outcome"] == "denied"
    await notice.change(certificates.reinstate, reason="核查无误")
    assert (await scan(bound.show(now())))["outcome"] == "valid"


async def test_a_correction_denies_the_capsule_of_the_old_version(bound, notice, scan) -> None:
    claims = {"name": notice.child_name, "idNumber": builders.id_number(), "school": "秀英区长滨小学"}
    await notice.change(certificates.correct, claims=claims | {"schoolYear": 2027}, reason="更正校名")
    assert (await scan(bound.show(now())))["outcome"] == "denied"


async def test_a_capsule_that_we_have_no_record_of_is_denied(bound, scan, database) -> None:
    async with database.transaction() as session:
        await session.delete(await session.get_one(Capsule, UUID(bound.id)))
    assert (await scan(bound.show(now())))["outcome"] == "denied"


async def test_a_capsule_past_its_end_has_expired(phone, notice, scan, monkeypatch) -> None:
    with monkeypatch.context() as yesterday:
        before = clock.now() - timedelta(hours=12, seconds=10)
        yesterday.setattr(clock, "now", lambda: before)
        await phone.bind("certificate", subjectId=str(notice.id))
    assert (await scan(phone.show(now())))["outcome"] == "expired"


async def test_a_gate_needs_the_holder_to_be_there(bound, show, notice, scan) -> None:
    """A phone that is lent can sign ahead: without the gate's challenge that shows nobody."""
    refused = await scan(bound.show(now()), purpose="gate")
    assert refused["outcome"] == "not_entitled"
    assert "在场" in refused["reason"]
    assert "动态码" in refused["advice"]
    assert not {"holder", "certificate", "kind"} & set(refused)
    challenge = secrets.token_bytes(8)
    good = await scan(bound.show(now(), challenge=challenge), purpose="gate", challenge=base64url(challenge))
    assert good["outcome"] == "valid"
    # A fresh code of the server's is enough.
    assert (await scan((await show(notice))["text"], purpose="gate"))["outcome"] == "valid"


async def test_a_refusal_for_want_of_presence_uses_nothing_up_and_reads_the_same_later(
    api, bound, scan, school
) -> None:
    t, challenge = now(), secrets.token_bytes(8)
    refused = await scan(bound.show(t), purpose="gate", key="gate")
    assert await scan(bound.show(t), purpose="gate", key="another") | {"id": "", "verifiedAt": ""} == (
        refused | {"id": "", "verifiedAt": ""}
    )
    later = await api.get(f"/verifications/{refused['id']}", headers=school)
    assert later.json() == refused
    shown = bound.show(t, challenge=challenge)
    assert (await scan(shown, purpose="gate", challenge=base64url(challenge)))["outcome"] == "valid"


async def test_who_may_not_see_it_is_told_so_and_not_to_fetch_the_holder(bound, scan, accredit) -> None:
    counter = await accredit("counter")
    refused = await scan(bound.show(now()), by=counter, purpose="gate")
    assert refused["outcome"] == "not_entitled"
    assert "权限" in refused["reason"]


async def test_a_challenge_that_was_shown_must_be_answered(bound, scan) -> None:
    mine, others = base64url(b"mine mine"[:8]), b"another!"
    for text in (bound.show(now()), bound.show(now(), challenge=others)):
        assert (await scan(text, purpose="gate", challenge=mine))["outcome"] == "bad_signature"
    # Where nobody asked for presence a challenge of somebody else's is no harm: it was signed all the same.
    assert (await scan(bound.show(now(), challenge=others)))["outcome"] == "valid"


async def test_what_a_thief_relays_from_another_counter_is_no_presence_here(bound, scan) -> None:
    """A code over the thief's own challenge, which the gate did not show."""
    relayed = bound.show(now(), challenge=secrets.token_bytes(8))
    assert (await scan(relayed, purpose="gate"))["outcome"] == "not_entitled"
    gates = base64url(secrets.token_bytes(8))
    assert (await scan(relayed, purpose="gate", challenge=gates))["outcome"] == "bad_signature"


async def take_back(phone: Phone, database) -> None:
    async with database.transaction() as session:
        row = await session.get_one(Capsule, UUID(phone.id))
        await withdraw(session, Kind.CERTIFICATE, [row.ref], now=clock.now())


def now() -> int:
    return int(clock.now().timestamp())
