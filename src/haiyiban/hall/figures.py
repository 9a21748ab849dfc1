"""What the board shows, put together from the counts: one document, the same for every screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import divisions, matters, tallies
from haiyiban.clock import SHANGHAI, local_date
from haiyiban.hall import rules
from haiyiban.hall.models import Board, Count
from haiyiban.hall.rules import Kind
from haiyiban.matters.catalogue import MatterUnknown

HOURS, DAYS = 24, 7
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SUBMITTED = "cases.submitted"
DECIDED = "cases.decided"
LATE = "cases.decided_late"
FEED = frozenset({SUBMITTED, DECIDED, "duty-free.claimed", "duty-free.redeemed", "codes.verified"})


async def of(
    session: AsyncSession, board: Board, *, before: Mapping[Kind, int], now: datetime
) -> dict[str, Any]:
    """The figures as they stand after a count; `before` is how the day stood before it."""
    today = rules.day_of(now)
    hourly = await _by_span(session, rules.hour_of(now) - HOUR * (HOURS - 1), "hour")
    daily = await _by_span(session, today - DAY * (DAYS - 1), "day")
    counted = await kinds(session, today)
    of_day = Counter[str]()
    for kind, count in counted.items():
        of_day[kind.name] += count
    hours = rules.spans(rules.hour_of(now) - HOUR * (HOURS - 1), rules.hour_of(now) + HOUR, length=HOUR)
    days = rules.spans(today - DAY * (DAYS - 1), today + HOUR, length=DAY)
    return {
        "counted": [tally.name for tally in tallies.installed()],
        "day": local_date(now).isoformat(),
        "today": dict(of_day),
        "onTimeRate": rules.share(of_day[DECIDED] - of_day[LATE], of_day[DECIDED]),
        "hours": [{"since": _iso(each), "counts": hourly.get(each, {})} for each in hours],
        "days": [{"day": local_date(each).isoformat(), "counts": daily.get(each, {})} for each in days],
        "counties": _counties(counted),
        "matters": _matters(counted),
        "feed": _feed(board, before, counted, now=now),
    }


async def kinds(session: AsyncSession, since: datetime) -> dict[Kind, int]:
    """How many of each kind since an instant that begins an hour."""
    query = (
        select(Count.name, Count.division, Count.matter, func.sum(Count.count))
        .where(Count.since >= since, _is_shown())
        .group_by(Count.name, Count.division, Count.matter)
    )
    rows = await session.execute(query)
    return {Kind(name, division, matter): int(number) for name, division, matter, number in rows}


async def _by_span(session: AsyncSession, since: datetime, span: str) -> dict[datetime, dict[str, int]]:
    begun = func.date_trunc(span, Count.since, SHANGHAI.key)
    query = (
        select(begun, Count.name, func.sum(Count.count))
        .where(Count.since >= since, _is_shown())
        .group_by(begun, Count.name)
    )
    found: dict[datetime, dict[str, int]] = {}
    for at, name, number in await session.execute(query):
        found.setdefault(at, {})[name] = int(number)
    return found


def _is_shown() -> ColumnElement[bool]:
    """What a folder counts for itself alone, such as refused claims, stands in the same table and is no
    figure of the hall."""
    return Count.name.in_([tally.name for tally in tallies.installed()])


def _counties(counted: Mapping[Kind, int]) -> list[dict[str, Any]]:
    county = county_by_code({kind.division for kind in counted})
    found = Counter[str]()
    for kind, count in counted.items():
        if kind.name == SUBMITTED:
            found[county.get(kind.division, "")] += count
    return [
        {"division": each.code, "count": rules.masked(found[each.code])}
        for each in divisions.children_of(divisions.PROVINCE)
    ]


def _matters(counted: Mapping[Kind, int]) -> list[dict[str, Any]]:
    named = named_matters({kind.matter for kind in counted})
    found = Counter[str]()
    for kind, count in counted.items():
        if kind.name == SUBMITTED and kind.matter in named:
            found[kind.matter] += count
    most = [
        (matter, count) for matter, count in found.most_common(rules.MATTERS_MOST) if count >= rules.GROUP
    ]
    return [{"matter": matter, "count": count} for matter, count in most]


def _feed(
    board: Board, before: Mapping[Kind, int], counted: Mapping[Kind, int], *, now: datetime
) -> list[dict[str, Any]]:
    kinds = {kind for kind in counted if kind.name in FEED}
    county = county_by_code({kind.division for kind in kinds})
    named = named_matters({kind.matter for kind in kinds})
    old, new = (
        rules.at_county(
            {kind: count for kind, count in counts.items() if kind.name in FEED}, county=county, named=named
        )
        for counts in (before, counted)
    )
    at = _iso(rules.minute_of(now))
    lines = [
        {"id": f"{board.number}-{place}", "at": at, **line._asdict()}
        for place, line in enumerate(rules.told(old, new))
    ]
    earlier = (board.figures or {}).get("feed", [])
    return [*lines, *earlier][: rules.FEED_MOST]


def named_matters(codes: Collection[str]) -> frozenset[str]:
    """Those that the screen may name."""
    found = set()
    for code in codes:
        try:
            item = matters.catalogue().get(code).item
        except MatterUnknown:
            continue
        if rules.may_be_named(item.user_topic_type):
            found.add(code)
    return frozenset(found)


def county_by_code(codes: Collection[str]) -> dict[str, str]:
    """Division → the 市县 that it lies in."""
    counties = {each.code for each in divisions.children_of(divisions.PROVINCE)}
    found = {}
    for code in codes:
        place = divisions.find(code)
        if place is None:
            continue
        above = (place.code, *(each.code for each in divisions.ancestors(place.code)))
        inside = next((each for each in above if each in counties), None)
        if inside is not None:
            found[code] = inside
    return found


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
