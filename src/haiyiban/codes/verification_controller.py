"""The verifier's side over HTTP."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody

from haiyiban import clock
from haiyiban.codes import verifying
from haiyiban.codes.answers import VerificationRead
from haiyiban.codes.signing import code_keys
from haiyiban.codes.verifying import VerificationCreate
from haiyiban.context import current
from haiyiban.errors import NotAllowed, NotSignedIn, Unavailable
from haiyiban.identity.guards import VerifierRequest, verifier
from haiyiban.verifiers import UnknownPurpose
from haiyiban.wire import problems


class VerificationController(Controller):
    """Verifying codes."""

    path = "/verifications"
    tags = ["codes"]
    guards = [verifier()]

    @post(
        status_code=200,
        summary="Verify a code",
        responses=problems(
            NotSignedIn, NotAllowed, UnknownPurpose, verifying.IdempotencyMismatch, Unavailable
        ),
    )
    async def verify(self, request: VerifierRequest, data: JSONBody[VerificationCreate]) -> VerificationRead:
        """Whether the code in `text` is good for this purpose, here and now; the code is then used up.

        Always recorded, and the holder can read it. With an Idempotency-Key a repeated request gets the first
        answer word for word, however late; without one it finds the code `already_used`.
        """
        now = clock.now()
        return await verifying.verify(
            data,
            request.user,
            idempotency_key=request.headers.get("idempotency-key"),
            context=current(),
            keys=code_keys(now),
            now=now,
        )

    @get(
        "/{verification_id:uuid}",
        summary="A verification of ours",
        responses=problems(NotSignedIn, NotAllowed, verifying.VerificationMissing),
    )
    async def read(self, request: VerifierRequest, verification_id: FromPath[UUID]) -> VerificationRead:
        """As it was answered, to the same verifier only."""
        return await verifying.read(verification_id, request.user)
