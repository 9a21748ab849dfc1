"""Hearing at once that this process shall stop.

The server waits for every answer before it ends the application's lifespan, and an event stream would keep it
waiting for minutes: whatever holds answers open must hear of the signal itself.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_stopping(act: Callable[[], None]) -> Iterator[None]:
    """Meanwhile `act` runs in this loop when a signal to stop comes, beside what the server does about it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _STOPPING}

    def stop(number: int, frame: FrameType | None) -> Any:
        loop.call_soon_threadsafe(act)
        earlier = before[signal.Signals(number)]
        return earlier(number, frame) if callable(earlier) else None

    for number in _STOPPING:
        # A handler that the loop has stays in force too: it hears of the signal by its own pipe.
        signal.signal(number, stop)
        signal.siginterrupt(number, False)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
