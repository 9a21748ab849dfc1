"""Cases over HTTP, as clerks decide them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.cases import access, corrections, desk, queue, similar, summaries, undo, views
from haiyiban.cases.access import CaseMissing, Seen, VersionConflict
from haiyiban.cases.calendar import calendar_now
from haiyiban.cases.desk import Acted
from haiyiban.cases.handlers import CannotApprove
from haiyiban.cases.inputs import IfMatch, VerbCreate
from haiyiban.cases.states import IllegalMove, State, Verb
from haiyiban.cases.undo import TooLateToUndo
from haiyiban.cases.verbs import VERBS, DecidedByPublication, InvalidVerb, OneNoticeOnly, VerbInput
from haiyiban.certificates import InvalidClaims
from haiyiban.errors import FieldError, Malformed, NotFound, Stale, Words
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.wire import Output, Page, after_cursor, cursor_of, page_limit, problems
from haiyiban.workdays import Calendar


class DeskCaseSummary(summaries.CaseSummary, kw_only=True, omit_defaults=False):
    """A case in a clerk's queue."""

    division: str
    has_open_facts: bool
    is_overdue: bool
    """Past its promised day while its clock runs."""
    remaining_days: int | None
    """Working days until its promised day, 0 on it, negative once it is over; null while no clock runs."""


class QueueCounts(Output, omit_defaults=False):
    """How many open cases each state and each focus of the queue holds."""

    counts: dict[str, int]


class SimilarCase(Output, omit_defaults=False):
    """A case of the same matter that was decided, and which findings it shares."""

    id: UUID
    number: str
    outcome: str
    decided_at: datetime
    common: list[str]


class SimilarCases(Output, omit_defaults=False):
    """How cases with the same findings were decided: how many each way, and the nearest."""

    outcomes: dict[str, int]
    items: list[SimilarCase]


class CorrectionTemplate(Output, omit_defaults=False):
    """Words to begin a correction notice with, in both languages, and the fields it is about."""

    code: str
    zh: str
    en: str
    pointers: list[str]


class CorrectionTemplates(Output):
    """Those of a case's matter, then those for every matter."""

    items: list[CorrectionTemplate]


class DeskController(Controller):
    """The clerk's desk (审批工作台): own agency, own division and below."""

    path = "/desk/cases"
    tags = ["desk"]
    guards = [staff("clerk", "officer")]

    @get(summary="My queue", responses=problems(Malformed))
    async def queue(
        self,
        request: StaffRequest,
        in_state: Annotated[str | None, QueryParameter(name="state")] = None,
        matter: FromQuery[str | None] = None,
        focus: FromQuery[str | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[DeskCaseSummary]:
        """Oldest first, so that nobody waits behind later ones. `focus`: overdue, today, soon (two working
        days), mine (open, and I acted on them), open-facts."""
        size = page_limit(limit)
        today = clock.today()
        calendar = await calendar_now(today)
        rows = await queue.page(
            request.user,
            calendar,
            state=_state(in_state) if in_state is not None else None,
            matter=matter,
            focus=_focus(focus) if focus is not None else None,
            after=after_cursor(cursor),
            limit=size + 1,
            today=today,
        )
        return Page(
            items=[_summary(case, calendar, today) for case in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @get("/counts", summary="What my queue holds")
    async def counts(
        self,
        request: StaffRequest,
        matter: FromQuery[str | None] = None,
    ) -> QueueCounts:
        """Open cases by state and by focus, of one matter or of all."""
        today = clock.today()
        calendar = await calendar_now(today)
        return QueueCounts(counts=await queue.counts(request.user, calendar, matter=matter, today=today))

    @get("/{case_id:uuid}", summary="Read a case", responses=problems(CaseMissing))
    async def read(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> Response[views.DeskCaseRead]:
        """The case with values in full, what the checks found, and its timeline. The look is recorded."""
        return await _shown(session, Acted(await access.of_desk(session, case_id, request.user)))

    @get(
        "/{case_id:uuid}/similar", summary="How cases like this were decided", responses=problems(CaseMissing)
    )
    async def similar(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> SimilarCases:
        """Of the same matter and with the same findings; no names and no values."""
        case = await access.of_desk(session, case_id, request.user)
        found = await similar.similar_to(session, case, request.user)
        return SimilarCases(
            outcomes=found.outcomes,
            items=[
                SimilarCase(
                    id=each.id,
                    number=each.number,
                    outcome=each.outcome,
                    decided_at=each.at,
                    common=each.common,
                )
                for each in found.nearest
            ],
        )

    @get(
        "/{case_id:uuid}/correction-templates",
        summary="Words to begin a correction notice with",
        responses=problems(CaseMissing),
    )
    async def correction_templates(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> CorrectionTemplates:
        """Those of the case's matter first, then those for every matter; pick one and edit it."""
        case = await access.of_desk(session, case_id, request.user)
        return CorrectionTemplates(
            items=[
                CorrectionTemplate(
                    code=each.code, zh=each.text.zh, en=each.text.en, pointers=list(each.pointers)
                )
                for each in corrections.of_matter(case.matter)
            ]
        )

    @post(
        "/{case_id:uuid}/{verb:str}",
        status_code=200,
        summary="Act on a case",
        responses=problems(
            CaseMissing,
            VersionConflict,
            Stale,
            IllegalMove,
            InvalidVerb,
            InvalidClaims,
            OneNoticeOnly,
            TooLateToUndo,
            DecidedByPublication,
            CannotApprove,
        ),
    )
    async def act(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        verb: FromPath[str],
        data: JSONBody[VerbCreate],
        if_match: IfMatch = None,
    ) -> Response[views.DeskCaseRead]:
        """accept, refuse, request-correction, suspend, resume, extend, transfer, terminate, approve, deny,
        close or undo. Of two clerks at once one wins; the other gets 409 with the new state and version.
        202 where a second person must confirm an extension by the same verb."""
        now = clock.now()
        seen = Seen(data.version, if_match)
        if verb == Verb.UNDO:
            undone = await undo.undo(session, case_id, seen=seen, caller=request.user, now=now)
            return await _shown(session, Acted(undone))
        if verb not in VERBS:
            raise NotFound
        given = VerbInput(
            note=data.note,
            reason=data.reason,
            days=data.days,
            agency=data.agency,
            resume_on=data.resume_on,
            items=[(item.pointer, item.message) for item in data.items],
        )
        acted = await desk.act(session, case_id, Verb(verb), given, seen=seen, caller=request.user, now=now)
        return await _shown(session, acted)


async def _shown(session: AsyncSession, acted: Acted) -> Response[views.DeskCaseRead]:
    """The case to its clerk, with the tag that If-Match takes; after a verb it is a look like any other."""
    await views.record_look(session, acted.case)
    return Response(
        await views.desk_read(session, acted.case),
        status_code=202 if acted.awaits else 200,
        headers={"etag": access.tag_of(acted.case)},
    )


def _state(state: str) -> State:
    try:
        return State(state)
    except ValueError:
        raise Malformed(
            errors=[FieldError("/state", Words("没有这个状态", "There is no such state"))]
        ) from None


def _focus(focus: str) -> queue.Focus:
    try:
        return queue.Focus(focus)
    except ValueError:
        raise Malformed(
            errors=[FieldError("/focus", Words("没有这个筛选", "There is no such focus"))]
        ) from None


def _summary(case: summaries.Listed, calendar: Calendar, today: date) -> DeskCaseSummary:
    members: dict[str, Any] = summaries.summary_members(case)
    due = case.promised_due_on
    return DeskCaseSummary(
        **members,
        division=case.division,
        has_open_facts=case.has_open_facts,
        is_overdue=case.state == State.ACCEPTED and due is not None and today > due,
        remaining_days=summaries.remaining_days(case, calendar, today=today),
    )
