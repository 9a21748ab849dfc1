"""docs/capacity.md names for each table one place, and a column that the table has."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from haiyiban.db import Base
from haiyiban.runtime import discovery

PAGE = Path(__file__).parents[2] / "docs" / "capacity.md"
_NAMED = re.compile(r"`([a-z_0-9]+)`(?: \(([a-z_]+)\))?")


def placed() -> list[tuple[str, str | None]]:
    """The tables of the page with the column that each is distributed by."""
    text = PAGE.read_text(encoding="utf-8").partition("| group | by | tables |")[2].partition("\n\n")[0]
    rows = [line.split("|")[3] for line in text.splitlines() if line.count("|") == 4]
    return [(name, column or None) for row in rows for name, column in _NAMED.findall(row)]


def test_every_table_has_one_place_and_a_column_of_its_own() -> None:
    discovery.zones(())
    discovery.features()
    tables = Base.metadata.tables
    times = Counter(name for name, _ in placed())
    assert sorted(times) == sorted(tables), set(times) ^ set(tables)
    assert not [name for name, count in times.items() if count > 1]
    for name, column in placed():
        assert column is None or column in tables[name].columns, f"{name} has no {column}"
