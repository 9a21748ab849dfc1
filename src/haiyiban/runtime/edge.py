"""The one way a request goes: everything that every request needs, in a single raw ASGI layer.

request id → body, capped and strictly parsed → who is asking → Idempotency-Key → the application →
settle the transaction → answer → access record. Layers of a framework's middleware would cost more
than the request (docs/decisions/0004-one-edge.md).
"""

from __future__ import annotations

import re
import time
from typing import Any

from haiyiban import context
from haiyiban.context import Context
from haiyiban.db import Database
from haiyiban.errors import Problem, TooLarge
from haiyiban.forms.strict import parse_json
from haiyiban.identity.callers import ANONYMOUS, Caller
from haiyiban.identity.revocations import is_revoked
from haiyiban.identity.tokens import AccessTokens, InvalidToken
from haiyiban.ids import new_id
from haiyiban.runtime import idempotency
from haiyiban.runtime.idempotency import Answer
from haiyiban.runtime.problems import encode, problem_of
from haiyiban.runtime.records import AccessLog, AccessRecord, Figures, stamp
from haiyiban.runtime.unit import Unit
from haiyiban.wire import API

Scope = Any
Receive = Any
Send = Any
Message = dict[str, Any]
"""ASGI's own dictionaries: Litestar types them as unions that no line here could be written against."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_WITH_BODY = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_OWN_IDEMPOTENCY = (f"{API}/auth/", f"{API}/verifications")
"""Addresses that keep no stored answer, or keep their own (a verification's row is its record)."""


class Edge:
    """Wraps the application."""

    def __init__(
        self,
        app: Any,
        *,
        database: Database,
        tokens: AccessTokens,
        access_log: AccessLog,
        figures: Figures,
        body_limit: int,
    ) -> None:
        self._app = app
        self._database = database
        self._tokens = tokens
        self._access_log = access_log
        self._figures = figures
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = dict(scope["headers"])
        circumstances = _circumstances(scope, headers)
        context.enter(circumstances)
        unit = Unit(self._database)
        reply = _Reply(unit, send, scope, circumstances.request_id)
        try:
            await self._enter(scope, headers, receive, unit, reply)
        except Exception as error:  # noqa: BLE001 - the edge is where a crash becomes an answer
            await reply.refuse(problem_of(error))
        finally:
            await unit.close()
            self._record(scope, reply, time.perf_counter() - started)

    async def _enter(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, unit: Unit, reply: _Reply
    ) -> None:
        state: dict[str, Any] = scope.setdefault("state", {})
        state["unit"] = unit
        scope["user"] = ANONYMOUS
        scope["auth"] = None
        caller = scope["user"] = self._caller(headers, state)
        body = b""
        if scope["method"] in _WITH_BODY:
            body = await _read(receive, headers, self._body_limit)
            receive = _replay(body, receive)
        key = headers.get(b"idempotency-key")
        if key is not None and scope["method"] == "POST" and caller.id is not None:
            path = scope["path"]
            if not path.startswith(_OWN_IDEMPOTENCY):
                own = idempotency.scope_of(caller.id, "POST", path, key.decode("latin-1"))
                found = await idempotency.claim(self._database, own, body)
                if isinstance(found, Answer):
                    await reply.again(found)
                    return
                unit.claim = found
        await self._app(scope, receive, reply)

    def _caller(self, headers: dict[bytes, bytes], state: dict[str, Any]) -> Caller:
        header = headers.get(b"authorization")
        if header is None:
            return ANONYMOUS
        scheme, _, token = header.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise InvalidToken
        caller = self._tokens.verify(token)
        if is_revoked(caller):
            raise InvalidToken
        state["token"] = token
        circumstances = context.current()
        circumstances.actor_kind = caller.kind
        circumstances.actor_id = caller.id
        circumstances.actor_unit = caller.unit
        return caller

    def _record(self, scope: Scope, reply: _Reply, seconds: float) -> None:
        route = route_of(scope) or "unmatched"
        self._figures.count(scope["method"], route, reply.status, seconds)
        self._access_log.add(
            AccessRecord(
                at=stamp(),
                id=context.current().request_id,
                method=scope["method"],
                route=route,
                status=reply.status,
                ms=round(seconds * 1000, 2),
                caller=context.current().actor_kind,
                bytes=reply.size,
            )
        )


class _Reply:
    """Holds the answer back until the transaction is settled, then sends it."""

    def __init__(self, unit: Unit, send: Send, scope: Scope, request_id: str) -> None:
        self._unit = unit
        self._send = send
        self._scope = scope
        self._request_id = request_id.encode()
        self._start: Message | None = None
        self._body: list[bytes] = []
        self._settled = False
        self.status = 0
        self.size = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body" or self._settled:
            await self._pass(message)
            return
        self._body.append(message.get("body", b""))
        if message.get("more_body") and not self._streams():
            return
        await self._settle()
        await self._begin()
        await self._pass(
            {
                "type": "http.response.body",
                "body": b"".join(self._body),
                "more_body": message.get("more_body", False),
            }
        )

    async def refuse(self, problem: Problem) -> None:
        """Answer with a refusal that no handler saw, such as a bad token or a failed commit."""
        if self._settled:
            return
        self._unit.problem = problem
        headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        self._start = {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [(b"content-type", b"application/problem+json"), *headers],
        }
        self._body = [encode(problem)]
        try:
            await self._settle()
        except Exception as error:  # noqa: BLE001 - the refusal stands even if it cannot be recorded
            problem_of(error)
            self._settled = True
        await self._begin()
        await self._pass({"type": "http.response.body", "body": b"".join(self._body), "more_body": False})

    async def again(self, answer: Answer) -> None:
        """Give a stored answer."""
        self._settled = True
        self._start = {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode(), value.encode()) for name, value in answer.headers],
        }
        await self._begin()
        await self._pass({"type": "http.response.body", "body": answer.body.encode(), "more_body": False})

    def _streams(self) -> bool:
        assert self._start is not None
        return any(
            name.lower() == b"content-type" and value.startswith(b"text/event-stream")
            for name, value in self._start["headers"]
        )

    async def _settle(self) -> None:
        assert self._start is not None
        answer = Answer(
            status=self._start["status"],
            headers=[
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in self._start["headers"]
                if name.lower() in {b"content-type", b"location", b"etag"}
            ],
            body=b"".join(self._body).decode("utf-8", "replace") if self._unit.claim else "",
        )
        route = route_of(self._scope)
        action = f"{self._scope['method']} {route}" if route else None
        await self._unit.settle(answer, action=action)
        self._settled = True

    async def _begin(self) -> None:
        assert self._start is not None
        self.status = self._start["status"]
        body = sum(map(len, self._body))
        headers = [
            (name, value)
            for name, value in self._start["headers"]
            if name.lower() != b"content-length" or not self._body
        ]
        if not self._streams():
            headers.append((b"content-length", str(body).encode()))
        headers.append((b"x-request-id", self._request_id))
        headers.append((b"x-content-type-options", b"nosniff"))
        if not any(name.lower() == b"cache-control" for name, _ in headers):
            headers.append((b"cache-control", b"no-store"))
        self._start = {"type": "http.response.start", "status": self.status, "headers": headers}
        await self._send(self._start)

    async def _pass(self, message: Message) -> None:
        self.size += len(message.get("body", b""))
        await self._send(message)


def route_of(scope: Scope) -> str | None:
    """The template of the matched route, such as /api/v1/cases/{id}; None where nothing matched."""
    template = scope.get("path_template")
    return str(template) if template else None


def _circumstances(scope: Scope, headers: dict[bytes, bytes]) -> Context:
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    client = scope.get("client")
    return Context(
        request_id=given if _REQUEST_ID.fullmatch(given) else new_id().hex,
        language="en" if headers.get(b"accept-language", b"")[:2].lower() == b"en" else "zh-CN",
        address=client[0] if client else None,
        actor_kind="anonymous",
    )


async def _read(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    """The whole body, within the limit and, where it is JSON, strictly parsed."""
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limit:
        raise TooLarge
    chunks = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLarge
        chunks.append(chunk)
        if not message.get("more_body"):
            break
    body = b"".join(chunks)
    media = headers.get(b"content-type", b"application/json")
    if not body and media.startswith(b"application/json"):
        return b"{}"
    if media.startswith(b"application/json"):
        parse_json(body)
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body we have read, then what follows it."""
    given = False

    async def again() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
