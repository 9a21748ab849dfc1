"""Where my code was checked, over HTTP."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.clock import local_date
from haiyiban.context import current
from haiyiban.errors import FieldError, Malformed, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import Output, page_limit, problems
from services.health_code import checks
from services.health_code.checks import Place
from services.health_code.models import Check
from services.health_code.rules import Colour
from services.health_code.standards import standards
from services.health_code.views import RuleDaysRead


class HealthCheckRead(Output):
    """One check of my health code by a terminal. `outcome`: valid, or denied where the code on the phone was
    withdrawn because its colour had changed."""

    at: datetime
    verifier: str
    terminal: str
    place: str
    colour: Colour
    """What the terminal showed."""
    outcome: str
    is_offline: bool
    """The terminal judged by itself and told later."""


class HealthChecksRead(Output):
    """A page of them, and for how many days they are kept."""

    items: list[HealthCheckRead]
    kept: RuleDaysRead
    next: str | None


class HealthCheckController(Controller):
    """Where my code was checked."""

    path = "/zones/health-code/checks"
    tags = ["health-code"]
    guards = [resident(Level.L3)]

    @get(summary="Where my health code was checked", responses=problems(StepUpNeeded, Malformed))
    async def mine(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> HealthChecksRead:
        """By which terminals, the latest first. Several within 60 seconds at one terminal count once."""
        person_id, size, now = request.user.person_id, page_limit(limit), clock.now()
        assert person_id is not None, "the guard asks for L3"
        rows = await checks.of_person(session, person_id, before=_after(cursor), limit=size + 1, now=now)
        rule = standards().check_records_on(local_date(now))
        return HealthChecksRead(
            items=[_read(row) for row in rows[:size]],
            kept=RuleDaysRead(rule.days, rule.effective_from, rule.source, rule.confidence),
            next=_cursor(rows[size - 1].check) if len(rows) > size else None,
        )


def _read(row: Place) -> HealthCheckRead:
    return HealthCheckRead(
        at=row.check.at,
        verifier=Words(row.verifier_zh, row.verifier_en).in_language(current().language),
        terminal=row.terminal,
        place=row.check.place,
        colour=Colour(row.check.colour),
        outcome=row.check.outcome,
        is_offline=row.check.is_offline,
    )


def _cursor(row: Check) -> str:
    return base64.urlsafe_b64encode(row.minute.to_bytes(8) + row.terminal_id.bytes).decode()


def _after(cursor: str | None) -> tuple[int, UUID] | None:
    """The record that the page begins after. Raises Malformed for a cursor that we did not give."""
    if cursor is None:
        return None
    try:
        given = base64.b64decode(cursor, altchars=b"-_", validate=True)
        return int.from_bytes(given[:8], signed=True), UUID(bytes=given[8:])
    except (binascii.Error, ValueError):
        words = Words("翻页位置无效，请从第一页重新开始", "unknown cursor; start again without one")
        raise Malformed(errors=[FieldError("/cursor", words)]) from None
