"""The one way a request goes: everything that every request needs, in a single raw ASGI layer.

request id → body, capped → who is asking → Idempotency-Key → the application → settle the transaction →
answer → access record. Layers of a framework's middleware would cost more than the request
(docs/decisions/0004-one-raw-edge.md).
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import Any
from uuid import UUID

from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.routes import HTTPRoute

from haiyiban import context
from haiyiban.context import Context
from haiyiban.db import Database
from haiyiban.errors import Malformed
from haiyiban.identity.callers import ANONYMOUS, UNRECOGNISED, Caller
from haiyiban.identity.revocations import is_revoked
from haiyiban.identity.tokens import AccessTokens, InvalidToken
from haiyiban.ids import new_id
from haiyiban.runtime import body, idempotency
from haiyiban.runtime.exposition import Exposition
from haiyiban.runtime.idempotency import Answer
from haiyiban.runtime.problems import problem_of
from haiyiban.runtime.proxies import Networks, who_asks
from haiyiban.runtime.records import AccessLog, AccessRecord, stamp
from haiyiban.runtime.reply import Reply
from haiyiban.runtime.unit import Asked, Unit
from haiyiban.wire import API, OWN_ANSWERS

Scope = Any
Receive = Any
Send = Any
"""ASGI's own dictionaries: Litestar types them as unions that no line here could be written against."""

_REQUEST_ID = re.compile(rb"(?!\d+[Xx]?\Z)[A-Za-z0-9._-]{8,64}")
"""Never digits alone: it goes into the log, and that would be somebody's phone or identity number."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
_FILES = "/files"
"""What the address of an operation ends with that takes a file; its body may be larger than others."""
_HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
"""Two years (RFC 6797): a browser that was here once comes by TLS alone, whatever a network says."""
_NO_STORED_ANSWER = (f"{API}/auth/",)


class Edge:
    """Wraps the application."""

    def __init__(
        self,
        app: Litestar,
        *,
        database: Database,
        tokens: AccessTokens,
        access_log: AccessLog,
        exposition: Exposition,
        body_limit: int,
        upload_limit: int,
        over_tls: bool,
        proxies: Networks = (),
    ) -> None:
        self._app: Any = app
        self._router = app.asgi_router
        self._own_answers = own_answers(app)
        self._database = database
        self._tokens = tokens
        self._access_log = access_log
        self._exposition = exposition
        self._body_limit = body_limit
        self._upload_limit = upload_limit
        self._proxies = proxies
        self._headers = [(b"x-content-type-options", b"nosniff")]
        if over_tls:
            self._headers.append(_HSTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = dict(scope["headers"])
        circumstances = _circumstances(scope, headers, self._proxies)
        context.enter(circumstances)
        method = scope["method"]
        if method == "HEAD":
            scope["method"] = "GET"
            # Of a stream nobody waits for what follows the headers.
            receive = _gone
        unit = Unit(self._database, asked=lambda: self._asked(scope))
        reply = Reply(
            unit, send, request_id=circumstances.request_id, head=method == "HEAD", headers=self._headers
        )
        try:
            await self._enter(scope, headers, receive, unit, reply)
            await reply.finish()
        except Exception as error:  # noqa: BLE001 - the edge is where a crash becomes an answer
            await reply.refuse(problem_of(error))
        finally:
            await unit.close()
            # It knows the scope that holds it; a cycle would be left to the garbage collector, which is dear.
            scope["state"].pop("unit", None)
            self._record(scope, method, unit, reply, (reply.began_at or time.perf_counter()) - started)

    async def _enter(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, unit: Unit, reply: Reply
    ) -> None:
        state: dict[str, Any] = scope.setdefault("state", {})
        state["unit"] = unit
        scope["auth"] = None
        caller = scope["user"] = self._caller(headers, state)
        if b"%00" in scope["query_string"] or "\0" in scope["path"]:
            raise Malformed  # PostgreSQL keeps no NUL, so nothing can be found by one
        if scope["method"] not in _WITHOUT_BODY:
            carries_a_file = caller.id is not None and scope["path"].endswith(_FILES)
            limit = self._upload_limit if carries_a_file else self._body_limit
            content = await body.read(receive, headers, limit)
            receive = body.replay(content, receive)
            key = headers.get(b"idempotency-key")
            if key is not None and scope["method"] == "POST":
                stored = await self._claim(scope["path"], key.decode("latin-1"), content, caller, unit)
                if stored is not None:
                    await reply.again(stored)
                    return
        await self._app(scope, receive, reply)

    async def _claim(self, path: str, key: str, content: bytes, caller: Caller, unit: Unit) -> Answer | None:
        """The answer that this key already has; None where the work is to be done, its claim held by `unit`.

        A key means nothing without a caller, whose keys it is told from by; two strangers must not share one.
        """
        if caller.id is None or not keeps_answers(path, self._own_answers):
            return None
        own = idempotency.scope_of(caller.id, "POST", path, key)
        found = await idempotency.claim(self._database, own, content)
        if isinstance(found, Answer):
            await idempotency.require_same(found, caller)
            return found
        unit.claim = found
        return None

    def _caller(self, headers: dict[bytes, bytes], state: dict[str, Any]) -> Caller:
        header = headers.get(b"authorization")
        if header is None:
            return ANONYMOUS
        scheme, _, token = header.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return UNRECOGNISED
        try:
            caller = self._tokens.verify(token)
        except InvalidToken:
            return UNRECOGNISED
        if is_revoked(caller):
            return UNRECOGNISED
        state["token"] = token
        circumstances = context.current()
        circumstances.actor_kind = caller.kind
        circumstances.actor_id = caller.id
        circumstances.actor_unit = caller.unit
        return caller

    def _asked(self, scope: Scope) -> Asked:
        """What a request came for and who asked, as known when it ends: a guard may have learned more."""
        ids = [
            (name, value) for name, value in scope.get("path_params", {}).items() if isinstance(value, UUID)
        ]
        name, object_id = ids[-1] if ids else ("", None)
        return Asked(self._action(scope), name.removesuffix("_id") or None, object_id, scope["user"])

    def _action(self, scope: Scope) -> str | None:
        """Method and route, for the audit of a refusal; None for an address that does not exist."""
        route = route_of(scope)
        if route is None:
            # Refused before it was routed: too large a body, a key of another request.
            try:
                route = self._router.handle_routing(path=scope["path"], method=scope["method"])[-1]
            except HTTPException:
                return None
        return f"{scope['method']} {route}"

    def _record(self, scope: Scope, method: str, unit: Unit, reply: Reply, seconds: float) -> None:
        route = route_of(scope) or "unmatched"
        # Anybody can invent a method; each would be a figure of its own for ever.
        method = method if method in _METHODS else "other"
        self._exposition.count(method, route, reply.status, seconds)
        if unit.problem is not None:
            self._exposition.refused(route, unit.problem.type)
        circumstances = context.current()
        self._access_log.add(
            AccessRecord(
                at=stamp(),
                id=circumstances.request_id,
                method=method,
                route=route,
                status=reply.status,
                ms=round(seconds * 1000, 2),
                caller=circumstances.actor_kind,
                bytes=reply.size,
            )
        )


async def _gone() -> dict[str, str]:
    """The `receive` of a request whose sender has what it wanted."""
    return {"type": "http.disconnect"}


def own_answers(app: Litestar) -> re.Pattern[str]:
    """The addresses that answer a repeated Idempotency-Key by themselves, templates among them."""
    paths = [
        re.sub(r"\{[^}]+\}", "[^/]+", route.path_format)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        and any(OWN_ANSWERS.items() <= handler.opt.items() for handler in route.route_handlers)
    ]
    return re.compile("|".join(paths) or r"(?!)")


def keeps_answers(path: str, own: re.Pattern[str]) -> bool:
    """Whether an Idempotency-Key has the answer of this address kept."""
    return not path.startswith(_NO_STORED_ANSWER) and own.fullmatch(path) is None


def route_of(scope: Scope) -> str | None:
    """The template of the matched route, such as /api/v1/cases/{id}; None where nothing matched."""
    template = scope.get("path_template")
    return str(template) if template else None


def _circumstances(scope: Scope, headers: dict[bytes, bytes], proxies: Networks) -> Context:
    given = headers.get(b"x-request-id")
    known = _REQUEST_ID.fullmatch(given) if given else None
    accepted = headers.get(b"accept-language")
    client = scope.get("client")
    address = client[0] if client else None
    if proxies and address and (forwarded := headers.get(b"x-forwarded-for")):
        address = who_asks(address, forwarded, proxies)
    return Context(
        request_id=known[0].decode() if known else new_id().hex,
        language=_language(accepted.decode("latin-1")) if accepted else "zh-CN",
        address=address,
        actor_kind="anonymous",
    )


@lru_cache(maxsize=256)
def _language(accepted: str) -> str:
    """What the reader likes best of the two that we speak; Chinese where nothing says otherwise.

    Source: RFC 9110 §12.5.4 (a range without a weight has weight 1, weight 0 is "not this one").
    """
    likes = {"zh": 0.0, "en": 0.0}
    for part in accepted.split(","):
        name, _, weight = part.strip().partition(";")
        language = name.strip().lower().partition("-")[0]
        if language in likes:
            likes[language] = max(likes[language], _weight(weight))
    return "en" if likes["en"] > likes["zh"] else "zh-CN"


def _weight(text: str) -> float:
    found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", text) if text else None
    return float(found[1]) if found else 1.0 if not text else 0.0
