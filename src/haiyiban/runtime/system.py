"""Addresses of the platform itself: health, figures, the contract."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from litestar import Controller, Request, Response, get
from sqlalchemy import text

from haiyiban import clock
from haiyiban.codes.signing import code_keys
from haiyiban.db import database, is_away
from haiyiban.errors import NotSignedIn, Unavailable
from haiyiban.identity.tokens import access_tokens
from haiyiban.runtime import docs_page
from haiyiban.runtime.exposition import Exposition, may_read
from haiyiban.wire import Output, problems


class Health(Output):
    """Whether a process may be sent requests."""

    status: str


class SystemController(Controller):
    """Health, metrics, key set and the contract itself; no base path."""

    tags = ["system"]

    @get("/health/live", summary="The process is up")
    async def live(self) -> Health:
        """Answers as long as the process runs; asks nobody."""
        return Health(status="live")

    @get("/health/ready", summary="The process can serve", responses=problems(Unavailable))
    async def ready(self) -> Health:
        """Asks PostgreSQL: without it nothing can be decided. 503 with Retry-After until it answers, and
        while there is no signed trust list."""
        code_keys(clock.now())
        try:
            async with asyncio.timeout(2), database().autocommit.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:
            if not is_away(error):
                raise
            raise Unavailable from None
        return Health(status="ready")

    @get(
        "/metrics",
        summary="Metrics for Prometheus",
        media_type="text/plain",
        responses=problems(NotSignedIn),
    )
    async def metrics(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What this process counted, and how the platform stands; no personal data. Not for the public: in
        production it takes HAIYIBAN_METRICS_TOKEN as a bearer token."""
        if not may_read(request.app.state["settings"], request.headers.get("authorization", "").encode()):
            raise NotSignedIn
        exposition: Exposition = request.app.state["exposition"]
        body, media = await exposition.text()
        # Litestar adds the charset to every text.
        return Response(body, media_type=media.removesuffix("; charset=utf-8"))

    @get("/.well-known/jwks.json", summary="Public keys of access tokens")
    async def key_set(self) -> Response[dict[str, Any]]:
        """The JSON Web Key Set; keys are published before their first use."""
        return Response(access_tokens().key_set(), headers={"cache-control": "public, max-age=300"})

    @get("/openapi.json", include_in_schema=False)
    async def contract(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The OpenAPI document of everything served here."""
        return Response(request.app.state["contract"](), media_type="application/json")

    @get("/docs", include_in_schema=False)
    async def docs(self, request: Request[Any, Any, Any]) -> Response[str]:
        """The contract for people."""
        page = docs_page.page(json.loads(request.app.state["contract"]()))
        headers = {"content-security-policy": docs_page.POLICY, "referrer-policy": "no-referrer"}
        return Response(page, media_type="text/html", headers=headers)

    @get("/docs/style.css", include_in_schema=False)
    async def docs_style(self) -> Response[bytes]:
        """The look of the page."""
        cached = {"cache-control": "public, max-age=3600"}
        return Response(docs_page.stylesheet(), media_type="text/css", headers=cached)
