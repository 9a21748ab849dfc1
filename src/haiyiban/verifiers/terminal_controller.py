"""The terminal's own side over HTTP: enrolling, reporting, changing its secret."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.context import current
from haiyiban.errors import NotAllowed, NotSignedIn
from haiyiban.forms.strict import parse_json
from haiyiban.identity.callers import TerminalCaller
from haiyiban.identity.guards import VerifierRequest, verifier
from haiyiban.verifiers import terminal_enrolment, terminals
from haiyiban.verifiers.terminal_enrolment import (
    OVERLAP,
    BadRequestSignature,
    KeyInUse,
    OneTimeCodeUsed,
    TooManyCodes,
    WrongOneTimeCode,
)
from haiyiban.verifiers.terminal_keys import UnusableKey, read_public_key
from haiyiban.verifiers.terminal_wire import (
    HeartbeatCreate,
    HeartbeatRead,
    SecretCreate,
    SecretRead,
    TerminalEnrolmentCreate,
    TerminalEnrolmentRead,
)
from haiyiban.verifiers.terminals import Report, TerminalMissing
from haiyiban.wire import problems

_NEVER_STORED = {"Cache-Control": "no-store"}


class TerminalController(Controller):
    """What a terminal does for itself."""

    path = "/terminals"
    tags = ["verifiers"]

    @post(
        "/enrolments",
        status_code=201,
        summary="Enrol a terminal",
        responses=problems(UnusableKey, WrongOneTimeCode, OneTimeCodeUsed, KeyInUse, TooManyCodes),
    )
    async def enrol(
        self, session: NamedDependency[AsyncSession], data: JSONBody[TerminalEnrolmentCreate]
    ) -> Response[TerminalEnrolmentRead]:
        """The one-time code and the terminal's public key for its id and secret; no session is needed.

        Where the answer was lost, ask again with the same code and the same key while the code lives: that
        brings a fresh secret for the same terminal and voids the one before it. Another key gets 409.
        """
        jwk = read_public_key(data.public_key)
        enrolled = await terminal_enrolment.enrol(
            session, data.one_time_code, jwk, address=current().address, now=clock.now()
        )
        answer = TerminalEnrolmentRead(
            terminal_id=enrolled.terminal_id,
            client_id=enrolled.secret.client_id,
            client_secret=enrolled.secret.client_secret,
            next_sequence=enrolled.next_sequence,
        )
        return Response(answer, status_code=201, headers=_NEVER_STORED)

    @post(
        "/me/secret",
        status_code=201,
        guards=[verifier()],
        summary="Change a terminal's secret",
        responses=problems(NotSignedIn, NotAllowed, TerminalMissing, BadRequestSignature),
    )
    async def change_secret(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[SecretCreate],
    ) -> Response[SecretRead]:
        """A fresh secret; the old ones sign in for another 24 hours. Signed by the terminal's key as a batch
        is, so a stolen secret cannot have itself replaced."""
        now = clock.now()
        signed: Any = parse_json(await request.body())
        secret = await terminal_enrolment.change_secret(
            session, _terminal(request), signed, at=data.requested_at, now=now
        )
        answer = SecretRead(
            client_id=secret.client_id,
            client_secret=secret.client_secret,
            old_secrets_until=now + OVERLAP,
        )
        return Response(answer, status_code=201, headers=_NEVER_STORED)

    @post(
        "/me/heartbeat",
        status_code=200,
        guards=[verifier()],
        summary="Report how a terminal is",
        responses=problems(NotSignedIn, NotAllowed),
    )
    async def heartbeat(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[HeartbeatCreate],
    ) -> HeartbeatRead:
        """Every few minutes while connected: the answer says in words when the clock is wrong or the lists
        are too old."""
        now = clock.now()
        report = Report(data.list_issued_at, data.queue_length, data.clock, data.software_version)
        skew = await terminals.hear(session, _terminal(request).id, report, now=now)
        language = current().language
        return HeartbeatRead(
            server_time=now,
            skew_seconds=skew,
            advice=[words.in_language(language) for words in terminals.advice(report, skew, now=now)],
        )


def _terminal(request: Request[Any, Any, Any]) -> TerminalCaller:
    """The terminal that asks. Raises NotAllowed for a verifier's own system."""
    terminal: TerminalCaller | None = request.user.terminal
    if terminal is None:
        raise NotAllowed
    return terminal
