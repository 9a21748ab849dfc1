"""Natural batching: while one statement is on its way, the next one fills.

A hot path pays one round trip, one lock and one fsync per batch and not per request, with no timer:
alone, a request runs at once; in a crowd, those that arrive while a batch runs go together in the next.
Measured: docs/decisions/0006-coalescing.md and benchmarks/.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from haiyiban.db import is_away

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Runs items together, at most `limit` in a batch and `in_flight` batches at once.

    `run` answers each item in order. If it fails as a whole, every item is run again alone, so that one
    bad item cannot take its neighbours with it; `run` must therefore be safe to run twice. Where the
    database does not answer, all fail at once: asking again for each would keep everybody waiting.

    A batcher belongs to the event loop that first uses it.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        limit: int = 512,
        in_flight: int = 1,
    ) -> None:
        self._run = run
        self._limit = limit
        self._free = in_flight
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def ask(self, item: Item) -> Answer:
        """The answer for one item, once its batch is done."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._free:
            self._free -= 1
            # A context of its own: the batch is not the request of whoever happened to come first.
            task = asyncio.get_running_loop().create_task(self._drain(), context=Context())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                # Once around the loop: whoever is ready now comes along, and nobody waits for it.
                await asyncio.sleep(0)
                batch = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
                await self._answer([pair for pair in batch if not pair[1].done()])
        finally:
            self._free += 1

    async def _answer(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        if not batch:
            return
        try:
            answers = await self._run([item for item, _ in batch])
            if len(answers) != len(batch):
                raise RuntimeError(f"{len(answers)} answers to {len(batch)} items")
        except asyncio.CancelledError:
            for _, future in (*batch, *self._waiting):
                future.cancel()
            self._waiting.clear()
            raise
        except Exception as error:  # noqa: BLE001 - handed on to each caller below
            if len(batch) == 1 or is_away(error):
                for _, future in batch:
                    _fail(future, error)
                return
            for pair in batch:
                await self._answer([pair])
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def _fail(future: asyncio.Future[Answer], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
