"""Every act leaves its record: who, whom, what, from where, with what outcome.

The rows are the acts of tests/contracts/flow.py. An act without a row fails: whoever adds a step to the flow
says what the audit must hold of it.
"""

from __future__ import annotations

import httpx
from sqlalchemy import select

from haiyiban.audit.models import AuditRecord
from haiyiban.db import Database
from tests.contracts import flow
from tests.zones.school_places.conftest import MakeRound, SignInStaff

NOTHING: set[str] = set()
"""One's own doings that change and show nothing of anybody else."""

ACTS = {
    "ask for a code": {"identity.send-code done"},
    "give a wrong code": {"POST /api/v1/auth/sessions wrong-code"},
    "sign in": {"identity.create-account done", "identity.sign-in done"},
    "give another's name": {"POST /api/v1/me/real-name identity-mismatch"},
    "give the real name": {"identity.create-person done", "identity.raise-level done"},
    "begin a face check": {"identity.begin-face-check done"},
    "pass a face check": {"identity.finish-face-check done", "identity.raise-level done"},
    "make a delegation": {"delegations.make done"},
    "read a delegation": NOTHING,
    "accept a delegation": {"delegations.accept done"},
    "open a case for another": {"delegations.use done", "cases.open done", "registers.read done"},
    "read another's case for them": {"cases.read done"},
    "end a delegation": {"delegations.end done"},
    "go on after the end": {"GET /api/v1/cases/{case_id} delegation-ended"},
    "sign in for a company": {
        "identity.create-person done",
        "registers.read done",
        "certificates.issue done",
        "delegations.make done",
    },
    "read a company": NOTHING,
    "list a company's certificates": {"certificates.read done"},
    "show a company's licence": {"certificates.read done"},
    "give a role": {"identity.create-person done", "delegations.make done"},
    "list roles": NOTHING,
    "end a role": {"delegations.end done"},
    "open a case": {"identity.create-person done", "cases.open done", "registers.read done"},
    "fill it in": {"cases.patch done"},
    "read my child's case": {"cases.read done"},
    "read another's case": {"GET /api/v1/cases/{case_id} not-found"},
    "hand it in": {"cases.submission done"},
    "hand it in again": {"POST /api/v1/cases/{case_id}/submission illegal-transition"},
    "read a case at the desk": {"cases.read done"},
    "ask for a correction": {"cases.request-correction done", "cases.read done"},
    "undo": {"cases.undo done", "cases.read done"},
    "accept": {"cases.accept done", "cases.read done"},
    "fix the roll": {"school-places.commit done"},
    "draw": {"school-places.draw done"},
    "publish": {"school-places.publish done", "cases.approve done", "certificates.issue done"},
    "print a decision": {"cases.read done"},
    "print a decision at the desk": {"cases.read done"},
    "read placements": {"school-places.read done"},
    "list certificates": {"certificates.read done"},
    "read a certificate": {"certificates.read done"},
    "look at my child's portrait": {"certificates.read-portrait done"},
    "roots of documents": NOTHING,
    "revoked signers of documents": NOTHING,
    "print a certificate": {"certificates.read done"},
    "rate": {"cases.rating done"},
    "show a code": NOTHING,
    "ask for a nonce": NOTHING,
    "bind a code to a phone": {"codes.issue-capsule done"},
    "verify": {"codes.verify valid"},
    "verify again": {"codes.verify already_used"},
    "verify nonsense": {"codes.verify malformed"},
    "read a verification": {"codes.read valid"},
    "show another code": NOTHING,
    "ask for consent": {"codes.verify consent_pending"},
    "wait for consent": NOTHING,
    "list what I am asked": NOTHING,
    "allow it": {"codes.consent allow"},
    "read what was allowed": {"codes.read valid"},
    "ask at the counter": {"codes.request consent_pending"},
    "scan the counter": NOTHING,
    "show it to the counter": {"codes.consent allow", "codes.verify valid"},
    "read what was shown": {"codes.read valid"},
    "draw a challenge": NOTHING,
    "show who I am": NOTHING,
    "verify at the gate": {"codes.verify valid"},
    "look at the portrait": {"codes.read-portrait valid"},
    "read the access log": NOTHING,
    "list certificates at the desk": {"certificates.list done"},
    "read a certificate at the desk": {"certificates.read done"},
    "suspend a certificate": {"certificates.suspend done", "certificates.read done"},
    "reinstate a certificate": {"certificates.reinstate done", "certificates.read done"},
    "correct a certificate": {"certificates.correct done", "certificates.read done"},
    "revoke a certificate": {"certificates.revoke done", "certificates.read done"},
    "register a terminal": {"verifiers.register-terminal done", "verifiers.give-terminal-code done"},
    "enrol a terminal": {"verifiers.enrol-terminal done", "verifiers.add-client done"},
    "report of a terminal": NOTHING,
    "change a terminal's secret": {"verifiers.change-terminal-secret done", "verifiers.add-client done"},
    "upload offline verifications": {"codes.upload-batch done", "codes.verify-offline valid"},
    "list double uses": NOTHING,
    "list terminals": NOTHING,
    "suspend a terminal": {"verifiers.suspend-terminal done"},
    "reinstate a terminal": {"verifiers.reinstate-terminal done"},
    "let a terminal enrol anew": {"verifiers.give-terminal-code done"},
    "retire a terminal": {"verifiers.retire-terminal done"},
    "read my allowance": NOTHING,
    "buy free of duty": {"codes.verify valid", "duty-free.order done"},
    "list my duty-free orders": NOTHING,
    "look at an order as its shop": {"duty-free.read done"},
    "hand the goods over": {"duty-free.pick-up done"},
    "refund an order": {"duty-free.refund done"},
    "buy goods to be mailed": {"codes.verify valid", "duty-free.order done"},
    "send a parcel": {"duty-free.send-parcel done", "duty-free.pick-up done"},
    "follow my parcel": NOTHING,
    "follow a case by its receipt": NOTHING,
    "read a case with its receipt": {"cases.read done"},
    "buy for my return": {"codes.verify valid", "duty-free.order done", "registers.read done"},
    "show a pick-up code": NOTHING,
    "check who picks up": {"codes.verify valid", "duty-free.pickup-check not_entitled"},
    "make a campaign": {"duty-free-campaigns.create done"},
    "change a campaign": {"duty-free-campaigns.change done"},
    "open a campaign": {"duty-free-campaigns.open done"},
    "pause a campaign": {"duty-free-campaigns.pause done"},
    "open it again": {"duty-free-campaigns.open done"},
    "look at a campaign": NOTHING,
    "list campaigns at the desk": NOTHING,
    "list voucher campaigns": NOTHING,
    "claim a voucher": {"duty-free.claim done"},
    "list my vouchers": NOTHING,
    "show a voucher": NOTHING,
    "redeem a voucher": {"codes.verify valid", "duty-free.redeem done"},
    "reverse a redemption": {"duty-free.reverse-redemption done"},
    "show a voucher again": NOTHING,
    "redeem a voucher again": {"codes.verify valid", "duty-free.redeem done"},
    "refund goods with a voucher": {"duty-free.refund-voucher done"},
    "close a campaign": {"duty-free-campaigns.close done"},
    "read my settlement": NOTHING,
    "print my settlement": NOTHING,
    "list matters of other provinces": NOTHING,
    "read what we take from others": NOTHING,
    "apply in another province": {"cross-province.taken-in done"},
    "take a message": NOTHING,
    "correct in another province": {"cross-province.forwarded done"},
    "withdraw from another province": {"cross-province.request-withdrawal done"},
    "read my case in another province": {"cross-province.delivered done"},
    "list my cases in other provinces": NOTHING,
    "take in at a counter": {"identity.create-person done", "cross-province.taken-in done"},
    "list cross-province cases": NOTHING,
    "read a cross-province case": {"cross-province.read done"},
    "send originals": {"cross-province.send-originals done"},
    "decide our part": {"cross-province.joint-decision agreed"},
    "correct at a counter": {"cross-province.forwarded done"},
    "list late hops": NOTHING,
    "hand over at a counter": {"cross-province.delivered done"},
    "ask what insurance pays": NOTHING,
    # The registers know nothing of this parent's health: no reading is recorded, and the decision is.
    "look at my health code": {"health-code.decide done"},
    "look at my children's colours": {"health-code.decide done", "health-code.read done"},
    "look at a child's health code": {"health-code.read done"},
    "declare my health": {"health-code.declare done", "health-code.decide done"},
    "appeal my colour": {"health-code.appeal done"},
    "list my appeals": NOTHING,
    "read appeals at the desk": {"health-code.read-appeal done"},
    "propose a colour": {"health-code.propose-change done", "health-code.read-appeal done"},
    "confirm it alone": {
        "POST /api/v1/zones/health-code/desk/appeals/{appeal_id}/confirmation second-person-needed"
    },
    "confirm a colour": {
        "health-code.confirm-change done",
        "health-code.decide done",
        "health-code.read-appeal done",
    },
    "read where my code was checked": NOTHING,
    "open hours": {"health-code.open-slot done"},
    "list hours at the desk": NOTHING,
    "book a vaccination": {"health-code.book done"},
    "cancel a vaccination": {"health-code.cancel-appointment done"},
    "begin a recolouring": {"health-code.recolour-begin done"},
    "stop a recolouring": {"health-code.recolour-stop done"},
    "look at a recolouring": NOTHING,
    "list verifiers": NOTHING,
    "suspend a verifier": {"verifiers.suspend done"},
    "verify when suspended": {"POST /api/v1/verifications invalid-token"},
    "reinstate a verifier": {"verifiers.reinstate done"},
    "sign out": {"identity.end-session done"},
}
"""Act → what is recorded of it, as action and outcome."""

FOR_ANOTHER = {"read another's case for them", "go on after the end"}
"""Acts for somebody else: their records name the delegation."""

ABOUT_SOMEBODY = (
    "cases.",
    "certificates.",
    "delegations.",
    "codes.consent",
    "codes.read",
    "codes.issue-capsule",
    "codes.verify valid",
    "codes.verify-offline",
    "codes.verify already_used",
    "codes.verify consent_pending",
    "registers.",
    "cross-province.",
    "duty-free.",
    "identity.raise-level",
    "identity.finish-face-check",
    "school-places.read",
)
"""Records that say whom they concern, by a pseudonym."""


async def test_every_act_is_recorded(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    database: Database,
    make_round: MakeRound,
    sign_in_staff: SignInStaff,
    accredit: flow.Accredit,
) -> None:
    gone = await flow.go(api, sandbox, make_round=make_round, employ=sign_in_staff, accredit=accredit)
    assert sorted(ACTS) == sorted(gone.answers)
    for act, answer in gone.answers.items():
        async with database.reading() as session:
            records = list(
                await session.scalars(
                    select(AuditRecord).where(AuditRecord.request_id == answer.headers["x-request-id"])
                )
            )
        found = {f"{record.action} {record.outcome}" for record in records}
        assert found == ACTS[act], act
        for record in records:
            told = f"{record.action} {record.outcome}"
            assert record.address, told
            assert (record.actor_id is None) == (record.actor_kind == "anonymous"), told
            if "for another" in act or act in FOR_ANOTHER:
                assert record.delegation_id is not None, told
            assert record.object_id is not None or not record.action[0].islower(), told
            if told.startswith(ABOUT_SOMEBODY):
                assert record.subject is not None, told
            if ".read" in record.action or record.action.endswith(".list"):
                assert record.fields, told
                assert record.reason, told
