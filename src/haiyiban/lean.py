"""What hot paths leave out of a response: headers, cookies and media types cost more than their own work.

They stay handlers of Litestar with their place in the contract. Measured: benchmarks/verify.py.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec
from litestar import Response
from litestar.types import Receive, Scope, Send

Answer = TypeVar("Answer")

_encoder = msgspec.json.Encoder()
_HEADERS = [(b"content-type", b"application/json")]


class Encoded(Response[Answer], Generic[Answer]):
    """An answer that is encoded already and needs none of a response's other means."""

    def __init__(self, answer: Answer, *, status: int) -> None:
        self._body = _encoder.encode(answer)
        self._status = status

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        return self

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self._status, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})
