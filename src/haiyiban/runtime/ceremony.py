"""The signing of the trust list as the demo plays it, with a root that is made on the spot.

In production people do it, with the root at another place: `haiyiban trust sign`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from haiyiban.codes import trust_file
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.rotation import next_entries
from haiyiban.codes.trust import TrustEntry, TrustList
from haiyiban.crypto import FileKeys, SigningKey
from haiyiban.new_keys import ROOT_PURPOSE
from haiyiban.runtime import discovery
from haiyiban.settings import Settings


def play(settings: Settings, now: datetime) -> None:
    """Leave a signed list in the servers' key folder that says what their keys are now.

    Signs only when there is something to say: keys came or went, or two thirds of the list's life are over.
    """
    home = settings.home / "offline-root"
    _move_root(settings.keys_dir, home)
    FileKeys.create_root(home, settings.suite)
    root = trust_file.root_of(home)
    keys = FileKeys.create(settings.keys_dir, settings.suite)
    kinds = discovery.code_kinds(settings.zones)
    earlier = _earlier(keys.folder, root, now)
    if earlier is None or _is_due(earlier, keys, kinds, now):
        trust_file.sign(keys.folder, root, kinds=kinds, now=now, earlier=earlier)


def _move_root(keys: Path, home: Path) -> None:
    """Earlier versions had the root among the servers' keys; terminals pinned it, so it goes on."""
    old = keys / f"{ROOT_PURPOSE}.json"
    if not old.exists():
        return
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = home / old.name
    if new.exists():
        # An earlier version ran again and made a root that nobody pinned.
        new = home / f"{ROOT_PURPOSE}-{FileKeys(keys).signing(ROOT_PURPOSE)[-1].kid}.json"
    old.replace(new)


def _earlier(folder: Path, root: SigningKey, now: datetime) -> TrustList | None:
    """The list there; None for one that cannot be followed: damaged, another root's, or of a moved clock."""
    try:
        earlier = trust_file.signed_before(folder, root)
    except UntrustedList:
        return None
    return earlier if earlier is not None and earlier.issued_at <= now else None


def _is_due(earlier: TrustList, keys: FileKeys, kinds: Sequence[int], now: datetime) -> bool:
    assert earlier.expires_at is not None
    if earlier.expires_at - now < (earlier.expires_at - earlier.issued_at) / 3:
        return True
    entries = next_entries(
        earlier.entries,
        codes=keys.signing("code"),
        lists=keys.signing("list"),
        kinds=kinds,
        now=now,
        until=earlier.expires_at,
    )
    return list(map(_who, entries)) != list(map(_who, earlier.entries))


def _who(entry: TrustEntry) -> TrustEntry:
    """An entry without its end, which moves with each signing."""
    return msgspec.structs.replace(entry, not_after=entry.not_before)
