"""Where the worker answers those who watch it: /metrics, /health/live, /health/ready, and nothing else.

On its own port (HAIYIBAN_WORKER_PORT), which no proxy leads to. It runs in the worker's event loop: a worker
that is stuck answers nobody and is started anew by whoever asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from haiyiban.runtime.exposition import Exposition, may_read
from haiyiban.settings import Settings

_PLAIN = "text/plain; charset=utf-8"


@asynccontextmanager
async def answering(
    settings: Settings, exposition: Exposition, is_ready: Callable[[], bool]
) -> AsyncIterator[None]:
    """Answer meanwhile; without a port, do nothing."""
    if not settings.worker_port:
        yield
        return

    async def answer(scope: Any, _: Any, send: Any) -> None:
        status, media, body = await _answer(scope, settings, exposition, is_ready=is_ready())
        headers = [(b"content-type", media.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    server = Server(
        answer,
        address=settings.worker_host,
        port=settings.worker_port,
        interface=Interfaces.ASGINL,
        log_level=LogLevels.error,
    )
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await serving


async def _answer(
    scope: Any, settings: Settings, exposition: Exposition, *, is_ready: bool
) -> tuple[int, str, bytes]:
    match scope["path"]:
        case "/health/live":
            return 200, _PLAIN, b"live\n"
        case "/health/ready":
            return (200, _PLAIN, b"ready\n") if is_ready else (503, _PLAIN, b"the queue is away\n")
        case "/metrics":
            if not may_read(settings, dict(scope["headers"]).get(b"authorization", b"")):
                return 401, _PLAIN, b"a bearer token is needed\n"
            body, media = await exposition.text()
            return 200, media, body
    return 404, _PLAIN, b"not found\n"
