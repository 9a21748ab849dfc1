"""办件编号: item code 31, day 8, serial 6. Source: docs/domain.md §3.2."""

from __future__ import annotations

from datetime import date

import pytest

from haiyiban.cases.numbers import case_number, next_number
from haiyiban.db import Database
from haiyiban.ids import new_id

ITEM = "12460000MB1H0B024H2462014002001"


def test_a_number_has_45_characters_that_say_item_day_and_serial() -> None:
    number = case_number(ITEM, date(2026, 3, 9), 17)
    assert number == f"{ITEM}20260309000017"
    assert len(number) == 45


@pytest.mark.parametrize("serial", [0, 1_000_000])
def test_a_serial_fits_in_six_digits(serial: int) -> None:
    with pytest.raises(ValueError, match="six digits"):
        case_number(ITEM, date(2026, 3, 9), serial)


async def test_serials_begin_anew_each_day_and_for_each_item(database: Database) -> None:
    one, other = (f"{new_id().hex[:31].upper()}" for _ in range(2))
    monday, tuesday = date(2026, 3, 9), date(2026, 3, 10)
    async with database.transaction() as session:
        given = [
            await next_number(session, item, day=day)
            for item, day in ((one, monday), (one, monday), (one, tuesday), (other, monday))
        ]
    assert [number[-6:] for number in given] == ["000001", "000002", "000001", "000001"]


async def test_a_number_that_was_not_used_is_given_back(database: Database) -> None:
    item = new_id().hex[:31].upper()
    async with database.reading() as session:
        assert (await next_number(session, item, day=date(2026, 3, 9)))[-6:] == "000001"
    async with database.transaction() as session:
        assert (await next_number(session, item, day=date(2026, 3, 9)))[-6:] == "000001"
