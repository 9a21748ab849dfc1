"""Proof of what was sent and received in a case: the signed bytes of both sides, checked by anybody.

An export holds the agreement with both signatures, and each message with its signature and its receipt. Who
has it needs neither side's database: the sender cannot deny the message, nor the receiver that it took it.

Source: docs/domain.md §9; RFC 9421.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from services.cross_province import directory, neighbours, signatures
from services.cross_province.cases import CrossCaseMissing
from services.cross_province.directory import Agreement, NotAgreed
from services.cross_province.messages import CrossMessage, CrossReceipt
from services.cross_province.models import CrossCase, Incoming, Neighbour, Outgoing
from services.cross_province.sending import PATH
from services.cross_province.signatures import Headers, NotSigned


class Exchanged(msgspec.Struct, frozen=True, rename="camel"):
    """One message with its signature, and its receipt with its own; no receipt while none has come."""

    body: str
    headers: Headers
    receipt: str | None = None
    receipt_headers: Headers | None = None


class Proof(msgspec.Struct, frozen=True, rename="camel"):
    """All messages of a case that this side holds, in the order of each direction."""

    agreement: directory.Signed
    messages: tuple[Exchanged, ...]


class Found(msgspec.Struct, frozen=True, rename="camel"):
    """What a proof shows of one message."""

    msg_id: UUID
    type: str
    sender: str
    signed_at: str
    received_at: str | None


async def export(session: AsyncSession, case_id: UUID) -> Proof:
    """The proof of a case; its export is recorded. Raises CrossCaseMissing."""
    case = await session.get(CrossCase, case_id)
    if case is None:
        raise CrossCaseMissing
    neighbour = await session.get_one(Neighbour, case.neighbour)
    neighbours.read(neighbour)
    sent = await session.scalars(
        select(Outgoing)
        .where(Outgoing.case_id == case_id, Outgoing.headers.is_not(None))
        .order_by(Outgoing.sequence)
    )
    received = await session.scalars(
        select(Incoming).where(Incoming.case_id == case_id).order_by(Incoming.sequence)
    )
    await audit.record(
        session,
        "cross-province.export-proof",
        subject=case.person_id,
        object_kind="cross-case",
        object_id=case.id,
    )
    return Proof(
        agreement=msgspec.convert(neighbour.agreement, directory.Signed),
        messages=tuple(_exchanged(row) for row in [*sent, *received]),
    )


def check(document: bytes) -> list[Found]:
    """What a proof shows, once every signature in it holds. Raises NotSigned, NotAgreed."""
    try:
        proof = msgspec.json.decode(document, type=Proof)
    except msgspec.MsgspecError as error:
        raise NotSigned(f"the file cannot be read: {error}") from None
    agreement = directory.check_both(msgspec.to_builtins(proof.agreement))
    return [_found(agreement, one) for one in proof.messages]


def _found(agreement: Agreement, one: Exchanged) -> Found:
    try:
        message = msgspec.json.decode(one.body, type=CrossMessage)
    except msgspec.MsgspecError as error:
        raise NotSigned(f"a message cannot be read: {error}") from None
    sender, receiver = message.sender.division, message.receiver.division
    if agreement.other(receiver).division != sender:
        raise NotAgreed("a message is not between the two parties")
    body = one.body.encode()
    proven = signatures.check_request(body, one.headers, path=PATH, keys=_keys(agreement, sender), now=None)
    received_at = None
    if one.receipt is not None and one.receipt_headers is not None:
        receipt = one.receipt.encode()
        signatures.check_receipt(
            receipt, one.receipt_headers, one.headers, keys=_keys(agreement, receiver), now=None
        )
        said = msgspec.json.decode(receipt, type=CrossReceipt)
        if said.msg_id != message.msg_id or said.digest != one.headers.content_digest:
            raise NotSigned("a receipt is of another message")
        received_at = said.received_at.isoformat()
    return Found(message.msg_id, message.type, sender, proven.created.isoformat(), received_at)


def _keys(agreement: Agreement, division: str) -> Any:
    publics: dict[str, ec.EllipticCurvePublicKey] = next(
        one.publics() for one in agreement.parties if one.division == division
    )
    return publics.get


def _exchanged(row: Outgoing | Incoming) -> Exchanged:
    return Exchanged(
        body=row.body,
        headers=msgspec.convert(row.headers, Headers),
        receipt=row.receipt,
        receipt_headers=msgspec.convert(row.receipt_headers, Headers) if row.receipt_headers else None,
    )
