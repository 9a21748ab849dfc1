"""The data folder of the embedded PostgreSQL: made whole or not at all, and freed of what a crash left."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from haiyiban.errors import Words
from haiyiban.runtime import processes, state_folder
from haiyiban.runtime.postgres_seat import Seat
from haiyiban.runtime.refusal import CannotStart

USER = DATABASE = "haiyiban"
_BUILTIN_LOCALE_SINCE = 17


def known_password(seat: Seat) -> str | None:
    """The password of a finished cluster; None when there is none, or only half of one."""
    try:
        cluster = json.loads((seat.folder / "cluster.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    version = seat.version()
    if cluster["version"] != version:
        raise CannotStart(
            Words(
                f"数据目录 {seat.folder} 由 PostgreSQL {cluster['version']} 创建，现在的程序是 {version}。"
                "请用原来的版本导出数据后再升级；演示数据可直接删除该目录。",
                f"The data folder {seat.folder} was made by PostgreSQL {cluster['version']}, "
                f"the programs are {version}. Dump it with the old version and load it into the new one; "
                "for demo data just remove the folder.",
            )
        )
    return str(cluster["password"])


def initialise(seat: Seat) -> str:
    """Make a data folder with a random password, which is returned; half of one is moved aside first."""
    data = seat.folder / "data"
    if data.exists():
        aside = seat.folder / "data.incomplete"
        shutil.rmtree(aside, ignore_errors=True)
        data.rename(aside)
    data.mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    password_file = seat.folder / "initdb.password"
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    seat.own(data)
    seat.own(password_file)
    locale = ["--locale=C.UTF-8"]
    if int(seat.version()) >= _BUILTIN_LOCALE_SINCE:
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    try:
        _run(
            seat,
            "initdb",
            f"--pgdata={data}",
            f"--username={USER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            *locale,
        )
    finally:
        password_file.unlink()
    return password


def complete(seat: Seat, port: int, password: str) -> None:
    """Make the database, then write down that the cluster is whole; before that nobody has used it."""
    _run(
        seat,
        "createdb",
        "--host=127.0.0.1",
        f"--port={port}",
        f"--username={USER}",
        DATABASE,
        password=password,
    )
    state_folder.write_json(seat.folder / "cluster.json", {"version": seat.version(), "password": password})


def clear_predecessor(data: Path) -> None:
    """Stop a server that lost its parent; remove the pid file of one that is gone.

    PostgreSQL itself refuses to start when any process has the number in the pid file, and after a
    restart of a container some process always has.
    """
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n")[0])
    except (FileNotFoundError, ValueError):
        pid_file.unlink(missing_ok=True)
        return
    for stop_signal in (signal.SIGINT, signal.SIGQUIT):
        if not _is_server(pid, data):
            pid_file.unlink(missing_ok=True)
            return
        with suppress(ProcessLookupError):
            os.kill(pid, stop_signal)
        processes.wait_for_end(pid, seconds=15)
    raise CannotStart(
        Words(
            f"上次运行留下的 PostgreSQL（进程 {pid}）没有停下来。请结束该进程后再试：kill -QUIT {pid}",
            f"A PostgreSQL of an earlier run (pid {pid}) does not stop. End it and try again: "
            f"kill -QUIT {pid}",
        )
    )


def environment(password: str | None = None) -> dict[str, str]:
    """What the server's programs see of our environment: the path, and messages in English for us to read."""
    told = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    return told if password is None else told | {"PGPASSWORD": password}


def refuse_if_hopeless(log_lines: str, folder: Path) -> None:
    """Raise CannotStart for what trying again does not mend."""
    if "No space left on device" in log_lines:
        free_mb = shutil.disk_usage(folder).free // 1_000_000
        raise CannotStart(state_folder.disk_full(folder, free_mb=free_mb), log_lines=log_lines)


def _is_server(pid: int, data: Path) -> bool:
    """Whether the process is a server on this data folder, and not one that got the number later."""
    if Path("/proc/self").exists():
        with suppress(OSError):
            return str(data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        return False
    answer = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return str(data) in answer.stdout


def _run(seat: Seat, program: str, *arguments: str, password: str | None = None) -> None:
    answer = subprocess.run(
        seat.command(program, *arguments),
        cwd="/",
        env=environment(password),
        capture_output=True,
        text=True,
        check=False,
        user=seat.user,
        group=seat.user,
        extra_groups=None if seat.user is None else [],
    )
    if answer.returncode:
        refuse_if_hopeless(answer.stderr, seat.folder)
        raise CannotStart(
            Words(f"{program} 没有成功。", f"{program} failed."), log_lines=answer.stderr.strip()
        )
