"""The embedded PostgreSQL on good days and after bad ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from haiyiban.runtime import postgres_seat
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.processes import wait_for_end
from haiyiban.runtime.refusal import CannotStart
from tests.runtime.conftest import Holding

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root must change to another user")
SYSTEM = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture
def tiny_disk(open_folder: Path) -> Iterator[Path]:
    """A real file system of 20 MB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m,mode=0755", "tmpfs", str(open_folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a file system")
    yield open_folder
    subprocess.run(["umount", str(open_folder)], check=True)


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_data_is_still_there_after_a_restart(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as first:
        await ask(first.url, "CREATE TABLE kept AS SELECT 7 AS number")
    with EmbeddedPostgres(tmp_path) as second:
        assert second.url == first.url
        assert await ask(second.url, "SELECT number FROM kept") == 7


async def test_the_server_sorts_by_code_point_keeps_utc_and_flushes_to_disk(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as postgres:
        assert await ask(postgres.url, "SELECT datcollate FROM pg_database WHERE datname='haiyiban'") == "C"
        assert await ask(postgres.url, "SELECT upper('é') || current_setting('server_encoding')") == "ÉUTF8"
        assert await ask(postgres.url, "SELECT current_setting('TimeZone')") == "UTC"
        assert await ask(postgres.url, "SELECT current_setting('fsync')") == "on"


async def test_nobody_enters_without_the_password(tmp_path: Path) -> None:
    with (
        EmbeddedPostgres(tmp_path) as postgres,
        pytest.raises(asyncpg.InvalidPasswordError),
    ):
        await asyncpg.connect(postgres.url, password="guess")
    assert (tmp_path / "postgres" / "cluster.json").stat().st_mode & 0o077 == 0


async def test_a_killed_server_recovers_what_was_committed(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as postgres:
        await ask(postgres.url, "CREATE TABLE kept AS SELECT 7 AS number")
        os.kill(postgres.process.popen.pid, signal.SIGKILL)
        postgres.process.popen.wait()
    assert (tmp_path / "postgres" / "data" / "postmaster.pid").exists()
    with EmbeddedPostgres(tmp_path) as postgres:
        assert await ask(postgres.url, "SELECT number FROM kept") == 7


@pytest.mark.parametrize("place", ["open", "closed"])
def test_the_server_ends_with_its_killed_parent(
    place: str, tmp_path: Path, open_folder: Path, holding: Holding
) -> None:
    home = open_folder if place == "open" else tmp_path
    parent = holding("haiyiban.runtime.postgres:EmbeddedPostgres", home)
    assert parent.stdout is not None
    server = int(parent.stdout.readline())
    parent.kill()
    assert wait_for_end(server, seconds=10)


async def test_a_start_right_after_the_parent_was_killed_succeeds(tmp_path: Path, holding: Holding) -> None:
    parent = holding("haiyiban.runtime.postgres:EmbeddedPostgres", tmp_path)
    assert parent.stdout is not None
    parent.stdout.readline()
    parent.kill()
    parent.wait()
    with EmbeddedPostgres(tmp_path) as postgres:
        assert await ask(postgres.url, "SELECT 1") == 1


async def test_a_half_made_data_folder_is_moved_aside_and_made_again(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(tmp_path) as postgres:
        assert await ask(postgres.url, "SELECT 1") == 1
    assert (tmp_path / "postgres" / "data.incomplete" / "PG_VERSION").exists()


async def test_a_pid_file_whose_number_another_program_has_now_is_no_obstacle(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path):
        pid_file = tmp_path / "postgres" / "data" / "postmaster.pid"
        left = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getppid()), *left[1:]]) + "\n")
    with EmbeddedPostgres(tmp_path) as postgres:
        assert await ask(postgres.url, "SELECT 1") == 1


def test_a_full_disk_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAIYIBAN_DISK_NEEDED_MB", "1000000000")
    with pytest.raises(CannotStart) as refusal, EmbeddedPostgres(tmp_path):
        pass
    assert "磁盘空间不足" in refusal.value.words.zh
    assert str(tmp_path) in refusal.value.words.en
    assert not (tmp_path / "postgres").exists()


@as_root
def test_a_disk_that_fills_up_while_the_folder_is_made_is_named_as_the_cause(
    tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAIYIBAN_DISK_NEEDED_MB", "1")
    with pytest.raises(CannotStart, match="The disk is full"), EmbeddedPostgres(tiny_disk):
        pass


def test_two_servers_never_share_a_folder(tmp_path: Path) -> None:
    with (
        EmbeddedPostgres(tmp_path),
        pytest.raises(CannotStart, match=f"pid {os.getpid()}"),
        EmbeddedPostgres(tmp_path),
    ):
        pass


def test_data_of_another_major_version_is_left_alone(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path):
        cluster = tmp_path / "postgres" / "cluster.json"
    cluster.write_text(json.dumps(json.loads(cluster.read_text()) | {"version": "12"}))
    with pytest.raises(CannotStart, match="PostgreSQL 12"), EmbeddedPostgres(tmp_path):
        pass


@as_root
async def test_root_runs_it_as_nobody_where_nobody_can_reach_it(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder) as postgres:
        owner = (open_folder / "postgres" / "data").stat().st_uid
        assert owner == (postgres_seat.NOBODY if _wheel_is_open() else 0)
        assert await ask(postgres.url, "SELECT 1") == 1


@as_root
async def test_root_in_a_closed_folder_without_namespaces_moves_the_data_into_the_open(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_seat, "_OPEN_TO_ALL", open_folder / "haiyiban")
    monkeypatch.setenv("PATH", "/nowhere")
    for _ in ("first start", "second start"):
        with EmbeddedPostgres(tmp_path) as postgres:
            assert await ask(postgres.url, "SELECT 1") == 1
    assert len(list((open_folder / "haiyiban").iterdir())) == 1
    assert (tmp_path / "postgres").resolve().is_relative_to(open_folder)


@pytest.mark.skipif(not SYSTEM, reason="this machine has no PostgreSQL of its own")
async def test_the_systems_own_postgresql_serves_as_well(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder, programs=SYSTEM[-1]) as postgres:
        assert await ask(postgres.url, "SELECT upper('é')") == "É"


def _wheel_is_open() -> bool:
    return all(path.stat().st_mode & 0o001 for path in postgres_seat.find_programs().parents)
