"""The keys of this deployment's codes: who signs, whose signature counts, how a cti is opened.

What counts is what the signed trust list says, which terminals read too; a key that is revoked here counts no
more at once, before the next list is signed. Keys and list are read again every half minute, so neither a
rotation nor a revocation needs a restart. When they cannot be read, the last good ones go on.

Source: schemas/codes/README.md §4; docs/domain.md §4.3.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from haiyiban.codes.cti import KEY_BYTES, CtiCipher
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.rotation import signer
from haiyiban.codes.trust import TrustEntry, TrustList
from haiyiban.codes.trust_file import Published, published
from haiyiban.crypto import FileKeys, KeyMissing, SigningKey
from haiyiban.errors import Unavailable, Words
from haiyiban.settings import Settings
from haiyiban.wire import API

log = logging.getLogger("haiyiban.codes")

CODE_LIFE = timedelta(seconds=60)
_REREAD_SECONDS = 30.0


class TrustListMissing(Unavailable):
    """No signed trust list can be read, so nobody's signature counts; what to do is for the operator."""

    type = "codes/trust-list-missing"
    title = Words(
        "亮证码暂不可用：平台还没有可用的信任列表，请运维人员运行 haiyiban trust sign",
        "Codes are unavailable: the platform has no usable trust list; its operator runs haiyiban trust sign",
    )


class NoKeySigns(Unavailable):
    """No key of ours is on the trust list and in its time."""

    type = "codes/no-key-signs"
    title = Words(
        "亮证码暂不可用：信任列表里没有可用的签发密钥，请运维人员更换密钥并重新签发信任列表",
        "Codes are unavailable: the trust list names no key of ours that may sign; its operator rotates the "
        "key and signs the list again",
    )


@dataclass(frozen=True, slots=True)
class CodeKeys:
    """What showing and verifying need, as read at one moment."""

    issuer: str
    signing: tuple[SigningKey, ...]
    lists: tuple[SigningKey, ...]
    cti: CtiCipher
    trust: TrustList
    published: Published
    read_at: float
    public_url: str

    def signer(self, now: datetime) -> SigningKey:
        """Who signs codes now: the newest key that every terminal knows. Raises NoKeySigns."""
        return self._signer(self.signing, now)

    def list_signer(self, now: datetime) -> SigningKey:
        """Who signs deny-lists and status lists now. Raises NoKeySigns."""
        return self._signer(self.lists, now)

    def status_list_uri(self, list_id: int) -> str:
        """The address that printed codes carry for years."""
        return f"{self.public_url}{API}/status-lists/{list_id}"

    def _signer(self, keys: tuple[SigningKey, ...], now: datetime) -> SigningKey:
        found = signer(keys, self.trust.entries, now)
        if found is None:
            raise NoKeySigns
        return found


_keys: CodeKeys | None = None


def code_keys(now: datetime) -> CodeKeys:
    """The keys of this process. Raises TrustListMissing."""
    global _keys
    if _keys is None or time.monotonic() - _keys.read_at > _REREAD_SECONDS:
        _keys = _read(Settings.from_env(), now, _keys)
    return _keys


def _read(settings: Settings, now: datetime, last: CodeKeys | None) -> CodeKeys:
    folder = FileKeys(settings.keys_dir)
    try:
        found = published(folder.folder)
        signing, lists = tuple(folder.signing("code")), tuple(folder.signing("list"))
        # The first key for good: ids of codes are opened for as long as their verifications are kept.
        key, suite = next(iter(folder.secrets("cti").values()))
        cti = CtiCipher(key[:KEY_BYTES], suite)
    except (UntrustedList, KeyMissing, ValueError) as error:
        log.error("the trust list or its keys cannot be read: %s", error)
        if last is None:
            raise TrustListMissing from None
        return dataclasses.replace(last, read_at=time.monotonic())
    if found.trust.is_stale(now.timestamp()):
        log.error("the trust list has ended: terminals refuse every code until haiyiban trust sign is run")
    return CodeKeys(
        issuer=settings.issuer,
        signing=signing,
        lists=lists,
        cti=cti,
        trust=_judging(found.trust, (*signing, *lists)),
        published=found,
        read_at=time.monotonic(),
        public_url=settings.public_url,
    )


def _judging(trust: TrustList, keys: tuple[SigningKey, ...]) -> TrustList:
    """The published list as the server judges by it: without its end, for the server asks the source too, and
    without what was revoked since."""
    revoked = {key.kid: key.revoked_at for key in keys if key.revoked_at is not None}

    def known(entry: TrustEntry) -> TrustEntry:
        ends = revoked.get(entry.kid)
        if ends is None or (entry.revoked_at is not None and entry.revoked_at <= ends):
            return entry
        return msgspec.structs.replace(entry, revoked_at=ends)

    return TrustList(map(known, trust.entries), issued_at=trust.issued_at)
