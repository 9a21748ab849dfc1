"""Whether a made-up province fits on the disk, before a database is half filled."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from haiyiban.errors import Words
from haiyiban.loads import Load
from haiyiban.population import Sizes
from haiyiban.runtime.refusal import CannotStart

_BESIDES = 1_000_000_000
"""Bytes for the log of the server and what it writes out while it sorts."""
_SORTED = 0.15
"""Of the whole, for the sorts of the largest index."""


def needed(loads: Sequence[Load], sizes: Sizes, made: Mapping[str, int]) -> int:
    """Bytes that what is not made yet takes: items by what an item was measured to take."""
    rows = sum((load.items(sizes) - made.get(load.table, 0)) * load.item_bytes for load in loads)
    return int(rows * (1 + _SORTED)) + _BESIDES


def free(data_directory: str) -> int | None:
    """Bytes that are free where the server keeps its data; None where that is another machine's disk."""
    folder = Path(data_directory)
    return shutil.disk_usage(folder).free if folder.is_dir() else None


def require(needs: int, has: int | None) -> None:
    """Raises CannotStart with what is needed and what is free. A disk that cannot be seen is not refused."""
    if has is not None and has < needs:
        raise CannotStart(
            Words(
                f"磁盘空间不足：需要 {gigabytes(needs)}，只剩 {gigabytes(has)}。"
                "请清理磁盘，或选择较小的规模。",
                f"The disk is too small: {gigabytes(needs)} are needed and {gigabytes(has)} are free. "
                "Free some space, or choose a smaller scale.",
            )
        )


def gigabytes(size: int) -> str:
    """For people."""
    return f"{size / 1e9:.1f} GB"
