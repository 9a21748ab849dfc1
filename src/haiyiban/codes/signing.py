"""The keys of this deployment's codes: who signs, whose signature counts, how a cti is opened.

Keys are read again once a minute, so a rotation needs no restart: a new key is listed from the moment it
is in the folder and signs from its `notBefore`; all listed ones are accepted.

Source: schemas/codes/README.md §4; docs/domain.md §4.3.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from haiyiban.codes import kinds
from haiyiban.codes.cti import KEY_BYTES, CtiCipher
from haiyiban.codes.trust import TrustEntry, TrustList, sign_trust_list
from haiyiban.crypto import FileKeys, SigningKey
from haiyiban.settings import Settings
from haiyiban.wire import API

CODE_LIFE = timedelta(seconds=60)
LIST_LIFE = timedelta(hours=48)
_LIST_STEP = timedelta(minutes=10)
_KEY_LIFE = timedelta(days=366)
_REREAD_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class CodeKeys:
    """What showing and verifying need, as read at one moment."""

    issuer: str
    signing: tuple[SigningKey, ...]
    root: SigningKey
    cti: CtiCipher
    trust: TrustList
    read_at: float
    public_url: str

    def status_list_uri(self, list_id: int) -> str:
        """The address that printed codes carry for years."""
        return f"{self.public_url}{API}/status-lists/{list_id}"

    def signer(self, now: datetime) -> SigningKey:
        """The newest key whose time has come."""
        return [key for key in self.signing if key.not_before <= now][-1]


_keys: CodeKeys | None = None


def code_keys(now: datetime) -> CodeKeys:
    """The keys of this process. Raises KeyMissing."""
    global _keys
    if _keys is None or time.monotonic() - _keys.read_at > _REREAD_SECONDS:
        _keys = _read(Settings.from_env(), now)
    return _keys


def published_list(now: datetime) -> tuple[str, TrustList]:
    """The trust list as terminals fetch it, and what it says. The same for ten minutes in every process."""
    keys = code_keys(now)
    step = int(_LIST_STEP.total_seconds())
    issued_at = datetime.fromtimestamp(int(now.timestamp()) // step * step, UTC)
    trust = TrustList(
        _entries(keys.signing, issued_at), issued_at=issued_at, expires_at=issued_at + LIST_LIFE
    )
    return sign_trust_list(trust, keys.root), trust


def _read(settings: Settings, now: datetime) -> CodeKeys:
    folder = FileKeys(settings.keys_dir)
    signing = tuple(folder.signing("code"))
    return CodeKeys(
        issuer=settings.issuer,
        signing=signing,
        root=folder.signing("trust-root")[-1],
        # The first key for good: ids of codes are opened for as long as their verifications are kept.
        cti=CtiCipher(next(iter(folder.secrets("cti").values()))[:KEY_BYTES]),
        trust=TrustList(_entries(signing, now), issued_at=now),
        read_at=time.monotonic(),
        public_url=settings.public_url,
    )


def _entries(signing: tuple[SigningKey, ...], at: datetime) -> list[TrustEntry]:
    return [
        TrustEntry.of(
            key.public, kinds=kinds.offered(), not_before=key.not_before, not_after=at + _KEY_LIFE
        )
        for key in signing
    ]
