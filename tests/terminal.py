"""A terminal as its maker would write one: enrols, fetches the trust list, verifies offline, queues, signs
and uploads. docs/terminal.md tells the same in words."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import rfc8785
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from haiyiban import clock, verifiers
from haiyiban.codes.offline import verify_offline
from haiyiban.codes.trust import TrustList, public_key_of, read_trust_list
from haiyiban.codes.trust_file import root_jwk
from haiyiban.db import Database
from haiyiban.errors import Words
from haiyiban.identity import staff
from haiyiban.settings import Settings
from haiyiban.verifiers import terminals

Headers = dict[str, str]


class Terminal:
    """One device: its key never leaves it."""

    def __init__(self, api: httpx.AsyncClient) -> None:
        self.api = api
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = ""
        self.client: dict[str, str] = {}
        self.sequence = 1
        self.queue: list[dict[str, Any]] = []
        self.trust: TrustList | None = None

    async def enrol(self, one_time_code: str) -> httpx.Response:
        """Turn the code that the operator read out into an id and a secret."""
        answer = await self.api.post(
            "/terminals/enrolments", json={"oneTimeCode": one_time_code, "publicKey": self.public_jwk}
        )
        if answer.status_code == 201:
            told = answer.json()
            self.id, self.sequence = told["terminalId"], told["nextSequence"]
            self.client = {"clientId": told["clientId"], "clientSecret": told["clientSecret"]}
        return answer

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public half, as it is enrolled."""
        numbers = self.key.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": _b64(numbers.x.to_bytes(32)),
            "y": _b64(numbers.y.to_bytes(32)),
        }

    async def sign_in(self) -> httpx.Response:
        """Ask for an access token."""
        return await self.api.post("/auth/verifiers/token", json=self.client)

    async def headers(self) -> Headers:
        """What a request of this terminal carries."""
        answer = await self.sign_in()
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['accessToken']}"}

    async def fetch_trust(self, root: ec.EllipticCurvePublicKey) -> None:
        """While connected: keep the trust list, checked by the root that is pinned in the device."""
        self.trust = read_trust_list((await self.api.get("/trust-list")).text, root)

    def scan(self, text: str, *, at: datetime | None = None) -> str:
        """Verify offline and remember it for the next upload."""
        assert self.trust is not None, "a terminal that never was connected verifies nothing"
        now = at or clock.now()
        outcome = verify_offline(
            text, trust=self.trust, now=now, lists_age=now - self.trust.issued_at
        ).outcome
        self.remember(text, outcome=outcome, at=now)
        return str(outcome)

    def remember(self, text: str, *, outcome: str = "valid", at: datetime | None = None) -> dict[str, Any]:
        """Put a record into the queue."""
        record = {
            "id": uuid4().hex,
            "text": text,
            "verifiedAt": (at or clock.now()).isoformat(),
            "outcome": str(outcome),
        }
        self.queue.append(record)
        return record

    def signed(self, document: dict[str, Any]) -> dict[str, Any]:
        """A JSON object with this terminal's signature: raw ES256 over its RFC 8785 form, base64url."""
        r, s = decode_dss_signature(self.key.sign(rfc8785.dumps(document), ec.ECDSA(hashes.SHA256())))
        return document | {"signature": _b64(r.to_bytes(32) + s.to_bytes(32))}

    def batch(self) -> dict[str, Any]:
        """The queue as the next batch, at most 500 records of it."""
        return self.signed({"terminalId": self.id, "sequence": self.sequence, "records": self.queue[:500]})

    async def upload(self, batch: dict[str, Any] | None = None) -> httpx.Response:
        """Send the queue. What was answered leaves it."""
        sent = batch or self.batch()
        answer = await self.api.post("/verifications/batch", json=sent, headers=await self.headers())
        if answer.status_code == 200:
            self.sequence = answer.json()["nextSequence"]
            # Results come in the order of the records; what is refused now would be refused again.
            del self.queue[: len(answer.json()["results"])]
        return answer


async def accredited_for(database: Database, *purposes: str) -> UUID:
    """A new verifier for some purposes."""
    async with database.transaction() as session:
        verifier = await verifiers.accredit(
            session,
            Words(f"核验方 {uuid4().hex[:8]}", "A verifier"),
            unit="education",
            purposes=purposes,
            now=clock.now(),
        )
    return verifier.id


async def enrolled_at(
    api: httpx.AsyncClient, database: Database, verifier_id: UUID, *, name: str = "东门一号"
) -> Terminal:
    """A terminal of a verifier, enrolled a moment ago; its trust list fetched."""
    async with database.transaction() as session:
        registered = await terminals.register(
            session, verifier_id, name=name, place="滨海小学东门", purpose="enrolment", now=clock.now()
        )
        code = await terminals.give_code(session, registered.id, life=timedelta(minutes=15), now=clock.now())
    terminal = Terminal(api)
    answer = await terminal.enrol(code.code)
    assert answer.status_code == 201, answer.text
    await terminal.fetch_trust(public_key_of(root_jwk(Settings.from_env().keys_dir)))
    return terminal


async def operator_of(api: httpx.AsyncClient, database: Database) -> Headers:
    """A new operator, signed in."""
    name = f"operator-{uuid4().hex[:8]}"
    async with database.transaction() as session:
        await staff.create(
            session,
            username=name,
            password="a long password",
            roles=["operator"],
            agency="platform",
            division="460000",
        )
    answer = await api.post(
        "/auth/sessions", json={"method": "staff", "username": name, "password": "a long password"}
    )
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
