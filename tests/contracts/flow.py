"""One family's way through everything, step by step: what the contracts on audit and storage look at."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from haiyiban import clock, texts
from tests import builders
from tests.builders import Somebody
from tests.contracts import cross_province_flow, duty_free_flow, health_code_flow, terminals_flow
from tests.kernel.enterprises.companies import RENEWAL, credit_code
from tests.phone import Phone, jwk, unbase64url
from tests.zones.school_places.conftest import MakeRound, SignInStaff

Headers = dict[str, str]
Accredit = Callable[..., Awaitable[Headers]]


@dataclass
class Flow:
    """The steps with their answers, and everything personal that went in."""

    api: httpx.AsyncClient
    parent: Somebody
    child: dict[str, str]
    answers: dict[str, httpx.Response] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)

    @property
    def personal(self) -> list[str]:
        """The clear values that no table may hold."""
        home = self.parent.home or {}
        return [
            self.parent.name,
            self.parent.id_number,
            self.parent.phone,
            self.parent.address,
            home["id"],
            home["address"],
            self.child["name"],
            self.child["idNumber"],
            *self.tokens,
        ]

    async def step(
        self, name: str, method: str, path: str, /, *, by: Headers, expect: int = 200, **body: Any
    ) -> Any:
        """One request, with a key of its own where it changes something."""
        key = {"Idempotency-Key": secrets.token_hex(8)} if method == "POST" else {}
        told = None if method == "GET" else body
        answer = await self.api.request(method, path, json=told, headers=by | key)
        assert answer.status_code == expect, f"{name}: {answer.text}"
        self.answers[name] = answer
        return answer.json() if answer.content.startswith((b"{", b"[")) else None


async def go(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    *,
    make_round: MakeRound,
    employ: SignInStaff,
    accredit: Accredit,
) -> Flow:
    """From the first SMS to the last verification. Nothing is left out that changes or shows something."""
    community = f"椰{secrets.token_hex(3)}"
    address = f"海南省海口市秀英区{community}小区7栋{secrets.token_hex(2)}室"
    child = builders.child("司空小满")
    parent = Somebody(
        name="司空望舒",
        address=address,
        home={
            "id": f"HK-{secrets.token_hex(8)}",
            "address": address,
            "division": "460105",
            "title": "owned",
            "share": 100,
        },
        children=[child],
    )
    await builders.settle(sandbox, parent)
    flow = Flow(api, parent, child)
    me = await _become_known(flow, sandbox)
    await _delegate(flow, sandbox, me)
    await _represent(flow, sandbox, me)
    made = await make_round({community: 5, "B": 5})
    stranger = await builders.resident(api, sandbox)
    clerk, officer, operator = [await employ(role) for role in ("clerk", "officer", "operator")]
    counter = await employ("clerk", agency="human-resources", division="460000")
    health = [await employ("clerk", agency="health") for _ in range(2)]
    shop = await accredit("shop", "duty-free-order")
    verifier = await accredit("enrolment", "gate")
    case = await _apply(flow, me, stranger, list(made.schools.values()))
    await _decide(flow, case, clerk)
    await _draw(flow, made.runs, officer)
    await flow.step("print a decision", "GET", f"/cases/{case}/decision", by=me)
    await flow.step("print a decision at the desk", "GET", f"/desk/cases/{case}/decision", by=clerk)
    notice = await _receive(flow, me, case)
    await _verify(flow, me, notice, verifier)
    await terminals_flow.go(flow, notice, me, operator)
    await _look_after(flow, notice, clerk)
    await duty_free_flow.go(flow, me, shop, operator)
    await cross_province_flow.go(flow, me, counter)
    await health_code_flow.go(flow, me, operator, health)
    await _end(flow, me, verifier, operator)
    return flow


async def _become_known(flow: Flow, sandbox: httpx.AsyncClient) -> Headers:
    phone, parent = flow.parent.phone, flow.parent
    await flow.step("ask for a code", "POST", "/auth/sms-codes", by={}, expect=202, phone=phone)
    code = await builders.sms_code(sandbox, phone)
    wrong = "000000" if code != "000000" else "111111"
    sign_in = {"method": "sms", "phone": phone}
    await flow.step("give a wrong code", "POST", "/auth/sessions", by={}, expect=422, **sign_in, code=wrong)
    session = await flow.step("sign in", "POST", "/auth/sessions", by={}, expect=201, **sign_in, code=code)
    me = {"Authorization": f"Bearer {session['accessToken']}"}
    flow.tokens += [session["accessToken"], session["refreshToken"], session["deviceToken"]]
    named = {"name": parent.name, "idType": "111", "idNumber": parent.id_number}
    other = named | {"name": "司空不是"}
    await flow.step("give another's name", "POST", "/me/real-name", by=me, expect=422, **other)
    await flow.step("give the real name", "POST", "/me/real-name", by=me, **named)
    check = await flow.step("begin a face check", "POST", "/me/face-checks", by=me, expect=201)
    result = f"/me/face-checks/{check['id']}/result"
    await flow.step("pass a face check", "POST", result, by=me, faceToken="pass")
    return me


async def _delegate(flow: Flow, sandbox: httpx.AsyncClient, me: Headers) -> None:
    taker = Somebody(name="欧阳代办")
    other = await builders.resident(flow.api, sandbox, taker)
    flow.tokens += [taker.name, taker.id_number, taker.phone]
    at = "/delegations"
    bounds = {
        "matters": ["social-insurance.proof"],
        "until": clock.today().isoformat(),
        "consent": texts.current("delegation").hash,
    }
    named = {"name": taker.name, "idNumber": taker.id_number}
    agreement = {"basis": "agreement", "taker": named} | bounds
    made = await flow.step("make a delegation", "POST", at, by=me, expect=201, **agreement)
    at = f"{at}/{made['id']}"
    await flow.step("read a delegation", "GET", at, by=other)
    await flow.step("accept a delegation", "POST", f"{at}/acceptance", by=other)
    wanted = {"matter": "social-insurance.proof", "onBehalfOf": made["id"]}
    case = await flow.step("open a case for another", "POST", "/cases", by=other, expect=201, **wanted)
    theirs = f"/cases/{case['id']}"
    await flow.step("read another's case for them", "GET", theirs, by=other)
    await flow.step("end a delegation", "POST", f"{at}/revocation", by=me)
    await flow.step("go on after the end", "GET", theirs, by=other, expect=403)


async def _represent(flow: Flow, sandbox: httpx.AsyncClient, me: Headers) -> None:
    parent, code = flow.parent, credit_code()
    registered = {
        "creditCode": code,
        "name": f"海口{secrets.token_hex(4)}有限公司",
        "division": "460105",
        "address": "海南省海口市秀英区",
        "registeredOn": "2020-01-01",
        "representative": {"name": parent.name, "idNumber": parent.id_number},
    }
    assert (await sandbox.post("/enterprises", json=registered)).status_code == 201
    # What a company is called is public; a code hides nothing, but who looks for one should find nothing.
    flow.tokens.append(code)
    wanted = {"creditCode": code, "consent": texts.current("legal-representative").hash}
    company = await flow.step("sign in for a company", "POST", "/enterprises", by=me, expect=201, **wanted)
    at = f"/enterprises/{company['id']}"
    await flow.step("read a company", "GET", at, by=me)
    held = (await flow.step("list a company's certificates", "GET", f"{at}/certificates", by=me))["items"]
    shown = {"certificateId": held[0]["id"]}
    await flow.step("show a company's licence", "POST", f"{at}/codes", by=me, expect=201, **shown)
    taker = {"name": "欧阳代办", "idNumber": builders.id_number()}
    given = {
        "role": "clerk",
        "taker": taker,
        "matters": [RENEWAL],
        "until": clock.today().isoformat(),
        "consent": texts.current("enterprise-role").hash,
    }
    flow.tokens.append(taker["idNumber"])
    role = await flow.step("give a role", "POST", f"{at}/roles", by=me, expect=201, **given)
    await flow.step("list roles", "GET", f"{at}/roles", by=me)
    await flow.step("end a role", "POST", f"{at}/roles/{role['id']}/revocation", by=me)


async def _apply(flow: Flow, me: Headers, stranger: Headers, schools: list[str]) -> str:
    matter = {"matter": "education.school-place"}
    case = (await flow.step("open a case", "POST", "/cases", by=me, expect=201, **matter))["id"]
    at = f"/cases/{case}"
    disputes = {"/hukou/address": f"应为{flow.parent.address}，户主{flow.parent.name}"}
    await flow.step("fill it in", "PATCH", at, by=me, form={"choices": schools}, disputes=disputes)
    await flow.step("read my child's case", "GET", at, by=me)
    await flow.step("read another's case", "GET", at, by=stranger, expect=404)
    await flow.step("hand it in", "POST", f"{at}/submission", by=me)
    await flow.step("hand it in again", "POST", f"{at}/submission", by=me, expect=409)
    return str(case)


async def _decide(flow: Flow, case: str, clerk: Headers) -> None:
    at = f"/desk/cases/{case}"
    note = f"请{flow.parent.name}（{flow.parent.phone}）补充材料"
    await flow.step("read a case at the desk", "GET", at, by=clerk)
    await flow.step("ask for a correction", "POST", f"{at}/request-correction", by=clerk, note=note)
    await flow.step("undo", "POST", f"{at}/undo", by=clerk)
    await flow.step("accept", "POST", f"{at}/accept", by=clerk, note=f"{flow.child['name']}材料齐全")


async def _draw(flow: Flow, runs: str, officer: Headers) -> None:
    run = (await flow.step("fix the roll", "POST", runs, by=officer, expect=201))["runId"]
    await flow.step("draw", "POST", f"{runs}/{run}/draw", by=officer, beacon="01 02 03")
    await flow.step("publish", "POST", f"{runs}/{run}/publication", by=officer)


async def _receive(flow: Flow, me: Headers, case: str) -> str:
    await flow.step("read placements", "GET", "/zones/school-places/placements", by=me)
    notice = (await flow.step("list certificates", "GET", "/certificates", by=me))["items"][0]["id"]
    await flow.step("read a certificate", "GET", f"/certificates/{notice}", by=me)
    await flow.step("look at my child's portrait", "GET", f"/certificates/{notice}/portrait", by=me)
    await flow.step("roots of documents", "GET", "/document-authority/roots", by={})
    await flow.step("revoked signers of documents", "GET", "/document-authority/crl", by={})
    await flow.step("print a certificate", "GET", f"/certificates/{notice}/document", by=me)
    words = f"我是{flow.parent.name}，电话{flow.parent.phone}"
    await flow.step("rate", "POST", f"/cases/{case}/rating", by=me, expect=201, score=5, comment=words)
    handed_in = await flow.step("read a case with its receipt", "GET", f"/cases/{case}", by=me)
    receipt = {"number": handed_in["number"], "phoneEnding": flow.parent.phone[-4:]}
    await flow.step("follow a case by its receipt", "POST", "/case-tracking", by={}, **receipt)
    return str(notice)


async def _verify(flow: Flow, me: Headers, notice: str, verifier: Headers) -> None:
    wanted = {"kind": "certificate", "subjectId": notice}
    code = await flow.step("show a code", "POST", "/codes", by=me, expect=201, **wanted)
    scan = {"text": code["text"], "purpose": "enrolment", "place": "校门"}
    seen = await flow.step("verify", "POST", "/verifications", by=verifier, **scan)
    assert seen["outcome"] == "valid", seen
    await flow.step("verify again", "POST", "/verifications", by=verifier, **scan)
    await flow.step("verify nonsense", "POST", "/verifications", by=verifier, text="?", purpose="enrolment")
    await flow.step("read a verification", "GET", f"/verifications/{seen['id']}", by=verifier)
    await _bind(flow, me, wanted)
    await _consent(flow, me, wanted, verifier)
    await _present(flow, me, notice, verifier)
    await _at_the_gate(flow, me, verifier)
    await flow.step("read the access log", "GET", "/me/access-log", by=me)


async def _at_the_gate(flow: Flow, me: Headers, verifier: Headers) -> None:
    at = "/verifications"
    await flow.step("draw a challenge", "POST", f"{at}/challenges", by=verifier, expect=201)
    code = await flow.step("show who I am", "POST", "/codes", by=me, expect=201, kind="identity")
    scan = {"text": code["text"], "purpose": "gate", "place": "东门"}
    seen = await flow.step("verify at the gate", "POST", at, by=verifier, **scan)
    assert seen["outcome"] == "valid", seen
    await flow.step("look at the portrait", "GET", f"{at}/{seen['id']}/portrait", by=verifier)


async def _consent(flow: Flow, me: Headers, wanted: dict[str, str], verifier: Headers) -> None:
    code = await flow.step("show another code", "POST", "/codes", by=me, expect=201, **wanted)
    scan = {"text": code["text"], "purpose": "enrolment", "fields": ["name", "idNumber"]}
    asked = await flow.step("ask for consent", "POST", "/verifications", by=verifier, **scan)
    at = f"/verifications/{asked['id']}"
    await flow.step("wait for consent", "GET", at, by=verifier)
    await flow.step("list what I am asked", "GET", "/me/consents", by=me)
    await flow.step("allow it", "POST", f"{at}/consent", by=me, decision="allow", fields=["name"])
    seen = await flow.step("read what was allowed", "GET", at, by=verifier)
    assert seen["outcome"] == "valid", seen


async def _present(flow: Flow, me: Headers, notice: str, verifier: Headers) -> None:
    at, wanted = "/presentation-requests", {"purpose": "enrolment", "fields": ["name"]}
    asked = await flow.step("ask at the counter", "POST", at, by=verifier, expect=201, **wanted)
    scanned = {"request": asked["url"].partition("#")[2]}
    await flow.step("scan the counter", "POST", f"{at}/preview", by=me, **scanned)
    chosen = {"decision": "allow", "subjectId": notice}
    await flow.step("show it to the counter", "POST", f"{at}/answers", by=me, **scanned, **chosen)
    seen = await flow.step("read what was shown", "GET", f"/verifications/{asked['id']}", by=verifier)
    assert seen["outcome"] == "valid", seen


async def _bind(flow: Flow, me: Headers, wanted: dict[str, str]) -> None:
    nonce = await flow.step("ask for a nonce", "POST", "/codes/nonces", by=me, expect=201)
    account = (await flow.api.get("/me", headers=me)).json()["accountId"]
    phone = Phone(flow.api, me, UUID(account))
    bound = wanted | {"deviceProof": phone.proof(unbase64url(nonce["nonce"]))}
    key = jwk(phone.key)
    await flow.step("bind a code to a phone", "POST", "/codes", by=me, expect=201, **bound, deviceKey=key)


async def _look_after(flow: Flow, notice: str, clerk: Headers) -> None:
    at = f"/desk/certificates/{notice}"
    reason = {"reason": f"应{flow.parent.name}要求，电话{flow.parent.phone}"}
    await flow.step("list certificates at the desk", "GET", "/desk/certificates", by=clerk)
    await flow.step("read a certificate at the desk", "GET", at, by=clerk)
    await flow.step("suspend a certificate", "POST", f"{at}/suspension", by=clerk, **reason)
    await flow.step("reinstate a certificate", "POST", f"{at}/reinstatement", by=clerk, **reason)
    new = await flow.step(
        "correct a certificate",
        "POST",
        f"{at}/correction",
        by=clerk,
        expect=201,
        claims={"school": "秀英区滨海小学"},
        **reason,
    )
    at = f"/desk/certificates/{new['id']}"
    await flow.step("revoke a certificate", "POST", f"{at}/revocation", by=clerk, **reason)


async def _end(flow: Flow, me: Headers, verifier: Headers, operator: Headers) -> None:
    listed = (await flow.step("list verifiers", "GET", "/desk/verifiers", by=operator))["items"]
    at = f"/desk/verifiers/{listed[-1]['id']}"
    await flow.step("suspend a verifier", "POST", f"{at}/suspension", by=operator, reason="测试")
    nonsense = {"text": "?", "purpose": "enrolment"}
    await flow.step("verify when suspended", "POST", "/verifications", by=verifier, expect=401, **nonsense)
    await flow.step("reinstate a verifier", "POST", f"{at}/reinstatement", by=operator)
    await flow.step("sign out", "DELETE", "/auth/sessions/current", by=me, expect=204)
