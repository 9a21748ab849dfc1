"""What a family reads about its own result after the publication, beside how the draw decided it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from haiyiban.errors import Words
from services.school_places.explanation import ORDINALS


def from_waiting_list(choice: int, school: Words, *, on: date) -> Words:
    """A seat from a waiting list was accepted."""
    ordinal = ORDINALS[choice]
    return Words(
        f"{on} 候补递补录取：{ordinal.zh}{school.zh}",
        f"{on}: admitted from the waiting list of {school.en} ({ordinal.en.lower()})",
    )


def by_appeal(choice: int, school: Words, *, on: date) -> Words:
    """An appeal was upheld and found a better school."""
    ordinal = ORDINALS[choice]
    return Words(
        f"{on} 申诉成立，按更正后的情况重新核算：{ordinal.zh}{school.zh}录取",
        f"{on}: appeal upheld; with the corrected facts {school.en} ({ordinal.en.lower()}) admits your child",
    )


def appeal_changes_nothing(*, on: date) -> Words:
    """An appeal was upheld, and no better school would have had a seat even so."""
    return Words(
        f"{on} 申诉成立，情况已更正；按更正后的情况重新核算，录取结果不变，候补位次已按更正后的情况排列",
        f"{on}: appeal upheld and the facts corrected; judged anew, the result stays as it is, and the "
        "places on waiting lists follow the corrected facts",
    )


def appeal_dismissed(*, on: date) -> Words:
    """An appeal was dismissed; the reason stands in the appeal."""
    return Words(
        f"{on} 申诉未成立，录取结果不变，理由见申诉答复",
        f"{on}: appeal dismissed, the result stays; the reason is in the answer to the appeal",
    )


def refused(school: Words, *, on: date) -> Words:
    """The family gave its place up."""
    return Words(f"{on} 家长放弃了{school.zh}的学位", f"{on}: you gave up the place at {school.en}")


def refusal_undone(school: Words, *, on: date) -> Words:
    """The family took its place back in time."""
    return Words(f"{on} 家长撤销放弃，{school.zh}的学位保留", f"{on}: you took the place at {school.en} back")


def late(placed: Words | None, *, coordinated: bool, on: date) -> Words:
    """A late application found a seat that was left, or none."""
    if placed is None:
        return Words(
            f"{on} 逾期补报，未参加派位；目前没有空余学位，已按同类末位排入各志愿学校候补，"
            "请同时联系区教育局，由其在全市协调",
            f"{on}: applied late, so not in the draw; no seat is left at present. Your child is on the "
            "waiting lists behind its class; please also ask the district education bureau to look citywide",
        )
    how = Words("经统筹就近安排到", "placed by coordination at") if coordinated else Words("录取到", "at")
    return Words(
        f"{on} 逾期补报，未参加派位；按剩余学位{how.zh}{placed.zh}",
        f"{on}: applied late, so not in the draw; of the seats that are left {how.en} {placed.en}",
    )


def told(explanation: Mapping[str, Any] | None, words: Words, *, school: str, outcome: str) -> dict[str, Any]:
    """An explanation with one more sentence, and the step that it is about."""
    before = explanation or {"zh": "", "en": "", "steps": []}
    return {
        "zh": before["zh"] + words.zh + "。",
        "en": (before["en"] + " " + words.en).strip() + ".",
        "steps": [
            *before["steps"],
            {"zh": words.zh, "en": words.en, "outcome": outcome, "school": school},
        ],
    }


def waiting(choice: int, school: Words, *, number: int) -> Words:
    """Where a child stands on one waiting list."""
    ordinal = ORDINALS[choice]
    return Words(
        f"{ordinal.zh}{school.zh}：候补第 {number} 位",
        f"{ordinal.en} {school.en}: number {number} on the waiting list",
    )


def offered(choice: int, school: Words, *, until: str) -> Words:
    """A seat is kept for this child until a day."""
    ordinal = ORDINALS[choice]
    return Words(
        f"{ordinal.zh}{school.zh}：候补轮到您，请在 {until} 前接受或放弃，逾期视为放弃",
        f"{ordinal.en} {school.en}: a seat is yours if you accept it by {until}; after that it goes on",
    )


ENDED = {
    "accepted": Words("已递补录取", "admitted from the waiting list"),
    "declined": Words("您已放弃这次递补", "you declined the seat"),
    "expired": Words("逾期未答复，视为放弃递补", "not answered in time, so the seat went on"),
    "left": Words("您已退出候补", "you left the waiting list"),
    "better_placed": Words(
        "已有更靠前的志愿录取，候补结束", "ended, for a better choice admitted your child"
    ),
}


def ended(choice: int, school: Words, state: str) -> Words:
    """How waiting ended."""
    ordinal, how = ORDINALS[choice], ENDED[state]
    return Words(f"{ordinal.zh}{school.zh}：{how.zh}", f"{ordinal.en} {school.en}: {how.en}")
