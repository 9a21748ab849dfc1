"""What each family reads about its own result: choice by choice, what counted and what decided.

It compares the child with the last one taken at each school, by class and lottery number only, and says
nothing of any other child.
Source: docs/domain.md §6.2 (publish cut-off class and lottery seed).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from haiyiban.errors import Words
from services.school_places.class_table import COORDINATED
from services.school_places.classification import DRAWN_ONLY, Priority

Outcome = Literal["admitted", "by_coordination_only", "no_seats", "class_not_reached", "lottery_not_reached"]

ORDINALS = (
    Words("第一志愿", "First choice"),
    Words("第二志愿", "Second choice"),
    Words("第三志愿", "Third choice"),
    Words("第四志愿", "Fourth choice"),
    Words("第五志愿", "Fifth choice"),
)


class LastTaken(NamedTuple):
    """The last child that a school took before it had to turn others away."""

    priority: Priority
    lottery: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One school of the child's list: how it ranks the child, and where its cut-off fell (None: nobody was
    turned away, or it had no seat at all)."""

    school: Words
    priority: Priority
    cutoff: LastTaken | None


@dataclass(frozen=True, slots=True)
class ExplanationStep:
    """What happened at one school."""

    position: int
    school: Words
    outcome: Outcome
    priority: Priority
    cutoff: LastTaken | None
    words: Words


@dataclass(frozen=True, slots=True)
class Explanation:
    """The steps up to the school that took the child, and the whole as one text."""

    steps: tuple[ExplanationStep, ...]
    lottery: int
    text: Words


def explain(
    choices: Sequence[Choice], *, lottery: int, placed: int | None, coordinated: Words | None = None
) -> Explanation:
    """Why a child is where it is. `placed`: position in `choices`, None for 统筹; then `coordinated` is the
    school found for it, if one is found already. Later choices were never asked and are not explained."""
    asked = choices if placed is None else choices[: placed + 1]
    steps = tuple(
        _step(position, choice, lottery=lottery, admitted=position == placed)
        for position, choice in enumerate(asked)
    )
    zh = "；".join(step.words.zh for step in steps)
    en = "; ".join(step.words.en for step in steps)
    closing = Words("", "")
    if placed is None:
        closing = _coordination(coordinated)
        zh, en = (zh + "；" if zh else "") + closing.zh, (en + "; " if en else "") + closing.en
    if not any(step.cutoff and step.cutoff.priority == step.priority for step in steps):
        # No step named it: it is still what a family looks for in the public file.
        zh, en = f"{zh}。您的抽签号 {lottery}", f"{en}. Your lottery number is {lottery}"
    return Explanation(steps, lottery, Words(f"{zh}。", f"{en}."))


def _step(position: int, choice: Choice, *, lottery: int, admitted: bool) -> ExplanationStep:
    outcome = "admitted" if admitted else _refusal(choice)
    ordinal, own = ORDINALS[position], _class(choice.priority)
    reason = _reason(outcome, choice, lottery=lottery)
    words = Words(
        f"{ordinal.zh}{choice.school.zh}：您属{own.zh}，{reason.zh}",
        f"{ordinal.en} {choice.school.en}: your child is in {own.en}; {reason.en}",
    )
    return ExplanationStep(position, choice.school, outcome, choice.priority, choice.cutoff, words)


def _refusal(choice: Choice) -> Outcome:
    if choice.priority.rank == COORDINATED:
        return "by_coordination_only"
    if choice.cutoff is None:
        return "no_seats"
    if choice.cutoff.priority < choice.priority:
        return "class_not_reached"
    return "lottery_not_reached"


def _reason(outcome: Outcome, choice: Choice, *, lottery: int) -> Words:
    if outcome == "by_coordination_only":
        return Words("该类只由统筹安排，不参加志愿录取", "this class is placed by coordination only")
    if outcome == "no_seats":
        return Words("该校没有学位，未录取", "the school has no seats, so no place")
    if choice.cutoff is None:
        return Words("该校学位充足，已录取", "the school had seats for everybody; admitted")
    last = choice.cutoff
    to = _class(last.priority)
    if outcome == "class_not_reached":
        return _class_not_reached(choice.priority, last.priority)
    if last.priority != choice.priority:
        return Words(f"该校录取到{to.zh}，已录取", f"the school took children as far as {to.en}; admitted")
    if outcome == "admitted":
        return Words(
            f"该校录取到{to.zh}、抽签号 {last.lottery}，您的抽签号 {lottery}，已录取",
            f"the school took {to.en} as far as lottery number {last.lottery}, yours is {lottery}; admitted",
        )
    return Words(
        f"该校录取到{to.zh}、抽签号 {last.lottery}，您的抽签号 {lottery}，未录取",
        f"the school took {to.en} as far as lottery number {last.lottery}, yours is {lottery}; no place",
    )


def _class_not_reached(own: Priority, last: Priority) -> Words:
    to = _class(last)
    if (own.outside, own.rank) == (last.outside, last.rank):
        return Words(
            f"该校录取到{to.zh}，同类中条件在先的孩子已录满，未录取",
            f"the school's last place went to {to.en}, to those ranked first within that class; no place",
        )
    return Words(f"该校录取到{to.zh}，未录取", f"the school's last place went to {to.en}; no place")


def _class(priority: Priority) -> Words:
    if priority.rank == DRAWN_ONLY:
        return Words("民办学校报名学生（统一抽签）", "those drawn alike at a private school")
    if priority.outside:
        return Words(f"片区外第{priority.rank}类", f"class {priority.rank} outside the catchment")
    return Words(f"片区内第{priority.rank}类", f"class {priority.rank} inside the catchment")


def _coordination(school: Words | None) -> Words:
    if school is None:
        return Words(
            "您的孩子转入统筹安排，将在有空余学位的学校中就近安排",
            "your child goes to coordinated placement: the nearest school with a spare seat",
        )
    return Words(f"经统筹就近安排到{school.zh}", f"placed by coordination at {school.en}")
