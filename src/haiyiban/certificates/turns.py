"""The one thread in which documents are drawn and signed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

in_turn: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents")
"""Documents are made one after the other, in a thread of their own, so that many at once keep no other work
of the process waiting. A compiler of typst may not be used by two threads anyway."""
