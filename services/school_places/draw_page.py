"""The public page on which a parent checks a draw in the browser (`/draw-check`).

The page, its style and its program are files of this package, served as they are: nothing is built, nothing
comes from elsewhere. What a parent types or picks stays in the browser.
Source: docs/school-places.md (核验摇号).
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from litestar import Controller, Request, Response, get
from litestar.params import FromPath

from haiyiban.errors import NotFound

PAGE = "index.html"
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-cache",
}
"""On every file, for a worker goes by its own policy. `no-cache`: asked each time, sent when it changed."""

_MEDIA = {"html": "text/html", "css": "text/css", "js": "text/javascript"}


class _File(NamedTuple):
    content: bytes
    media: str
    etag: str


@cache
def _files() -> dict[str, _File]:
    """The files of the page by name."""
    found = {}
    for entry in files("services.school_places").joinpath("static", "draw-check").iterdir():
        media = _MEDIA.get(entry.name.rpartition(".")[2])
        if media is not None:
            content = entry.read_bytes()
            found[entry.name] = _File(content, media, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
    return found


class DrawPageController(Controller):
    """The page and its files; none of them is part of the API."""

    path = "/draw-check"
    include_in_schema = False

    @get("/")
    async def page(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The page itself."""
        return _answer(request, _files()[PAGE])

    @get("/{name:str}")
    async def file(self, request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
        """A file that the page loads."""
        found = _files().get(name)
        if found is None:
            raise NotFound
        return _answer(request, found)


def _answer(request: Request[Any, Any, Any], file: _File) -> Response[bytes]:
    headers = {**HEADERS, "etag": file.etag}
    known = (each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(","))
    if file.etag in known:
        return Response(b"", status_code=304, headers=headers)
    return Response(file.content, media_type=file.media, headers=headers)
