"""Each outcome of an online verification, over HTTP."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from haiyiban import certificates, clock
from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.codes import base45
from haiyiban.codes.claims import CertificateBody, Claims, Kind
from haiyiban.codes.cti import new_code_id
from haiyiban.codes.envelope import PREFIX, sign_form_a, to_text
from haiyiban.codes.models import Verification
from haiyiban.codes.signing import code_keys
from haiyiban.crypto import SigningKey
from haiyiban.signatures import kid_of, new_private_key
from tests import builders


async def test_a_school_verifies_an_admission_notice(notice, show, scan) -> None:
    code = await show(notice)
    answer = await scan(code["text"], place="东门")
    assert answer["outcome"] == "valid"
    assert answer["kind"] == "certificate"
    assert answer["holder"]["name"] == "陈*海"
    certificate = answer["certificate"]
    assert certificate["type"] == "admission-notice"
    assert certificate["typeName"] == "小学新生录取通知书"
    assert certificate["status"] == "valid"
    assert certificate["validUntil"] == "2099-09-30"
    assert certificate["claims"] == {
        "school": "秀英区滨海小学",
        "schoolYear": 2027,
        "reportFrom": "2027-08-25",
    }
    assert answer["reason"]
    assert answer["advice"]


async def test_a_purpose_shows_no_more_than_it_needs(notice, show, scan) -> None:
    code = await show(notice)
    answer = await scan(code["text"], purpose="gate")
    assert answer["certificate"]["claims"] == {"school": "秀英区滨海小学"}


async def test_english_is_answered_in_english(notice, show, scan, school) -> None:
    code = await show(notice)
    answer = await scan(code["text"], by=school | {"Accept-Language": "en"})
    assert answer["certificate"]["typeName"] == "Primary school admission notice"
    assert answer["reason"] == "The code is valid."


async def test_a_code_works_once(notice, show, scan, accredit) -> None:
    code = await show(notice)
    assert (await scan(code["text"]))["outcome"] == "valid"
    again = await scan(code["text"])
    assert again["outcome"] == "already_used"
    assert "certificate" not in again
    assert "holder" not in again
    elsewhere = await scan(code["text"], by=await accredit("enrolment"))
    assert elsewhere["outcome"] == "already_used"


async def test_of_twenty_at_once_exactly_one_is_let_in(notice, show, scan) -> None:
    code = await show(notice)
    answers = await asyncio.gather(*(scan(code["text"]) for _ in range(20)))
    outcomes = sorted(answer["outcome"] for answer in answers)
    assert outcomes == ["already_used"] * 19 + ["valid"]
    assert len({answer["id"] for answer in answers}) == 20


async def test_revoked_and_suspended_certificates_are_seen_at_once(notice, show, scan) -> None:
    first, second = await show(notice), await show(notice)
    await notice.change(certificates.suspend, reason="核查")
    suspended = await scan(first["text"])
    assert suspended["outcome"] == "suspended"
    assert suspended["certificate"]["status"] == "suspended"
    assert suspended["certificate"]["claims"] == {}
    assert "holder" not in suspended
    await notice.change(certificates.revoke, reason="录取取消")
    revoked = await scan(second["text"])
    assert revoked["outcome"] == "revoked"
    assert revoked["certificate"]["status"] == "revoked"
    # Refused ones did not use the code up, and stay refused.
    assert (await scan(first["text"]))["outcome"] == "revoked"


async def test_the_old_version_of_a_corrected_certificate_is_refused(api, notice, show, scan) -> None:
    code = await show(notice)
    newer = await notice.change(
        certificates.correct,
        claims={
            "name": "陈小海",
            "idNumber": builders.id_number(),
            "school": "秀英区长滨小学",
            "schoolYear": 2027,
        },
        reason="更正校名",
    )
    answer = await scan(code["text"])
    assert (answer["outcome"], answer["certificate"]["status"]) == ("revoked", "superseded")
    notice.id = newer.id
    fresh = await scan((await show(notice))["text"])
    assert fresh["certificate"]["claims"]["school"] == "秀英区长滨小学"


async def test_the_statement_judges_a_certificate_as_the_rule_does(notice, scan, database) -> None:
    today = clock.today()
    for stored in ("valid", "suspended", "revoked", "superseded"):
        for end in (None, today, today - timedelta(days=1)):
            async with database.transaction() as session:
                await session.execute(
                    text(
                        "UPDATE certificates_certificate SET status = :s, valid_until = :u,"
                        " valid_from = '2020-01-01' WHERE id = :i"
                    ),
                    {"s": stored, "u": end, "i": notice.id},
                )
            answer = await scan(await _signed(notice, database))
            rule = certificates.status_on(stored, end, today=today)
            expected = {"superseded": "revoked"}.get(rule.value, rule.value)
            assert answer["outcome"] == expected, (stored, end)


async def test_the_kind_that_was_expected(notice, show, scan) -> None:
    code = await show(notice)
    wrong = await scan(code["text"], expectedKind="health")
    assert (wrong["outcome"], wrong["kind"]) == ("wrong_kind", "certificate")
    assert "certificate" not in wrong
    assert (await scan(code["text"], expectedKind="certificate"))["outcome"] == "valid"


async def test_a_shop_may_not_see_an_admission_notice(notice, show, scan, accredit) -> None:
    code = await show(notice)
    shop = await accredit("shop", name="免税店")
    for purpose in ("shop", "enrolment"):
        answer = await scan(code["text"], by=shop, purpose=purpose)
        assert answer["outcome"] == "not_entitled"
        assert not {"certificate", "holder", "kind"} & set(answer)
    assert (await scan(code["text"]))["outcome"] == "valid"


async def test_wrong_kind_comes_before_entitlement(notice, show, scan, accredit) -> None:
    code = await show(notice)
    shop = await accredit("shop")
    answer = await scan(code["text"], by=shop, purpose="shop", expectedKind="voucher")
    assert answer["outcome"] == "wrong_kind"


async def test_times_are_judged_by_the_servers_clock(notice, scan, database) -> None:
    now = clock.now()
    outcomes = [
        (await scan(await _signed(notice, database, iat=now + timedelta(seconds=offset))))["outcome"]
        for offset in (-70, -62, 3, 20)
    ]
    assert outcomes == ["expired", "valid", "valid", "not_yet_valid"]


async def test_a_foreign_key_is_an_unknown_issuer(notice, scan, database) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    foreign = SigningKey(kid_of(private.public_key()), private, clock.now())
    answer = await scan(await _signed(notice, database, key=foreign))
    assert answer["outcome"] == "unknown_issuer"
    assert not {"certificate", "holder", "kind"} & set(answer)


async def test_a_forger_who_claims_our_key_has_a_bad_signature(notice, scan, database, settings) -> None:
    private = new_private_key(settings.suite)
    forged = SigningKey(code_keys(clock.now()).signing[-1].kid, private, clock.now())
    answer = await scan(await _signed(notice, database, key=forged))
    assert answer["outcome"] == "bad_signature"


async def test_our_key_signs_no_kind_that_we_do_not_issue(notice, scan, database) -> None:
    answer = await scan(await _signed(notice, database, kind=15))
    assert answer["outcome"] == "unknown_issuer"


async def test_a_code_whose_certificate_cannot_be_found_is_never_valid(notice, scan, database) -> None:
    answer = await scan(await _signed(notice, database, cti=bytes(16)))
    assert answer["outcome"] == "unavailable"


@pytest.mark.parametrize(
    "scanned",
    [
        "",
        "x",
        PREFIX,
        "HYB2:ABC",
        "https://example.com/",
        PREFIX + "A" * 1100,
        "你好",
        PREFIX + "ABC",
        "HYB1",
    ],
)
async def test_what_is_not_a_code_is_malformed(scan, scanned) -> None:
    answer = await scan(scanned)
    assert answer["outcome"] == "malformed"


async def test_a_cut_off_code_is_malformed(notice, show, scan) -> None:
    code = await show(notice)
    for length in (10, 100, len(code["text"]) - 1):
        assert (await scan(code["text"][:length]))["outcome"] == "malformed"


async def test_scanners_end_lines(notice, show, scan) -> None:
    code = await show(notice)
    assert (await scan(code["text"] + "\r\n"))["outcome"] == "valid"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(flips=st.lists(st.integers(min_value=0, max_value=160 * 8 - 1), min_size=1, max_size=3, unique=True))
async def test_a_flipped_bit_is_never_valid(notice, show, scan, flips: list[int]) -> None:
    original = (await show(notice))["text"]
    data = bytearray(base45.decode(original.removeprefix(PREFIX)))
    for flip in flips:
        data[flip // 8 % len(data)] ^= 1 << flip % 8
    if to_text(bytes(data)) == original:
        return
    answer = await scan(to_text(bytes(data)))
    assert answer["outcome"] in {"malformed", "unknown_issuer", "bad_signature"}


async def test_who_may_verify(api, notice, show, accredit) -> None:
    body = {"text": (await show(notice))["text"], "purpose": "enrolment"}
    assert (await api.post("/verifications", json=body)).status_code == 401
    assert (await api.post("/verifications", json=body, headers=notice.keeper)).status_code == 403
    school = await accredit("enrolment")
    unknown = await api.post("/verifications", json=body | {"purpose": "fun"}, headers=school)
    assert unknown.status_code == 422
    assert unknown.json()["type"] == "/problems/verifiers/unknown-purpose"
    assert unknown.json()["errors"][0]["pointer"] == "/purpose"
    for wrong in ({"text": 1}, {"expectedKind": "dog"}, {"surprise": 1}, {"challenge": "abc"}):
        assert (await api.post("/verifications", json=body | wrong, headers=school)).status_code == 400


async def test_a_verification_is_read_again_by_its_verifier_only(
    api, notice, show, scan, school, accredit
) -> None:
    answer = await scan((await show(notice))["text"])
    path = f"/verifications/{answer['id']}"
    assert (await api.get(path, headers=school)).json() == answer
    assert (await api.get(path, headers=await accredit("enrolment"))).status_code == 404
    assert (await api.get(path)).status_code == 401
    assert (await api.get(path, headers=notice.keeper)).status_code == 403


async def test_every_verification_is_recorded_and_in_the_audit(notice, show, scan, database) -> None:
    code = await show(notice)
    answers = [
        await scan(code["text"], place="北门"),
        await scan(code["text"]),
        await scan("nonsense"),
    ]
    async with database.reading() as session:
        pseudonym = await session.scalar(
            select(AuditSubject.pseudonym).where(AuditSubject.person_id == notice.child_id)
        )
        for answer in answers:
            row = await session.get_one(Verification, answer["id"])
            record = await session.get_one(AuditRecord, answer["id"])
            assert row.outcome == record.outcome == answer["outcome"]
            assert record.action == "codes.verify"
            assert record.actor_unit.startswith("滨海小学")
            assert record.reason == row.purpose == "enrolment"
            assert record.object_id == row.id
            assert record.subject == (None if answer["outcome"] == "malformed" else pseudonym)
        valid = await session.get_one(AuditRecord, answers[0]["id"])
        assert valid.fields == ["school", "schoolYear", "reportFrom", "reportUntil"]
        used = await session.get_one(AuditRecord, answers[1]["id"])
        assert used.fields == []


async def _signed(notice, database, *, iat=None, key=None, cti=None, kind=Kind.CERTIFICATE) -> str:
    """A code as an attacker, a wrong clock or another server would make it."""
    keys = code_keys(clock.now())
    async with database.reading() as session:
        row = await session.get_one(certificates.Certificate, notice.id)
    iat = int((iat or clock.now()).timestamp())
    claims = Claims(
        iss=keys.issuer,
        iat=iat,
        exp=iat + 60,
        cti=cti or keys.cti.seal(new_code_id(Kind.CERTIFICATE, row.ref, now=clock.now())),
        kind=kind,
        body=CertificateBody(row.type, row.holder_masked, date(2099, 9, 30)),
    )
    return sign_form_a(claims, key or keys.signing[-1])
