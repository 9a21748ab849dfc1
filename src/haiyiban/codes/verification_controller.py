"""The verifier's side over HTTP.

`POST /verifications` is the hot path of every gate and counter. It stays a handler of Litestar with its place
in the contract, and leaves out what would cost more than its own work (benchmarks/verify.py): the guard is a
line in it, the body is read and the answer encoded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.codes import portraits, verifying
from haiyiban.codes.answers import VerificationRead
from haiyiban.codes.entitlement import FieldsBeyondPurpose
from haiyiban.codes.signing import code_keys
from haiyiban.codes.verifying import VerificationCreate
from haiyiban.context import current
from haiyiban.errors import NotAllowed, NotSignedIn, Unavailable
from haiyiban.forms.strict import parse_json
from haiyiban.identity.guards import VerifierRequest, require_verifier, verifier
from haiyiban.identity.tokens import InvalidToken
from haiyiban.lean import Encoded
from haiyiban.verifiers import UnknownPurpose
from haiyiban.wire import OWN_ANSWERS, problems


@dataclass
class VerifyOperation(Operation):
    """The body of a verification in the contract, as the handler reads it itself."""

    def __post_init__(self) -> None:
        schema: Any = msgspec.json.schema_components([VerificationCreate])[1]["VerificationCreate"]
        self.request_body = RequestBody(
            required=True, content={"application/json": OpenAPIMediaType(schema=schema)}
        )


class VerificationController(Controller):
    """Verifying codes."""

    path = "/verifications"
    tags = ["codes"]

    @post(
        status_code=200,
        opt=OWN_ANSWERS,
        summary="Verify a code",
        operation_class=VerifyOperation,
        security=[{"verifier": []}],
        responses=problems(
            NotSignedIn,
            InvalidToken,
            NotAllowed,
            UnknownPurpose,
            verifying.IdempotencyMismatch,
            FieldsBeyondPurpose,
            Unavailable,
        ),
    )
    async def verify(self, request: Request[Any, Any, Any]) -> Response[VerificationRead]:
        """Whether the code in `text` is good for this purpose, here and now; the code is then used up.

        With `fields` beyond the least of the purpose the holder is asked: `consent_pending`, and the outcome
        is read at GET /verifications/{id} within 60 seconds. The code is reserved meanwhile.

        Always recorded, and the holder can read it. With an Idempotency-Key a repeated request gets the first
        answer word for word, however late; without one it finds the code `already_used`.
        """
        caller = require_verifier(request)
        # The edge has read the body whole, so it comes in one message.
        message: Any = await request.receive()
        try:
            asked = msgspec.convert(parse_json(message["body"]), VerificationCreate)
        except msgspec.ValidationError as error:
            raise ValidationException(extra=[{"message": str(error)}]) from None
        now = clock.now()
        return Encoded(
            await verifying.verify(
                asked,
                caller,
                idempotency_key=_header(request.scope["headers"], b"idempotency-key"),
                context=current(),
                keys=code_keys(now),
                now=now,
            ),
            status=200,
        )

    @get(
        "/{verification_id:uuid}",
        guards=[verifier()],
        summary="A verification of ours",
        responses=problems(NotSignedIn, NotAllowed, verifying.VerificationMissing),
    )
    async def read(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        verification_id: FromPath[UUID],
    ) -> VerificationRead:
        """As it was answered, to the same verifier only; where the holder was asked, what came of it. The
        look is recorded."""
        return await verifying.read(session, verification_id, request.user, now=clock.now())

    @get(
        "/{verification_id:uuid}/portrait",
        guards=[verifier()],
        summary="The portrait of the holder of a code that we found valid",
        media_type="image/png",
        responses=problems(
            NotSignedIn,
            NotAllowed,
            verifying.VerificationMissing,
            portraits.PortraitNotShown,
            portraits.PortraitMissing,
            portraits.PortraitOver,
            portraits.PortraitUnavailable,
        ),
    )
    async def portrait(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        verification_id: FromPath[UUID],
    ) -> Response[bytes]:
        """A PNG or JPEG, for two minutes after a valid verification whose answer has `portrait`, to the same
        verifier only: compare it with who stands there and keep nothing. Each look is in the holder's log.

        It comes from the population register as it is asked for. Where that is away (503) the verification
        stands all the same.
        """
        now = clock.now()
        found = await portraits.fetch(session, verification_id, request.user, cti=code_keys(now).cti, now=now)
        return Response(found.image, media_type=found.media_type, headers=_NEVER_STORED)


def _header(headers: Any, name: bytes) -> str | None:
    for found, value in headers:
        if found == name:
            return str(value, "latin-1")
    return None


_NEVER_STORED = {"Cache-Control": "no-store", "Content-Disposition": "inline"}
