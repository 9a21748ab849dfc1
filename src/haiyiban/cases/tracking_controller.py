"""Where a case stands, over HTTP, by its receipt."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.cases import summaries, tracking
from haiyiban.cases.calendar import calendar_from
from haiyiban.wire import Input, Output, problems


class TrackingAsk(Input):
    """What stands on a receipt, and the last four digits of the phone of whoever applied. They come in the
    body, for addresses are written into logs."""

    number: Annotated[str, Meta(min_length=1, max_length=64)]
    phone_ending: Annotated[str, Meta(pattern="^[0-9]{4}$")]


class TrackingRead(Output, kw_only=True, omit_defaults=False):
    """How a case stands; nothing of it says whose it is."""

    number: str
    matter: str
    matter_name: str
    state: str
    outcome: str | None
    submitted_at: datetime | None
    updated_at: datetime
    clock: str
    due_on: date | None
    remaining_days: int | None
    """As in a case."""


class TrackingController(Controller):
    """The state of a case by its receipt (办件进度查询)."""

    path = "/case-tracking"
    tags = ["cases"]

    @post(
        status_code=200,
        summary="Where a case stands, by its receipt",
        responses=problems(tracking.NothingToTrack, tracking.TooManyTries),
    )
    async def track(
        self, session: NamedDependency[AsyncSession], data: JSONBody[TrackingAsk]
    ) -> TrackingRead:
        """For everybody who holds the receipt, without signing in. Numbers that do not exist and endings that
        do not fit are answered alike; a number can be tried ten times an hour."""
        now = clock.now()
        case = await tracking.find(session, data.number, data.phone_ending, now=now)
        known = summaries.summary_members(case)
        wanted = ("number", "matter", "matter_name", "state", "outcome", "submitted_at", "updated_at")
        return TrackingRead(
            **{name: known[name] for name in (*wanted, "clock", "due_on")},
            remaining_days=summaries.remaining_days(
                case, await calendar_from(session, clock.today()), today=clock.today()
            ),
        )
