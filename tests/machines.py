"""State machines of Hypothesis whose steps are requests to the real application.

A machine holds a small model: what people were told. Each act asks the application and compares; after each
of them the machine's invariants are compared with the books. What fails is shrunk to the shortest story.
Hypothesis runs a machine in a thread of its own, and what the machine asks for runs on the loop of the tests,
where application and database live.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

T = TypeVar("T")
Draw = Callable[..., Any]
"""`draw(strategy, label)`: what the story chooses; the label stands in the story that is printed."""


class Machine(RuleBasedStateMachine):
    """A state machine of one rule, which is whatever somebody may do next.

    With a rule for each act Hypothesis leaves most of them out of a story, to find what needs few of them
    often. The stories in `make test` are too few for that: nobody would come as far as a refund.
    """

    def acts(self) -> Iterator[str]:
        """The names of the methods that may be called now; one that is named twice comes twice as often."""
        raise NotImplementedError

    @rule(data=st.data())
    def act(self, data: st.DataObject) -> None:
        """One step."""
        name = data.draw(st.sampled_from(list(self.acts())), label="act")
        getattr(self, name)(data.draw)

    def wait(self, asked: Coroutine[Any, Any, T]) -> T:
        """What a coroutine of the tests' loop returns, or raises."""

        async def it() -> T:
            return await asked

        return anyio.from_thread.run(it)


def short(examples: int, *, steps: int) -> settings:
    """For `make test`: the same few stories each time."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def long(examples: int, *, steps: int) -> settings:
    """For `make test-long`: others each time; a failure is kept and tried again."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


async def play(machine: Callable[[], Machine], how: settings) -> None:
    """Let a machine play its stories. Raises the failure of the shortest one that was found."""
    await anyio.to_thread.run_sync(lambda: run_state_machine_as_test(machine, settings=how))


def stories(few: tuple[int, int], many: tuple[int, int]) -> list[Any]:
    """How long a machine is played, as (stories, steps): in `make test`, and in `make test-long`."""
    return [
        pytest.param(short(few[0], steps=few[1]), id="short"),
        pytest.param(long(many[0], steps=many[1]), id="long", marks=pytest.mark.long),
    ]
