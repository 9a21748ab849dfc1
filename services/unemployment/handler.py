"""What unemployment benefit adds to the case engine: its registers, its conditions, and the grant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import get_args
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from haiyiban.cases.handlers import Answers, Child, Finding, MatterHandler
from haiyiban.cases.models import Case
from haiyiban.clock import local_date
from haiyiban.errors import Words
from haiyiban.matters.prefill import Ask, Prefilled
from services.unemployment import grants
from services.unemployment.estimate import ASKED, situation_in
from services.unemployment.rules import Reason, State, reasons
from services.unemployment.standards import standards


class UnemploymentBenefitHandler(MatterHandler):
    """The code of the matter employment.unemployment-benefit."""

    registers: Sequence[Ask] = tuple(Ask(name, "applicant") for name in ASKED)

    @override
    def possible(self, children: Sequence[Child], *, today: date) -> Sequence[Child]:
        """Nobody's child: it is about who applies."""
        return ()

    @override
    def why_not(self, child: Child, *, today: date) -> Words:
        """Never asked, since the matter is about who applies."""
        return Words("请由本人申领", "Please apply for yourself")

    @override
    def prefill(self, filled: Prefilled, answers: Answers) -> Prefilled:
        """What the data rules filled."""
        return filled

    @override
    async def check(self, session: AsyncSession, case: Case, *, now: datetime) -> Sequence[Finding]:
        """Every condition of the law with its answer, for the clerk.

        A condition that fails keeps nobody from handing in: a refusal by the agency, with its reasons, can be
        objected to. Who draws the benefit already is refused.
        """
        today = local_date(now)
        held = standards()
        found = reasons(situation_in(case.facts or {}, today=today), held.month_table(today), held)
        findings = [_finding(reason) for reason in found]
        if await grants.running(session, case.applicant_id) is not None:
            findings.append(Finding(code="draws_already", words=grants.DRAWS_ALREADY, level="refuses"))
        return findings

    @override
    async def claim(self, session: AsyncSession, case: Case, *, now: datetime) -> str | None:
        """One application at a time."""
        return "unemployment-benefit"

    @override
    async def decided(self, session: AsyncSession, case: Case, *, now: datetime) -> UUID | None:
        """On an approval the grant and its certificate. Raises CannotApprove."""
        return await grants.award(session, case, now=now) if case.outcome == "approved" else None

    @override
    async def undone(self, session: AsyncSession, case: Case, *, now: datetime) -> None:
        """No grant is left of an approval that was taken back."""
        await grants.take_back(session, case)


_LEVELS = dict(zip(get_args(State), ("info", "warns", "unknown"), strict=True))


def _finding(reason: Reason) -> Finding:
    return Finding(code=reason.code, words=reason.words, level=_LEVELS[reason.state])
