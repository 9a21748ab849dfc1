"""Compiling the catalogue: checked matters and the index for searches as one SQLite database, of which a
process reads what it is asked for.

Twenty thousand matters as objects would be a hundred megabytes of each process and ten seconds of its start.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from haiyiban.matters import search
from haiyiban.matters.matter import Matter
from haiyiban.matters.reading import SYNONYMS, read
from haiyiban.matters.search import Entry
from haiyiban.matters.words import EverydayWords

_TABLES = """
CREATE TABLE matter (id INTEGER PRIMARY KEY, code TEXT NOT NULL, version INTEGER NOT NULL,
    body BLOB NOT NULL, UNIQUE (code, version));
CREATE TABLE current (number INTEGER PRIMARY KEY, matter INTEGER NOT NULL, zone TEXT NOT NULL,
    audience TEXT NOT NULL, agency TEXT NOT NULL, issues TEXT, is_across INTEGER NOT NULL);
CREATE TABLE offered (division TEXT, number INTEGER, PRIMARY KEY (division, number)) WITHOUT ROWID;
CREATE TABLE everyday (words BLOB NOT NULL);
"""
_INDEXES = """
CREATE INDEX current_agency ON current (agency);
CREATE INDEX current_issues ON current (issues);
"""
_CURRENT = """SELECT id, body FROM matter AS of
WHERE version = (SELECT max(version) FROM matter WHERE code = of.code) ORDER BY code"""


def compile_files(into: sqlite3.Connection, folder: Path, further: Path | None) -> None:
    """Write the catalogue of matter files into an empty database; BrokenCatalogue leaves it half done."""
    _write(into, read(folder, further), lambda: EverydayWords.load(folder / SYNONYMS))


def compile_matters(into: sqlite3.Connection, matters: Iterable[Matter], everyday: EverydayWords) -> None:
    """Write a catalogue of matters that were read before."""
    _write(into, matters, lambda: everyday)


def _write(
    into: sqlite3.Connection, matters: Iterable[Matter], everyday: Callable[[], EverydayWords]
) -> None:
    into.executescript(_TABLES)
    with into:  # one transaction
        for matter in matters:
            row = (matter.code, matter.version, msgspec.msgpack.encode(matter))
            into.execute("INSERT OR REPLACE INTO matter (code, version, body) VALUES (?, ?, ?)", row)
        words = everyday()
        into.execute("INSERT INTO everyday VALUES (?)", (msgspec.msgpack.encode(words),))
        search.write(_entries(into), words, into)
    into.executescript(_INDEXES)


def _entries(into: sqlite3.Connection) -> Iterator[Entry]:
    """The newest versions in order of code, each as it is searched for; notes what lists are narrowed by."""
    decoder = msgspec.msgpack.Decoder(Matter)
    for number, (id_, body) in enumerate(into.execute(_CURRENT).fetchall()):
        matter = decoder.decode(body)
        into.execute(
            "INSERT INTO current VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                id_,
                matter.zone,
                matter.audience,
                matter.handled_by.agency,
                matter.issues,
                bool(matter.item.handle_area),
            ),
        )
        into.executemany(
            "INSERT OR IGNORE INTO offered VALUES (?, ?)",
            [(division, number) for division in matter.divisions],
        )
        yield _entry(matter)


def _entry(matter: Matter) -> Entry:
    keywords = tuple((keyword, 2.5) for keyword in matter.keywords)
    other = (
        (matter.item.task_name, 2.0),
        (matter.item.result_name, 1.0),
        (matter.summary.zh, 1.0),
        (matter.summary.en, 1.0),
    )
    return Entry(
        matter.code, (matter.name.zh, matter.name.en), keywords + other, kind=matter.item.catalog_code
    )
