"""The counter shows a request, and the holder scans it."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from haiyiban import certificates, clock
from haiyiban.audit.models import AuditRecord
from haiyiban.codes import jws
from haiyiban.codes.signing import code_keys
from haiyiban.verifiers.models import Verifier
from tests import builders
from tests.kernel.codes.test_consent import later


@pytest.fixture
def request_of(api, school):
    """Asks at the counter of the school, or of `by`: the id, and the text that is scanned."""

    async def asked(*, by=None, **more: Any) -> tuple[str, str]:
        answer = await api.post(
            "/presentation-requests", json={"purpose": "enrolment"} | more, headers=by or school
        )
        assert answer.status_code == 201, answer.text
        address, _, text = answer.json()["url"].partition("#")
        assert address.startswith("http")
        assert address.endswith("/m/present")
        return answer.json()["id"], text

    return asked


@pytest.fixture
def preview(api):
    """Looks at what was scanned."""

    async def looked(text: str, by) -> Any:
        return await api.post("/presentation-requests/preview", json={"request": text}, headers=by)

    return looked


@pytest.fixture
def present(api):
    """Answers as the keeper of a notice."""

    async def presented(notice, text: str, **more: Any) -> Any:
        body = {"request": text, "decision": "allow", "subjectId": str(notice.id)} | more
        return await api.post("/presentation-requests/answers", json=body, headers=notice.keeper)

    return presented


@pytest.fixture
def outcome(api, school):
    """Reads the outcome as the school."""

    async def read(request_id: str) -> Any:
        answer = await api.get(f"/verifications/{request_id}", headers=school)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return read


async def test_a_holder_scans_chooses_and_shows(notice, request_of, preview, present, outcome) -> None:
    request_id, text = await request_of(fields=["school", "name"], place="报到处")
    waiting = await outcome(request_id)
    assert (waiting["outcome"], waiting["reason"]) == ("consent_pending", "正在等待对方扫码并确认。")
    seen = await preview(text, notice.keeper)
    assert seen.status_code == 200, seen.text
    assert seen.json()["id"] == request_id
    assert seen.json()["verifier"].startswith("滨海小学")
    assert (seen.json()["purpose"], seen.json()["place"]) == ("新生报到核验", "报到处")
    (certificate,) = seen.json()["certificates"]
    assert (certificate["id"], certificate["holder"]) == (str(notice.id), "陈*海")
    assert [field["title"] for field in certificate["fields"]] == ["录取学校", "学生姓名"]
    assert (await outcome(request_id))["outcome"] == "consent_pending"
    shown = await present(notice, text, fields=["name"])
    assert (shown.status_code, shown.json()["outcome"]) == (200, "valid"), shown.text
    told = await outcome(request_id)
    assert (told["outcome"], told["kind"]) == ("valid", "certificate")
    assert told["holder"] == {"name": notice.child_name}
    assert told["certificate"]["claims"] == {"name": notice.child_name}


async def test_without_fields_it_is_what_the_purpose_shows(notice, request_of, present, outcome) -> None:
    request_id, text = await request_of()
    assert (await present(notice, text)).status_code == 200
    told = await outcome(request_id)
    assert told["holder"]["name"] == "陈*海"
    assert set(told["certificate"]["claims"]) == {"school", "schoolYear", "reportFrom"}


async def test_a_holder_refuses(api, notice, request_of, outcome) -> None:
    request_id, text = await request_of()
    body = {"request": text, "decision": "refuse"}
    refused = await api.post("/presentation-requests/answers", json=body, headers=notice.keeper)
    assert refused.json()["outcome"] == "consent_refused"
    told = await outcome(request_id)
    assert told["outcome"] == "consent_refused"
    assert not {"certificate", "holder"} & set(told)


async def test_one_answer_a_request_and_a_stolen_one_is_too_late(
    api, sandbox, notice, request_of, preview, present, outcome
) -> None:
    request_id, text = await request_of()
    first = await present(notice, text)
    assert (await present(notice, text)).content == first.content
    thief = await builders.resident(api, sandbox)
    for decision in ("refuse", "allow"):
        body = {"request": text, "decision": decision, "subjectId": str(notice.id)}
        late = await api.post("/presentation-requests/answers", json=body, headers=thief)
        assert late.status_code == {"refuse": 409, "allow": 404}[decision]
    assert builders.slug(await preview(text, thief)) == "already-answered"
    other = await present(notice, text, fields=["school"])
    assert (other.status_code, builders.slug(other)) == (409, "already-answered")
    assert (await outcome(request_id))["outcome"] == "valid"


async def test_of_two_people_at_once_one_is_heard(api, sandbox, notice, request_of, present, outcome) -> None:
    request_id, text = await request_of()
    other = await builders.resident(api, sandbox)
    refuse = {"request": text, "decision": "refuse"}
    answers = await asyncio.gather(
        *(present(notice, text) for _ in range(4)),
        *(api.post("/presentation-requests/answers", json=refuse, headers=other) for _ in range(4)),
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [409] * 4
    (decision,) = {answer.json()["decision"] for answer in answers if answer.status_code == 200}
    assert (await outcome(request_id))["outcome"] == {"allow": "valid", "refuse": "consent_refused"}[decision]


async def test_an_altered_or_foreign_request_is_told_so(notice, request_of, preview, present) -> None:
    _, text = await request_of()
    header, payload, signature = text.split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    said["verifier"] = ["别的单位", "Another"]
    forged = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    now = clock.now()
    other_list = jws.sign(b"{}", typ="deny-list+jwt", key=code_keys(now).list_signer(now))
    for wrong in (
        f"{header}.{forged}.{signature}",
        text[:-8],
        "nonsense",
        "a.b.c",
        "é",
        other_list,
        f"{text} x",
    ):
        for answer in (await preview(wrong, notice.keeper), await present(notice, wrong)):
            assert (answer.status_code, builders.slug(answer)) == (422, "presentation-invalid"), wrong
            assert answer.json()["errors"][0]["pointer"] == "/request"
    assert (await preview("x" * 4001, notice.keeper)).status_code == 400


async def test_after_five_minutes_it_is_over(notice, request_of, preview, present, outcome) -> None:
    clock.shift(-290)
    try:
        request_id, text = await request_of()
    finally:
        clock.shift(0)
    with later(15):
        for answer in (await preview(text, notice.keeper), await present(notice, text)):
            assert (answer.status_code, builders.slug(answer)) == (409, "presentation-over")
        told = await outcome(request_id)
        assert (told["outcome"], told["reason"]) == ("consent_refused", "对方没有及时确认。")
    assert builders.slug(await present(notice, text)) == "presentation-over"


async def test_only_what_fits_and_is_in_force_can_be_shown(
    api, notice, request_of, preview, present, outcome
) -> None:
    request_id, text = await request_of()
    await notice.change(certificates.suspend, reason="核查")
    assert (await preview(text, notice.keeper)).json()["certificates"] == []
    suspended = await present(notice, text)
    assert (suspended.status_code, builders.slug(suspended)) == (409, "certificate-not-valid")
    await notice.change(certificates.reinstate, reason="无误")
    assert (await present(notice, text, fields=["idNumber"])).json()["errors"][0]["pointer"] == "/fields/0"
    nothing = await present(notice, text, subjectId=None)
    assert (nothing.status_code, nothing.json()["errors"][0]["pointer"]) == (422, "/subjectId")
    assert (await present(notice, text, subjectId=str(UUID(int=7)))).status_code == 404
    assert (await present(notice, text)).status_code == 200
    assert (await outcome(request_id))["outcome"] == "valid"


async def test_another_type_than_was_asked_for_does_not_fit(
    notice, accredit, request_of, present, preview
) -> None:
    desk = await accredit("counter")
    _, text = await request_of(by=desk, purpose="counter", certificateType="social-insurance-proof")
    assert (await preview(text, notice.keeper)).json()["certificates"] == []
    refused = await present(notice, text)
    assert (refused.status_code, builders.slug(refused)) == (422, "not-to-be-presented")


@pytest.mark.parametrize(
    ("body", "status", "slug", "pointer"),
    [
        ({"purpose": "fun"}, 422, "unknown-purpose", "/purpose"),
        ({"purpose": "counter"}, 403, "purpose-not-granted", None),
        ({"purpose": "gate"}, 422, "not-to-be-presented", "/purpose"),
        ({"purpose": "enrolment", "certificateType": "dog"}, 422, "not-to-be-presented", "/certificateType"),
        (
            {"purpose": "enrolment", "certificateType": "admission-notice", "fields": ["salary"]},
            422,
            "fields-beyond-purpose",
            "/fields/0",
        ),
        ({"purpose": "enrolment", "fields": ["name", "salary"]}, 422, "fields-beyond-purpose", "/fields/1"),
        ({"purpose": "enrolment", "surprise": 1}, 400, "malformed", "/surprise"),
    ],
)
async def test_what_a_counter_may_not_ask(api, school, body, status, slug, pointer) -> None:
    refused = await api.post("/presentation-requests", json=body, headers=school)
    assert (refused.status_code, builders.slug(refused)) == (status, slug)
    if pointer is not None:
        assert refused.json()["errors"][0]["pointer"] == pointer


async def test_a_verifier_that_was_suspended_gets_nothing(
    notice, request_of, preview, present, database
) -> None:
    request_id, text = await request_of()
    async with database.transaction() as session:
        said = json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))
        verifier = await session.get_one(Verifier, UUID(said["verifierId"]))
        verifier.status, verifier.suspended_at = "suspended", clock.now()
    for answer in (await preview(text, notice.keeper), await present(notice, text)):
        assert (answer.status_code, builders.slug(answer)) == (409, "verifier-may-not-ask")
    assert request_id


async def test_each_side_does_its_own_part(api, notice, request_of, preview, school, accredit) -> None:
    request_id, text = await request_of()
    asked = {"purpose": "enrolment"}
    assert (await api.post("/presentation-requests", json=asked, headers=notice.keeper)).status_code == 403
    assert (await api.post("/presentation-requests", json=asked)).status_code == 401
    assert (await preview(text, school)).status_code == 403
    assert (await preview(text, {})).status_code == 401
    other = await accredit("enrolment")
    assert (await api.get(f"/verifications/{request_id}", headers=other)).status_code == 404


async def test_it_is_audited_and_in_the_holders_log(
    api, notice, request_of, present, outcome, database
) -> None:
    request_id, text = await request_of(fields=["school", "name"], place="报到处")
    await outcome(request_id)
    await present(notice, text, fields=["name"])
    await outcome(request_id)
    async with database.reading() as session:
        found = await session.scalars(
            select(AuditRecord).where(AuditRecord.object_id == UUID(request_id)).order_by(AuditRecord.id)
        )
        records = [(one.action, one.outcome, one.actor_kind, one.fields) for one in found]
    assert records == [
        ("codes.request", "consent_pending", "verifier", ["school", "name"]),
        ("codes.consent", "allow", "resident", ["name"]),
        ("codes.verify", "valid", "verifier", ["name"]),
        ("codes.read", "valid", "verifier", ["name"]),
    ]
    read, verified = (await api.get("/me/access-log", headers=notice.keeper)).json()["items"]
    assert (read["action"], verified["action"]) == ("codes.read", "codes.verify")
    assert verified["who"].startswith("滨海小学")
    assert (verified["what"], verified["place"]) == ("小学新生录取通知书", "报到处")
    assert verified["consent"] == {
        "decision": "allow",
        "asked": ["school", "name"],
        "allowed": ["name"],
        "refused": ["school"],
    }


async def test_the_log_tells_what_was_asked_allowed_and_refused(api, notice, show, scan) -> None:
    asked = await scan((await show(notice))["text"], fields=["school", "name"])
    waiting = {"decision": "pending", "asked": ["school", "name"], "allowed": [], "refused": []}
    (entry,) = (await api.get("/me/access-log", headers=notice.keeper)).json()["items"]
    assert (entry["outcome"], entry["fields"], entry["consent"]) == ("consent_pending", [], waiting)
    await api.post(
        f"/verifications/{asked['id']}/consent", json={"decision": "refuse"}, headers=notice.keeper
    )
    (entry,) = (await api.get("/me/access-log", headers=notice.keeper)).json()["items"]
    assert (entry["outcome"], entry["fields"]) == ("consent_refused", [])
    assert entry["consent"] == waiting | {"decision": "refuse", "refused": ["school", "name"]}
