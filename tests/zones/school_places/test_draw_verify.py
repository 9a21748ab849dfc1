"""`haiyiban draw verify` as a parent runs it: in a shell, with nothing but the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from haiyiban.cli import main
from services.school_places.public_file import PublicFile, draw_and_match, make_roll, to_bytes


@pytest.fixture(scope="module")
def file() -> PublicFile:
    children = {f"p{number}": [("A", 256), ("B", 512)] for number in range(6)}
    roll, _ = make_roll(capacities={"A": 2, "B": 3}, applications=children, twins=[["p1", "p2"]])
    return draw_and_match(roll, secret="s", beacon="7,12", campaign="XQ-2026")


@pytest.fixture
def saved(file: PublicFile, tmp_path: Path) -> Path:
    path = tmp_path / "公开文件.json"
    path.write_bytes(to_bytes(file))
    return path


def enrolment(file: PublicFile, tmp_path: Path, **changes: object) -> Path:
    """What GET …/enrolments/{id} answered, saved."""
    run = {"runId": "r", "state": "drawn", "rollHash": file.roll_hash, "commitment": file.commitment}
    content = {"code": file.campaign, "commitment": file.commitment, "runs": [run], "name": "x"} | changes
    path = tmp_path / "enrolment.json"
    path.write_text(json.dumps(content))
    return path


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["draw", "verify", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_a_sound_file_passes_step_by_step_in_plain_words(saved: Path) -> None:
    code, said = run(saved)
    assert code == 0
    assert said.count("✓") == 8
    assert "核验通过：6 名孩子、2 所学校" in said
    assert "It holds" in said


def test_it_needs_no_settings_no_database_and_no_network(saved: Path, tmp_path: Path) -> None:
    """In a process of its own whose sockets fail, from an empty folder without any of our settings."""
    program = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise OSError('no network here')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from haiyiban.cli import main\n"
        f"main(['draw', 'verify', {str(saved)!r}])\n"
    )
    environ = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environ["PYTHONIOENCODING"] = "utf-8"
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=empty, env=environ, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert "核验通过" in done.stdout.decode()
    assert list(empty.iterdir()) == []


def test_an_altered_file_fails_and_says_where(file: PublicFile, saved: Path) -> None:
    saved.write_bytes(to_bytes(file).replace(b'"capacity":2', b'"capacity":3'))
    code, said = run(saved)
    assert code == 1
    assert "✓ 文件格式" in said
    assert "✗ 名册哈希" in said
    assert "/roll" in said


def test_programs_get_json(file: PublicFile, saved: Path) -> None:
    code, said = run(saved, "--json")
    answer = json.loads(said)
    assert (code, answer["holds"], answer["difference"], answer["pupils"]) == (0, True, None, 6)
    assert answer["passed"][-1] == "stability"
    saved.write_bytes(to_bytes(file).replace(b'"lottery":[', b'"lottery":[ '))
    code, said = run(saved, "--json")
    difference = json.loads(said)["difference"]
    assert code == 1
    assert difference["step"] == "form"
    assert difference["byte"] == to_bytes(file).index(b'"lottery":[') + len(b'"lottery":[')


def test_an_enrolment_saved_before_the_draw_is_held_against_the_file(
    file: PublicFile, saved: Path, tmp_path: Path
) -> None:
    assert run(saved, "--enrolment", enrolment(file, tmp_path))[0] == 0
    assert run(saved, "--enrolment", enrolment(file, tmp_path, runs=[]))[0] == 0
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"items": [json.loads(enrolment(file, tmp_path).read_text())], "next": None}))
    assert run(saved, "--enrolment", page)[0] == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"runs": [], "commitment": "0" * 64},
        {"runs": [{"state": "committed", "rollHash": "0" * 64, "commitment": "0" * 64}]},
        {"code": "XQ-2027"},
    ],
    ids=["another secret was promised", "another roll was fixed", "another enrolment"],
)
def test_a_draw_that_was_not_the_announced_one_fails(
    file: PublicFile, saved: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    code, said = run(saved, "--enrolment", enrolment(file, tmp_path, **changes))
    assert code == 1
    assert "先前公布" in said


def test_another_draw_of_the_same_roll_is_right_in_itself_and_not_the_announced_one(
    file: PublicFile, saved: Path, tmp_path: Path
) -> None:
    other = draw_and_match(file.roll, secret="another", beacon=file.beacon, campaign=file.campaign)
    saved.write_bytes(to_bytes(other))
    assert run(saved)[0] == 0
    assert run(saved, "--commitment", file.commitment)[0] == 1
    assert run(saved, "--enrolment", enrolment(file, tmp_path))[0] == 1
    again = draw_and_match(file.roll, secret="s", beacon="8,13", campaign=file.campaign)
    saved.write_bytes(to_bytes(again))
    ran = {"state": "drawn", "rollHash": file.roll_hash, "commitment": file.commitment, "beacon": "7,12"}
    assert run(saved, "--enrolment", enrolment(file, tmp_path, runs=[ran]))[0] == 1


def test_a_roll_hash_from_the_newspaper_is_compared(file: PublicFile, saved: Path) -> None:
    assert run(saved, "--roll-hash", file.roll_hash.upper(), "--commitment", file.commitment)[0] == 0
    code, said = run(saved, "--roll-hash", "0" * 64)
    assert code == 1
    assert "名册哈希与先前公布的不一致" in said


def test_an_annulled_run_is_told(file: PublicFile, saved: Path, tmp_path: Path) -> None:
    annulled = {
        "state": "annulled",
        "rollHash": file.roll_hash,
        "commitment": file.commitment,
        "annulmentReason": "容量有误",
    }
    later = {"state": "committed", "rollHash": "1" * 64, "commitment": "2" * 64}
    code, said = run(
        saved, "--enrolment", enrolment(file, tmp_path, commitment="2" * 64, runs=[annulled, later])
    )
    assert code == 0
    assert "已公告作废" in said
    assert "容量有误" in said


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"items": []}', b'{"code": 1}', b"[" * 100_000])
def test_an_announcement_that_cannot_be_read_is_said_so(saved: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    assert run(saved, "--enrolment", path)[0] == 2


def test_a_file_that_is_not_there_is_a_mistake_of_use(tmp_path: Path) -> None:
    assert run(tmp_path / "nothing.json")[0] == 2


def test_the_command_is_brought_by_the_zone_and_listed() -> None:
    assert "draw" in CliRunner().invoke(main, ["--help"]).output
    assert "verify" in CliRunner().invoke(main, ["draw", "--help"]).output
