"""The formula of settlement elsewhere, and which treatment a filing covers. Pure.

The catalogue is the treating place's, the policy (deductible, ratio, cap) the insured place's.
Source: docs/domain.md §9 (formula and vector).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from haiyiban import money


@dataclass(frozen=True, slots=True)
class Shares:
    """Who pays what of a bill, in fen."""

    base_fen: int
    fund_fen: int
    self_fen: int


def settle(
    *, total_fen: int, outside_fen: int, deductible_fen: int, ratio_percent: int, cap_fen: int
) -> Shares:
    """(bill − out-of-catalogue − deductible) × ratio; a negative base is 0, the cap comes after the ratio.

    ValueError for an amount below 0, more outside the catalogue than the bill, or a ratio beyond 0–100 %.
    Source: docs/domain.md §9.
    """
    if min(total_fen, outside_fen, deductible_fen, cap_fen) < 0 or outside_fen > total_fen:
        raise ValueError("a bill and a policy have no negative amounts")
    if not 0 <= ratio_percent <= 100:
        raise ValueError("a ratio is from 0 to 100 %")
    base = max(0, total_fen - outside_fen - deductible_fen)
    fund = min(money.times(base, Fraction(ratio_percent, 100)), cap_fen)
    return Shares(base, fund, total_fen - fund)


def is_filed(filings: list[dict[str, Any]], *, division: str, begun_on: date) -> bool:
    """Whether a filing covers a place on the day that treatment began there; one for a province covers all of
    it. Source: docs/domain.md §9 (临时外出, 长期居住)."""
    for filing in filings:
        code: str = filing["division"]
        # A province's code ends in four zeros, a city's in two.
        covered = code.removesuffix("0000") if code.endswith("0000") else code.removesuffix("00")
        until = filing.get("until")
        if (
            division.startswith(covered)
            and date.fromisoformat(filing["since"]) <= begun_on
            and (until is None or begun_on <= date.fromisoformat(until))
        ):
            return True
    return False
