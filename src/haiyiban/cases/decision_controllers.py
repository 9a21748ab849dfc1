"""The written decision on a case (决定书) over HTTP: to its applicant, and to the desk that decided it."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, get
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.cases import access, decision_document
from haiyiban.cases.access import CaseMissing
from haiyiban.cases.decision_document import Decision, NotDecided
from haiyiban.cases.models import Case
from haiyiban.certificates import DocumentsNotSigned
from haiyiban.db import database
from haiyiban.delegations import Actor
from haiyiban.delegations.rules import DelegationEnded, DelegationExpired
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StaffRequest, resident, staff
from haiyiban.wire import problems

_HEADERS = [ResponseHeader(name="Content-Disposition", documentation_only=True)]


class CaseDecisionController(Controller):
    """The decision on my case."""

    path = "/cases"
    tags = ["cases"]
    guards = [resident(Level.L3)]

    @get(
        "/{case_id:uuid}/decision",
        summary="Print a decision",
        operation_id="casesDecision",
        media_type="application/pdf",
        response_headers=_HEADERS,
        responses=problems(CaseMissing, DelegationEnded, DelegationExpired, NotDecided, DocumentsNotSigned),
    )
    async def decision(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> Response[bytes]:
        """The last decision as PDF, signed (PAdES), with the proof of its audit record attached from within a
        minute on: what was decided, why, and what to do against it. One that was undone says so in red, and
        how the case stands now."""
        actor = Actor.of(request.user)
        # A transaction of its own, over before the time-stamping authority is asked.
        async with database().transaction() as before:
            case = await access.own(before, case_id, actor, today=clock.today())
            decision = await decision_document.of_case(before, case)
        answer = await _signed(decision)
        if case.subject_id not in {None, actor.id}:
            # A look at a child's or a giver's case is a look at another person's data.
            await _record_look(session, case)
        return answer


class DeskDecisionController(Controller):
    """The decision on a case of the desk's."""

    path = "/desk/cases"
    tags = ["desk"]
    guards = [staff("clerk", "officer")]

    @get(
        "/{case_id:uuid}/decision",
        summary="Print a decision at the desk",
        operation_id="deskDecision",
        media_type="application/pdf",
        response_headers=_HEADERS,
        responses=problems(CaseMissing, NotDecided, DocumentsNotSigned),
    )
    async def decision(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> Response[bytes]:
        """What the applicant downloads. The look is recorded."""
        async with database().transaction() as before:
            case = await access.of_desk(before, case_id, request.user)
            decision = await decision_document.of_case(before, case)
        answer = await _signed(decision)
        await _record_look(session, case)
        return answer


async def _signed(decision: Decision) -> Response[bytes]:
    signed = await decision_document.make(decision, now=clock.now())
    return Response(
        signed.pdf,
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="decision-{decision.case.number}.pdf"'},
    )


async def _record_look(session: AsyncSession, case: Case) -> None:
    await audit.record(
        session,
        "cases.read",
        subject=case.subject_id,
        object_kind="case",
        object_id=case.id,
        fields=["decision"],
        reason=case.matter,
    )
