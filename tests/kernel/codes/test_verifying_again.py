"""A terminal that lost the answer asks again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import func, select

from haiyiban import clock
from haiyiban.audit.models import AuditRecord
from haiyiban.codes.models import Verification


async def test_the_same_key_gets_the_first_answer_word_for_word(api, notice, show, school) -> None:
    body = {"text": (await show(notice))["text"], "purpose": "enrolment", "place": "东门"}
    headers = school | {"Idempotency-Key": str(uuid4())}
    first = await api.post("/verifications", json=body, headers=headers)
    assert first.json()["outcome"] == "valid"
    again = await api.post("/verifications", json=body, headers=headers | {"Accept-Language": "en"})
    assert again.content == first.content


async def test_five_at_once_with_one_key_get_one_answer(api, notice, show, school, database) -> None:
    body = {"text": (await show(notice))["text"], "purpose": "enrolment"}
    headers = school | {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(
        *(api.post("/verifications", json=body, headers=headers) for _ in range(5))
    )
    assert {answer.content for answer in answers} == {answers[0].content}
    assert answers[0].json()["outcome"] == "valid"
    async with database.reading() as session:
        for table, column in ((Verification, Verification.id), (AuditRecord, AuditRecord.object_id)):
            count = select(func.count()).select_from(table).where(column == answers[0].json()["id"])
            assert await session.scalar(count) == 1


async def test_the_first_answer_comes_even_when_the_code_has_expired(notice, show, scan) -> None:
    code = await show(notice)
    first = await scan(code["text"], key="a")
    offset = timedelta(minutes=2).total_seconds()
    try:
        clock.shift(offset)
        assert await scan(code["text"], key="a") == first
        assert (await scan(code["text"], key="b"))["outcome"] == "expired"
    finally:
        clock.shift(0)


async def test_a_refusal_is_repeated_too(notice, show, scan) -> None:
    code = await show(notice)
    first = await scan(code["text"], key="wrong", expectedKind="health")
    assert first["outcome"] == "wrong_kind"
    assert await scan(code["text"], key="wrong", expectedKind="health") == first
    assert (await scan(code["text"], key="right"))["outcome"] == "valid"
    assert await scan(code["text"], key="wrong", expectedKind="health") == first


async def test_another_key_with_the_same_code_is_already_used(notice, show, scan) -> None:
    code = await show(notice)
    assert (await scan(code["text"], key="one"))["outcome"] == "valid"
    used = await scan(code["text"], key="two")
    assert used["outcome"] == "already_used"
    assert await scan(code["text"], key="two") == used
    assert (await scan(code["text"], key="one"))["outcome"] == "valid"


async def test_a_key_belongs_to_one_request(api, notice, show, school, scan) -> None:
    first = await show(notice)
    await scan(first["text"], key="k")
    for other in (
        {"text": (await show(notice))["text"], "purpose": "enrolment"},
        {"text": first["text"], "purpose": "gate"},
        {"text": first["text"], "purpose": "enrolment", "place": "别处"},
    ):
        refused = await api.post("/verifications", json=other, headers=school | {"Idempotency-Key": "k"})
        assert refused.status_code == 422
        assert refused.json()["type"].endswith("/idempotency-mismatch")


async def test_two_verifiers_may_use_the_same_key(notice, show, scan, accredit) -> None:
    other = await accredit("enrolment")
    assert (await scan((await show(notice))["text"], key="1"))["outcome"] == "valid"
    assert (await scan((await show(notice))["text"], key="1", by=other))["outcome"] == "valid"


async def test_a_key_has_a_length(api, notice, show, school) -> None:
    body = {"text": (await show(notice))["text"], "purpose": "enrolment"}
    refused = await api.post("/verifications", json=body, headers=school | {"Idempotency-Key": "x" * 129})
    assert refused.status_code == 400


async def test_keys_crossed_between_codes_end_in_one_valid_each(notice, show, scan) -> None:
    codes = [(await show(notice))["text"] for _ in range(4)]
    answers = await asyncio.gather(
        *(scan(code, key=f"{key}-{number}") for number, code in enumerate(codes) for key in ("a", "b", "c"))
    )
    outcomes = sorted(answer["outcome"] for answer in answers)
    assert outcomes == ["already_used"] * 8 + ["valid"] * 4
