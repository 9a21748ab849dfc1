"""Every way a request can fail, as one RFC 9457 answer. Litestar's own plugin loses titles and crashes."""

from __future__ import annotations

import logging
import re
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)

from haiyiban import context
from haiyiban.db import is_away
from haiyiban.errors import FieldError, Malformed, NotFound, Problem, Unavailable, Words

log = logging.getLogger("haiyiban")


class MethodNotAllowed(Problem):
    """The address exists, but not with this method."""

    status = 405
    type = "kernel/method-not-allowed"
    title = Words("此地址不支持这种操作", "This address does not support the method")


class Crashed(Problem):
    """Our own fault: the answer shows the request id and nothing else."""

    status = 500
    type = "kernel/crashed"
    title = Words("系统出错，请稍后再试", "Something went wrong on our side; please try again later")


def problem_of(error: Exception) -> Problem:
    """The refusal that an error amounts to; a crash is logged with its traceback."""
    match error:
        case Problem():
            return error
        case ValidationException():
            return Malformed(errors=_field_errors(error))
        case NotFoundException():
            return NotFound()
        case MethodNotAllowedException():
            return MethodNotAllowed(headers=dict(error.headers or {}))
        case HTTPException() if 400 <= error.status_code < 500:
            return Malformed()
    if is_away(error):
        log.warning(
            "request %s: the database does not answer: %s", context.current().request_id, type(error).__name__
        )
        return Unavailable()
    log.error("request %s crashed", context.current().request_id, exc_info=error)
    return Crashed(members={"requestId": context.current().request_id})


def encode(problem: Problem) -> bytes:
    """The body of a refusal in the caller's language."""
    return msgspec.json.encode(problem.document(context.current().language))


def to_response(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's exception handler, for every exception there is."""
    problem = problem_of(error)
    request.scope["state"]["unit"].problem = problem
    return Response(
        encode(problem),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=problem.headers,
    )


_PATH = re.compile(r" - at `\$?([^`]*)`")


def _field_errors(error: ValidationException) -> list[FieldError]:
    """Litestar's `extra` list as pointers and words. The values themselves are not repeated."""
    found = []
    for item in error.extra if isinstance(error.extra, list) else []:
        message = str(item.get("message", "")) if isinstance(item, dict) else str(item)
        where = _PATH.search(message)
        key = str(item.get("key", "")) if isinstance(item, dict) else ""
        path = (where.group(1) if where else "") or key
        pointer = "/" + "/".join(part for part in re.split(r"[.\[\]]+", path) if part)
        missing = re.search(r"missing required field `([^`]+)`", message)
        unknown = re.search(r"unknown field `([^`]+)`", message)
        named = missing or unknown
        if named:
            pointer = (pointer.rstrip("/") if path and path != key else "") + "/" + named.group(1)
        found.append(FieldError(pointer, _words(message, missing is not None, unknown is not None)))
    return found


def _words(message: str, missing: bool, unknown: bool) -> Words:
    if missing:
        return Words("缺少这一项，请补上", "This field is missing; please add it")
    if unknown:
        return Words("不认识这一项，请检查拼写", "Unknown field; check its spelling")
    plain = _PATH.sub("", message)
    return Words("格式不对，请按说明填写", f"Not of the expected form: {plain}")
