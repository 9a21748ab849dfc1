"""Money is whole fen (分); yuan is only a way to write it. No float comes near an amount.

Source: conventions in docs/domain.md §10 (largest remainder), §7.2 and §8.2 (amounts to the fen).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

FEN_PER_YUAN = 100

_YUAN = re.compile(r"-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d{1,2})?", re.ASCII)


def round_fen(amount: Fraction | Decimal | int) -> int:
    """The one rounding of the project: to the whole fen, half away from zero (四舍五入).

    Exact for any size, unlike Decimal's 28 digits. `TypeError` for a float: it has already lost the amount.
    """
    if isinstance(amount, float):
        raise TypeError("an amount is never a float")
    exact = Fraction(amount)
    magnitude = (2 * abs(exact) + 1) // 2
    return -magnitude if exact < 0 else magnitude


def times(amount_fen: int, rate: Fraction | Decimal | int) -> int:
    """An amount times a rate, rounded once: 20 % of 2,500.00 yuan is `times(250000, Decimal("0.2"))`."""
    if isinstance(rate, float):
        raise TypeError("a rate is never a float")
    return round_fen(amount_fen * Fraction(rate))


def yuan(amount_fen: int) -> str:
    """How people read an amount: 1,234.50 (yuan, two digits, no sign of currency)."""
    whole, fen = divmod(abs(amount_fen), FEN_PER_YUAN)
    return f"{'-' if amount_fen < 0 else ''}{whole:,}.{fen:02d}"


def parse_yuan(text: str) -> int:
    """What people write (「1,234.5」) as fen; `ValueError` for anything finer than a fen or not an amount."""
    if not _YUAN.fullmatch(text):
        raise ValueError("not an amount in yuan")
    return round_fen(Decimal(text.replace(",", "")) * FEN_PER_YUAN)


def share_out(total_fen: int, claims: Sequence[int]) -> list[int]:
    """Share a sum in proportion to the claims, to the last fen (最大余额法): the shares add up to the sum.

    Everyone gets the rounded-down share; the fen left over go to the largest remainders, among equals to
    the earlier claim. When the sum does not exceed the claims, nobody gets more than was claimed.
    `ValueError` for a negative number, or when nothing is claimed.

    Source: docs/domain.md §10 (pro-rata when the last funds do not cover).
    """
    claimed = sum(claims)
    if total_fen < 0 or min(claims, default=0) < 0 or claimed == 0:
        raise ValueError("a sum of at least 0 and at least one claim are needed")
    parts = [divmod(total_fen * claim, claimed) for claim in claims]
    shares = [share for share, _remainder in parts]
    by_remainder = sorted(range(len(claims)), key=lambda index: -parts[index][1])
    for index in by_remainder[: total_fen - sum(shares)]:
        shares[index] += 1
    return shares
