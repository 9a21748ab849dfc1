"""Lines to the sandbox that no earlier test has worn out, and an outside that says whatever a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from haiyiban import registers
from haiyiban.registers import RegisterClient

Answer = Callable[[], AsyncIterator[bytes]]
"""What goes back over the wire, piece by piece."""
Outside = Callable[[Answer], AbstractAsyncContextManager[RegisterClient]]


@pytest.fixture
async def client(sandbox_url: str) -> AsyncIterator[RegisterClient]:
    """The client of this process, its lines fresh."""
    fresh = RegisterClient(sandbox_url, key="sandbox")
    # Whoever asked before hangs up first, or its connections would stay open.
    await registers.close()
    registers.install(fresh)
    yield fresh
    await registers.close()


@pytest.fixture
def outside() -> Outside:
    """A server of raw bytes: for answers that the sandbox is too polite to give."""

    @asynccontextmanager
    async def serve(answer: Answer) -> AsyncIterator[RegisterClient]:
        running: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}

        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            running[writer] = asyncio.current_task()  # type: ignore[assignment]
            try:
                await reader.readuntil(b"\r\n\r\n")
                async for piece in answer():
                    writer.write(piece)
                    await writer.drain()
            except (ConnectionError, EOFError):
                pass  # the other side hung up, as it may
            finally:
                writer.close()

        server = await asyncio.start_server(one, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        strange = RegisterClient(f"http://127.0.0.1:{port}", key="any")
        try:
            yield strange
        finally:
            await strange.aclose()
            server.close()
            for writer in running:
                writer.transport.abort()
            await asyncio.gather(*running.values())
            await server.wait_closed()

    return serve


def http(body: bytes, status: str = "200 OK") -> bytes:
    """One HTTP answer."""
    return b"HTTP/1.1 %s\r\nConnection: close\r\n\r\n%s" % (status.encode(), body)
