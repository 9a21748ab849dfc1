"""The trust list that terminals check codes by: there, signed, with every key on it, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from haiyiban import clock
from haiyiban.codes import trust_file
from haiyiban.codes.jws import UntrustedList
from haiyiban.crypto import FileKeys, KeyMissing
from haiyiban.errors import Words
from haiyiban.runtime.doctor.findings import Finding, fault, fine, warning
from haiyiban.settings import Settings

SUBJECT = Words("信任列表", "Trust list")
SIGN_BEFORE = timedelta(days=30)
"""The root is at another place and people have to go there."""
_SIGN = Words(
    "请在保管根密钥的机器上运行 haiyiban trust sign，再把两个文件放入密钥目录。",
    "Run haiyiban trust sign where the root is kept, and bring its two files to the key folder.",
)


def trust_list(settings: Settings) -> Iterator[Finding]:
    """Without it no terminal believes our codes."""
    if not settings.keys_dir.exists():
        return
    try:
        trust = trust_file.published(settings.keys_dir).trust
        keys = FileKeys(settings.keys_dir).signing("code")
    except (UntrustedList, KeyMissing) as error:
        yield fault(SUBJECT, Words(f"不能用：{error}", f"cannot be used: {error}"), _SIGN)
        return
    now, listed = clock.now(), {entry.kid for entry in trust.entries}
    unlisted = [key for key in keys if key.kid not in listed]
    if unlisted:
        names = ", ".join(key.kid for key in unlisted)
        told = Words(f"没有列出密钥 {names}", f"does not name the keys {names}")
        is_in_use = any(key.not_before <= now for key in unlisted)
        yield fault(SUBJECT, told, _SIGN) if is_in_use else warning(SUBJECT, told, _SIGN)
    end = trust.expires_at
    assert end is not None, "a published list has an end"
    told = Words(f"有效期至 {end:%Y-%m-%d}", f"counts until {end:%Y-%m-%d}")
    if end <= now:
        yield fault(SUBJECT, told, _SIGN)
    elif end - now < SIGN_BEFORE:
        yield warning(SUBJECT, told, _SIGN)
    elif not unlisted:
        yield fine(SUBJECT, told)
