"""The deny-list as this process publishes it: asked of the database at most twice a second, signed when it
changed or a minute is over.

The time in a list is that of its minute, so that all processes sign the same text for the same entries.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from haiyiban.codes import deny_list, deny_source
from haiyiban.codes.deny_list import Changes, DenyList
from haiyiban.codes.deny_source import Difference
from haiyiban.codes.signing import CodeKeys

_FRESH_SECONDS = 0.5
_REBUILT_AFTER = timedelta(minutes=10)
_MINUTE = 60
_TRUST_LIST_SPREADS = timedelta(hours=1)
"""A new trust list is asked for only when every process has it and every terminal had time to fetch it."""


class DenyListPublisher:
    """Keeps the entries of the moment; what changed is asked for, and all of it every ten minutes."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._entries: frozenset[bytes] = frozenset()
        self._as_of: datetime | None = None
        self._built_at = datetime.min.replace(tzinfo=UTC)
        self._asked = 0.0
        self._since: dict[int, Difference] = {}

    @property
    def as_of(self) -> datetime | None:
        """When the entries were last asked for; None before the first time."""
        return self._as_of

    async def text(self, since: int | None, *, keys: CodeKeys, now: datetime) -> str:
        """The list, or its changes since one of `since` (seconds since 1970) where those are shorter."""
        async with self._lock:
            await self._refresh(now)
            assert self._as_of is not None
            as_of = self._as_of
            minute = datetime.fromtimestamp(int(as_of.timestamp()) // _MINUTE * _MINUTE, UTC)
            trust_at = keys.published.trust.issued_at
            known = trust_at if as_of - trust_at > _TRUST_LIST_SPREADS else None
            signer = keys.list_signer(now)
            if since is not None and (as_of - deny_source.REACH).timestamp() < since <= minute.timestamp():
                added, removed = await self._changes(since // _MINUTE, as_of)
                if len(added) + len(removed) < len(self._entries) or not self._entries:
                    return deny_list.sign(Changes(since, added, removed, minute, known), signer)
            return deny_list.sign(DenyList(self._entries, minute, known), signer)

    async def _refresh(self, now: datetime) -> None:
        asked = time.monotonic()
        if self._as_of is None or now < self._as_of or now - self._built_at > _REBUILT_AFTER:
            self._entries = await deny_source.entries(now)
            self._built_at = now
        elif asked - self._asked < _FRESH_SECONDS:
            return
        else:
            added, removed = await deny_source.difference(self._as_of, now)
            self._entries = (self._entries - removed) | added
        self._as_of, self._asked = now, asked
        self._since.clear()

    async def _changes(self, minute: int, now: datetime) -> Difference:
        if minute not in self._since:
            added, removed = await deny_source.difference(datetime.fromtimestamp(minute * _MINUTE, UTC), now)
            touched = added | removed
            # By the entries that are published, not by those of a moment later.
            self._since[minute] = Difference(touched & self._entries, touched - self._entries)
        return self._since[minute]


publisher = DenyListPublisher()
"""Of this process."""
