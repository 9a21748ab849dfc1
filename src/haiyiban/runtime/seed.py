"""Demo data: every feature and zone plants its own; planting again changes nothing."""

from __future__ import annotations

from haiyiban.runtime import discovery
from haiyiban.runtime.start import running
from haiyiban.settings import Settings


async def plant(settings: Settings) -> None:
    """Plant what each folder brings, lowest first."""
    async with running(settings):
        for zone in (*discovery.features(), *discovery.zones(settings.zones)):
            if zone.seed is not None:
                await zone.seed()
