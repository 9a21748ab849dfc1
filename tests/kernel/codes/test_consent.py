"""A verifier asks for more than the least, and the holder answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from haiyiban import certificates, clock
from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.codes.models import Consent, Verification
from tests import builders

ASKED = ["school", "name", "idNumber"]


@contextmanager
def later(seconds: float) -> Iterator[None]:
    """The clock of the application so many seconds on."""
    clock.shift(seconds)
    try:
        yield
    finally:
        clock.shift(0)


@pytest.fixture
def ask(show, scan):
    """Scans a fresh code of a notice, asking for more than the purpose shows by itself."""

    async def asked(notice, *, fields: list[str] | None = None, **more: Any) -> dict[str, Any]:
        code = await show(notice)
        answer = await scan(code["text"], fields=fields or ASKED, **more)
        assert answer["outcome"] == "consent_pending", answer
        return dict(answer)

    return asked


@pytest.fixture
def reply(api):
    """Answers as the keeper of a notice, or as `by`."""

    async def replied(notice, asked: dict[str, Any], decision: str = "allow", *, by=None, **more: Any) -> Any:
        body = {"decision": decision} | more
        return await api.post(f"/verifications/{asked['id']}/consent", json=body, headers=by or notice.keeper)

    return replied


@pytest.fixture
def outcome(api, school):
    """Reads a verification as the school."""

    async def read(asked: dict[str, Any]) -> dict[str, Any]:
        answer = await api.get(f"/verifications/{asked['id']}", headers=school)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    return read


async def test_a_holder_allows_and_the_verifier_sees_it_uncovered(notice, ask, reply, outcome) -> None:
    asked = await ask(notice, place="东门")
    assert asked["kind"] == "certificate"
    assert not {"certificate", "holder"} & set(asked)
    assert await outcome(asked) == asked
    allowed = await reply(notice, asked, fields=ASKED)
    assert allowed.status_code == 200, allowed.text
    assert (allowed.json()["decision"], allowed.json()["outcome"]) == ("allow", "valid")
    assert allowed.json()["fields"] == ASKED
    seen = await outcome(asked)
    assert seen["outcome"] == "valid"
    assert seen["holder"] == {"name": notice.child_name}
    claims = seen["certificate"]["claims"]
    assert set(claims) == set(ASKED)
    assert claims["name"] == notice.child_name
    assert "*" not in claims["idNumber"]
    assert await outcome(asked) == seen


async def test_only_what_was_allowed_is_shown(notice, ask, reply, outcome) -> None:
    asked = await ask(notice)
    assert (await reply(notice, asked, fields=["idNumber"])).json()["fields"] == ["idNumber"]
    seen = await outcome(asked)
    assert set(seen["certificate"]["claims"]) == {"idNumber"}
    assert seen["holder"]["name"] == "陈*海"


async def test_all_is_allowed_where_no_fields_are_named(notice, ask, reply, outcome) -> None:
    asked = await ask(notice)
    assert (await reply(notice, asked)).json()["fields"] == ASKED
    assert set((await outcome(asked))["certificate"]["claims"]) == set(ASKED)


async def test_a_holder_refuses(notice, ask, reply, outcome) -> None:
    asked = await ask(notice)
    assert (await reply(notice, asked, "refuse", fields=[])).json()["outcome"] == "consent_refused"
    seen = await outcome(asked)
    assert (seen["outcome"], seen["reason"]) == ("consent_refused", "对方没有同意。")
    assert not {"certificate", "holder"} & set(seen)


async def test_what_the_purpose_shows_by_itself_asks_nobody(notice, show, scan) -> None:
    answer = await scan((await show(notice))["text"], fields=["school", "reportFrom"])
    assert answer["outcome"] == "valid"
    assert answer["certificate"]["claims"] == {
        "school": "秀英区滨海小学",
        "schoolYear": 2027,
        "reportFrom": "2027-08-25",
    }


async def test_beyond_the_most_of_a_purpose_nobody_is_asked(api, notice, show, scan, school) -> None:
    code = await show(notice)
    body = {"text": code["text"], "purpose": "gate", "fields": ["school", "name", "idNumber"]}
    refused = await api.post("/verifications", json=body, headers=school)
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("/fields-beyond-purpose")
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/fields/1", "/fields/2"]
    # Nothing was recorded, so the code still works.
    assert (await scan(code["text"]))["outcome"] == "valid"


async def test_a_bad_code_is_told_before_bad_fields(scan) -> None:
    assert (await scan("nonsense", fields=["everything"]))["outcome"] == "malformed"


@pytest.mark.parametrize("fields", ["name", [1], [""], ["x" * 61], ["name"] * 21])
async def test_fields_are_a_short_list_of_names(api, school, fields) -> None:
    body = {"text": "x", "purpose": "enrolment", "fields": fields}
    assert (await api.post("/verifications", json=body, headers=school)).status_code == 400


async def test_a_code_is_reserved_while_its_holder_is_asked(notice, show, scan, accredit, reply) -> None:
    code = await show(notice)
    asked = await scan(code["text"], fields=ASKED)
    other = await accredit("enrolment")
    for by in (None, other):
        assert (await scan(code["text"], by=by, fields=ASKED))["outcome"] == "already_used"
        assert (await scan(code["text"], by=by))["outcome"] == "already_used"
    await reply(notice, asked, "refuse")
    assert (await scan(code["text"]))["outcome"] == "already_used"


async def test_of_twenty_at_once_exactly_one_asks(notice, show, scan) -> None:
    code = await show(notice)
    answers = await asyncio.gather(
        *(scan(code["text"], fields=ASKED if at % 2 else ["school"]) for at in range(20))
    )
    outcomes = sorted(answer["outcome"] for answer in answers)
    assert outcomes.count("already_used") == 19


async def test_the_first_answer_is_repeated_word_for_word(api, notice, show, school, reply) -> None:
    body = {"text": (await show(notice))["text"], "purpose": "enrolment", "fields": ASKED}
    headers = school | {"Idempotency-Key": str(uuid4())}
    first = await api.post("/verifications", json=body, headers=headers)
    await reply(notice, first.json())
    with later(120):
        again = await api.post("/verifications", json=body, headers=headers)
    assert again.content == first.content
    other = await api.post("/verifications", json=body | {"fields": ["name"]}, headers=headers)
    assert other.json()["type"].endswith("/idempotency-mismatch")


async def test_the_codes_own_end_does_not_matter_once_it_is_reserved(notice, ask, reply, outcome) -> None:
    asked = await ask(notice)
    with later(59):
        assert (await reply(notice, asked)).status_code == 200
    with later(200):
        assert (await outcome(asked))["outcome"] == "valid"


async def test_without_an_answer_in_a_minute_it_is_refused(notice, ask, reply, outcome) -> None:
    asked = await ask(notice)
    with later(61):
        late = await reply(notice, asked)
        assert late.status_code == 409
        assert late.json()["type"].endswith("/consent-over")
        seen = await outcome(asked)
        assert (seen["outcome"], seen["reason"]) == ("consent_refused", "对方没有及时确认。")
        assert (await reply(notice, asked)).status_code == 409
    # Settled for good: a clock that goes back changes nothing.
    assert await outcome(asked) == seen
    assert (await reply(notice, asked)).json()["type"].endswith("/consent-over")


async def test_the_same_answer_twice_is_one_and_another_is_refused(notice, ask, reply, database) -> None:
    asked = await ask(notice)
    first = await reply(notice, asked, fields=["name", "school"])
    again = await reply(notice, asked, fields=["school", "name"])
    assert again.content == first.content
    for decision, fields in (("refuse", []), ("allow", ["name"]), ("allow", ASKED)):
        other = await reply(notice, asked, decision, fields=fields)
        assert other.status_code == 409
        assert other.json()["type"].endswith("/already-answered")
        assert other.json()["state"] == "allow"
    with later(120):
        assert (await reply(notice, asked, fields=["name", "school"])).content == first.content
    async with database.reading() as session:
        answers = select(AuditRecord).where(
            AuditRecord.object_id == asked["id"], AuditRecord.action == "codes.consent"
        )
        assert [record.fields for record in await session.scalars(answers)] == [["school", "name"]]


async def test_two_phones_at_once_give_one_answer(notice, ask, reply, outcome) -> None:
    asked = await ask(notice)
    answers = await asyncio.gather(
        *(reply(notice, asked, "refuse" if at % 2 else "allow") for at in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [409] * 5
    (decision,) = {answer.json()["decision"] for answer in answers if answer.status_code == 200}
    assert (await outcome(asked))["outcome"] == {"allow": "valid", "refuse": "consent_refused"}[decision]


async def test_nobody_else_may_answer(api, sandbox, notice, ask, reply, school, outcome) -> None:
    asked = await ask(notice)
    stranger = await builders.resident(api, sandbox)
    assert (await reply(notice, asked, by=stranger)).status_code == 404
    assert (await reply(notice, asked, by=school)).status_code == 403
    assert (await reply(notice, asked, by={"x": "y"})).status_code == 401
    assert (await reply(notice, {"id": uuid4()})).status_code == 404
    assert (await outcome(asked))["outcome"] == "consent_pending"


async def test_a_verification_that_asked_nothing_has_nothing_to_answer(notice, show, scan, reply) -> None:
    seen = await scan((await show(notice))["text"])
    refused = await reply(notice, seen)
    assert (refused.status_code, builders.slug(refused)) == (404, "consent-not-found")


async def test_only_what_was_asked_for_can_be_allowed(notice, ask, reply, outcome) -> None:
    asked = await ask(notice)
    refused = await reply(notice, asked, fields=["school", "reportFrom"])
    assert (refused.status_code, builders.slug(refused)) == (422, "fields-not-asked")
    assert refused.json()["errors"][0]["pointer"] == "/fields/1"
    nothing = await reply(notice, asked, fields=[])
    assert nothing.json()["errors"][0]["pointer"] == "/fields"
    for wrong in ({"decision": "maybe"}, {"fields": "name"}, {"surprise": 1}):
        assert (await reply(notice, asked, **{"decision": "allow"} | wrong)).status_code == 400
    assert (await outcome(asked))["outcome"] == "consent_pending"


@pytest.mark.parametrize(
    ("verb", "expected"), [(certificates.suspend, "suspended"), (certificates.revoke, "revoked")]
)
async def test_a_certificate_that_fell_meanwhile_is_not_shown(
    notice, ask, reply, outcome, verb, expected
) -> None:
    asked = await ask(notice)
    await notice.change(verb, reason="核查")
    assert (await reply(notice, asked)).json()["outcome"] == expected
    seen = await outcome(asked)
    assert seen["outcome"] == seen["certificate"]["status"] == expected
    assert seen["certificate"]["claims"] == {}
    assert "holder" not in seen


async def test_what_falls_after_the_answer_changes_nothing_told(notice, ask, reply, outcome) -> None:
    asked = await ask(notice)
    await reply(notice, asked)
    seen = await outcome(asked)
    await notice.change(certificates.revoke, reason="录取取消")
    assert await outcome(asked) == seen


async def test_a_revoked_certificate_asks_nobody(notice, show, scan) -> None:
    code = await show(notice)
    await notice.change(certificates.revoke, reason="录取取消")
    assert (await scan(code["text"], fields=ASKED))["outcome"] == "revoked"


async def test_another_phone_finds_what_is_asked(api, sandbox, notice, show, scan, reply) -> None:
    code = await show(notice)
    asked = await scan(code["text"], fields=ASKED, place="东门")
    (item,) = (await api.get("/me/consents", headers=notice.keeper)).json()["items"]
    assert item["id"] == asked["id"]
    assert item["codeId"] == code["id"]
    assert item["verifier"].startswith("滨海小学")
    assert (item["purpose"], item["place"]) == ("新生报到核验", "东门")
    assert item["certificate"] == {
        "id": str(notice.id),
        "type": "admission-notice",
        "typeName": "小学新生录取通知书",
    }
    assert item["fields"] == [
        {"name": "school", "title": "录取学校"},
        {"name": "name", "title": "学生姓名"},
        {"name": "idNumber", "title": "身份证号"},
    ]
    english = await api.get("/me/consents", headers=notice.keeper | {"Accept-Language": "en"})
    assert english.json()["items"][0]["fields"][0]["title"] == "School"
    stranger = await builders.resident(api, sandbox)
    assert (await api.get("/me/consents", headers=stranger)).json() == {"items": []}
    with later(61):
        assert (await api.get("/me/consents", headers=notice.keeper)).json() == {"items": []}
    await reply(notice, asked)
    assert (await api.get("/me/consents", headers=notice.keeper)).json() == {"items": []}


async def test_asking_answering_and_looking_are_in_the_audit(notice, ask, reply, outcome, database) -> None:
    asked = await ask(notice)
    await outcome(asked)
    await reply(notice, asked, fields=["name"])
    await outcome(asked)
    async with database.reading() as session:
        found = await session.scalars(
            select(AuditRecord).where(AuditRecord.object_id == asked["id"]).order_by(AuditRecord.id)
        )
        pseudonym = await session.scalar(
            select(AuditSubject.pseudonym).where(AuditSubject.person_id == notice.child_id)
        )
        records = list(found)
        assert await session.get(Verification, asked["id"])
        assert (await session.get_one(Consent, asked["id"])).fields == ["name"]
    assert [(record.action, record.outcome, record.fields) for record in records] == [
        ("codes.verify", "consent_pending", ASKED),
        ("codes.consent", "allow", ["name"]),
        ("codes.read", "valid", ["name"]),
    ]
    assert {record.subject for record in records} == {pseudonym}
    assert [record.actor_kind for record in records] == ["verifier", "resident", "verifier"]
