"""A phone that follows its code: the application is driven as a server drives it, chunk by chunk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar.types import ASGIApp

API = "/api/v1"


class Line:
    """An open stream."""

    def __init__(self, app: ASGIApp, path: str, headers: dict[str, str], *, method: str = "GET") -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.comments = 0
        self.last_id = ""
        self._events: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue()
        self._answered = asyncio.Event()
        self._hung_up = asyncio.Event()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": f"{API}{path}",
            "raw_path": f"{API}{path}".encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("test", 80),
            "state": {},
        }
        self.task = asyncio.create_task(app(scope, self._receive, self._send))  # type: ignore[arg-type]

    async def answered(self) -> int:
        """The status."""
        async with asyncio.timeout(10):
            await self._answered.wait()
        return self.status

    async def event(self, *, within: float = 6.0) -> tuple[str, Any]:
        """The next event: its name and what it says."""
        async with asyncio.timeout(within):
            found = await self._events.get()
        assert found is not None, "the stream has ended"
        return found

    async def ended(self, *, within: float = 6.0) -> list[tuple[str, Any]]:
        """What came before the end, once it has ended by itself."""
        async with asyncio.timeout(within):
            await self.task
        found = []
        while (event := self._events.get_nowait()) is not None:
            found.append(event)
        return found

    async def hang_up(self) -> None:
        """Close it from the phone's side."""
        self._hung_up.set()
        async with asyncio.timeout(6):
            await self.task

    async def _receive(self) -> dict[str, Any]:
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            self._answered.set()
            return
        chunk: bytes = message.get("body", b"")
        self.body += chunk
        if chunk.startswith(b":"):
            self.comments += 1
        elif chunk.startswith(b"event: "):
            said = dict(line.split(": ", 1) for line in chunk.decode().rstrip("\n").split("\n"))
            self.last_id = said.get("id", self.last_id)
            self._events.put_nowait((said["event"], json.loads(said["data"])))
        if not message.get("more_body"):
            self._events.put_nowait(None)


@asynccontextmanager
async def following(app: ASGIApp, path: str, headers: dict[str, str], **how: Any) -> AsyncIterator[Line]:
    """A stream that is hung up at the end."""
    line = Line(app, path, headers, **how)
    try:
        yield line
    finally:
        await line.hang_up()
