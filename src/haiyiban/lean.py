"""What hot paths leave out of a response: headers, cookies and media types cost more than their own work.

They stay handlers of Litestar with their place in the contract. Measured: benchmarks/verify.py.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec
from litestar import Response
from litestar.types import Receive, Scope, Send

from haiyiban.errors import Problem

Answer = TypeVar("Answer")

_encoder = msgspec.json.Encoder()
_HEADERS = [(b"content-type", b"application/json")]


class Encoded(Response[Answer], Generic[Answer]):
    """An answer that is encoded already and needs none of a response's other means."""

    def __init__(self, answer: Answer, *, status: int) -> None:
        self._body = _encoder.encode(answer)
        self._status = status
        self._headers = _HEADERS

    @classmethod
    def refusal(cls, problem: Problem, language: str) -> Encoded[Answer]:
        """A refusal that is not raised, for a crowd that is refused alike: the way of an exception through
        the framework costs more than the whole answer. Only where the audit does not keep it."""
        assert not problem.is_recorded
        made = cls.__new__(cls)
        made._body = _encoder.encode(problem.document(language))
        made._status = problem.status
        made._headers = [
            (b"content-type", b"application/problem+json"),
            *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
        ]
        return made

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        return self

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})
