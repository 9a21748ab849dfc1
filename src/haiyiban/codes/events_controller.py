"""What happens to a code of mine, told while I show it (server-sent events)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath
from litestar.types import Receive, Scope, Send

from haiyiban import clock
from haiyiban.codes import showing, streams
from haiyiban.codes.consent_controller import person_of
from haiyiban.codes.events import Event
from haiyiban.codes.signing import code_keys
from haiyiban.codes.state_read import state_read
from haiyiban.codes.streams import Stream, Streams
from haiyiban.context import current
from haiyiban.errors import NotSignedIn
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import problems

_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]


class EventStream(Response[str]):
    """An answer that goes on until the code is over or the phone has gone."""

    def __init__(self, stream: Stream, first: Event, *, among: Streams) -> None:
        self._among = among
        self._stream = stream
        self._first = first

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        return self

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        waiting = asyncio.create_task(_leave_when_gone(self._stream, receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            async for told in self._stream.events(self._first):
                await send({"type": "http.response.body", "body": told, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            waiting.cancel()
            self._among.close(self._stream)


class CodeEventsController(Controller):
    """My code, while I show it."""

    path = "/codes/{code_id:uuid}/events"
    tags = ["codes"]
    guards = [resident(Level.L3)]

    @get(
        summary="What happens to a code, as it happens",
        media_type="text/event-stream",
        responses={
            200: ResponseSpec(
                data_container=str,
                media_type="text/event-stream",
                description="A stream of events",
                # Litestar would make one up, another each time.
                generate_examples=False,
            )
        }
        | problems(
            NotSignedIn, StepUpNeeded, showing.CodeMissing, streams.TooManyStreams, streams.StreamsFull
        ),
    )
    async def follow(self, request: ResidentRequest, code_id: FromPath[UUID]) -> Response[str]:
        """Server-sent events: `state` (as GET /codes/{id}, first, so that a phone that comes back misses
        nothing), `scanned`, `consent-asked`, `consent-answered`, `expired`; a comment every 15 seconds.

        It ends when the code is over, when the sign-in ends, and after five minutes: then open it again, with
        a fresh access token. Four at most for an account.
        """
        now, language = clock.now(), current().language
        keys = code_keys(now)
        found = await showing.state_of(code_id, person_of(request), keys=keys, now=now)
        first = Event("state", state_read(found, cti=keys.cti, language=language, now=now))
        stream = Stream(found, caller=request.user, cti=keys.cti, language=language, now=now)
        among = streams.current()
        among.open(stream)
        return EventStream(stream, first, among=among)


async def _leave_when_gone(stream: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.leave()
