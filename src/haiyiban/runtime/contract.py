"""The OpenAPI document: generated, checked in as openapi/openapi.json, served, compared by a test.

Litestar's document is mended where we answer otherwise than it thinks: refusals are problems, guards refuse
before the handler, an unknown field is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from litestar import Litestar
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

import haiyiban
from haiyiban.errors import (
    Malformed,
    NotAllowed,
    NotSignedIn,
    Problem,
    TooLarge,
    TooMany,
    TooSlow,
    Unavailable,
)
from haiyiban.forms.strict import MalformedJson
from haiyiban.identity.guards import StepUpNeeded
from haiyiban.identity.tokens import InvalidToken
from haiyiban.runtime import discovery, examples
from haiyiban.runtime.edge import keeps_answers, own_answers
from haiyiban.runtime.idempotency import IdempotencyInFlight, IdempotencyMismatch
from haiyiban.runtime.problems import MEDIA
from haiyiban.wire import API, Input, Output

_SCHEMES = {
    "resident": "居民的访问令牌，由 POST /auth/sessions 取得 (access token of a resident)",
    "staff": "工作人员的访问令牌，由 POST /auth/sessions 取得 (access token of a staff member)",
    "verifier": "核验方的访问令牌，由 POST /auth/verifiers/token 取得 (access token of a verifier)",
}
_GUARDS = {
    "resident": ("resident",),
    "staff": ("staff",),
    "verifier": ("verifier",),
    "signed_in": ("resident", "staff"),
}
"""The guards of haiyiban.identity.guards by their names, and whose token each accepts."""

_TAGS = {
    "accounts": "账号与身份 Accounts",
    "matters": "事项 Matters",
    "cases": "办件 Cases",
    "delegations": "委托代办 Acting for others",
    "enterprises": "企业 Enterprises",
    "certificates": "电子证照 Certificates",
    "codes": "亮证码与核验 Codes and verifications",
    "verifiers": "核验方 Verifiers",
    "desk": "审批工作台 Desk",
    "audit": "审计 Audit",
}
"""Groups of the kernel's operations; a zone's is its own title."""

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "同一编号、同一内容，只办一次，答复相同 (same key and body: done once, answered alike)",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}


def config() -> OpenAPIConfig:
    """What Litestar is told of the document."""
    return OpenAPIConfig(
        title="海易办 Haiyiban",
        version=haiyiban.__version__,
        components=Components(
            security_schemes={
                name: SecurityScheme(type="http", scheme="bearer", bearer_format="JWT", description=words)
                for name, words in _SCHEMES.items()
            }
        ),
        operation_id_creator=_operation_id,
        render_plugins=[],
        use_handler_docstrings=True,
    )


def document(application: Litestar) -> bytes:
    """The contract as JSON, stable from one run to the next."""
    schema: dict[str, Any] = application.openapi_schema.to_schema()
    own = own_answers(application)
    for route in application.routes:
        if isinstance(route, HTTPRoute) and route.path_format.startswith(API):
            for method, (handler, _) in route.route_handler_map.items():
                operation = schema["paths"].get(route.path_format, {}).get(method.lower())
                if operation is not None:
                    _mend(operation, route.path_format, method, handler, own=own)
    for item in schema["paths"].values():
        for operation in item.values():
            examples.show(operation)
    schema["tags"] = _tags()
    components = schema["components"]["schemas"]
    for kind in (*_kinds_of(Output), *_kinds_of(Input)):
        # A test's own types may be named alike.
        if kind.__name__ in components and kind.__module__.startswith(("haiyiban.", "services.")):
            components[kind.__name__]["description"] = cleandoc(kind.__doc__ or "")
            if issubclass(kind, Input):
                components[kind.__name__]["additionalProperties"] = False
    return json.dumps(schema, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _tags() -> list[dict[str, str]]:
    zones = {zone.name: f"{zone.title.zh} {zone.title.en}" for zone in discovery.all_zones()}
    named = _TAGS | zones | {"system": "系统 System"}
    return [{"name": name, "description": words} for name, words in named.items()]


def _mend(
    operation: dict[str, Any], path: str, method: str, handler: HTTPRouteHandler, *, own: re.Pattern[str]
) -> None:
    """Add what the edge and the guards answer."""
    responses = operation.setdefault("responses", {})
    responses.pop("400", None)
    may: list[type[Problem]] = [Unavailable]
    if operation.get("parameters"):
        may.append(Malformed)
    if method not in {"GET", "HEAD"}:
        may += [Malformed, MalformedJson, TooLarge, TooSlow]
    accepted = _accepted(handler)
    if accepted:
        operation["security"] = [{name: []} for name in accepted]
        may += [NotSignedIn, InvalidToken, NotAllowed]
        if "resident" in accepted:
            may.append(StepUpNeeded)
        if method == "POST" and keeps_answers(path, own):
            operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
            may += [Malformed, IdempotencyMismatch, IdempotencyInFlight]
    if "429" in responses:
        may.append(TooMany)
    for kind in dict.fromkeys(may):
        _add(responses, kind)
    for status, content in handler.opt.get("other_answers", {}).items():
        responses[status]["content"] |= content


def _accepted(handler: HTTPRouteHandler) -> tuple[str, ...]:
    """Whose tokens a handler accepts, by its guards; none where it is open to everybody."""
    for guard in handler.resolve_guards():
        name = getattr(guard, "func", guard).__qualname__.split(".")[0]
        if name in _GUARDS:
            return _GUARDS[name]
    return ()


def _add(responses: dict[str, Any], kind: type[Problem]) -> None:
    """Name one more refusal among those of its status, with the headers that always come with it."""
    response = responses.setdefault(
        str(kind.status),
        {
            "description": "",
            "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        },
    )
    if f"`{kind.type}`" not in response["description"]:
        told = f"`{kind.type}`: {kind.title.zh} ({kind.title.en})"
        response["description"] = "; ".join(filter(None, (response["description"], told)))
    if kind.status in {TooMany.status, Unavailable.status}:
        response["headers"] = {
            "Retry-After": {"description": "秒 (seconds)", "schema": {"type": "integer", "minimum": 1}}
        }


def _kinds_of(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from _kinds_of(each)


def _operation_id(handler: HTTPRouteHandler, _: Method, __: list[str | PathParameterDefinition]) -> str:
    """`CasesController.create` is `casesCreate`: it outlives a change of the address."""
    controller, _dot, function = handler.fn.__qualname__.rpartition(".")
    name = controller.removesuffix("Controller") + "".join(map(str.title, function.split("_")))
    return name[:1].lower() + name[1:]
