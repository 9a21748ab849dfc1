"""The body of a request: read whole within the limit, parsed strictly, converted without leniency."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request

from haiyiban.errors import Malformed, TooLarge, TooSlow
from haiyiban.forms.strict import parse_json
from haiyiban.runtime.field_errors import field_error

Receive = Callable[[], Awaitable[Any]]

GRACE_SECONDS = 20.0
BYTES_A_SECOND = 8 * 1024
"""What a phone manages at the edge of a village. The body has so long, and the grace."""


async def read(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    """The whole body; an empty one is the empty object.

    Raises TooLarge, however the length was told, and TooSlow.
    """
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limit:
        raise TooLarge
    chunks = []
    size = 0
    began = asyncio.get_running_loop().time()
    while True:
        try:
            async with asyncio.timeout_at(began + GRACE_SECONDS + size / BYTES_A_SECOND):
                message = await receive()
        except TimeoutError:
            raise TooSlow from None
        if message["type"] == "http.disconnect":
            # What has come may read like a whole body, and nothing at all like the empty object.
            raise Malformed
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLarge
        chunks.append(chunk)
        if not message.get("more_body"):
            break
    return b"".join(chunks) or b"{}"


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body we have read, then what follows it."""
    given = False

    async def again() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


class StrictRequest(Request[Any, Any, Any]):
    """Litestar would turn "5" into 5 and keep the second of two members of one name; we refuse both.

    What is converted here passes Litestar's own conversion unchanged.
    """

    async def json(self) -> Any:
        """The body as the handler's `data` type. Raises Malformed with the pointer of what is wrong."""
        value = parse_json(await self.body())
        expected = self.scope["route_handler"].parsed_data_field
        if expected is None:
            return value
        try:
            return msgspec.convert(value, expected.annotation)
        except msgspec.ValidationError as error:
            raise Malformed(errors=[field_error(str(error))]) from None
