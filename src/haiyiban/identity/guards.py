"""What an operation asks of its caller: a kind, a level and its freshness, a role.

Guards are asynchronous because Litestar runs synchronous ones in a thread, which costs more than the request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from haiyiban import clock
from haiyiban.errors import NotAllowed, NotSignedIn, Words
from haiyiban.identity.callers import (
    Anonymous,
    Caller,
    Level,
    ResidentCaller,
    StaffCaller,
    Unrecognised,
    VerifierCaller,
)
from haiyiban.identity.sessions import caller_now
from haiyiban.identity.tokens import InvalidToken, access_tokens

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]
ResidentRequest = Request[ResidentCaller, Any, State]
StaffRequest = Request[StaffCaller, Any, State]
SessionRequest = Request[ResidentCaller | StaffCaller, Any, State]
VerifierRequest = Request[VerifierCaller, Any, State]


class StepUpNeeded(NotAllowed):
    """The operation needs a higher level or a fresher face check; the members say which."""

    type = "identity/step-up-needed"
    title = Words("请先完成身份核验", "Please confirm your identity first")


def resident(level: Level = Level.L1, *, fresh: timedelta | None = None) -> Guard:
    """Lets residents in from a level on, where `fresh` is given with a face check no older than that."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        caller = _of_kind(connection, ResidentCaller)
        if not _reaches(caller, level, fresh):
            caller = await _refreshed(connection, caller)
        if not _reaches(caller, level, fresh):
            raise StepUpNeeded(
                _way_up(caller),
                members={"needs": level.value, "has": caller.level.value}
                | ({"faceWithinSeconds": int(fresh.total_seconds())} if fresh else {}),
            )

    return guard


def staff(*roles: str) -> Guard:
    """Lets staff in who hold one of the roles; any staff where none is named."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        caller = _of_kind(connection, StaffCaller)
        if roles and caller.roles.isdisjoint(roles):
            raise NotAllowed

    return guard


def signed_in() -> Guard:
    """Lets residents and staff in: whoever has a session."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if isinstance(connection.scope["user"], VerifierCaller):
            raise NotAllowed
        if isinstance(connection.scope["user"], Anonymous):
            raise _sign_in(connection.scope["user"])

    return guard


def verifier() -> Guard:
    """Lets accredited verifiers in."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        require_verifier(connection)

    return guard


def require_verifier(connection: ASGIConnection[Any, Any, Any, Any]) -> VerifierCaller:
    """The verifier who asks, for a handler that cannot afford a guard. Raises NotSignedIn, NotAllowed."""
    caller: VerifierCaller = _of_kind(connection, VerifierCaller)
    return caller


def _of_kind(connection: ASGIConnection[Any, Any, Any, Any], kind: type[Any]) -> Any:
    caller: Caller = connection.scope["user"]
    if isinstance(caller, kind):
        return caller
    raise _sign_in(caller) if isinstance(caller, Anonymous) else NotAllowed


def _sign_in(caller: Anonymous) -> NotSignedIn:
    return InvalidToken() if isinstance(caller, Unrecognised) else NotSignedIn()


def _reaches(caller: ResidentCaller, level: Level, fresh: timedelta | None) -> bool:
    if caller.level < level or (level >= Level.L2 and caller.person_id is None):
        return False
    return fresh is None or (caller.face_at is not None and clock.now() - caller.face_at <= fresh)


async def _refreshed(
    connection: ASGIConnection[Any, Any, Any, Any], caller: ResidentCaller
) -> ResidentCaller:
    """The caller as the session stands now: a level is raised after the token in hand was issued."""
    newest = await caller_now(caller.session_id)
    if newest is None:
        return caller
    connection.scope["user"] = newest
    access_tokens().replace(connection.scope["state"]["token"], newest)
    return newest


def _way_up(caller: ResidentCaller) -> Words:
    if caller.person_id is None:
        return Words(
            "请先完成实名认证和刷脸核验；在新设备登录且已实名的，直接刷脸即可",
            "First give your real name, then pass a face check; on a new device the face check is enough",
        )
    return Words("请完成刷脸核验后再办理", "Please pass a face check, then try again")
