"""What the hall's operations answer: counts, and names in the reader's language."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from haiyiban import divisions, matters
from haiyiban.errors import Words
from haiyiban.hall.watching import Shown
from haiyiban.matters.catalogue import MatterUnknown
from haiyiban.wire import Output


class HallCounts(Output, omit_defaults=False):
    """How many; null where nobody counts it here."""

    cases_submitted: int | None = None
    cases_decided: int | None = None
    codes_shown: int | None = None
    codes_verified: int | None = None
    vouchers_claimed: int | None = None
    vouchers_redeemed: int | None = None


class HallHour(Output):
    """One of the last 24 hours; the last one is not over."""

    since: datetime
    counts: HallCounts


class HallDay(Output):
    """One of the last seven days in Hainan; the last one is not over."""

    day: date
    counts: HallCounts


class HallCounty(Output, omit_defaults=False):
    """A 市县 and its cases of today; null: fewer than five, of which somebody might be known."""

    division: str
    name: str
    count: int | None


class HallMatter(Output):
    """A matter that many applied for today."""

    name: str
    count: int


class HallLine(Output, omit_defaults=False):
    """So many more of a kind have come together, never fewer than five.

    `kind` is a member of `today`. `county` is null for the whole province; `matter` for a matter that a
    public screen does not name.
    """

    id: str
    at: datetime
    kind: str
    county: str | None
    matter: str | None
    count: int


class HallFiguresRead(Output, omit_defaults=False):
    """What the big screen shows. `at` is when it was counted: figures older than a minute are old."""

    number: int
    """One more with each count; the id of the events."""
    at: datetime
    day: date
    today: HallCounts
    on_time_rate: float | None
    """Of what was decided today, the share within the promised days; null where nothing was."""
    hours: list[HallHour]
    days: list[HallDay]
    counties: list[HallCounty]
    matters: list[HallMatter]
    feed: list[HallLine]


NAMES = {
    "cases.submitted": "cases_submitted",
    "cases.decided": "cases_decided",
    "codes.shown": "codes_shown",
    "codes.verified": "codes_verified",
    "duty-free.claimed": "vouchers_claimed",
    "duty-free.redeemed": "vouchers_redeemed",
}


def figures_read(shown: Shown, language: str) -> HallFiguresRead:
    """The board in words. Of what the worker does not count, nothing is known."""
    document = shown.figures
    counted = frozenset(document["counted"])
    return HallFiguresRead(
        number=shown.number,
        at=shown.at,
        day=date.fromisoformat(document["day"]),
        today=_counts(document["today"], counted),
        on_time_rate=document["onTimeRate"],
        hours=[
            HallHour(since=datetime.fromisoformat(each["since"]), counts=_counts(each["counts"], counted))
            for each in document["hours"]
        ],
        days=[
            HallDay(day=date.fromisoformat(each["day"]), counts=_counts(each["counts"], counted))
            for each in document["days"]
        ],
        counties=[
            HallCounty(
                division=each["division"], name=_place(each["division"], language) or "", count=each["count"]
            )
            for each in document["counties"]
        ],
        matters=[
            HallMatter(name=name, count=each["count"])
            for each in document["matters"]
            if (name := _matter(each["matter"], language))
        ],
        feed=[
            HallLine(
                id=each["id"],
                at=datetime.fromisoformat(each["at"]),
                kind=_camel(NAMES[each["name"]]),
                county=_place(each["division"], language),
                matter=_matter(each["matter"], language),
                count=each["more"],
            )
            for each in document["feed"]
        ],
    )


def _counts(said: dict[str, Any], counted: frozenset[str]) -> HallCounts:
    return HallCounts(**{short: said.get(name, 0) for name, short in NAMES.items() if name in counted})


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _place(code: str, language: str) -> str | None:
    place = divisions.find(code)
    return None if place is None else Words(place.name, place.name_en).in_language(language)


def _matter(code: str, language: str) -> str | None:
    try:
        return matters.catalogue().get(code).name.words.in_language(language)
    except MatterUnknown:
        return None
