"""The load: a process of its own that sends prepared requests over kept-alive connections and times them.

Raw protocol, because an HTTP client library would cost more than the server under test.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Iterator

CONNECTIONS = 64
_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_OUTCOME = re.compile(rb'"outcome":"([a-z_]+)"')


class Client(asyncio.Protocol):
    """One connection: sends the next request when the last one is answered."""

    def __init__(self, requests: Iterator[bytes], seen: Counter[str], done: asyncio.Future[None]) -> None:
        self._requests = requests
        self._seen = seen
        self._done = done
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = _LENGTH.search(head)
        unchanged = head[9:12] == b"304"  # which has no body, whatever it says of its length
        if not unchanged and (length is None or len(rest) < int(length[1])):
            return
        outcome = _OUTCOME.search(rest)
        self._seen[outcome[1].decode() if outcome else head[9:12].decode()] += 1
        self._buffer = b""
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("the server hung up"))

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is not None:
            self._transport.write(request)
        elif not self._done.done():
            self._done.set_result(None)
            self._transport.close()


async def send(
    port: int, requests: list[bytes], *, connections: int = CONNECTIONS
) -> tuple[float, Counter[str]]:
    """Send all requests; the seconds it took and what came back."""
    loop = asyncio.get_running_loop()
    seen: Counter[str] = Counter()
    waiting = iter(requests)
    ends = [loop.create_future() for _ in range(connections)]
    started = time.perf_counter()
    for end in ends:
        await loop.create_connection(lambda end=end: Client(waiting, seen, end), "127.0.0.1", port)
    await asyncio.gather(*ends)
    return time.perf_counter() - started, seen


def request_bytes(path: str, body: dict[str, object] | None, *, headers: dict[str, str]) -> bytes:
    """One HTTP/1.1 POST; a GET where there is no body."""
    if body is None:
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    content = json.dumps(body, ensure_ascii=False).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(content)}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def report(seconds: float, seen: Counter[str]) -> None:
    """Tell the parent process."""
    print(json.dumps({"seconds": seconds, "seen": seen}), flush=True)
