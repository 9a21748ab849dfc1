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
from services.unemployment import grants, moving
from services.unemployment.estimate import ASKED, situation_in, unused_letter
from services.unemployment.rules import Reason, State, reasons, why_not_move
from services.unemployment.standards import standards


class AboutOneself(MatterHandler):
    """A matter of the person who applies, filled in by its data file alone."""

    registers: Sequence[Ask] = ()

    @override
    def possible(self, children: Sequence[Child], *, today: date) -> Sequence[Child]:
        """Nobody's child: it is about who applies."""
        return ()

    @override
    def why_not(self, child: Child, *, today: date) -> Words:
        """Never asked, since the matter is about who applies."""
        return Words("请由本人办理", "Please apply for yourself")

    @override
    def prefill(self, filled: Prefilled, answers: Answers) -> Prefilled:
        """What the data rules filled."""
        return filled


class UnemploymentBenefitHandler(AboutOneself):
    """The code of the matter employment.unemployment-benefit."""

    registers: Sequence[Ask] = tuple(Ask(name, "applicant") for name in ASKED)

    @override
    async def check(self, session: AsyncSession, case: Case, *, now: datetime) -> Sequence[Finding]:
        """Every condition of the law with its answer, for the clerk.

        A condition that fails keeps nobody from handing in: a refusal by the agency, with its reasons, can be
        objected to. Who draws the benefit already is refused.
        """
        today = local_date(now)
        held = standards()
        situation = await unused_letter(session, situation_in(case.facts or {}, today=today))
        found = reasons(situation, held.month_table(today), held)
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


class MoveHandler(AboutOneself):
    """The code of the matter employment.unemployment-transfer."""

    @override
    async def check(self, session: AsyncSession, case: Case, *, now: datetime) -> Sequence[Finding]:
        """What moves, for the person and the clerk; where no record is known there is nothing to move."""
        situation = situation_in(case.facts or {}, today=local_date(now))
        if situation.paid_months is None:
            return [Finding(code="record_unknown", words=moving.NOT_KNOWN, level="unknown")]
        if situation.division is None:
            return [Finding(code="nothing_to_move", words=moving.NOTHING_HERE, level="refuses")]
        to = str(((case.form or {}).get("to") or {}).get("division", ""))
        if to and (error := why_not_move(situation.division, to)):
            finding = Finding(
                code="not_to_be_moved", words=error.message, pointer=error.pointer, level="refuses"
            )
            return [finding]
        grant = await grants.running(session, case.applicant_id)
        if grant is None:
            return [Finding(code="record_only", words=_RECORD_ONLY)]
        left = grant.months - grant.used
        return [
            Finding(
                code="benefit_moves",
                words=Words(
                    f"正在领取，剩余 {left} 个月随人划转，本省不再发放",
                    f"The benefit is being drawn; {left} months move along and are not paid here any more",
                ),
            )
        ]

    @override
    async def claim(self, session: AsyncSession, case: Case, *, now: datetime) -> str | None:
        """One move at a time."""
        return "unemployment-transfer"

    @override
    async def decided(self, session: AsyncSession, case: Case, *, now: datetime) -> UUID | None:
        """On an approval the move. Raises CannotApprove."""
        if case.outcome == "approved":
            await moving.decide(session, case, now=now)
        return None

    @override
    async def undone(self, session: AsyncSession, case: Case, *, now: datetime) -> None:
        """Nothing moves."""
        await moving.take_back(session, case)


_RECORD_ONLY = Words(
    "没有正在领取的待遇，只转移缴费记录，不划转资金",
    "No benefit is being drawn: the record of contributions moves, and no money",
)
_LEVELS = dict(zip(get_args(State), ("info", "warns", "unknown"), strict=True))


def _finding(reason: Reason) -> Finding:
    return Finding(code=reason.code, words=reason.words, level=_LEVELS[reason.state])
