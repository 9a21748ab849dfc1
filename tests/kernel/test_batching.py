"""Natural batching."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban import context
from haiyiban.batching import Batcher
from haiyiban.context import Context


class Line:
    """Doubles numbers; remembers its batches; a zero poisons its batch."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    async def run(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        await asyncio.sleep(0)
        if 0 in items:
            raise ValueError("zero")
        return [2 * item for item in items]


async def test_alone_a_request_runs_at_once_and_a_crowd_goes_together() -> None:
    line = Line()
    batcher = Batcher(line.run)
    assert await batcher.ask(1) == 2
    assert await asyncio.gather(*(batcher.ask(item) for item in range(2, 12))) == list(range(4, 24, 2))
    assert line.batches[0] == [1]
    assert len(line.batches) <= 3


async def test_no_batch_is_over_the_limit() -> None:
    line = Line()
    batcher = Batcher(line.run, limit=3)
    await asyncio.gather(*(batcher.ask(item) for item in range(1, 20)))
    assert max(map(len, line.batches)) == 3


async def test_no_more_batches_are_in_flight_than_allowed() -> None:
    running = most = 0

    async def run(items: Sequence[int]) -> Sequence[int]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return items

    batcher = Batcher(run, limit=2, in_flight=2)
    await asyncio.gather(*(batcher.ask(item) for item in range(20)))
    assert most == 2


async def test_one_bad_item_does_not_take_its_neighbours_with_it() -> None:
    batcher = Batcher(Line().run)
    answers = await asyncio.gather(*(batcher.ask(item) for item in (1, 2, 0, 3)), return_exceptions=True)
    assert [answer for answer in answers if isinstance(answer, int)] == [2, 4, 6]
    assert isinstance(answers[2], ValueError)
    assert await batcher.ask(5) == 10


async def test_when_the_database_is_away_nobody_waits_in_line() -> None:
    runs = 0

    async def run(items: Sequence[int]) -> Sequence[int]:
        nonlocal runs
        runs += 1
        raise ConnectionRefusedError

    batcher = Batcher(run)
    answers = await asyncio.gather(*(batcher.ask(item) for item in range(50)), return_exceptions=True)
    assert all(isinstance(answer, ConnectionRefusedError) for answer in answers)
    assert runs <= 2


async def test_too_few_answers_are_an_error_for_everybody_and_hang_nobody() -> None:
    async def run(items: Sequence[int]) -> Sequence[int]:
        return items[:-1]

    batcher = Batcher(run)
    answers = await asyncio.gather(*(batcher.ask(item) for item in range(5)), return_exceptions=True)
    assert all(isinstance(answer, RuntimeError) for answer in answers)


async def test_who_gives_up_waiting_is_left_out() -> None:
    line = Line()
    batcher = Batcher(line.run)
    first = asyncio.create_task(batcher.ask(1))
    second = asyncio.create_task(batcher.ask(2))
    await asyncio.sleep(0)
    second.cancel()
    assert await first == 2
    assert await batcher.ask(3) == 6
    assert [3] in line.batches


async def test_a_batch_is_nobodys_request() -> None:
    seen: list[str] = []

    async def run(items: Sequence[int]) -> Sequence[int]:
        seen.append(context.current().request_id)
        return items

    async def asking() -> None:
        context.enter(Context(request_id="mine"))
        await batcher.ask(1)

    batcher = Batcher(run)
    await asyncio.create_task(asking())
    assert seen == ["script"]


@given(st.lists(st.integers(min_value=0, max_value=9), max_size=60), st.integers(1, 5), st.integers(1, 3))
async def test_every_item_gets_its_own_answer(items: list[int], limit: int, in_flight: int) -> None:
    batcher = Batcher(Line().run, limit=limit, in_flight=in_flight)
    answers = await asyncio.gather(*(batcher.ask(item) for item in items), return_exceptions=True)
    for item, answer in zip(items, answers, strict=True):
        assert isinstance(answer, ValueError) if item == 0 else answer == 2 * item


async def test_a_stopped_batch_lets_its_askers_go() -> None:
    async def run(items: Sequence[int]) -> Sequence[int]:
        await asyncio.sleep(60)
        return items

    batcher = Batcher(run)
    asking = [asyncio.create_task(batcher.ask(item)) for item in range(3)]
    await asyncio.sleep(0.01)
    (running,) = batcher._running
    running.cancel()
    done, waiting = await asyncio.wait(asking, timeout=2)
    assert not waiting
    with pytest.raises(asyncio.CancelledError):
        done.pop().result()
