"""The state folder ($HAIYIBAN_HOME): one owner at a time, room on its disk, files written whole."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from haiyiban.errors import Words
from haiyiban.runtime.refusal import CannotStart

SERVERS = "servers.json"
"""In the folder while `haiyiban up` runs on it: the addresses of its embedded servers, for our user alone."""
NEEDED_MB = 500
"""Room for a new database, its write-ahead log and a demo; `HAIYIBAN_DISK_NEEDED_MB` changes it."""


def prepare(folder: Path) -> Path:
    """Make the folder. Others may pass through it (the database runs as another user) but not list it."""
    try:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotStart(
            Words(
                f"无法写入数据目录 {folder}（{error.strerror}）。"
                "请检查权限和磁盘，或用 HAIYIBAN_HOME 指定另一个目录。",
                f"Cannot write to the state folder {folder} ({error.strerror}). "
                "Check its permissions and the disk, or point HAIYIBAN_HOME to another folder.",
            )
        ) from error
    return folder.resolve()


def require_room(folder: Path) -> None:
    """Refuse to start on a full disk, before a database is half written to it."""
    free_mb, needed_mb = room(folder)
    if free_mb < needed_mb:
        raise CannotStart(disk_full(folder, free_mb=free_mb, needed_mb=needed_mb))


def room(folder: Path) -> tuple[int, int]:
    """What is free on the folder's disk and what is needed at least, in MB."""
    needed_mb = int(os.environ.get("HAIYIBAN_DISK_NEEDED_MB", NEEDED_MB))
    return shutil.disk_usage(folder).free // 1_000_000, needed_mb


def disk_full(folder: Path, *, free_mb: int, needed_mb: int = NEEDED_MB) -> Words:
    """The words for a full disk."""
    return Words(
        f"磁盘空间不足：{folder} 只剩 {free_mb} MB，至少需要 {needed_mb} MB。"
        "请清理磁盘，或用 HAIYIBAN_HOME 换一个目录。",
        f"The disk is full: {free_mb} MB are left at {folder}, {needed_mb} MB are needed. "
        "Free some space, or point HAIYIBAN_HOME to another disk.",
    )


@contextmanager
def held(lock: Path) -> Iterator[None]:
    """Hold the lock file while inside; the system lets go of it however the process ends."""
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip() or "?"
            raise CannotStart(
                Words(
                    f"海易办已在这个目录运行（进程 {pid}，目录 {lock.parent}）。"
                    "请先停止它，或用 HAIYIBAN_HOME 换一个目录。",
                    f"Already running here (pid {pid}, folder {lock.parent}). "
                    "Stop it first, or point HAIYIBAN_HOME to another folder.",
                )
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a file that only we may read, whole or not at all, even if the power goes."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
