"""异地就医结算查询 over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.context import current
from haiyiban.errors import Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.registers import REGISTERS, RegisterAnswer
from haiyiban.wire import Output, problems
from services.cross_province import medical
from services.cross_province.medical import Reckoned, State

_NOTE = Words(
    "按参保地政策和就医地目录计算，以医保部门的结算单为准；封顶线在按比例计算之后适用。",
    "Reckoned by the insured place's policy and the treating place's catalogue; the insurance's own "
    "statement counts. The cap applies after the ratio.",
)


class MedicalSourceRead(Output, omit_defaults=False):
    """Which register said so, and as of when; `isAnswering` false: it could not be asked (待核实)."""

    register: str
    title: str
    is_answering: bool
    at: datetime


class MedicalPolicyRead(Output, omit_defaults=False):
    """What the insured place pays for treatment elsewhere."""

    place: str
    deductible_fen: int
    ratio_percent: int
    cap_fen: int


class MedicalSettlementRead(Output, omit_defaults=False):
    """One bill and who pays what of it. Amounts null where `state` is not `settled`."""

    number: str
    hospital: str
    place: str
    kind: str
    from_: str = msgspec.field(name="from")
    until: str
    total_fen: int
    outside_fen: int
    state: State
    """settled, not_filed (no 备案 covers it: the insured place settles by hand) or unknown."""
    base_fen: int | None
    """total − outside − deductible, never below 0."""
    fund_fen: int | None
    self_fen: int | None


class MedicalSettlementsRead(Output, omit_defaults=False):
    """My bills from other provinces."""

    items: list[MedicalSettlementRead]
    policy: MedicalPolicyRead | None
    sources: list[MedicalSourceRead]
    note: str


class MedicalController(Controller):
    """What my insurance pays of bills from other provinces (异地就医)."""

    path = "/zones/cross-province/medical-settlements"
    tags = ["cross-province"]
    guards = [resident(Level.L3)]

    @get(
        summary="What my insurance pays of bills from elsewhere",
        responses=problems(StepUpNeeded),
        cache_control=CacheControlHeader(no_store=True),
    )
    async def settlements(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession]
    ) -> MedicalSettlementsRead:
        """(bill − out-of-catalogue − deductible) × ratio, at most the cap. A register that cannot be asked
        leaves its part unknown; an empty list where it knows of no bill."""
        person_id = request.user.person_id
        assert person_id is not None, "the guard asks for L3"
        answers = await medical.ask(session, person_id)
        bills, policy = (answers[name] for name in medical.ASKED)
        language = current().language
        return MedicalSettlementsRead(
            items=[_shown(one) for one in medical.reckon(bills, policy)],
            policy=_policy(policy),
            sources=[_source(answer, language) for answer in (bills, policy)],
            note=_NOTE.in_language(language),
        )


def _shown(one: Reckoned) -> MedicalSettlementRead:
    bill: dict[str, Any] = one.bill
    shares = one.shares
    return MedicalSettlementRead(
        number=bill["number"],
        hospital=bill["hospital"],
        place=bill["place"],
        kind=bill["kind"],
        from_=bill["from"],
        until=bill["until"],
        total_fen=bill["totalFen"],
        outside_fen=bill["outsideFen"],
        state=one.state,
        base_fen=shares.base_fen if shares else None,
        fund_fen=shares.fund_fen if shares else None,
        self_fen=shares.self_fen if shares else None,
    )


def _policy(answer: RegisterAnswer) -> MedicalPolicyRead | None:
    if answer.state != "known":
        return None
    said = answer.data
    return MedicalPolicyRead(
        place=said["place"],
        deductible_fen=said["deductibleFen"],
        ratio_percent=said["ratioPercent"],
        cap_fen=said["capFen"],
    )


def _source(answer: RegisterAnswer, language: str) -> MedicalSourceRead:
    return MedicalSourceRead(
        register=answer.register,
        title=REGISTERS[answer.register].title.in_language(language),
        is_answering=answer.state != "unknown",
        at=answer.at,
    )
