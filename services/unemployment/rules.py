"""Who gets the benefit (失业保险金), for how long and how much: pure rules over known facts.

Source: 社会保险法 art. 45–52; docs/domain.md §7.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

from haiyiban import divisions, money
from haiyiban.errors import FieldError, Words
from services.unemployment.standards import MonthTable, Standards

State = Literal["met", "not_met", "unknown"]
Eligible = Literal["yes", "no", "unknown"]
TRANSFER = Fraction(3, 2)
"""Benefit, and half of it for medical care, training and placement. Source: docs/domain.md §7.4."""


@dataclass(frozen=True, slots=True)
class MovedIn:
    """What another province sent along with somebody: its letter, and the months of benefit it had left."""

    letter: str
    months_left: int


@dataclass(frozen=True, slots=True)
class Situation:
    """What the registers know of somebody. None: that register could not be asked; it never means no."""

    paid_months: int | None
    """Months paid at the last insured place; 0 where nothing was ever paid."""
    division: str | None
    """The last insured place."""
    is_insured: bool | None
    """Whether contributions are still being paid."""
    stop_reason: str | None
    """The register's own code."""
    is_employed: bool | None
    draws_pension: bool | None
    moved_in: MovedIn | None = None
    """Months of benefit that another province had left, where none of ours has used them."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition of the law, whether it holds, and what to do where it does not."""

    code: str
    state: State
    words: Words


def reasons(situation: Situation, table: MonthTable, standards: Standards) -> list[Reason]:
    """Every condition with its answer, in the order of the law. Source: 社会保险法 art. 45, 51."""
    return [
        _paid_long_enough(situation, table),
        _against_their_will(situation, standards),
        _out_of_work(situation),
        _no_pension(situation),
        Reason(
            "registered_and_seeking",
            "met",
            Words(
                "申请时一并办理失业登记并确认求职要求，无需另交材料",
                "Applying registers you as unemployed and seeking work; nothing else is to be handed in",
            ),
        ),
    ]


def verdict(found: list[Reason]) -> Eligible:
    """No where one condition fails; unknown, and a clerk looks, where one is open; else yes."""
    states = {reason.state for reason in found}
    if "not_met" in states:
        return "no"
    return "unknown" if "unknown" in states else "yes"


def months(paid_months: int, table: MonthTable, *, left: int = 0) -> int:
    """Months of benefit for months paid since the last benefit, with those left of an earlier one.

    Source: 社会保险法 art. 46; docs/domain.md §7.1.
    """
    earned = max((step.months for step in table.steps if paid_months >= step.paid_months), default=0)
    return min(earned + left, table.most)


def monthly_fen(division: str, *, paid_on: date, standards: Standards) -> int | None:
    """One month of benefit, by the place last insured at and the day of payment; None for a place elsewhere.

    Source: docs/domain.md §7.2 (later months by the standard of their own day).
    """
    place = standards.wages(paid_on).class_of(division)
    if place is None:
        return None
    return money.times(place.monthly_fen, Fraction(standards.rate(paid_on).percent, 100))


def transfer_fen(left: int, monthly: int) -> int:
    """What moves with somebody who moves to another province while receiving. Source: docs/domain.md §7.4."""
    return money.times(left * monthly, TRANSFER)


def why_not_move(insured_at: str, to: str) -> FieldError | None:
    """Why the record of somebody insured at one division cannot go from here to a province; None if it can.

    Only where it is kept can it be sent away. Source: docs/domain.md §7.4.
    """
    if insured_at.startswith(to[:2]):
        return FieldError(
            "/to/division", Words("失业保险关系已经在该省", "The insurance is kept in that province already")
        )
    if not insured_at.startswith(divisions.PROVINCE[:2]):
        return FieldError(
            "/insurance/division",
            Words(
                "最后参保地不在本省，请向最后参保地申请转移",
                "It is kept in another province; ask for the move where you were last insured",
            ),
        )
    return None


def _paid_long_enough(situation: Situation, table: MonthTable) -> Reason:
    least = table.steps[0].paid_months
    if situation.paid_months is None:
        return _open("paid_long_enough", Words("缴费记录", "the record of contributions"))
    paid = situation.paid_months
    if situation.moved_in and situation.moved_in.months_left:
        left = situation.moved_in.months_left
        return Reason(
            "paid_long_enough",
            "met",
            Words(f"从外省转入，尚有 {left} 个月未领", f"{left} months moved here from another province"),
        )
    if paid >= least:
        return Reason(
            "paid_long_enough",
            "met",
            Words(f"已缴费 {paid} 个月", f"{paid} months of contributions are paid"),
        )
    return Reason(
        "paid_long_enough",
        "not_met",
        Words(
            f"已缴费 {paid} 个月，须满 {least} 个月；在别省缴过费的，请先办理关系转移",
            f"{paid} months are paid and {least} are needed; if you paid in another province, have it moved",
        ),
    )


def _against_their_will(situation: Situation, standards: Standards) -> Reason:
    code = "involuntary"
    if situation.is_insured is None:
        return _open(code, Words("停保原因", "why the insurance stopped"))
    if situation.is_insured:
        return Reason(
            code,
            "not_met",
            Words("目前仍在参保，尚未失业", "You are insured as employed: there is no loss of work"),
        )
    known = standards.stop_reason(situation.stop_reason or "")
    if known is None:
        return Reason(
            code,
            "unknown",
            Words(
                "参保库没有写明停保原因，由工作人员核实，您不用提交证明",
                "The register does not say why the insurance stopped; a clerk finds out, you need no proof",
            ),
        )
    return Reason(
        code,
        "met" if known.involuntary else "not_met",
        Words(
            f"停保原因：{known.title.zh}"
            + ("" if known.involuntary else "，不属于非因本人意愿中断就业；如有不符，可以申诉"),
            f"Insurance stopped because {known.title.en}"
            + ("" if known.involuntary else ", which was not against your will; object if this is wrong"),
        ),
    )


def _out_of_work(situation: Situation) -> Reason:
    code = "not_employed"
    if situation.is_employed is None:
        return _open(code, Words("就业登记", "the register of employment"))
    if situation.is_employed:
        return Reason(
            code,
            "not_met",
            Words(
                "就业登记显示仍在就业；已离职的，请原单位办理停保备案",
                "The register shows you as employed; if you have left, ask the employer to report it",
            ),
        )
    return Reason(code, "met", Words("没有正在进行的就业登记", "No employment is registered at present"))


def _no_pension(situation: Situation) -> Reason:
    code = "no_pension"
    if situation.draws_pension is None:
        return _open(code, Words("养老待遇", "the register of pensions"))
    if situation.draws_pension:
        return Reason(
            code,
            "not_met",
            Words("已享受基本养老保险待遇", "You draw a basic pension, which ends the benefit"),
        )
    return Reason(code, "met", Words("没有领取基本养老保险待遇", "No basic pension is drawn"))


def _open(code: str, what: Words) -> Reason:
    return Reason(
        code,
        "unknown",
        Words(
            f"{what.zh}暂时查不到（待核实）；可以照常申请，由我们继续核实",
            f"For now {what.en} cannot be asked; you may apply all the same, and we go on asking",
        ),
    )
