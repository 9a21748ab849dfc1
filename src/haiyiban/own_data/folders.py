"""Every folder that may keep something of a person, whichever zones are served here.

A zone that is switched off keeps its rows until its data are deleted (`haiyiban end-zone`), so a person is
told of them and may have them deleted all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from haiyiban.zone import Zone

_folders: tuple[Zone, ...] = ()


def install(folders: Iterable[Zone]) -> None:
    """The features and zones of this process; done once at its start."""
    global _folders
    _folders = tuple(folders)


def installed() -> tuple[Zone, ...]:
    """Features first, then zones, in the order of their names."""
    return _folders
