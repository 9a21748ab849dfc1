"""A line between the platform and a server of its own that can be cut and slowed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Literal

Mode = Literal["whole", "cut", "slow"]

SLOW_SECONDS = 0.3
"""What each piece takes on a slow line, in each direction."""


class Line:
    """TCP on loopback, in front of the port `target`, which may become another."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.mode: Mode = "whole"
        self.target = target
        self._passing: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """End what passes now, in the middle of whatever it is."""
        for each in list(self._passing):
            each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "cut":
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, back}
        self._passing |= ends
        one = asyncio.create_task(self._one_way(reader, back))
        try:
            with suppress(asyncio.CancelledError):  # by whoever ends this loop; streams would complain of it
                await self._one_way(there, writer)
        finally:
            one.cancel()
            self._passing -= ends
            for each in ends:
                each.transport.abort()

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65536):
                if self.mode == "slow":
                    await asyncio.sleep(SLOW_SECONDS)
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()
