"""Ports on the loopback interface: find one, keep it, say who has it."""

from __future__ import annotations

import socket
from pathlib import Path

from haiyiban.errors import Words
from haiyiban.runtime.refusal import CannotStart

_LISTENING = "0A"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def any_free() -> int:
    """A port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def remembered(memory: Path) -> int:
    """The port of last time if it is still free, else a new one, remembered."""
    try:
        port = int(memory.read_text())
    except (FileNotFoundError, ValueError):
        port = 0
    if not port or not is_free(port):
        port = any_free()
        memory.write_text(str(port))
    return port


def require(port: int, variable: str) -> None:
    """Refuse to start when a port that people know is taken: which, by whom, and what to set instead."""
    if is_free(port):
        return
    found, other = holder(port), any_free()
    raise CannotStart(
        Words(
            f"端口 {port} 已被占用{f'（{found}）' if found else ''}。"
            f"请停止占用它的程序，或换一个端口，例如 {variable}={other}。",
            f"Port {port} is in use{f' by {found}' if found else ''}. "
            f"Stop that program, or choose another port: {variable}={other}.",
        )
    )


def holder(port: int) -> str:
    """The program that listens on the port, as "name, pid"; empty where the system does not tell."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*") if sockets else ():
        try:
            if any(str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()}, pid {process.name}"
        except OSError:
            continue
    return ""


def _listening_inodes(port: int) -> list[str]:
    inodes = []
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        try:
            rows = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.append(fields[9])
    return inodes
