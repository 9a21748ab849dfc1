"""Is this person who they say they are: name and number together, and a face.

Unlike facts for a form, an identity cannot stay open: when nobody can vouch for it now, it is refused for
now, and the person keeps all they had.
Source: docs/domain.md §1.6.
"""

from __future__ import annotations

from typing import Annotated
from unicodedata import normalize

import msgspec
from msgspec import Meta

from haiyiban import db
from haiyiban.errors import Problem, Unavailable, Words
from haiyiban.registers.breaker import REST_SECONDS
from haiyiban.registers.client import current
from haiyiban.registers.line import NoAnswer, Refused
from haiyiban.registers.records import Instant, Text
from haiyiban.registers.sources import FACE, REGISTERS
from haiyiban.residents import IdType


class RegisterUnavailable(Unavailable):
    """A source that has to vouch for somebody does not answer; nothing was changed."""

    type = "registers/register-unavailable"
    title = Words("数据源暂时没有应答", "A source does not answer for the moment")

    def __init__(self, source: Words) -> None:
        super().__init__(
            Words(
                f"{source.zh}暂时没有应答，请稍后再试。您已填写的内容和已有的认证都没有丢失",
                f"{source.en} does not answer for the moment; please try again shortly. Nothing is lost",
            ),
            retry_after_seconds=int(REST_SECONDS),
        )


class FaceCheckExpired(Problem):
    """The vendor no longer knows this face check."""

    type = "registers/face-check-expired"
    title = Words("本次刷脸核验已失效，请重新发起", "This face check has expired; please begin a new one")


class FaceSession(msgspec.Struct, frozen=True, rename="camel"):
    """A face check begun: the person is sent to `vendor_url`."""

    session_id: Text
    vendor_url: Annotated[str, Meta(pattern=r"^https?://", max_length=2000)]


class _Match(msgspec.Struct, rename="camel"):
    match: bool
    source: Text
    as_of: Instant


class _Redeemed(msgspec.Struct):
    passed: bool
    score: float
    at: Instant


_read_match = msgspec.json.Decoder(_Match).decode
_read_session = msgspec.json.Decoder(FaceSession).decode
_read_redeemed = msgspec.json.Decoder(_Redeemed).decode


async def confirm_identity(name: str, id_number: str) -> bool:
    """Whether name and number belong together (两要素比对). Raises RegisterUnavailable."""
    db.require_no_transaction()
    question = {"name": normalize("NFC", name), "idNumber": id_number}
    try:
        answer = await (
            current().lines["population"].call("/registers/population/match", question, read=_read_match)
        )
    except NoAnswer:
        raise RegisterUnavailable(REGISTERS["population"].title) from None
    return answer.match


async def begin_face_check(
    reference: str, *, name: str, id_number: str, id_type: str = IdType.RESIDENT_ID_CARD
) -> FaceSession:
    """Begin a face check of one person under our own reference.

    The vendor is told whose face it must be and compares it with the photo of that document (实人比对): a
    living face alone would let anybody be anybody. Raises RegisterUnavailable.
    """
    db.require_no_transaction()
    whose = {"reference": reference, "name": normalize("NFC", name), "idNumber": id_number}
    if id_type != IdType.RESIDENT_ID_CARD:
        whose["idType"] = id_type
    try:
        return await current().lines["face"].call("/face/sessions", whose, read=_read_session)
    except NoAnswer:
        raise RegisterUnavailable(FACE) from None


async def redeem_face_token(session_id: str, token: str) -> bool:
    """Whether the vendor saw the right, living face, asked server to server: what the phone says is no proof.

    Raises RegisterUnavailable, FaceCheckExpired.
    """
    db.require_no_transaction()
    question = {"sessionId": session_id, "faceToken": token}
    try:
        answer = await current().lines["face"].call("/face/redeem", question, read=_read_redeemed)
    except Refused as refusal:
        if refusal.status in {404, 410}:
            raise FaceCheckExpired from None
        raise RegisterUnavailable(FACE) from None
    except NoAnswer:
        raise RegisterUnavailable(FACE) from None
    return answer.passed
