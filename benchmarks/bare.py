"""What the production stack is measured against: Litestar alone, and Litestar with one signature check.

`bare` takes and gives the same structs as a verification and does nothing; `get` gives a code as it is shown;
`sign` takes what POST /codes takes, signs once as we do and gives the same; `claim` takes what a claim takes
and gives a voucher, and once more behind the edge for those who are signed in. `dcc` does what a checker of
EU digital COVID certificates does and no more: Base45, zlib, CBOR, ES256; no sign-in, no database, no audit.
"""

from __future__ import annotations

import json
import os
import zlib
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
import cbor2
import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from litestar import Controller, Litestar, Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from haiyiban.codes import base45
from haiyiban.codes.answers import HolderRead, VerificationRead, VerifiedCertificate
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.verifying import VerificationCreate
from haiyiban.codes.wire import CodeCreate, CodeRead
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, resident
from haiyiban.lean import Encoded
from haiyiban.runtime.app import assemble, behind_edge
from haiyiban.runtime.edge import Edge
from haiyiban.runtime.records import AccessLog
from haiyiban.runtime.start import prepare
from haiyiban.settings import Settings
from haiyiban.signatures import raw_signature
from haiyiban.wire import OWN_ANSWERS
from services.duty_free.vouchers.controllers import ClaimRead

DCC_PREFIX = "HC1:"
_ES256 = ec.ECDSA(hashes.SHA256())
_ANSWER = VerificationRead(
    id=UUID(int=7 << 76),
    outcome=Outcome.VALID,
    reason="核验通过。",
    advice="可以办理。",
    verified_at=datetime(2026, 11, 20, tzinfo=UTC),
    kind="certificate",
    holder=HolderRead(name="陈*海"),
    certificate=VerifiedCertificate(
        type="admission-notice",
        type_name="小学新生录取通知书",
        status="valid",
        valid_until=date(2099, 9, 30),
        claims={"school": "秀英区滨海小学", "schoolYear": 2027, "reportFrom": "2027-08-25"},
    ),
)


_CODE = CodeRead(
    id=UUID(int=7 << 76), text="HYB1:" + "A" * 290, expires_at=datetime(2026, 11, 20, tzinfo=UTC)
)


_VOUCHER = ClaimRead(
    voucher_id=UUID(int=7 << 76),
    number="7K3M-QX42-9HPT",
    face_fen=20_000,
    threshold_fen=200_000,
    valid_until=datetime(2026, 11, 30, tzinfo=UTC),
)


@get("/get")
async def bare_get() -> CodeRead:
    """Answer."""
    return _CODE


@post("/bare", status_code=200)
async def bare(data: JSONBody[VerificationCreate]) -> VerificationRead:
    """Decode, answer."""
    assert data.text
    return _ANSWER


@post("/sign", status_code=201)
async def sign(data: JSONBody[CodeCreate]) -> CodeRead:
    """Decode, sign, answer."""
    assert data.subject_id
    assert raw_signature(dcc_key(), data.subject_id.bytes * 11)
    return _CODE


@post("/dcc", status_code=200)
async def dcc(data: JSONBody[VerificationCreate]) -> VerificationRead:
    """Decode, check one signature, answer."""
    protected, _, payload, signature = cbor2.loads(
        zlib.decompress(base45.decode(data.text.removeprefix(DCC_PREFIX)))
    ).value
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    dcc_key().public_key().verify(encode_dss_signature(r, s), _signed(protected, payload), _ES256)
    assert cbor2.loads(payload)[4]
    return _ANSWER


@post("/api/v1/zones/duty-free/campaigns/{campaign_id:uuid}/claims", status_code=201)
async def claim(request: Request[Any, Any, Any], campaign_id: FromPath[UUID]) -> ClaimRead:
    """Take what a claim takes, answer."""
    assert campaign_id
    assert request.headers.get("idempotency-key")
    return _VOUCHER


class ClaimsOfNothing(Controller):
    """The same behind the edge, for those who are signed in."""

    path = "/zones/duty-free/campaigns"

    @post("/{campaign_id:uuid}/claims", status_code=201, opt=OWN_ANSWERS)
    async def claim(self, request: ResidentRequest, campaign_id: FromPath[UUID]) -> Encoded[ClaimRead]:
        """Take what a claim takes, ask who it is, answer."""
        assert campaign_id
        assert request.headers.get("idempotency-key")
        await _ENOUGH(request, request.route_handler)
        return Encoded(_VOUCHER, status=201)


class ReadingOfNothing(Controller):
    """A read of nothing behind the edge, for those who are signed in."""

    path = "/nothing"

    @get()
    async def nothing(self, request: ResidentRequest) -> CodeRead:
        """Ask who it is, answer."""
        await _ENOUGH(request, request.route_handler)
        return _CODE


_ENOUGH = resident(Level.L3)


def create_edge_app() -> Edge:
    """The application of the yardstick behind the edge."""
    settings = Settings.from_env()
    database = prepare(settings)
    app = assemble([ClaimsOfNothing, ReadingOfNothing])
    return behind_edge(app, settings, database=database, access_log=AccessLog())


def create_app() -> Litestar:
    """The application of the yardsticks."""
    return Litestar(route_handlers=[bare, bare_get, claim, dcc, sign], openapi_config=None)


def create_reading_app() -> Litestar:
    """The ceilings of lists: asyncpg, the statement of the list, its rows as they come."""
    from benchmarks.reads import list_statement

    people = [UUID(each) for each in json.loads(os.environ["BENCH_PEOPLE"])]
    statements = [list_statement(person) for person in people]
    queued = list_statement(None)

    async def pool(app: Litestar) -> None:
        app.state.pool = await asyncpg.create_pool(Settings.from_env().database_url, min_size=16, max_size=16)

    async def rows(state: State, statement: str, values: list[Any]) -> Response[bytes]:
        found = await state.pool.fetch(statement, *values)
        content = msgspec.json.encode([list(row.values()) for row in found])
        return Response(content, media_type="application/json")

    @get("/cases/{number:int}")
    async def cases(state: State, number: FromPath[int]) -> Response[bytes]:
        """A person's list."""
        return await rows(state, *statements[number])

    @get("/queue")
    async def queue(state: State) -> Response[bytes]:
        """A clerk's queue."""
        return await rows(state, *queued)

    return Litestar(route_handlers=[bare_get, cases, queue], on_startup=[pool], openapi_config=None)


@cache
def dcc_key() -> ec.EllipticCurvePrivateKey:
    """The yardstick's own key; it protects nothing."""
    return ec.derive_private_key(20_211_220, ec.SECP256R1())


def dcc_text(number: int) -> str:
    """A certificate of the size of a vaccination certificate."""
    entry = {"tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2}
    holder = {"fn": "Mustermann", "gn": "Erika", "fnt": "MUSTERMANN", "gnt": "ERIKA"}
    said = {"v": [entry | {"ci": f"URN:UVCI:01DE/{number:016}"}], "dob": "1964-08-12", "nam": holder}
    payload = cbor2.dumps({1: "DE", 4: 4_000_000_000, 6: 1_700_000_000, -260: {1: said | {"ver": "1.3.0"}}})
    protected = cbor2.dumps({1: -7, 4: b"12345678"})
    r, s = decode_dss_signature(dcc_key().sign(_signed(protected, payload), _ES256))
    sign1 = cbor2.CBORTag(18, [protected, {}, payload, r.to_bytes(32) + s.to_bytes(32)])
    return DCC_PREFIX + base45.encode(zlib.compress(cbor2.dumps(sign1)))


def _signed(protected: bytes, payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, b"", payload])
