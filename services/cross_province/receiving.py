"""Messages that come in: signed by a neighbour, in order, each taken once, each signed for.

Order: what is not the next number is refused, and the sender, which keeps everything until it has a receipt,
sends it again in order. Replay: the same message gets the same receipt and has no second effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import outbox
from haiyiban.errors import Conflict, FieldError, NotSignedIn, Problem, Unavailable, Words
from haiyiban.ids import new_id
from services.cross_province import neighbours, signatures
from services.cross_province.directory import NotAgreed
from services.cross_province.messages import VERSION, CrossMessage, CrossReceipt
from services.cross_province.models import Incoming
from services.cross_province.neighbours import Known
from services.cross_province.sending import PATH
from services.cross_province.signatures import Headers, NotSigned

PROCESS = "cross-province.process"


class UnknownDeployment(NotSignedIn):
    """No agreement of ours names the key that signed."""

    type = "cross-province/unknown-deployment"
    title = Words("未知的部署：没有双方签署的协议", "Unknown deployment: no agreement is signed by both")


class SignatureRefused(NotSignedIn):
    """The HTTP message signature is missing, does not hold, covers too little, or is of another time."""

    type = "cross-province/signature-refused"
    title = Words("报文签名不成立", "The message's signature does not hold")


class AgreementEnded(NotSignedIn):
    """The agreement with the sender is not in force."""

    type = "cross-province/agreement-ended"
    title = Words("双方协议不在有效期内或已暂停", "The agreement is not in force, or suspended")


class NotForUs(Problem):
    """The message names another sender than who signed it, or another receiver than us."""

    type = "cross-province/not-for-us"
    title = Words("报文的发送方或接收方不对", "The message's sender or receiver is wrong")


class UnknownVersion(Problem):
    """The message is of a version that we do not speak."""

    type = "cross-province/unknown-version"
    title = Words("不支持的报文版本", "This version of message is not supported")


class OutOfOrder(Conflict):
    """Another number comes next; the member `expected` says which."""

    type = "cross-province/out-of-order"
    title = Words("报文顺序不对，请从缺失的一条起重发", "Out of order: send again from the missing one on")


class Altered(Conflict):
    """The same message id or number came before with other content."""

    type = "cross-province/altered"
    title = Words("同一编号的报文内容不同，已拒收", "This id or number came before with other content")


class CannotSign(Unavailable):
    """None of our keys is one that the agreement names."""

    type = "cross-province/cannot-sign"
    title = Words("本方密钥与协议不符，暂不能收件", "Our keys are not the agreement's; nothing is taken")


async def take(
    session: AsyncSession, message: CrossMessage, body: bytes, fields: Mapping[str, str], *, now: datetime
) -> tuple[bytes, Headers]:
    """Take a message, signed as `body`; its receipt. What it says is carried out by the worker, once.

    Raises UnknownDeployment, SignatureRefused, AgreementEnded, NotForUs, UnknownVersion, OutOfOrder, Altered,
    CannotSign.
    """
    known, headers = await _sender(session, body, fields, now=now)
    if message.version != VERSION:
        raise UnknownVersion(errors=[FieldError("/version", UnknownVersion.title)])
    own, other = known.places
    if message.sender != other or message.receiver != own:
        raise NotForUs
    known = await neighbours.get(session, known.other.division, lock=True)
    again = await session.scalar(
        select(Incoming).where(
            Incoming.neighbour == known.other.division,
            (Incoming.message_id == message.msg_id) | (Incoming.sequence == message.sequence),
        )
    )
    if again is not None:
        same = again.message_id == message.msg_id and again.sequence == message.sequence
        if not same or again.digest != headers.content_digest:
            raise Altered
        return again.receipt.encode(), msgspec.convert(again.receipt_headers, Headers)
    if message.sequence != known.row.taken + 1:
        raise OutOfOrder(members={"expected": known.row.taken + 1})
    return await _keep(session, known, message, body, headers, now=now)


async def _sender(
    session: AsyncSession, body: bytes, fields: Mapping[str, str], *, now: datetime
) -> tuple[Known, Headers]:
    by_key = {kid: one for one in await neighbours.all_known(session) for kid in one.other.publics()}
    asked: list[str] = []

    def key(kid: str) -> object:
        asked.append(kid)
        return by_key[kid].key(kid) if kid in by_key else None

    try:
        headers = Headers.of(fields)
        proven = signatures.check_request(body, headers, path=PATH, keys=key, now=now)  # type: ignore[arg-type]
    except NotSigned:
        if asked and asked[-1] not in by_key:
            raise UnknownDeployment from None
        raise SignatureRefused from None
    known = by_key[proven.key_id]
    if not known.is_open(now):
        raise AgreementEnded
    return known, headers


async def _keep(
    session: AsyncSession,
    known: Known,
    message: CrossMessage,
    body: bytes,
    headers: Headers,
    *,
    now: datetime,
) -> tuple[bytes, Headers]:
    receipt = msgspec.json.encode(
        CrossReceipt(
            msg_id=message.msg_id,
            sequence=message.sequence,
            digest=headers.content_digest,
            received_at=now,
            receiver=known.own.division,
        )
    )
    try:
        key = neighbours.signer(known, now)
    except NotAgreed:
        raise CannotSign from None
    signed = signatures.sign_receipt(receipt, headers, key=key, now=now)
    row = Incoming(
        id=new_id(),
        neighbour=known.other.division,
        sequence=message.sequence,
        message_id=message.msg_id,
        case_id=message.trace_id,
        type=message.type,
        headers=msgspec.to_builtins(headers),
        digest=headers.content_digest,
        received_at=now,
        receipt=receipt.decode(),
        receipt_headers=msgspec.to_builtins(signed),
    )
    row.body = body.decode()
    session.add(row)
    known.row.taken = message.sequence
    await session.flush()
    await outbox.enqueue(session, PROCESS, payload=known.other.division.encode())
    return receipt, signed
