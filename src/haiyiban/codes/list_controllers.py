"""The lists that terminals hold, over HTTP: public, signed, cheap to ask for again."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from litestar import Controller, Request, Response, get

from haiyiban import clock
from haiyiban.codes.signing import TrustListMissing, code_keys
from haiyiban.wire import problems


class TrustListController(Controller):
    """Whose signature counts, for terminals."""

    path = "/trust-list"
    tags = ["codes"]

    @get(
        summary="The trust list",
        media_type="application/jwt",
        responses=problems(TrustListMissing),
    )
    async def trust_list(self, request: Request[Any, Any, Any]) -> Response[str]:
        """A JWS signed by the root key that is pinned in terminals: the keys, the kinds each may sign, and
        when. With `If-None-Match`, 304 while it is the same."""
        text = code_keys(clock.now()).published.text
        return _signed(request, text, media_type="application/jwt", seconds=300)


def _signed(request: Request[Any, Any, Any], text: str, *, media_type: str, seconds: int) -> Response[str]:
    etag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={seconds}"}
    if etag in request.headers.get("if-none-match", ""):
        return Response("", status_code=304, headers=headers)
    return Response(text, media_type=media_type, headers=headers)
