"""The line to one outside system: so many calls at once, so long, and rest when it does not answer.

Nothing that came over the line is ever logged or put into an error, for it is personal data: only which
system, what kind of failure and where in the answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

import httpx
import msgspec

from haiyiban.registers.breaker import Circuit
from haiyiban.registers.metrics import CALLS

log = logging.getLogger(__name__)

T = TypeVar("T")

ANSWER_SECONDS = 2.0
IN_FLIGHT_MOST = 20
"""Calls at once from one process to one system."""
TURN_SECONDS = 1.0
"""How long a call waits for its turn before it gives up."""
ANSWER_BYTES_MOST = 256 * 1024

_WRONG_QUESTION = frozenset({400, 404, 409, 410, 422})


class NoAnswer(Exception):
    """The system could not be asked or did not answer sensibly; the message names the kind of failure."""


class Refused(NoAnswer):
    """The system is well and refuses this question."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status


class Garbage(NoAnswer):
    """The system answered what cannot be the answer."""


class Line:
    """Every call of this process to one outside system."""

    def __init__(self, name: str, http: httpx.AsyncClient) -> None:
        self.name = name
        self.circuit = Circuit()
        self._http = http
        self._turns = asyncio.Semaphore(IN_FLIGHT_MOST)

    async def call(self, path: str, body: object, *, read: Callable[[bytes], T]) -> T:
        """POST and read the answer. Raises NoAnswer after `TURN_SECONDS` + `ANSWER_SECONDS` at most.

        `read` may raise what msgspec raises: then the answer is garbage, which is a failure of the system.
        """
        request = self._http.build_request("POST", path, content=msgspec.json.encode(body))
        return await self._ask(request, read=read)

    async def send(self, path: str, content: bytes, media_type: str, *, read: Callable[[bytes], T]) -> T:
        """POST a document as it is, for a system that does not speak JSON."""
        headers = {"Content-Type": media_type}
        return await self._ask(
            self._http.build_request("POST", path, content=content, headers=headers), read=read
        )

    async def get(self, path: str, params: Mapping[str, str], *, read: Callable[[bytes], T]) -> T:
        """GET, for a system that leaves no choice: nothing personal may stand in `params`."""
        return await self._ask(self._http.build_request("GET", path, params=dict(params)), read=read)

    async def _ask(self, request: httpx.Request, *, read: Callable[[bytes], T]) -> T:
        async with self._turn():
            loop = asyncio.get_running_loop()
            if not self.circuit.allows(loop.time()):
                CALLS.saw(self.name, "not_asked")
                raise NoAnswer("not asked: it failed again and again")
            self.circuit = self.circuit.asked(loop.time())
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    content = await self._exchange(request)
                answer = _sense(content, read)
            except Refused as refusal:
                self.circuit = self.circuit.answered()
                CALLS.saw(self.name, "refused")
                log.error("%s: %s", self.name, refusal)
                raise
            except (NoAnswer, TimeoutError, httpx.HTTPError) as error:
                self.circuit = self.circuit.failed(loop.time())
                CALLS.saw(self.name, "failed")
                reason = str(error) if isinstance(error, NoAnswer) else type(error).__name__
                log.warning("%s does not answer: %s", self.name, reason)
                raise NoAnswer(reason) from None
            self.circuit = self.circuit.answered()
            CALLS.saw(self.name, "answered")
            return answer

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            # Our own crowd, not the system's failure: the circuit does not hear of it.
            CALLS.saw(self.name, "not_asked")
            raise NoAnswer("not asked: too many wait for it") from None
        try:
            yield
        finally:
            self._turns.release()

    async def _exchange(self, request: httpx.Request) -> bytes:
        response = await self._http.send(request, stream=True)
        async with aclosing(response):
            if response.status_code in _WRONG_QUESTION:
                raise Refused(response.status_code)
            if not response.is_success:
                raise NoAnswer(f"status {response.status_code}")
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > ANSWER_BYTES_MOST:
                    raise Garbage("garbage: too long")
            return bytes(content)


def _sense(content: bytes, read: Callable[[bytes], T]) -> T:
    try:
        return read(content)
    except msgspec.ValidationError as error:
        raise Garbage(f"garbage at {_place(error)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Garbage("garbage: not JSON") from None


def _place(error: Exception) -> str:
    """Where in the answer it went wrong; the rest of msgspec's message may quote a value."""
    _, found, place = str(error).rpartition(" - at ")
    return place.strip("`") if found else "$"
