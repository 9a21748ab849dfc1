"""The hall over HTTP: figures for a screen in a public place.

Public, and not for operators alone: the figures tell of groups only (rules.py), they hang in a hall where
everybody reads them, and a screen that hangs there by itself would need somebody's sign-in to stay open day
and night on an unattended machine, which is the greater danger. What is public may be cached in front of us.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter
from litestar.types import Receive, Scope, Send

from haiyiban.context import current
from haiyiban.hall import watching
from haiyiban.hall.watching import HallFull, NotCountedYet, Shown, Watch
from haiyiban.hall.wire import HallFiguresRead, figures_read
from haiyiban.wire import problems

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_HEARTBEAT = b": \n\n"
_encoder = msgspec.json.Encoder()


class HallController(Controller):
    """The service hall's big screen (政务大屏)."""

    path = "/hall"
    tags = ["hall"]

    @get("/figures", summary="What the big screen shows", responses=problems(NotCountedYet))
    async def figures(self, request: Request[Any, Any, Any]) -> Response[HallFiguresRead]:
        """Live figures of today, trends, counties and a masked feed; counted every five seconds.

        For everybody. With `If-None-Match`, 304 while it is the same.
        """
        shown = await watching.current().now()
        language = current().language
        etag = f'"{sha256(f"{shown.number} {shown.at} {language}".encode()).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "public, max-age=2", "Vary": "Accept-Language"}
        if etag in request.headers.get("if-none-match", ""):
            return Response(None, status_code=304, headers=headers)  # type: ignore[arg-type]
        return Response(figures_read(shown, language), headers=headers)

    @get(
        "/events",
        summary="The same, as it changes",
        media_type="text/event-stream",
        responses={
            200: ResponseSpec(
                data_container=str,
                media_type="text/event-stream",
                description="A stream of events",
                generate_examples=False,
            )
        }
        | problems(HallFull),
    )
    async def follow(
        self,
        last_event_id: Annotated[str | None, HeaderParameter(name="Last-Event-ID")] = None,
    ) -> Response[str]:
        """Server-sent events: `figures`, each the whole of GET /hall/figures, first at once and then after
        each count; a comment every 15 seconds.

        `Last-Event-ID` is the `number` last seen: it is not sent again, and nothing else is missed, for the
        newest figures hold all. It ends after an hour: open it again. At most 200 for a process (503): then
        ask for the figures instead.
        """
        number = int(last_event_id) if last_event_id and last_event_id.isdecimal() else None
        watch = watching.current()
        watch.open()
        return _FigureStream(watch, number, language=current().language)


class _FigureStream(Response[str]):
    """An answer that goes on until the screen has gone."""

    def __init__(self, watch: Watch, number: int | None, *, language: str) -> None:
        self._watch = watch
        self._number = number
        self._language = language

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        return self

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (sending, leaving):
                task.cancel()
            self._watch.close()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        async for shown in self._watch.after(self._number):
            body = _HEARTBEAT if shown is None else _event(shown, self._language)
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(shown: Shown, language: str) -> bytes:
    data = _encoder.encode(figures_read(shown, language))
    return b"event: figures\nid: %d\ndata: %b\n\n" % (shown.number, data)
