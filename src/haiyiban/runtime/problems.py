"""Every way a request can fail, as one RFC 9457 answer. Litestar's own plugin loses titles and crashes."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from sqlalchemy.exc import DBAPIError

from haiyiban import context
from haiyiban.db import is_away
from haiyiban.errors import Malformed, NotFound, Problem, Unavailable, Words
from haiyiban.runtime.crashes import trace
from haiyiban.runtime.field_errors import field_errors

log = logging.getLogger("haiyiban")

MEDIA = "application/problem+json"
_NO_SUCH_CHARACTER = "22021"
"""PostgreSQL cannot hold a NUL; in a body it is refused while reading, in an address it comes this far."""


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
    """The refusal that an error amounts to; a crash is logged with where it happened."""
    match error:
        case Problem():
            return error
        case ValidationException():
            return Malformed(errors=field_errors(error))
        case NotFoundException():
            return NotFound()
        case MethodNotAllowedException():
            return MethodNotAllowed(headers=dict(error.headers or {}))
        case HTTPException() if 400 <= error.status_code < 500:
            return Malformed()
        case DBAPIError() if getattr(error.orig, "sqlstate", None) == _NO_SUCH_CHARACTER:
            return Malformed()
    if is_away(error):
        log.warning(
            "request %s: the database does not answer: %s", context.current().request_id, type(error).__name__
        )
        return Unavailable()
    log.error("request %s crashed: %s", context.current().request_id, trace(error))
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
        media_type=MEDIA,
        headers=problem.headers,
    )
