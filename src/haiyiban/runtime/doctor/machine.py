"""This machine: programs, ports, the state folder and its disk."""

from __future__ import annotations

import json
import os
import platform
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from haiyiban.errors import Words
from haiyiban.runtime import ports, state_folder
from haiyiban.runtime.doctor.findings import Finding, fault, fine, warning
from haiyiban.settings import Settings

_ANSWERS_WITHIN_SECONDS = 3.0


def programs() -> Iterator[Finding]:
    """Which versions run here; too old a Python could not have started this."""
    told = f"haiyiban {version('haiyiban')}, Python {platform.python_version()}, {platform.platform()}"
    yield fine(Words("程序", "Programs"), Words(told, told))


def folder(settings: Settings) -> Iterator[Finding]:
    """The state folder can be written to, and its disk has room."""
    subject, home = Words("数据目录", "State folder"), settings.home
    if not home.exists():
        yield warning(
            subject,
            Words(f"{home} 还不存在", f"{home} does not exist yet"),
            Words(
                "首次运行 haiyiban up 会创建它；若数据在别处，请设置 HAIYIBAN_HOME。",
                "haiyiban up makes it; if your data is elsewhere, set HAIYIBAN_HOME.",
            ),
        )
        return
    if not os.access(home, os.W_OK | os.X_OK):
        yield fault(
            subject,
            Words(f"{home} 不可写", f"{home} cannot be written to"),
            Words("请检查目录的属主和权限。", "Check its owner and permissions."),
        )
    else:
        yield fine(subject, Words(str(home), str(home)))
    free, needed = state_folder.room(home)
    disk = Words("磁盘", "Disk")
    left = Words(f"剩余 {free} MB", f"{free} MB are left")
    more = Words(
        "请清理磁盘或换更大的磁盘；写满后数据库会停止接受写入。",
        "Free some space or take a larger disk; PostgreSQL stops writing when it is full.",
    )
    if free < needed:
        yield fault(disk, left, more)
    elif free < 4 * needed:
        yield warning(disk, left, more)
    else:
        yield fine(disk, left)


def secrecy(settings: Settings) -> Iterator[Finding]:
    """Nobody but the service's user can read a key."""
    subject, keys = Words("密钥文件权限", "Key files"), settings.keys_dir
    if not keys.exists():
        return
    open_files = sorted(
        file.name
        for file in keys.iterdir()
        if file.suffix == ".json" and stat.S_IMODE(file.stat().st_mode) & 0o077
    )
    if open_files:
        names = ", ".join(open_files)
        yield fault(
            subject,
            Words(f"其他用户可读：{names}", f"readable by others: {names}"),
            Words(
                f"请运行 chmod 600 {keys}/*.json，并视为已泄露：haiyiban keys rotate。",
                f"Run chmod 600 {keys}/*.json, and treat them as known: haiyiban keys rotate.",
            ),
        )
    else:
        yield fine(subject, Words("只有本服务用户可读", "readable by the service's user alone"))


def addresses(settings: Settings) -> Iterator[Finding]:
    """The API's port is ours or free."""
    port = settings.port
    subject = Words(f"端口 {port}", f"Port {port}")
    if ports.is_free(port):
        yield warning(
            subject,
            Words("空闲：平台没有在这台机器的此端口运行", "free: the platform does not run on it here"),
            Words(
                "演示：haiyiban up；生产：haiyiban serve。", "Demo: haiyiban up; production: haiyiban serve."
            ),
        )
        return
    ready = _health(port, "/health/ready")
    if ready == "ready":
        yield fine(subject, Words("海易办在运行且可以服务", "Haiyiban runs and can serve"))
    elif _health(port, "/health/live") == "live":
        yield fault(
            subject,
            Words("海易办在运行，但还不能服务", "Haiyiban runs and cannot serve"),
            Words("请看下面的数据库检查和 api.log。", "See the database below, and api.log."),
        )
    else:
        holder = ports.holder(port)
        yield fault(
            subject,
            Words(f"被别的程序占用 {holder}", f"taken by another program {holder}"),
            Words(
                f"请停止它，或换端口：HAIYIBAN_PORT={ports.any_free()}。",
                f"Stop it, or take another port: HAIYIBAN_PORT={ports.any_free()}.",
            ),
        )


def servers_of(home: Path) -> dict[str, str]:
    """The addresses of the embedded servers while `haiyiban up` runs on this folder; else nothing."""
    try:
        told: dict[str, str] = json.loads((home / state_folder.SERVERS).read_bytes())
    except (OSError, ValueError):
        return {}
    return told


def _health(port: int, path: str) -> str | None:
    try:
        address = f"http://127.0.0.1:{port}{path}"
        with urllib.request.urlopen(address, timeout=_ANSWERS_WITHIN_SECONDS) as answer:
            told: str | None = json.loads(answer.read()).get("status")
    except (OSError, ValueError, AttributeError, urllib.error.URLError):
        return None
    return told
