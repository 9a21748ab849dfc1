"""When a key comes onto the trust list and when it leaves it, so that no code fails while keys change. Pure.

A new key is listed a day before its first use, since a terminal's list may be a day old. An old key stays
until the last thing it signed has ended, which for printed codes is years. A server signs with a key a minute
after its time has come, so that a terminal whose clock is behind knows it too.

Source: schemas/codes/README.md §4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from haiyiban.codes.trust import USE_LISTS, TrustEntry
from haiyiban.crypto import SigningKey

LISTED_BEFORE_USE = timedelta(days=1)
SIGNS_AFTER = timedelta(minutes=1)
PRINTED_LIFE_MOST = timedelta(days=20 * 365)
"""A print of a certificate with no end, or one further away, is made anew after this time."""
CODES_COUNT_FOR = PRINTED_LIFE_MOST + timedelta(days=1)
LISTS_COUNT_FOR = timedelta(days=2)


def next_entries(
    previous: Sequence[TrustEntry],
    *,
    codes: Sequence[SigningKey],
    lists: Sequence[SigningKey],
    kinds: Iterable[int],
    now: datetime,
    until: datetime,
) -> list[TrustEntry]:
    """The entries of the next trust list, which ends at `until`. Keys are given oldest first.

    A key whose private half was destroyed stays as it was listed.
    """
    entries = []
    for use, keys, signs, counts_for in (
        (None, codes, tuple(kinds), CODES_COUNT_FOR),
        (USE_LISTS, lists, (), LISTS_COUNT_FOR),
    ):
        known = [entry for entry in previous if entry.use == use]
        starts = _starts(keys, known, now)
        entries += [entry for entry in known if entry.kid not in {key.kid for key in keys}]
        for number, (key, start) in enumerate(zip(keys, starts, strict=True)):
            later = zip(starts[number + 1 :], keys[number + 1 :], strict=True)
            stops = min((at for at, newer in later if newer.revoked_at is None), default=until)
            entries.append(
                TrustEntry.of(
                    key.public,
                    kinds=signs,
                    use=use,
                    not_before=start,
                    not_after=max(stops, start) + SIGNS_AFTER + counts_for,
                    revoked_at=key.revoked_at,
                )
            )
    return [entry for entry in entries if entry.not_after > now]


def signer(keys: Sequence[SigningKey], entries: Iterable[TrustEntry], now: datetime) -> SigningKey | None:
    """The newest of our keys that every terminal knows by now; None when there is none."""
    usable = {
        entry.kid: entry.not_before for entry in entries if entry.not_before + SIGNS_AFTER <= now < entry.ends
    }
    known = [key for key in keys if key.kid in usable and key.revoked_at is None]
    return max(known, key=lambda key: usable[key.kid], default=None)


def _starts(keys: Sequence[SigningKey], known: Sequence[TrustEntry], now: datetime) -> list[datetime]:
    """From when on each key is used. What terminals were told once stays."""
    told = {entry.kid: entry.not_before for entry in known}
    # Terminals that hold no key that counts gain nothing by waiting for the next.
    earliest = now + LISTED_BEFORE_USE if any(entry.ends > now for entry in known) else None
    starts = [
        told.get(key.kid) or (max(key.not_before, earliest) if earliest else key.not_before) for key in keys
    ]
    signs_now = [
        key for key, start in zip(keys, starts, strict=True) if start <= now and key.revoked_at is None
    ]
    if not signs_now and keys and keys[-1].revoked_at is None:
        starts[-1] = now - SIGNS_AFTER
    return starts
