"""The `Date` of answers where `HAIYIBAN_CLOCK_OFFSET` moves the clock: phones tell the time by it.

Without an offset the server's own `Date` is right, and this is not there to cost anything.
"""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any

from haiyiban import clock

App = Any
"""ASGI's own: Litestar types it as unions that no line here could be written against."""


def dated(app: App) -> App:
    """The same application, whose answers say the moved time."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        async def with_date(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(clock.now(), usegmt=True).encode()
                message["headers"] = [*message.get("headers", []), (b"date", date)]
            await send(message)

        await app(scope, receive, with_date)

    return answer
