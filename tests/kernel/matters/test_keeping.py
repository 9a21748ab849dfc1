"""The compiled catalogue between two starts: read while it is what it was made from, made anew otherwise."""

from __future__ import annotations

import os
import resource
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from haiyiban.matters import keeping


class Made:
    """What is kept here: the text of one file; counts how often it is made."""

    def __init__(self, tmp_path: Path) -> None:
        self.source = tmp_path / "source"
        self.source.mkdir()
        (self.source / "a.json").write_text("one")
        self.home = tmp_path / "home"
        self.home.mkdir()
        self.times = 0

    def make(self, into: sqlite3.Connection) -> None:
        self.times += 1
        into.execute("CREATE TABLE kept (text TEXT)")
        into.execute("INSERT INTO kept VALUES (?)", ((self.source / "a.json").read_text(),))
        into.commit()

    def text(self) -> str:
        """As a process that starts now reads it."""
        opened = keeping.opened(self.home, [self.source], self.make)
        (text,) = opened.execute("SELECT text FROM kept").fetchone()
        opened.close()
        return str(text)

    def files(self) -> list[Path]:
        return list((self.home / "catalogue").glob("*.sqlite"))


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def test_it_is_made_once(made: Made) -> None:
    assert [made.text(), made.text()] == ["one", "one"]
    assert made.times == 1


def test_of_processes_that_start_at_once_one_makes_it(made: Made) -> None:
    with ThreadPoolExecutor(4) as starts:
        texts = [start.result() for start in [starts.submit(made.text) for _ in range(4)]]
    assert texts == ["one"] * 4
    assert made.times == 1


def test_a_change_of_what_it_is_made_from_makes_it_anew(made: Made) -> None:
    made.text()
    file = made.source / "a.json"
    before = file.stat()
    file.write_text("two")
    # As long as it was, and its time set back.
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert made.text() == "two"
    (made.source / "deep").mkdir()
    made.text()
    (made.source / "deep" / "b.json").write_text("")
    made.text()
    assert made.times == 3


def test_old_ones_do_not_pile_up(made: Made) -> None:
    for number in range(6):
        (made.source / "a.json").write_text(str(number) * (number + 1))
        made.text()
    assert len(made.files()) == 2


@pytest.mark.parametrize("at", [0, 100, -1])
def test_a_damaged_one_is_made_anew(made: Made, at: int) -> None:
    made.text()
    (file,) = made.files()
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    assert made.text() == "one"
    assert made.times == 2
    assert made.text() == "one"
    assert made.times == 2


def test_one_cut_short_is_made_anew(made: Made) -> None:
    made.text()
    (file,) = made.files()
    os.truncate(file, 1000)
    assert made.text() == "one"
    assert made.times == 2


def test_one_that_others_can_write_is_not_read(made: Made) -> None:
    made.text()
    (file,) = made.files()
    file.chmod(0o666)
    assert made.text() == "one"
    assert made.times == 2
    (made.home / "catalogue").chmod(0o777)
    made.text()
    made.text()
    assert made.times == 4


def test_without_a_state_folder_nothing_is_kept(made: Made) -> None:
    made.home.rmdir()
    assert made.text() == "one"
    assert not made.home.exists()


def test_on_a_disk_too_small_it_is_made_in_memory_and_leaves_nothing(made: Made) -> None:
    def make(into: sqlite3.Connection) -> None:
        made.make(into)
        into.execute("INSERT INTO kept VALUES (?)", ("x" * 300_000,))
        into.commit()

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        opened = keeping.opened(made.home, [made.source], make)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert opened.execute("SELECT count(*) FROM kept").fetchone() == (2,)
    opened.close()
    assert [file.name for file in (made.home / "catalogue").iterdir()] == ["lock"]


def test_what_is_refused_is_not_kept(made: Made) -> None:
    def refuse(into: sqlite3.Connection) -> None:
        into.execute("CREATE TABLE half (text TEXT)")
        raise ValueError("half done")

    for _ in range(2):
        with pytest.raises(ValueError, match="half done"):
            keeping.opened(made.home, [made.source], refuse)
    assert made.files() == []
    assert made.text() == "one"
