"""Which zones this deployment serves; it may leave some out (`HAIYIBAN_ZONES`)."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, get

from haiyiban.context import current
from haiyiban.wire import Output


class ZoneRead(Output):
    """A service zone (专区)."""

    name: str
    """As in its addresses: `/zones/<name>`."""
    title: str


class ZoneList(Output, omit_defaults=False):
    """All that are served here."""

    items: list[ZoneRead]


class ZonesController(Controller):
    """So that a page shows nothing of what is not here."""

    path = "/zones"
    tags = ["system"]

    @get(summary="Zones that are served here")
    async def served(self, request: Request[Any, Any, Any]) -> ZoneList:
        """By name, in the language of the request."""
        language = current().language
        zones = request.app.state["zones"]
        return ZoneList(items=[ZoneRead(each.name, each.title.in_language(language)) for each in zones])
