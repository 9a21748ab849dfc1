"""The request that a counter shows for holders to scan (主扫), as signed text.

The counter shows an https address, so that any scanner leads to the holder's app; the request is its
fragment, which no server on the way sees. We sign it, so that nobody can ask in another's name.

Source: schemas/codes/README.md "The holder scans the counter"; RFC 7515.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from haiyiban.codes import jws
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.signing import CodeKeys
from haiyiban.errors import FieldError, Problem, Words

REQUEST_LIFE = timedelta(minutes=5)
_TYP = "presentation-request+jwt"


class PresentationInvalid(Problem):
    """The text is no request of this platform, or was altered."""

    type = "codes/presentation-invalid"
    title = Words(
        "这不是本平台签发的出示请求，或已被改动，请勿继续；请让工作人员重新展示二维码",
        "This request is not from this platform or was altered; do not go on, ask the counter for a new one",
    )

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/request", self.title)])


class PresentationRequest(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Who asks for what. `iat` and `exp` are seconds since 1970."""

    id: UUID
    """Also the id of the verification."""
    verifier_id: UUID
    verifier: Words
    purpose: str
    purpose_title: Words
    iat: int
    exp: int
    fields: tuple[str, ...] = ()
    certificate_type: str | None = None


def sign_request(request: PresentationRequest, *, keys: CodeKeys, now: datetime) -> str:
    """The request as a compact JWS. Raises NoKeySigns."""
    return jws.sign(msgspec.json.encode(request), typ=_TYP, key=keys.list_signer(now))


def read_request(text: str, *, keys: CodeKeys, now: datetime) -> PresentationRequest:
    """The request that we signed. Raises PresentationInvalid."""
    try:
        kid = jws.kid_of_signer(text)
        for key in keys.lists:
            is_good = key.revoked_at is None or now < key.revoked_at
            if key.kid == kid and is_good:
                return msgspec.json.decode(
                    jws.payload_of(text, key.public, typ=_TYP), type=PresentationRequest
                )
    except (UntrustedList, msgspec.MsgspecError):
        pass
    raise PresentationInvalid
