"""The people's side: the built pages of `web/`, served as they lie there.

Files whose name carries their hash never change and are kept for ever; pages are asked for each time and
sent when they changed. What was compressed when it was built is not compressed again for each phone.
Any address below `/m/` is a place in that page, so it gets the page.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from litestar import Controller, Request, Response, get
from litestar.params import FromPath
from litestar.response import Redirect

from haiyiban import resources
from haiyiban.errors import NotFound

POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_PAGE = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), geolocation=(self), microphone=()",
    "cache-control": "no-cache",
}
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
_HASHED = re.compile(r"-[\w-]{8}\.\w+\Z")
_NOT_BUILT = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>海易办</title>
<h1>页面还没有构建</h1>
<p>请在项目目录运行 <code>make web</code>，再刷新本页。接口不受影响：<a href="/docs">接口文档</a>
<p>The pages are not built yet: run <code>make web</code> in the project's folder and load this page again.
</html>"""


class _File(NamedTuple):
    content: bytes
    compressed: bytes | None
    media: str
    etag: str


def folder() -> Path:
    """Where the built pages are: inside the installed wheel, or beside the sources."""
    root = resources.data_root()
    installed = root / "web"
    return installed / "dist" if (installed / "package.json").exists() else installed


@cache
def _file(name: str, _changed: float) -> _File:
    path = folder() / name
    content = path.read_bytes()
    small = path.with_name(f"{path.name}.br")
    return _File(
        content,
        small.read_bytes() if small.exists() else None,
        mimetypes.guess_type(name)[0] or "application/octet-stream",
        f'"{hashlib.sha256(content).hexdigest()[:32]}"',
    )


class WebController(Controller):
    """Pages for people; none of them is part of the API."""

    include_in_schema = False

    @get("/")
    async def start(self) -> Redirect:
        """Whoever types the bare address is a person."""
        return Redirect("/m/", status_code=302)

    @get(["/m", "/m/{_place:path}"])
    async def phone(self, request: Request[Any, Any, Any], _place: FromPath[str] = "") -> Response[Any]:
        """Residents, visitors and verifiers."""
        return _page(request, "m", _place)

    @get(["/desk", "/desk/{_place:path}"])
    async def desk(self, request: Request[Any, Any, Any], _place: FromPath[str] = "") -> Response[Any]:
        """Clerks, officers and operators."""
        return _page(request, "desk", _place)

    @get(["/hall", "/hall/{_place:path}"])
    async def hall(self, request: Request[Any, Any, Any], _place: FromPath[str] = "") -> Response[Any]:
        """The big screen of a service hall."""
        return _page(request, "hall", _place)

    @get(["/assets/{name:str}", "/static/{name:str}"])
    async def file(self, request: Request[Any, Any, Any], name: FromPath[str]) -> Response[Any]:
        """What a page loads."""
        found = _find(f"{request.url.path.split('/')[1]}/{name}")
        if found is None:
            raise NotFound
        return _answer(request, found, _FOR_EVER if _HASHED.search(name) else {"cache-control": "no-cache"})


def _page(request: Request[Any, Any, Any], entry: str, place: str) -> Response[Any]:
    # The service worker must lie where it serves, not among the assets.
    if place.strip("/") == "worker.js" and (worker := _find(f"{entry}/worker.js")) is not None:
        return _answer(request, worker, _PAGE)
    found = _find(f"{entry}/index.html")
    if found is None:
        return Response(_NOT_BUILT, status_code=503, media_type="text/html", headers={"retry-after": "30"})
    return _answer(request, found, _PAGE)


def _find(name: str) -> _File | None:
    path = folder() / name
    try:
        return _file(name, path.stat().st_mtime)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _answer(request: Request[Any, Any, Any], file: _File, headers: dict[str, str]) -> Response[Any]:
    headers = {**headers, "etag": file.etag, "vary": "accept-encoding"}
    known = (each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(","))
    if file.etag in known:
        return Response(b"", status_code=304, headers=headers)
    accepted = request.headers.get("accept-encoding", "")
    if file.compressed is not None and re.search(r"\bbr\b(?!\s*;\s*q=0(?:\.0*)?\b)", accepted):
        return Response(file.compressed, media_type=file.media, headers={**headers, "content-encoding": "br"})
    return Response(file.content, media_type=file.media, headers=headers)
