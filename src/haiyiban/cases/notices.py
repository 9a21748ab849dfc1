"""Telling the applicant what happened to a case, by SMS through the outbox."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.cases.models import Case
from haiyiban.cases.states import Verb
from haiyiban.clock import local_date
from haiyiban.delegations import Delegation, telling
from haiyiban.delegations.telling import Recipient
from haiyiban.matters import catalogue

UNDO_WINDOW = timedelta(seconds=60)
"""How long a clerk can take the last verb back; the notice of a clerk's verb waits as long."""

_STEP_OF = {
    Verb.SUBMISSION: "submitted",
    Verb.ACCEPT: "accepted",
    Verb.REFUSE: "refused",
    Verb.REQUEST_CORRECTION: "correction-requested",
    Verb.LAPSE: "lapsed",
    Verb.SUSPEND: "suspended",
    Verb.RESUME: "resumed",
    Verb.EXTEND: "extended",
    Verb.TRANSFER: "transferred",
    Verb.TERMINATE: "terminated",
    Verb.APPROVE: "approved",
    Verb.DENY: "denied",
    Verb.CLOSE: "closed",
    Verb.WITHDRAWAL: "withdrawn",
}


async def tell(session: AsyncSession, case: Case, verb: Verb, *, delay: timedelta = timedelta()) -> None:
    """Tell the applicant, or whom they chose, about a verb that was carried out."""
    matter = catalogue().version(case.matter, case.matter_version)
    for recipient in await _recipients(session, case):
        await telling.tell(
            session,
            recipient,
            f"cases.{_STEP_OF[verb]}",
            about=case.id,
            delay=delay,
            matter=matter.name.zh,
            number=case.number or "",
            due=_due(case),
        )


async def _recipients(session: AsyncSession, case: Case) -> list[Recipient]:
    if case.delegation_id is None:
        return [Recipient(person_id=case.applicant_id)]
    delegation = await session.get_one(Delegation, case.delegation_id)
    return await telling.recipients(session, delegation, today=clock.today())


def _due(case: Case) -> str:
    """The day that the applicant or we must keep; one beyond the published calendars is not promised."""
    if case.correction_due_at is not None:
        return local_date(case.correction_due_at).isoformat()
    if case.promised_due_on is None:
        return ""
    return case.promised_due_on.isoformat() + ("（预计）" if case.due_provisional else "")
