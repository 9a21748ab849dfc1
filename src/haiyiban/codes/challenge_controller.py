"""The counter's challenge over HTTP: what a connected counter shows for phones to answer."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar import Controller, post
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.codes import challenges, counter_code
from haiyiban.codes.jws import base64url
from haiyiban.codes.signing import NoKeySigns, TrustListMissing, code_keys
from haiyiban.errors import NotAllowed, NotSignedIn, Words
from haiyiban.identity.guards import VerifierRequest, verifier
from haiyiban.verifiers.models import Verifier
from haiyiban.wire import Output, problems


class ChallengeRead(Output):
    """A challenge (base64url) to send with the verification, and the text of the QR to show it by."""

    challenge: str
    text: str
    expires_at: datetime


class ChallengeController(Controller):
    """Challenges that a counter shows."""

    path = "/verifications/challenges"
    tags = ["codes"]

    @post(
        status_code=201,
        guards=[verifier()],
        summary="Draw a challenge to show on the counter",
        responses=problems(
            NotSignedIn, NotAllowed, challenges.ChallengesUnavailable, TrustListMissing, NoKeySigns
        ),
    )
    async def draw(self, request: VerifierRequest, session: NamedDependency[AsyncSession]) -> ChallengeRead:
        """8 random bytes for one holder and this verifier alone, good for 60 seconds: draw `text` as a QR.

        The phone that scans it shows your accredited name and signs the bytes into its code; send them as
        `challenge` with POST /verifications.
        """
        now = clock.now()
        keys = code_keys(now)
        row = await session.get_one(Verifier, request.user.verifier_id)
        drawn = await challenges.current().draw(row.id, now=now)
        text = counter_code.signed_text(
            drawn, verifier=Words(row.name_zh, row.name_en), key=keys.list_signer(now)
        )
        return ChallengeRead(
            challenge=base64url(drawn.challenge),
            text=text,
            expires_at=datetime.fromtimestamp(drawn.exp, UTC),
        )
