"""The demo's hours for vaccination, from schemas/zones/health_code/demo.v1.json."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, resources
from haiyiban.clock import SHANGHAI
from haiyiban.db import database
from haiyiban.ids import new_id
from services.health_code.models import Slot


class Hours(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Whole hours of a day, and for how many people."""

    from_: int = msgspec.field(name="from")
    until: int
    capacity: int


class Site(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A vaccination site of the demo."""

    division: str
    name: str
    name_en: str
    hours: list[Hours]


class Demo(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The whole data file; `days` from tomorrow on have hours."""

    id: str
    source: str
    days: int
    sites: list[Site]


async def seed() -> None:
    """Open the hours of the next days that are not open yet, so that a demo always has some."""
    demo, today = _demo(), clock.today()
    async with database().transaction() as session:
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("health-code.seed"))))
        for site in demo.sites:
            for ahead in range(1, demo.days + 1):
                await _open(session, site, today + timedelta(days=ahead))


async def _open(session: AsyncSession, site: Site, day: date) -> None:
    for hours in site.hours:
        starts_at = datetime.combine(day, time(hours.from_), SHANGHAI)
        same = select(Slot.id).where(
            Slot.division == site.division, Slot.starts_at == starts_at, Slot.site_zh == site.name
        )
        if await session.scalar(same) is None:
            session.add(
                Slot(
                    id=new_id(),
                    division=site.division,
                    site_zh=site.name,
                    site_en=site.name_en,
                    starts_at=starts_at,
                    ends_at=datetime.combine(day, time(hours.until), SHANGHAI),
                    capacity=hours.capacity,
                    booked=0,
                )
            )


def _demo() -> Demo:
    content = (resources.schemas() / "zones" / "health_code" / "demo.v1.json").read_bytes()
    return msgspec.json.decode(content, type=Demo)
