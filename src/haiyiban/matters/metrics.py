"""How good a catalogue is, in the figures that provinces compare.

Source: docs/domain.md §3.5 "Metrics".
"""

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from haiyiban.matters.matter import Matter


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFigures:
    """Shares of all matters, exact; None where there is nothing to divide by."""

    done_at_once: Fraction | None
    """即办率."""
    one_visit_at_most: Fraction | None
    """最多跑一次率."""
    no_visit: Fraction | None
    """零跑动率."""
    time_saved: Fraction | None
    """时限压缩率: 1 − promised ÷ statutory days, over the matters for which the law sets a limit."""


def figures(matters: Collection[Matter]) -> CatalogueFigures:
    """The figures of a catalogue."""
    items = [matter.item for matter in matters]
    limited = [item for item in items if item.anticipate_day]
    statutory = sum(item.anticipate_day or 0 for item in limited)
    return CatalogueFigures(
        done_at_once=_share(sum(item.project_type == "1" for item in items), len(items)),
        one_visit_at_most=_share(sum(item.limit_scene_num <= 1 for item in items), len(items)),
        no_visit=_share(sum(item.limit_scene_num == 0 for item in items), len(items)),
        time_saved=Fraction(statutory - sum(item.promise_day for item in limited), statutory)
        if statutory
        else None,
    )


def online_share(*, online: int, all_cases: int) -> Fraction | None:
    """网办率: cases applied for online out of all."""
    return _share(online, all_cases)


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None
