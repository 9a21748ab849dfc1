"""The compiled catalogue between two starts: `catalogue/<key>-<sum>.sqlite` in the state folder.

The key stands for everything that it was made from, the program's own files among it, so a change of any of
them is a new key; the sum is that of its bytes, so a damaged one is none. The rules that matter files must
pass are those of the process that compiled it: one that somebody else could have written is not read.
"""

import fcntl
import hashlib
import logging
import os
import sqlite3
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

log = logging.getLogger(__name__)

_KEPT = 2
"""Catalogues that stay: processes of an older program may still start while a newer one is rolled out."""
_CHUNK = 1 << 20


def opened(
    home: Path, sources: Sequence[Path], make: Callable[[sqlite3.Connection], None]
) -> sqlite3.Connection:
    """What `make` writes from the files below `sources`, kept in `home`; in memory where it cannot be kept.

    Raises what `make` raises; nothing is kept then.
    """
    if home.is_dir():  # a command may run where no state is
        try:
            return _reading(_kept(home, _key(sources), make))
        except (OSError, sqlite3.Error) as error:
            log.warning("the catalogue is compiled for this process alone: %s", error)
    compiled = in_memory()
    make(compiled)
    return compiled


def in_memory() -> sqlite3.Connection:
    """An empty database for one process; all its threads may read what it is filled with."""
    return sqlite3.connect(":memory:", check_same_thread=False)


def _kept(home: Path, key: str, make: Callable[[sqlite3.Connection], None]) -> Path:
    """The file of a key, made where there is none. Raises OSError, sqlite3.Error."""
    folder = _own_folder(home)
    if kept := _sound(folder, key):
        return kept
    with _alone(folder):  # of several processes that start at once, one compiles
        return _sound(folder, key) or _made(folder, key, make)


def _own_folder(home: Path) -> Path:
    """The folder in the state folder, which nobody else may write. Raises OSError."""
    folder = home / "catalogue"
    folder.mkdir(mode=0o700, exist_ok=True)
    if not _is_ours(folder):
        raise PermissionError(f"others may write {folder}")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{folder} cannot be written")
    return folder


def _is_ours(path: Path) -> bool:
    """Whether it is this user's, and nobody else can write it. Raises OSError."""
    stat = path.lstat()
    return stat.st_uid == os.geteuid() and not stat.st_mode & 0o022


def _key(sources: Sequence[Path]) -> str:
    """Of every file's path, size and times; the second of them cannot be set by hand."""
    parts = [sys.version]
    for source in sources:
        parts.append(str(source))
        parts += sorted(_files(str(source)))
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def _files(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            else:
                stat = entry.stat()
                yield f"{entry.path} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _sound(folder: Path, key: str) -> Path | None:
    """The file of a key if it is ours and whole."""
    for file in folder.glob(f"{key}-*.sqlite"):
        if _is_ours(file) and file.is_file() and file.name == _name(key, file):
            return file
        log.warning("a compiled catalogue is damaged or another's, and is not read: %s", file.name)
    return None


def _made(folder: Path, key: str, make: Callable[[sqlite3.Connection], None]) -> Path:
    partial = folder / "partial"
    partial.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(partial)) as into:
            # No journal and no waiting for the disk: after a power cut the sum does not fit.
            into.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
            make(into)
        partial.chmod(0o600)
        for damaged in folder.glob(f"{key}-*.sqlite"):
            damaged.unlink()
        kept = partial.rename(folder / _name(key, partial))
    finally:
        partial.unlink(missing_ok=True)  # what is half done takes room that keys and logs may need
    by_age = sorted(folder.glob("*.sqlite"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in by_age[_KEPT:]:
        file.unlink(missing_ok=True)
    return kept


def _name(key: str, file: Path) -> str:
    """Of a kept file by what it was made from and what is in it."""
    total = 0
    with file.open("rb", buffering=0) as bytes_:
        while chunk := bytes_.read(_CHUNK):
            total = zlib.crc32(chunk, total)
    return f"{key}-{total:08x}.sqlite"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process compiles here."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _reading(file: Path) -> sqlite3.Connection:
    """For reading, by all threads; it never changes, so nothing is locked."""
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro&immutable=1", uri=True, check_same_thread=False)
