"""Unemployment benefit over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, divisions, money
from haiyiban.context import current
from haiyiban.errors import Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.registers import REGISTERS
from haiyiban.wire import Output, Page, problems
from services.unemployment import estimate as estimating
from services.unemployment import grants as granted
from services.unemployment import schedule
from services.unemployment.estimate import Estimate
from services.unemployment.models import Grant
from services.unemployment.rules import State
from services.unemployment.standards import standards


class ReasonRead(Output):
    """One condition of the law."""

    code: str
    state: State
    text: str


class SourceRead(Output):
    """Which register said so, and as of when; `isAnswering` false: it could not be asked (待核实)."""

    register: str
    title: str
    is_answering: bool
    at: datetime


class FigureRead(Output):
    """A figure that the estimate stands on: since when it holds, who says so, how sure that is."""

    name: str
    value: str
    effective_from: date
    source: str
    confidence: str


class EstimateRead(Output, omit_defaults=False):
    """What I would get. `months` and `monthlyFen` are null where a register could not be asked, 0 for no."""

    eligible: str
    """yes, no, or unknown: a clerk looks."""
    reasons: list[ReasonRead]
    months: int | None
    monthly_fen: int | None
    from_: date = msgspec.field(name="from")
    medical_paid_by_fund: bool
    """Whether the fund pays the contributions for medical care, and I none (社会保险法 art. 48)."""
    promised_workdays: int
    sources: list[SourceRead]
    figures: list[FigureRead]
    note: str


class GrantMonth(Output, omit_defaults=False):
    """One month of a grant. What is not paid yet is shown by the standards that are known today."""

    month: str
    """`2026-12`."""
    amount_fen: int | None
    state: str
    """paid or scheduled."""


class GrantRead(Output, omit_defaults=False):
    """What was granted to me."""

    id: UUID
    case_id: UUID
    certificate_id: UUID
    state: str
    """running or ended."""
    division: str
    place: str
    months: int
    used_months: int
    carried_months: int
    """Of the months, those left of an earlier grant."""
    paid_in_months: int
    """Months of contributions that earned it."""
    from_: str = msgspec.field(name="from")
    """The first month, `2026-12`."""
    until: str
    schedule: list[GrantMonth]
    medical_paid_by_fund: bool
    note: str


PROMISED_WORKDAYS = 10
"""Source: docs/domain.md §7.2 (promised online; it was 20)."""
_NOTE = Words(
    "这是按今天的数据估算的结果，以审核决定为准；标为 low、medium 的标准尚待主管部门确认。"
    "以后各月按发放当月的标准发放。",
    "This is an estimate by today's data; the decision counts. Figures marked low or medium are yet to be "
    "confirmed by the authority. Later months are paid by the standard of their own month.",
)


_GRANT_NOTE = Words(
    "尚未发放的月份按今天已知的标准列出，实际按发放当月的标准发放。",
    "Months not paid yet are shown by the standards known today; each is paid by that of its own month.",
)


class UnemploymentController(Controller):
    """My benefit: what I would get, and what was granted."""

    path = "/zones/unemployment"
    tags = ["unemployment"]
    guards = [resident(Level.L3)]

    @get(
        "/estimate",
        summary="Would I get unemployment benefit?",
        responses=problems(StepUpNeeded),
        cache_control=CacheControlHeader(no_store=True),
    )
    async def estimate(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession]
    ) -> EstimateRead:
        """Judged from the registers of social insurance, employment and pensions; nothing is applied for.

        Every condition is told with its answer. A register that cannot be asked leaves its condition
        `unknown`, never failed.
        """
        now = clock.now()
        return _shown(await estimating.estimate(session, _person(request), now=now))

    @get(
        "/grants",
        summary="My unemployment benefit",
        responses=problems(StepUpNeeded),
        cache_control=CacheControlHeader(no_store=True),
    )
    async def grants(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession]
    ) -> Page[GrantRead]:
        """What was granted to me, newest first, each with its months; an empty list where nothing was."""
        today = clock.today()
        rows = await granted.of_person(session, _person(request))
        return Page(items=[_grant(row, today=today) for row in rows], next=None)


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard asks for L3"
    return person_id


def _shown(found: Estimate) -> EstimateRead:
    language = current().language
    return EstimateRead(
        eligible=found.eligible,
        reasons=[
            ReasonRead(code=reason.code, state=reason.state, text=reason.words.in_language(language))
            for reason in found.reasons
        ],
        months=found.months,
        monthly_fen=found.monthly_fen,
        from_=found.starts_on,
        medical_paid_by_fund=True,
        promised_workdays=PROMISED_WORKDAYS,
        sources=[
            SourceRead(
                register=answer.register,
                title=REGISTERS[answer.register].title.in_language(language),
                is_answering=answer.state != "unknown",
                at=answer.at,
            )
            for answer in found.answers
        ],
        figures=_figures(found.starts_on),
        note=_NOTE.in_language(language),
    )


def _grant(row: Grant, *, today: date) -> GrantRead:
    language = current().language
    found = schedule.months_of(
        row.starts_on, row.months, used=row.used, division=row.division, today=today, standards=standards()
    )
    return GrantRead(
        id=row.id,
        case_id=row.case_id,
        certificate_id=row.certificate_id,
        state="running" if row.ended_on is None else "ended",
        division=row.division,
        place=divisions.get(row.division).name if divisions.find(row.division) else row.division,
        months=row.months,
        used_months=row.used,
        carried_months=row.carried,
        paid_in_months=row.paid_months,
        from_=schedule.label(row.starts_on),
        until=schedule.label(granted.ends_on(row)),
        schedule=[
            GrantMonth(month=one.month, amount_fen=one.fen, state="paid" if one.is_paid else "scheduled")
            for one in found
        ],
        medical_paid_by_fund=True,
        note=_GRANT_NOTE.in_language(language),
    )


def _figures(day: date) -> list[FigureRead]:
    """The dated figures in force on a day, with how sure we are of each. Source: docs/domain.md §15."""
    held = standards()
    table, rate, wages = held.month_table(day), held.rate(day), held.wages(day)
    values = (
        ("months", "; ".join(f"≥{step.paid_months}: {step.months}" for step in table.steps), table),
        ("rate", f"{rate.percent} %", rate),
        (
            "minimumWage",
            "; ".join(f"{one.title.zh} {money.yuan(one.monthly_fen)}" for one in wages.classes),
            wages,
        ),
    )
    return [
        FigureRead(
            name=name,
            value=value,
            effective_from=entry.effective_from,
            source=entry.source,
            confidence=entry.confidence,
        )
        for name, value, entry in values
    ]
