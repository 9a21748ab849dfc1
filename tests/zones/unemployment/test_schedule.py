"""Which months a grant pays for. Source: docs/domain.md §7.2."""

from __future__ import annotations

from datetime import date

from services.unemployment.schedule import months_of
from services.unemployment.standards import standards


def test_the_worked_example_of_qiongzhong() -> None:
    """琼中, 70 paid months, registered 2021-12-20: 18 months of 1,512.00 at the standard of then."""
    found = months_of(
        date(2021, 12, 20), 18, used=0, division="469030", today=date(2021, 12, 20), standards=standards()
    )
    assert (found[0].month, found[-1].month) == ("2021-12", "2023-05")
    assert {month.fen for month in found} == {151_200}
    assert sum(month.fen or 0 for month in found) == 2_721_600


def test_a_standard_that_rises_mid_way_is_paid_from_its_day() -> None:
    found = months_of(
        date(2023, 10, 9), 4, used=1, division="460100", today=date(2023, 10, 9), standards=standards()
    )
    assert [(month.month, month.fen, month.is_paid) for month in found] == [
        ("2023-10", 164_700, True),
        ("2023-11", 164_700, False),
        ("2023-12", 180_900, False),
        ("2024-01", 180_900, False),
    ]
