"""Every operation of the contract, tried by everybody who has no business there.

The table names for each operation who is let in; everybody else must be refused, and no answer to them may
hold a trace of the owner. An operation without a row fails: whoever adds an endpoint says who may use it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from sqlalchemy import select

from haiyiban import certificates, clock, texts, verifiers
from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.cases.models import CaseFile
from haiyiban.codes.claims import Kind
from haiyiban.codes.cti import new_code_id
from haiyiban.db import Database
from haiyiban.errors import Words
from haiyiban.identity import persons, staff
from haiyiban.ids import new_id
from haiyiban.runtime import contract
from haiyiban.runtime.app import build
from haiyiban.settings import Settings
from haiyiban.verifiers import terminals
from services.school_places.models import AllocationRun, Enrolment
from services.school_places.service import runs
from tests import builders
from tests.contracts import afterwards, duty_free_flow, health_code_flow, unemployment_flow
from tests.kernel.enterprises.companies import credit_code

API = "/api/v1"
Headers = dict[str, str]

ANONYMOUS = "nobody"
STRANGER = "another resident at L3"
LOW = "the owner's own account at L1"
OTHER_AGENCY = "a clerk and officer of another agency"
OTHER_DIVISION = "a clerk and officer of another division"
OTHER_VERIFIER = "another verifier"
CALLERS = (ANONYMOUS, STRANGER, LOW, OTHER_AGENCY, OTHER_DIVISION, OTHER_VERIFIER)
STAFF = {OTHER_AGENCY, OTHER_DIVISION}
DELEGATE = "somebody who acts for the owner, in another matter"


@dataclass(frozen=True)
class Door:
    """Who is let in. `own_only`: let in, and shown nothing of the owner's."""

    open_to: set[str] = field(default_factory=set)
    own_only: set[str] = field(default_factory=set)
    body: dict[str, Any] = field(default_factory=dict)


EVERYBODY = Door(open_to=set(CALLERS))
CLOSED = Door()
RUNS = "/zones/school-places/enrolments/{enrolment_id}/allocation-runs"

_ORDER = {
    "text": "?",
    "orderNumber": "1",
    "pickUp": "isolation_area",
    "departure": {
        "departsAt": "2099-01-01T00:00:00Z",
        "mode": "flight",
        "number": "HU1",
        "from": "460100",
        "to": "110000",
    },
    "lines": [{"category": 17, "quantity": 1, "unitPriceFen": 1}],
}
_FOR_ANOTHER_PROVINCE = {"division": "990000", "matter": "?", "version": 1, "form": {}}
_BATCH = {"terminalId": "{terminal_id}", "sequence": 1, "records": [{}], "signature": "?"}
DOORS = {
    "POST /auth/sms-codes": EVERYBODY,
    "POST /auth/wechat-tickets": Door(open_to=set(CALLERS), body={"code": "?"}),
    "POST /auth/sessions": EVERYBODY,
    "POST /auth/sessions/refresh": EVERYBODY,
    "POST /auth/verifiers/token": EVERYBODY,
    # A session belongs to an account, and whoever holds the phone may see and end its sessions.
    "GET /auth/sessions": Door(open_to={LOW}, own_only={STRANGER, *STAFF}),
    "DELETE /auth/sessions/current": Door(open_to={STRANGER, LOW, *STAFF}),
    "DELETE /auth/sessions/{session_id}": Door(open_to={LOW}),
    "GET /me": Door(own_only={STRANGER, LOW}),
    "POST /me/real-name": Door(open_to={STRANGER, LOW}),
    "POST /me/face-checks": Door(open_to={STRANGER, LOW}),
    "POST /me/face-checks/{check_id}/result": Door(body={"faceToken": "pass"}),
    "POST /me/phone": Door(open_to={STRANGER, LOW}),
    "POST /me/wechat": Door(open_to={STRANGER, LOW}),
    "DELETE /me/wechat": Door(open_to={STRANGER}),
    "GET /me/export": Door(own_only={STRANGER}),
    "GET /me/export/page": Door(own_only={STRANGER}),
    "POST /me/deletion": Door(open_to={STRANGER}),
    "GET /me/access-log": Door(own_only={STRANGER}),
    "GET /me/access-log/{record_id}/proof": CLOSED,
    "GET /me/consents": Door(own_only={STRANGER}),
    "GET /zones": EVERYBODY,
    "GET /matters": EVERYBODY,
    "GET /matters/{code}": EVERYBODY,
    "GET /cases": Door(own_only={STRANGER}),
    "POST /cases": Door(own_only={STRANGER}, body={"matter": "social-insurance.proof"}),
    "GET /cases/{case_id}": CLOSED,
    "GET /cases/{case_id}/certificates": CLOSED,
    "PATCH /cases/{case_id}": Door(body={"form": {"purpose": "loan"}}),
    "POST /cases/{case_id}/submission": CLOSED,
    "POST /cases/{case_id}/materials/{code}/files": Door(body={"name": "?", "content": "aGk="}),
    "GET /cases/{case_id}/files/{file_id}": CLOSED,
    "DELETE /cases/{case_id}/files/{file_id}": CLOSED,
    "GET /desk/cases/{case_id}/files/{file_id}": CLOSED,
    "GET /cases/{case_id}/decision": CLOSED,
    "GET /desk/cases/{case_id}/decision": CLOSED,
    "POST /cases/{case_id}/withdrawal": CLOSED,
    "POST /cases/{case_id}/rating": Door(body={"score": 1, "comment": "?"}),
    "POST /case-tracking": EVERYBODY,
    "GET /desk/cases": Door(own_only=STAFF),
    "GET /desk/cases/counts": Door(own_only=STAFF),
    "GET /desk/cases/{case_id}": CLOSED,
    "GET /desk/cases/{case_id}/similar": CLOSED,
    "GET /desk/cases/{case_id}/correction-templates": CLOSED,
    "POST /desk/cases/{case_id}/{verb}": Door(body={"note": "?"}),
    "POST /delegations": Door(open_to={STRANGER}),
    "GET /delegations": Door(own_only={STRANGER}),
    "GET /delegations/{delegation_id}": CLOSED,
    "POST /delegations/{delegation_id}/acceptance": CLOSED,
    "POST /delegations/{delegation_id}/revocation": CLOSED,
    "POST /delegations/{delegation_id}/face-checks": CLOSED,
    "POST /delegations/{delegation_id}/face-checks/{check_id}/result": Door(body={"faceToken": "pass"}),
    "GET /texts/{slug}": EVERYBODY,
    "GET /divisions": EVERYBODY,
    "GET /divisions/{code}": EVERYBODY,
    "POST /enterprises": Door(body={"creditCode": "{credit_code}"}),
    "GET /enterprises": Door(own_only={STRANGER}),
    "GET /enterprises/{enterprise_id}": CLOSED,
    "GET /enterprises/{enterprise_id}/roles": CLOSED,
    "GET /enterprises/{enterprise_id}/access-log": CLOSED,
    "POST /enterprises/{enterprise_id}/roles": Door(
        body={
            "role": "clerk",
            "taker": {"name": "?", "idNumber": "460105199003070017"},
            "matters": ["?"],
            "until": "2099-01-01",
            "consent": "?",
        }
    ),
    "POST /enterprises/{enterprise_id}/roles/{delegation_id}/revocation": CLOSED,
    "GET /enterprises/{enterprise_id}/certificates": CLOSED,
    "GET /enterprises/{enterprise_id}/certificates/{certificate_id}/document": CLOSED,
    "POST /enterprises/{enterprise_id}/codes": Door(body={"certificateId": "{certificate_id}"}),
    # A village agent's, who is none of these.
    "POST /desk/delegations": CLOSED,
    "GET /desk/delegations": CLOSED,
    "POST /desk/delegations/{delegation_id}/revocation": CLOSED,
    "POST /desk/errands": CLOSED,
    "GET /desk/errands": CLOSED,
    "GET /desk/errands/{case_id}": CLOSED,
    "GET /desk/errands/{case_id}/certificates": CLOSED,
    "PATCH /desk/errands/{case_id}": CLOSED,
    "POST /desk/errands/{case_id}/submission": CLOSED,
    "POST /desk/errands/{case_id}/withdrawal": CLOSED,
    "GET /desk/ledger": CLOSED,
    "GET /desk/ledger.csv": CLOSED,
    "GET /certificates": Door(own_only={STRANGER}),
    "GET /certificates/{certificate_id}": CLOSED,
    "GET /certificates/{certificate_id}/document": CLOSED,
    "GET /certificates/{certificate_id}/portrait": CLOSED,
    "GET /document-authority/roots": EVERYBODY,
    "GET /document-authority/crl": EVERYBODY,
    "GET /desk/certificates": Door(own_only=STAFF),
    "GET /desk/certificates/{certificate_id}": CLOSED,
    "POST /desk/certificates/{certificate_id}/correction": Door(
        body={"claims": {"school": "?"}, "reason": "不应当能更正"}
    ),
    "POST /desk/certificates/{certificate_id}/revocation": Door(body={"reason": "不应当能撤销"}),
    "POST /desk/certificates/{certificate_id}/suspension": Door(body={"reason": "不应当能暂停"}),
    "POST /desk/certificates/{certificate_id}/reinstatement": Door(body={"reason": "不应当能恢复"}),
    "POST /codes": Door(body={"kind": "certificate", "subjectId": "{certificate_id}"}),
    "POST /codes/nonces": Door(own_only={STRANGER}),
    "GET /codes/{code_id}": CLOSED,
    "GET /codes/{code_id}/image.svg": CLOSED,
    "GET /codes/{code_id}/events": CLOSED,
    "GET /hall/figures": EVERYBODY,
    "GET /hall/events": EVERYBODY,
    "GET /audit/checkpoint": EVERYBODY,
    "GET /audit/consistency/{old}/{new}": EVERYBODY,
    "GET /audit/keys": EVERYBODY,
    "GET /trust-list": EVERYBODY,
    "GET /trust-list/root": EVERYBODY,
    "GET /status-lists": EVERYBODY,
    "GET /deny-list": EVERYBODY,
    "GET /status-lists/{list_id}": EVERYBODY,
    "GET /verification-purposes": EVERYBODY,
    "POST /verifications": Door(open_to={OTHER_VERIFIER}, body={"text": "?", "purpose": "enrolment"}),
    "GET /verifications/{verification_id}": CLOSED,
    "GET /verifications/{verification_id}/portrait": CLOSED,
    "POST /verifications/challenges": Door(open_to={OTHER_VERIFIER}),
    "POST /verifications/batch": Door(body=_BATCH),
    "GET /desk/double-uses": CLOSED,
    "POST /verifications/{verification_id}/consent": Door(body={"decision": "allow"}),
    "POST /presentation-requests": Door(open_to={OTHER_VERIFIER}, body={"purpose": "enrolment"}),
    # Who scans a counter's code may see who asks; what would be shown is each one's own.
    "POST /presentation-requests/preview": Door(own_only={STRANGER}, body={"request": "{presentation}"}),
    "POST /presentation-requests/answers": Door(
        body={"request": "{presentation}", "decision": "allow", "subjectId": "{certificate_id}"}
    ),
    "GET /desk/retention": CLOSED,
    "GET /desk/staff": CLOSED,
    "POST /desk/staff": CLOSED,
    "POST /desk/staff/{staff_id}/rights": CLOSED,
    "POST /desk/staff/{staff_id}/rights/withdrawal": CLOSED,
    "POST /desk/staff/{staff_id}/suspension": CLOSED,
    "POST /desk/staff/{staff_id}/reinstatement": CLOSED,
    "POST /desk/staff/{staff_id}/second-factor": CLOSED,
    "POST /desk/staff/{staff_id}/password": CLOSED,
    "GET /desk/matters": CLOSED,
    "POST /desk/matters/validation": CLOSED,
    "GET /desk/verifiers": CLOSED,
    "POST /desk/verifiers/{verifier_id}/suspension": Door(body={"reason": "不应当能暂停"}),
    "POST /desk/verifiers/{verifier_id}/reinstatement": CLOSED,
    "GET /desk/terminals": CLOSED,
    "POST /desk/terminals": Door(body={"verifierId": "{verifier_id}", "name": "?", "place": "?"}),
    "POST /desk/terminals/{terminal_id}/one-time-codes": CLOSED,
    "POST /desk/terminals/{terminal_id}/suspension": Door(body={"reason": "不应当能暂停"}),
    "POST /desk/terminals/{terminal_id}/reinstatement": CLOSED,
    "POST /desk/terminals/{terminal_id}/retirement": CLOSED,
    "POST /terminals/enrolments": EVERYBODY,
    "POST /terminals/me/secret": Door(
        body={"terminalId": str(new_id()), "requestedAt": "2026-11-21T00:00:00Z", "signature": "?"}
    ),
    "POST /terminals/me/heartbeat": Door(body={"listIssuedAt": None, "queueLength": 0}),
    "GET /zones/unemployment/estimate": Door(own_only={STRANGER}),
    "GET /zones/duty-free/allowance": Door(own_only={STRANGER}),
    "GET /zones/duty-free/orders": Door(own_only={STRANGER}),
    "POST /zones/duty-free/orders": Door(open_to={OTHER_VERIFIER}, body=_ORDER),
    "GET /zones/duty-free/orders/{order_id}": CLOSED,
    "POST /zones/duty-free/orders/{order_id}/pick-up": CLOSED,
    "POST /zones/duty-free/orders/{order_id}/refund": CLOSED,
    "POST /zones/duty-free/orders/{order_id}/parcel": Door(body={"carrier": "demo", "number": "SF12345"}),
    "POST /zones/duty-free/pickup-checks": Door(open_to={OTHER_VERIFIER}, body={"text": "?"}),
    "GET /zones/duty-free/parcels/{number}": CLOSED,
    "GET /zones/cross-province/matters": EVERYBODY,
    "GET /zones/cross-province/cases": Door(own_only={STRANGER}),
    "POST /zones/cross-province/cases": Door(body=_FOR_ANOTHER_PROVINCE),
    "GET /zones/cross-province/cases/{case_id}": CLOSED,
    "POST /zones/cross-province/cases/{case_id}/correction": Door(body={"form": {}}),
    "POST /zones/cross-province/cases/{case_id}/withdrawal": CLOSED,
    "GET /zones/cross-province/offer": EVERYBODY,
    "GET /zones/cross-province/medical-settlements": Door(own_only={STRANGER}),
    # Whoever asks: what lets a message in is the signature of a neighbour (tests/zones/cross_province).
    "POST /zones/cross-province/exchange": EVERYBODY,
    "GET /desk/cross-province/cases": Door(own_only=STAFF),
    "POST /desk/cross-province/cases": Door(
        body=_FOR_ANOTHER_PROVINCE
        # Nobody's number: known under another name, it would be refused for that.
        | {"name": "?", "idNumber": builders.id_number(), "phone": "13900000000", "identityChecked": True}
    ),
    "GET /desk/cross-province/cases/{case_id}": CLOSED,
    "POST /desk/cross-province/cases/{case_id}/correction": Door(body={"form": {}}),
    "POST /desk/cross-province/cases/{case_id}/express": Door(body={"express": "SF12345"}),
    "POST /desk/cross-province/cases/{case_id}/delivery": CLOSED,
    "POST /desk/cross-province/cases/{case_id}/joint-decision": Door(body={"agrees": True}),
    "GET /desk/cross-province/alerts": Door(own_only=STAFF),
    "GET /zones/health-code/code": Door(own_only={STRANGER}),
    "POST /zones/health-code/declarations": Door(own_only={STRANGER}, body={"symptoms": False}),
    "GET /zones/health-code/checks": Door(own_only={STRANGER}),
    "GET /zones/health-code/children": Door(own_only={STRANGER}),
    "GET /zones/health-code/children/{child_id}/code": CLOSED,
    "GET /zones/health-code/slots": Door(open_to={STRANGER}),
    "POST /zones/health-code/slots/{slot_id}/appointments": Door(own_only={STRANGER}),
    "GET /zones/health-code/appointments": Door(own_only={STRANGER}),
    "POST /zones/health-code/appointments/{appointment_id}/cancellation": CLOSED,
    "GET /zones/health-code/desk/slots": CLOSED,
    "POST /zones/health-code/desk/slots": Door(
        body={
            "division": "460105",
            "siteZh": "?",
            "startsAt": "2099-01-01T00:00:00Z",
            "endsAt": "2099-01-01T01:00:00Z",
            "capacity": 1,
        }
    ),
    "GET /zones/health-code/desk/recolouring": CLOSED,
    "POST /zones/health-code/desk/recolouring": CLOSED,
    "POST /zones/health-code/desk/recolouring/stop": CLOSED,
    # Whoever is green is told that there is nothing to appeal.
    "POST /zones/health-code/appeals": Door(open_to={STRANGER}, body={"reason": "?", "division": "460105"}),
    # A terminal's at a gate, which none of these is.
    "POST /zones/health-code/card-checks": Door(body={"name": "?", "idNumber": "?"}),
    "GET /zones/health-code/appeals": Door(own_only={STRANGER}),
    "GET /zones/health-code/desk/appeals": CLOSED,
    "POST /zones/health-code/desk/appeals/{appeal_id}/proposal": Door(
        body={"colour": "green", "until": "2026-01-01", "reason": "?", "evidence": "?"}
    ),
    "POST /zones/health-code/desk/appeals/{appeal_id}/confirmation": CLOSED,
    "POST /zones/health-code/desk/appeals/{appeal_id}/return": Door(body={"reason": "?"}),
    "POST /zones/health-code/desk/appeals/{appeal_id}/refusal": Door(body={"reason": "?"}),
    "GET /zones/unemployment/grants": Door(own_only={STRANGER}),
    "GET /zones/unemployment/bank-account": Door(open_to={STRANGER}),
    "POST /zones/unemployment/bank-account": Door(
        own_only={STRANGER}, body={"number": "6228480402564890018"}
    ),
    # Whoever draws nothing is told so.
    "POST /zones/unemployment/declarations": Door(open_to={STRANGER}),
    "GET /zones/unemployment/grants/{grant_id}/payments": CLOSED,
    "POST /zones/unemployment/grants/{grant_id}/objection": Door(body={"words": "?"}),
    # The province's officer's, who is none of these.
    "GET /zones/unemployment/batches": CLOSED,
    "GET /zones/unemployment/batches/{batch_id}/payments": CLOSED,
    "POST /zones/unemployment/batches/{batch_id}/release": CLOSED,
    "GET /zones/unemployment/reconciliation": CLOSED,
    "GET /zones/unemployment/moves": Door(own_only={STRANGER}),
    "GET /zones/unemployment/desk/moves": CLOSED,
    "POST /zones/unemployment/desk/moves/{move_id}/payment": CLOSED,
    "GET /zones/unemployment/objections": Door(own_only={OTHER_DIVISION}),
    "POST /zones/unemployment/objections/{grant_id}/decision": Door(body={"decision": "stop", "note": "?"}),
    "GET /zones/duty-free/campaigns": EVERYBODY,
    "POST /zones/duty-free/campaigns/{campaign_id}/claims": Door(own_only={STRANGER}),
    "GET /zones/duty-free/vouchers": Door(own_only={STRANGER}),
    "POST /zones/duty-free/redemptions": Door(
        open_to={OTHER_VERIFIER}, body={"text": "?", "orderNumber": "1", "orderAmountFen": 1}
    ),
    "DELETE /zones/duty-free/redemptions/{redemption_id}": CLOSED,
    "POST /zones/duty-free/redemptions/{redemption_id}/refunds": Door(
        body={"refundNumber": "1", "goodsFen": 1}
    ),
    "GET /zones/duty-free/settlement": Door(own_only={OTHER_VERIFIER}),
    "GET /zones/duty-free/settlement.csv": Door(own_only={OTHER_VERIFIER}),
    "GET /zones/duty-free/books": CLOSED,
    "GET /zones/duty-free/desk/settlements": CLOSED,
    "GET /zones/duty-free/desk/settlements.csv": CLOSED,
    # The operator's, who is none of these.
    "GET /zones/duty-free/desk/refused-claims": CLOSED,
    "GET /zones/duty-free/desk/campaigns": CLOSED,
    "POST /zones/duty-free/desk/campaigns": Door(body=duty_free_flow.CAMPAIGN),
    "GET /zones/duty-free/desk/campaigns/{campaign_id}": CLOSED,
    "GET /zones/duty-free/desk/campaigns/{campaign_id}/figures": CLOSED,
    "PATCH /zones/duty-free/desk/campaigns/{campaign_id}": Door(body={"stock": 1}),
    "POST /zones/duty-free/desk/campaigns/{campaign_id}/opening": CLOSED,
    "POST /zones/duty-free/desk/campaigns/{campaign_id}/pause": CLOSED,
    "POST /zones/duty-free/desk/campaigns/{campaign_id}/closure": CLOSED,
    "GET /zones/school-places/schools": EVERYBODY,
    "GET /zones/school-places/enrolments": EVERYBODY,
    "GET /zones/school-places/enrolments/{enrolment_id}": EVERYBODY,
    "GET /zones/school-places/placements": Door(own_only={STRANGER}),
    f"GET {RUNS}/{{run_id}}/public": EVERYBODY,
    f"GET {RUNS}/{{run_id}}/counts": EVERYBODY,
    f"POST {RUNS}": CLOSED,
    f"POST {RUNS}/{{run_id}}/draw": Door(body={"beacon": "1"}),
    f"POST {RUNS}/{{run_id}}/publication": CLOSED,
    f"POST {RUNS}/{{run_id}}/annulment": Door(body={"reason": "不应当能作废"}),
    **dict.fromkeys(afterwards.TO_EVERYBODY, EVERYBODY),
    **{name: Door(body=body) for name, body in afterwards.TO_NOBODY.items()},
}
"""By method and address below the base path. Objects on the way are the owner's, or of the owner's agency."""

DELEGATED = "civil-affairs.senior-allowance"
OF_THE_DELEGATION = [name for name in DOORS if name.partition(" ")[2].startswith("/delegations/")]
"""What a delegation's own taker may see and do: tests/kernel/delegations."""

_DOCUMENT = json.loads(contract.document(build(Settings(env="test"))))
OPERATIONS = [
    f"{method.upper()} {path.removeprefix(API)}"
    for path, item in _DOCUMENT["paths"].items()
    for method in item
    if path.startswith(API)
]


@dataclass
class World:
    """The owner's things by the names of the addresses, what must not be seen, and everybody's headers."""

    owner: Headers
    ids: dict[str, str]
    traces: tuple[str, ...]
    callers: dict[str, Headers]
    certificate_ref: int


@pytest.fixture(scope="module")
async def client(app: Any, worker: None) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://test{API}", timeout=30) as api:
        yield api


@pytest.fixture(scope="module")
async def world(client: httpx.AsyncClient, sandbox_url: str, database: Database) -> World:
    """An owner with one of everything, and the others."""
    async with httpx.AsyncClient(base_url=sandbox_url, verify=False) as sandbox:
        child = builders.child("符小椰")
        owner = builders.Somebody(
            name="符海生",
            children=[child],
            more={"socialInsurance": {"months": 70, "division": "460105"}},
        )
        headers = await builders.resident(client, sandbox, owner)
        taker = builders.Somebody(name="周代办")
        callers = {
            ANONYMOUS: {},
            DELEGATE: await builders.resident(client, sandbox, taker),
            STRANGER: await builders.resident(client, sandbox),
            LOW: await builders.sign_in(client, sandbox, owner.phone),
            OTHER_AGENCY: await _staff(client, database, agency="education", division="460105"),
            OTHER_DIVISION: await _staff(client, database, agency="human-resources", division="460106"),
            OTHER_VERIFIER: await _verifier(client, database),
        }
        company = await _company(client, sandbox, owner, headers)
    case = await _case(client, headers)
    notice = await _notice(database, owner, child)
    code = await _show(client, headers, notice.id)
    school = await _verifier(client, database)
    scanned = await client.post(
        "/verifications",
        json={"text": (await _show(client, headers, notice.id))["text"], "purpose": "enrolment"},
        headers=school,
    )
    assert scanned.json()["outcome"] == "valid", scanned.text
    asked = await client.post("/presentation-requests", json={"purpose": "enrolment"}, headers=school)
    check = await client.post("/me/face-checks", headers=headers)
    enrolment_id, run_id = await _run(database)
    bought = await duty_free_flow.order_and_parcel(
        await _person_id(database, owner), UUID(_claims(school)["sub"])
    )
    drawn = await unemployment_flow.grant_and_batch(
        await _person_id(database, owner), UUID(case["id"]), notice.id
    )
    appealed = await health_code_flow.appeal(await _person_id(database, owner))
    after = await afterwards.aftermath(database, UUID(case["id"]), run_id)
    ids = {
        "staff_id": str(new_id()),
        "case_id": case["id"],
        "certificate_id": str(notice.id),
        "record_id": str(await _record_about(database, notice.holder_id)),
        "old": "1",
        "new": "1",
        "code_id": code["id"],
        "verification_id": scanned.json()["id"],
        "presentation": asked.json()["url"].partition("#")[2],
        "check_id": check.json()["id"],
        "session_id": _claims(headers)["sid"],
        "verifier_id": _claims(school)["sub"],
        "terminal_id": str(await _terminal(database, UUID(_claims(school)["sub"]))),
        "enrolment_id": str(enrolment_id),
        "run_id": str(run_id),
        "verb": "accept",
        "slug": "delegation",
        "code": "special-group-proof",
        "child_id": str(await _person_id(database, builders.Somebody(id_number=child["idNumber"]))),
        "file_id": await _file(database, UUID(case["id"])),
        **company,
        "delegation_id": await _delegation(client, headers, taker, callers[DELEGATE]),
        **after,
        **bought,
        **drawn,
        **appealed,
    }
    seen = ("record_id", "case_id", "certificate_id", "code_id", "verification_id", "check_id", "session_id")
    traces = (
        owner.name,
        owner.id_number,
        owner.phone,
        child["name"],
        child["idNumber"],
        case["number"],
        afterwards.REASON,
        company["enterprise_id"],
        *after.values(),
        *drawn.values(),
        unemployment_flow.OBJECTION,
        *(appealed[name] for name in ("appeal_id", "appointment_id")),
        health_code_flow.REASON,
        *(bought[name] for name in ("order_id", "number", "redemption_id")),
        *(ids[name] for name in seen),
    )
    return World(headers, ids, traces, callers, notice.ref)


async def _record_about(database: Database, person_id: UUID) -> UUID:
    pseudonym = select(AuditSubject.pseudonym).where(AuditSubject.person_id == person_id).scalar_subquery()
    async with database.reading() as session:
        found = await session.scalar(select(AuditRecord.id).where(AuditRecord.subject == pseudonym).limit(1))
    assert found is not None
    return found


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    assert sorted(DOORS) == sorted(OPERATIONS)


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", sorted(DOORS))
async def test_a_door_lets_nobody_in_but_whom_it_names(
    client: httpx.AsyncClient, world: World, name: str, caller: str
) -> None:
    door = DOORS[name]
    if caller in door.open_to:
        return
    method, _, path = name.partition(" ")
    answer = await client.request(
        method,
        path.format_map(world.ids),
        headers=world.callers[caller],
        content=_filled(door.body, world) if method in {"POST", "PATCH"} else None,
    )
    for trace in world.traces:
        assert trace not in answer.text
    if caller in door.own_only:
        assert answer.is_success, answer.text
    elif caller == ANONYMOUS:
        assert answer.status_code == 401, answer.text
    else:
        assert answer.status_code in {403, 404}, answer.text


@pytest.mark.parametrize("name", sorted(set(DOORS) - set(OF_THE_DELEGATION)))
async def test_whoever_acts_for_the_owner_in_one_matter_reaches_nothing_else_of_theirs(
    client: httpx.AsyncClient, world: World, name: str
) -> None:
    """Nothing but a delegation lets one person act for another, and that one in its own matter alone: every
    operation of the contract is asked for the owner's things by somebody with a delegation in force."""
    door = DOORS[name]
    if STRANGER in door.open_to:
        return
    method, _, path = name.partition(" ")
    answer = await client.request(
        method,
        path.format_map(world.ids),
        headers=world.callers[DELEGATE],
        content=_filled(door.body, world) if method in {"POST", "PATCH"} else None,
    )
    for trace in world.traces:
        assert trace not in answer.text
    if STRANGER in door.own_only:
        assert answer.is_success, answer.text
    else:
        assert answer.status_code in {403, 404}, answer.text


async def test_a_delegation_opens_the_matter_that_it_names(client: httpx.AsyncClient, world: World) -> None:
    """So the walk above is of a delegation that is in force."""
    body = {"onBehalfOf": world.ids["delegation_id"]}
    headers = world.callers[DELEGATE]
    other = await client.post("/cases", json=body | {"matter": "social-insurance.proof"}, headers=headers)
    assert (other.status_code, builders.slug(other)) == (422, "matter-not-delegated")
    opened = await client.post("/cases", json=body | {"matter": DELEGATED}, headers=headers)
    assert opened.status_code == 201, opened.text


async def test_afterwards_the_owner_finds_everything_as_it_was(
    client: httpx.AsyncClient, world: World
) -> None:
    ids = world.ids
    case = await client.get(f"/cases/{ids['case_id']}", headers=world.owner)
    assert (case.json()["state"], case.json()["version"]) == ("submitted", 3)
    certificate = await client.get(f"/certificates/{ids['certificate_id']}", headers=world.owner)
    assert (certificate.json()["status"], certificate.json()["version"]) == ("valid", 1)
    code = await client.get(f"/codes/{ids['code_id']}", headers=world.owner)
    assert code.json()["state"] in {"shown", "expired"}


async def test_a_made_up_code_id_opens_nothing_of_others_and_nothing_of_tomorrow(
    client: httpx.AsyncClient, world: World
) -> None:
    """The id of a code is readable, so anybody can write one for any certificate and any time."""
    now = clock.now()
    crafted = new_code_id(Kind.CERTIFICATE, world.certificate_ref, now=now)
    later = new_code_id(Kind.CERTIFICATE, world.certificate_ref, now=now.replace(year=now.year + 1))
    other_kind = new_code_id(Kind.PICKUP, world.certificate_ref, now=now)
    for headers, code in (
        (world.callers[STRANGER], crafted),
        (world.owner, later),
        (world.owner, other_kind),
        (world.owner, new_id()),
    ):
        for address in (f"/codes/{code}", f"/codes/{code}/image.svg"):
            answer = await client.get(address, headers=headers)
            assert answer.status_code == 404, answer.text


async def test_a_stored_answer_is_not_given_again_below_its_level(
    client: httpx.AsyncClient, world: World
) -> None:
    """A phone may have a new holder, whose SMS opens the same account at L1: its keys may be guessed."""
    body = {"kind": "certificate", "subjectId": world.ids["certificate_id"]}
    key = {"Idempotency-Key": "1"}
    first = await client.post("/codes", json=body, headers=world.owner | key)
    again = await client.post("/codes", json=body, headers=world.owner | key)
    assert again.text == first.text
    low = await client.post("/codes", json=body, headers=world.callers[LOW] | key)
    assert (low.status_code, builders.slug(low)) == (403, "step-up-needed")
    assert first.json()["id"] not in low.text


async def test_a_refusal_is_recorded_with_the_object_that_was_tried(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    """Whoever tries doors can be found: which case, by whom, from where."""
    case_id = world.ids["case_id"]
    refused = await client.get(f"/desk/cases/{case_id}", headers=world.callers[OTHER_AGENCY])
    async with database.reading() as session:
        record = await session.scalar(
            select(AuditRecord).where(AuditRecord.request_id == refused.headers["x-request-id"])
        )
    assert record is not None
    assert (record.action, record.outcome) == ("GET /api/v1/desk/cases/{case_id}", "not-found")
    assert (record.object_kind, str(record.object_id)) == ("case", case_id)
    assert str(record.actor_id) == _claims(world.callers[OTHER_AGENCY])["sub"]
    assert record.actor_unit == "education"
    assert record.address is not None


async def test_a_request_id_that_may_be_somebodys_number_is_not_taken_over(
    client: httpx.AsyncClient,
) -> None:
    for number in ("13800138000", "46010519900101001X"):
        answer = await client.get("/matters", headers={"X-Request-Id": number})
        assert answer.headers["x-request-id"] != number


def _filled(body: dict[str, Any], world: World) -> str:
    text = json.dumps(body)
    for name, value in world.ids.items():
        text = text.replace(f"{{{name}}}", value)
    return text


async def _case(client: httpx.AsyncClient, headers: Headers) -> dict[str, Any]:
    opened = await client.post("/cases", json={"matter": "social-insurance.proof"}, headers=headers)
    address = f"/cases/{opened.json()['id']}"
    filled = await client.patch(address, json={"form": {"purpose": "school"}}, headers=headers)
    assert filled.status_code == 200, filled.text
    handed_in = await client.post(f"{address}/submission", json={}, headers=headers)
    assert handed_in.status_code == 200, handed_in.text
    return dict(handed_in.json())


async def _company(
    client: httpx.AsyncClient, sandbox: httpx.AsyncClient, owner: builders.Somebody, headers: Headers
) -> dict[str, str]:
    code = credit_code()
    registered = {
        "creditCode": code,
        "name": "海口门禁测试有限公司",
        "division": "460105",
        "address": "海南省海口市秀英区",
        "registeredOn": "2020-01-01",
        "representative": {"name": owner.name, "idNumber": owner.id_number},
    }
    assert (await sandbox.post("/enterprises", json=registered)).status_code == 201
    body = {"creditCode": code, "consent": texts.current("legal-representative").hash}
    signed_in = await client.post("/enterprises", json=body, headers=headers)
    assert signed_in.status_code == 201, signed_in.text
    return {"enterprise_id": signed_in.json()["id"], "credit_code": code}


async def _delegation(
    client: httpx.AsyncClient, owner: Headers, taker: builders.Somebody, delegate: Headers
) -> str:
    made = await client.post(
        "/delegations",
        json={
            "basis": "agreement",
            "taker": {"name": taker.name, "idNumber": taker.id_number},
            "matters": [DELEGATED],
            "until": (clock.today() + timedelta(days=30)).isoformat(),
            "consent": texts.current("delegation").hash,
        },
        headers=owner,
    )
    assert made.status_code == 201, made.text
    delegation = str(made.json()["id"])
    accepted = await client.post(f"/delegations/{delegation}/acceptance", json={}, headers=delegate)
    assert accepted.json()["state"] == "active", accepted.text
    return delegation


async def _notice(
    held: Database, owner: builders.Somebody, child: dict[str, str]
) -> certificates.Certificate:
    async with held.transaction() as session:
        keeper = await persons.by_id_number(session, owner.id_number)
        holder = await persons.find_or_create(session, child["name"], id_number=child["idNumber"])
        assert keeper is not None
        return await certificates.issue(
            session,
            "admission-notice",
            holder_id=holder.id,
            keeper_id=keeper.id,
            claims={**child, "school": "秀英区滨海小学", "schoolYear": 2027},
            case_id=None,
            agency="human-resources",
            division="460105",
            now=clock.now(),
        )


async def _person_id(held: Database, owner: builders.Somebody) -> UUID:
    async with held.reading() as session:
        person = await persons.by_id_number(session, owner.id_number)
        assert person is not None
        return person.id


async def _show(client: httpx.AsyncClient, headers: Headers, certificate: UUID) -> dict[str, Any]:
    answer = await client.post(
        "/codes", json={"kind": "certificate", "subjectId": str(certificate)}, headers=headers
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def _staff(client: httpx.AsyncClient, held: Database, *, agency: str, division: str) -> Headers:
    username, password = f"door-{secrets.token_hex(6)}", secrets.token_urlsafe(16)
    async with held.transaction() as session:
        await staff.create(
            session,
            username,
            password=password,
            roles=["clerk", "officer"],
            agency=agency,
            division=division,
        )
    answer = await client.post(
        "/auth/sessions", json={"method": "staff", "username": username, "password": password}
    )
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


async def _verifier(client: httpx.AsyncClient, held: Database) -> Headers:
    secret = verifiers.new_secret()
    async with held.transaction() as session:
        made = await verifiers.accredit(
            session,
            Words(f"核验方 {secret.client_id}", "A verifier"),
            unit="education",
            purposes=("enrolment",),
            now=clock.now(),
        )
        await verifiers.add_client(session, made, secret, now=clock.now())
    answer = await client.post(
        "/auth/verifiers/token", json={"clientId": secret.client_id, "clientSecret": secret.client_secret}
    )
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


async def _file(database: Database, case_id: UUID) -> str:
    """A file that was handed in with the case."""
    row = CaseFile(
        id=new_id(),
        case_id=case_id,
        material="special-group-proof",
        media_type="image/png",
        size=1,
        digest=b"?",
        at=clock.now(),
    )
    row.name = "证明.png"
    async with database.transaction() as session:
        session.add(row)
    return str(row.id)


async def _terminal(held: Database, verifier_id: UUID) -> UUID:
    async with held.transaction() as session:
        terminal = await terminals.register(
            session, verifier_id, name="一号", place="东门", purpose=None, now=clock.now()
        )
    return terminal.id


async def _run(held: Database) -> tuple[UUID, UUID]:
    """An enrolment of the owner's agency with a run that waits for its draw, of a year long past."""
    now = clock.now()
    enrolment = Enrolment(
        id=new_id(),
        code=f"DOORS-{secrets.token_hex(6)}",
        name="门禁测试招生",
        name_en="An enrolment of the doors",
        school_year=1999,
        agency="human-resources",
        division="460105",
        area={"divisions": ["460105"], "centres": {}},
        opens_at=now - timedelta(days=2),
        closes_at=now - timedelta(days=1),
        beacon_source="test",
        draw_after=now - timedelta(hours=1),
        four_eyes=False,
        closes_by_roll=True,
        appeal_days=30,
    )
    runs.new_commitment(enrolment)
    run = AllocationRun(
        id=new_id(),
        enrolment_id=enrolment.id,
        state="committed",
        committed_at=now,
        committed_by=new_id(),
        commitment=enrolment.commitment,
        roll_hash="0" * 64,
        roll=b"{}",
    )
    run.bands = []
    async with held.transaction() as session:
        session.add(enrolment)
        await session.flush()
        session.add(run)
    return enrolment.id, run.id


def _claims(headers: Headers) -> dict[str, Any]:
    token = headers["Authorization"].removeprefix("Bearer ")
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims
