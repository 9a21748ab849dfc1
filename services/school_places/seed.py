"""The demo's schools, its open enrolment and one used home, from schemas/zones/school_places/demo.v1.json."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, resources
from haiyiban.clock import SHANGHAI
from haiyiban.db import database
from haiyiban.ids import new_id
from haiyiban.settings import Settings
from services.school_places.catchments import Catchment
from services.school_places.models import Enrolment, EnrolmentSchool, HomeUse, School
from services.school_places.rules import school_year
from services.school_places.service import runs, standings


class DemoSchool(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A school of the demo with its part in the enrolment."""

    code: str
    name: str
    name_en: str
    kind: str
    division: str
    address: str
    latitude: float
    longitude: float
    capacity: int
    catchment: Catchment


class DemoEnrolment(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The enrolment of the demo; `{year}` in its names stands for the school year."""

    code: str
    name: str
    name_en: str
    agency: str
    division: str
    area: dict[str, Any]
    beacon_source: str
    opens_days_ago: int
    closes_in_days: int
    draw_days_ago: int
    appeal_days: int


class DemoHomeUse(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A home by which another family's child has a place."""

    home: str
    guardians: list[str]
    years_ago: int


class Demo(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The whole data file."""

    id: str
    source: str
    enrolment: DemoEnrolment
    schools: list[DemoSchool]
    home_uses: list[DemoHomeUse]


async def seed() -> None:
    """Write what is not there yet. An enrolment is made for each school year in which the demo is started,
    open from some days ago on and its draw due, so that a visitor can go all the way at once."""
    demo = msgspec.json.decode(
        (resources.schemas() / "zones/school_places/demo.v1.json").read_bytes(), type=Demo
    )
    year = school_year(clock.today())
    async with database().transaction() as session:
        schools = [await _school(session, school) for school in demo.schools]
        await _enrolment(session, demo, schools, year=year)
        for use in demo.home_uses:
            await _home_use(session, use, year=year)


async def _school(session: AsyncSession, data: DemoSchool) -> School:
    known: School | None = await session.scalar(select(School).where(School.code == data.code))
    if known is not None:
        return known
    school = School(
        id=new_id(),
        code=data.code,
        name=data.name,
        name_en=data.name_en,
        division=data.division,
        kind=data.kind,
        address=data.address,
        latitude=data.latitude,
        longitude=data.longitude,
    )
    session.add(school)
    await session.flush()
    return school


async def _enrolment(session: AsyncSession, demo: Demo, schools: list[School], *, year: int) -> None:
    data = demo.enrolment
    code = data.code.format(year=year)
    if await session.scalar(select(Enrolment.id).where(Enrolment.code == code)) is not None:
        return
    enrolment = Enrolment(
        id=new_id(),
        code=code,
        name=data.name.format(year=year),
        name_en=data.name_en.format(year=year),
        school_year=year,
        agency=data.agency,
        division=data.division,
        area=data.area,
        opens_at=_noon(-data.opens_days_ago),
        closes_at=_noon(data.closes_in_days),
        beacon_source=data.beacon_source,
        draw_after=_noon(-data.draw_days_ago),
        four_eyes=Settings.from_env().four_eyes,
        closes_by_roll=True,
        appeal_days=data.appeal_days,
    )
    runs.new_commitment(enrolment)
    session.add(enrolment)
    await session.flush()
    for school, offered in zip(schools, demo.schools, strict=True):
        session.add(
            EnrolmentSchool(
                enrolment_id=enrolment.id,
                school_id=school.id,
                capacity=offered.capacity,
                catchment=msgspec.to_builtins(offered.catchment),
            )
        )


async def _home_use(session: AsyncSession, use: DemoHomeUse, *, year: int) -> None:
    home = standings.blind("home", use.home)
    await session.execute(
        upsert(HomeUse)
        .values(
            id=new_id(),
            home=home,
            school_year=year - use.years_ago,
            child=standings.blind("child", f"demo of {use.home}"),
            guardians=sorted(standings.blind("guardian", number).hex() for number in use.guardians),
        )
        .on_conflict_do_nothing()
    )


def _noon(days: int) -> datetime:
    """Noon in Hainan, so many days from today."""
    day = clock.today() + timedelta(days=days)
    return datetime.combine(day, time(12), SHANGHAI)
