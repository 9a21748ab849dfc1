"""The keys in the state folder: all there, in use, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from haiyiban import clock
from haiyiban.crypto import FileKeys, KeyMissing
from haiyiban.errors import Words
from haiyiban.new_keys import SECRET_PURPOSES, SIGNING_PURPOSES
from haiyiban.runtime.doctor.findings import Finding, fault, fine, unknown, warning
from haiyiban.settings import Settings

SUBJECT = Words("密钥", "Keys")
KEPT_LONG_ENOUGH = timedelta(days=365)
"""A signing key is replaced once a year, so that what a thief of last year holds is worth nothing."""

_LOST = Words(
    "请从备份恢复该文件；不要新建，否则已加密的数据打不开、已签发的无法核验。",
    "Restore the file from its backup; with a new one, what it sealed is lost.",
)
_NEVER_MADE = Words(
    "请从备份恢复该文件；若升级后从未有过，请运行 haiyiban keys create，并公布 haiyiban audit key。",
    "Restore it from its backup; after an upgrade, run haiyiban keys create and publish haiyiban audit key.",
)
"""Of what came later than the first deployments."""


def signing(settings: Settings) -> Iterator[Finding]:
    """Every purpose has its keys, and each signing key is of this year."""
    if not settings.keys_dir.exists():
        yield unknown(SUBJECT, Words(f"{settings.keys_dir} 不存在", f"{settings.keys_dir} does not exist"))
        return
    keys, now, is_whole = FileKeys(settings.keys_dir), clock.now(), True
    for purpose in (*SIGNING_PURPOSES, *SECRET_PURPOSES):
        try:
            found = keys.signing(purpose) if purpose in SIGNING_PURPOSES else []
            _ = keys.secrets(purpose) if purpose in SECRET_PURPOSES else {}
        except (KeyMissing, ValueError, KeyError):
            is_whole = False
            yield fault(
                SUBJECT,
                Words(f"缺少或无法读取：{purpose}", f"missing or unreadable: {purpose}"),
                _NEVER_MADE if purpose == "checkpoint" else _LOST,
            )
            continue
        in_use = [key for key in found if key.not_before <= now][-1:]
        if found and not in_use:
            is_whole = False
            yield fault(
                SUBJECT,
                Words(f"{purpose} 的密钥都还没到启用时间", f"no key of {purpose} may sign yet"),
                Words("请检查本机时钟，或恢复上一把密钥。", "Check this clock, or restore the key before."),
            )
        for key in in_use:
            if key is found[-1] and key.made_at and now - key.made_at > KEPT_LONG_ENOUGH:
                is_whole = False
                yield warning(
                    SUBJECT,
                    Words(
                        f"{purpose} 的密钥已用 {(now - key.made_at).days} 天",
                        f"the key of {purpose} is {(now - key.made_at).days} days old",
                    ),
                    Words(f"请运行 {_rotating(purpose)}。", f"Run {_rotating(purpose)}."),
                )
    if is_whole:
        yield fine(SUBJECT, Words("齐全", "complete"))


def _rotating(purpose: str) -> str:
    """The command that brings a new key of a purpose."""
    # A document's key is worth nothing without a certificate for it.
    return (
        "haiyiban certificate request --new-key"
        if purpose == "document"
        else f"haiyiban keys rotate {purpose}"
    )
