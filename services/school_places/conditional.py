"""Public answers that are sent again only when they changed (ETag, If-None-Match). Source: RFC 9110 §13."""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response

T = TypeVar("T")


def if_changed(request: Request[Any, Any, Any], body: T) -> Response[T]:
    """The answer, or 304 without one where the reader has it. It is asked for each time, for an enrolment's
    commitment must never be an old one."""
    etag = f'"{hashlib.sha256(msgspec.json.encode(body)).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": "no-cache", "vary": "Accept-Language"}
    if etag in request.headers.get("if-none-match", ""):
        return not_changed(headers)
    return Response(body, headers=headers)


def not_changed(headers: dict[str, str]) -> Response[Any]:
    """304: what the reader has is still so."""
    return Response(None, status_code=304, headers=headers)
