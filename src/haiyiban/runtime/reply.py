"""An answer, held back until the transaction is settled."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from haiyiban.errors import Problem
from haiyiban.runtime.idempotency import Answer
from haiyiban.runtime.problems import MEDIA, encode, problem_of
from haiyiban.runtime.unit import Unit

Message = dict[str, Any]
Send = Callable[[Any], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_STORED = frozenset({b"content-type", b"location", b"etag"})


class Reply:
    """What the application sends goes in here; it goes out when the work is committed.

    Only an event stream goes out as it comes: its transaction is settled before its first event.
    """

    def __init__(self, unit: Unit, send: Send, *, request_id: str, head: bool, headers: Headers) -> None:
        self._unit = unit
        self._send = send
        self._request_id = request_id.encode()
        self._head = head
        """Answers HEAD: everything but the body."""
        self._of_all = headers
        """Which every answer has."""
        self._headers: Headers = []
        self._chunks: list[bytes] = []
        self._streaming = False
        self._begun = False
        self.status = 0
        self.size = 0
        self.began_at = 0.0
        """When a stream sent its first byte (perf_counter): how long it then lasts is not our speed."""

    async def __call__(self, message: Message) -> None:
        """ASGI's `send` for the application."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = list(message["headers"])
            is_stream = _value(self._headers, b"content-type").startswith(b"text/event-stream")
            self._streaming = is_stream and not self._head
            return
        if message["type"] != "http.response.body":
            return
        chunk = message.get("body", b"")
        if not self._streaming:
            self._chunks.append(chunk)
            return
        if not self._begun:
            await self._settle()
            await self._begin()
            self.began_at = time.perf_counter()
        await self._pass(chunk, more=message.get("more_body", False))

    async def finish(self) -> None:
        """The application is done: settle, then send. Raises what the commit raises."""
        if self._begun:
            return
        await self._settle()
        await self._send_whole()

    async def refuse(self, problem: Problem) -> None:
        """Answer with a refusal that no handler saw, such as a body too large or a failed commit."""
        if self._begun:
            return
        self._unit.problem = problem
        self.status = problem.status
        self._headers = [
            (b"content-type", MEDIA.encode()),
            *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
        ]
        self._chunks = [encode(problem)]
        try:
            await self._settle()
        except Exception as error:  # noqa: BLE001 - the refusal stands even if it cannot be recorded
            problem_of(error)
        await self._send_whole()

    async def again(self, answer: Answer) -> None:
        """Give a stored answer."""
        self.status = answer.status
        self._headers = [(name.encode(), value.encode()) for name, value in answer.headers]
        self._chunks = [answer.body]
        await self._send_whole()

    async def _settle(self) -> None:
        await self._unit.settle(self.status, self._answer)

    def _answer(self) -> Answer:
        """What an Idempotency-Key keeps."""
        return Answer(
            status=self.status,
            headers=[
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in self._headers
                if name.lower() in _STORED
            ],
            body=b"".join(self._chunks),
        )

    async def _send_whole(self) -> None:
        content = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._headers = [item for item in self._headers if item[0].lower() != b"content-length"]
        if self.status != 204:
            self._headers.append((b"content-length", str(len(content)).encode()))
        await self._begin()
        await self._pass(b"" if self._head else content, more=False)

    async def _begin(self) -> None:
        self._begun = True
        self._headers += [(b"x-request-id", self._request_id), *self._of_all]
        if not _value(self._headers, b"cache-control"):
            self._headers.append((b"cache-control", b"no-store"))
        await self._send({"type": "http.response.start", "status": self.status, "headers": self._headers})

    async def _pass(self, chunk: bytes, *, more: bool) -> None:
        self.size += len(chunk)
        await self._send({"type": "http.response.body", "body": chunk, "more_body": more})


def _value(headers: Headers, name: bytes) -> bytes:
    for found, value in headers:
        if found.lower() == name:
            return value
    return b""
