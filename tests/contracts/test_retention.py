"""Every table of people has one class of data, with a term and the rule behind it; the docs say the same."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Table

from haiyiban import clock
from haiyiban.db import Base, Database
from haiyiban.retention import report
from haiyiban.runtime import discovery, retention_task
from haiyiban.terms import YEAR, Term
from tests.contracts.test_own_data import of_people

DOCS = Path(__file__).parents[2] / "docs" / "retention.md"
OF_NOBODY = {
    "cases_serial": "the last number of a day",
    "cases_workday": "the calendar",
    "cross_province_neighbour": "other provinces",
    "duty_free_campaign": "what may be claimed",
    "duty_free_campaign_day": "how much was claimed of it",
    "duty_free_campaign_shop": "where it may be used",
    "hall_board": "figures",
    "hall_count": "figures; counting itself deletes them after their time",
    "health_code_recolouring": "how far a run is",
    "health_code_slot": "times and places",
    "retention_run": "how much was deleted when",
    "school_places_enrolment": "the rules of an enrolment",
    "school_places_enrolment_school": "its schools",
    "school_places_school": "schools",
    "verifiers_client": "secrets of verifiers",
    "verifiers_terminal": "terminals",
    "verifiers_terminal_code": "codes of terminals",
    "verifiers_terminal_key": "keys of terminals",
    "verifiers_verifier": "agencies and companies",
}
"""Table → what it holds instead."""
UNITS = {"小时": timedelta(hours=1), "天": timedelta(days=1), "年": YEAR}


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    discovery.import_models()
    return dict(Base.metadata.tables)


@pytest.fixture(scope="module")
def declared() -> tuple[Term, ...]:
    return retention_task.declared()


def test_every_table_of_people_has_one_class(tables: dict[str, Table], declared: tuple[Term, ...]) -> None:
    classes = Counter(table.__tablename__ for term in declared for table in term.tables)
    assert [name for name, count in classes.items() if count > 1] == []
    assert tables.keys() - classes.keys() - OF_NOBODY.keys() == set(), "a table that nobody says the term of"
    assert OF_NOBODY.keys() - (tables.keys() - classes.keys()) == set(), (
        "a reason for a table that needs none"
    )
    assert of_people(tables) & OF_NOBODY.keys() == set(), "it names a person"


def test_every_class_says_what_how_long_and_why(declared: tuple[Term, ...]) -> None:
    names = [term.data_class for term in declared]
    assert len(names) == len(set(names)) > 30
    for term in declared:
        words = (term.what, term.kept, term.why)
        assert all(re.search("[一-鿿]", each.zh) for each in words), term.data_class
        assert all(re.search("[A-Za-z]{3}", each.en) for each in words), term.data_class


def test_what_is_told_is_what_is_done(declared: tuple[Term, ...]) -> None:
    told = set()
    for term in declared:
        if term.ending is not None and isinstance(term.ending.after, timedelta) and term.ending.after:
            number, unit = re.findall(r"后 (\d+) (小时|天|年)", term.kept.zh)[0]
            assert int(number) * UNITS[unit] == term.ending.after, term.data_class
            assert re.match(rf"{number} ", term.kept.en), term.data_class
            told.add(term.data_class)
        elif term.ending is not None and not isinstance(term.ending.after, timedelta):
            [days] = re.findall(r"目前为 (\d+) 天", term.kept.zh)
            assert timedelta(days=int(days)) == term.ending.after(clock.today()), term.data_class
            assert f"now {days} days" in term.kept.en
            told.add(term.data_class)
    assert len(told) > 12


def test_a_part_of_a_table_belongs_to_a_table_with_a_class(declared: tuple[Term, ...]) -> None:
    whole = {table for term in declared for table in term.tables}
    for term in declared:
        if term.ending is not None:
            table = term.ending.table
            assert table in term.tables if term.tables else term.ending.only is not None
            assert table in whole
            assert {column.class_ for column in term.ending.along} <= whole
        else:
            assert term.tables


def test_what_goes_along_takes_nothing_else_with_it(
    tables: dict[str, Table], declared: tuple[Term, ...]
) -> None:
    along = {column.class_.__tablename__ for t in declared if t.ending for column in t.ending.along}
    assert len(along) > 5
    refers = {key.column.table.name for table in tables.values() for key in table.foreign_keys}
    assert along & refers == set(), "a row that goes along would leave one that refers to it"


async def test_every_term_can_be_asked_for(database: Database, declared: tuple[Term, ...]) -> None:
    async with database.reading() as session:
        lines = await report.lines(session)
        overdue = await report.overdue(session, now=clock.now())
    names = sorted(term.data_class for term in declared)
    assert [line.term.data_class for line in lines] == names
    assert overdue.keys() <= set(names)


def test_the_docs_hold_the_terms(declared: tuple[Term, ...]) -> None:
    assert report.markdown(declared) in DOCS.read_text(encoding="utf-8"), (
        "put what `haiyiban retention terms` prints into docs/retention.md"
    )
