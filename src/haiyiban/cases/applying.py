"""Opening a case: everything that is asked before its transaction, and the draft that comes of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases import acting, opening, subjects
from haiyiban.cases.inputs import CaseCreate
from haiyiban.cases.models import Case
from haiyiban.clock import local_date
from haiyiban.delegations import Actor, using
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import StepUpNeeded
from haiyiban.matters import catalogue


async def begin(
    session: AsyncSession, data: CaseCreate, *, actor: Actor, level: Level, now: datetime
) -> Case:
    """A draft for oneself, or under `onBehalfOf` for another.

    Raises MatterUnknown, StepUpNeeded, EnterpriseNeeded, NoDelegation, NotInForce's kinds, DelegationUsedUp,
    MatterNotDelegated and what `subjects.choose` raises.
    """
    matter = catalogue().get(data.matter)
    if level < matter.min_level:
        raise StepUpNeeded(members={"needs": matter.min_level, "has": level.value})
    applicant, delegation = await acting.standing_of(actor, data.on_behalf_of, matter=matter, now=now)
    chosen = None
    if matter.subject == "child":
        wanted = data.subject.id_number if data.subject else None
        chosen = await subjects.choose(
            matter, applicant, wanted, at="/subject/idNumber", today=local_date(now)
        )
    answers = await opening.ask_registers(matter, applicant, chosen)
    filled = opening.prefill(matter, applicant, chosen, answers, now=now)
    if delegation is not None:
        await using.count(session, delegation.id, matter.code, now=now)
    return await opening.open_case(
        session,
        matter,
        applicant=applicant,
        chosen=chosen,
        filled=filled,
        answers=answers,
        actor=actor,
        delegation=delegation,
        now=now,
    )
