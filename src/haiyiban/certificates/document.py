"""The printable document of a certificate: one A4 page in Chinese, drawn from data alone.

The layout is certificate.typ; what it shows is handed over as JSON, so no text can act as markup. Nothing is
written to a disk. The font has the rare characters of names (䶮 㛃 𠅤).

Source: docs/domain.md §4.2 (only a valid certificate is shown without a red banner).
"""

from __future__ import annotations

import asyncio
import threading
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec
import noto_cjk_sans_otc
import typst

from haiyiban.certificates.models import Certificate
from haiyiban.certificates.rules import STATUS_WORDS, Status
from haiyiban.certificates.types import type_of
from haiyiban.clock import SHANGHAI
from haiyiban.errors import Words

_HOW_TO_VERIFY: Final = Words(
    "如何核验：请持证人打开海易办出示亮证码，由核验方扫码核对；打印件和截图本身不能证明证照仍然有效。",
    "To verify, ask the holder to show the code in Haiyiban and scan it; a print or picture proves nothing.",
)

# A compiler of typst may not be used by two threads at once; a page takes some 20 ms.
_one_at_a_time = threading.Lock()


async def render(certificate: Certificate, *, status: Status, now: datetime) -> bytes:
    """The document as PDF, with a red banner where the certificate is not valid."""
    data = contents(certificate, status=status, now=now)
    return await asyncio.to_thread(_compile, msgspec.json.encode(data).decode())


def contents(certificate: Certificate, *, status: Status, now: datetime) -> dict[str, Any]:
    """What the document says, as the layout takes it."""
    kind = type_of(certificate)
    statement = kind.description.statement
    return {
        "title": kind.name.zh,
        "titleEn": kind.name.en,
        "statement": statement.zh,
        "statementEn": statement.en,
        "rows": [
            {"claim": line.claim, "title": line.title.zh, "titleEn": line.title.en, "text": line.text.zh}
            for line in kind.lines(certificate.claims)
        ],
        "issuer": certificate.issuer,
        "issuedOn": _day(certificate.issued_on),
        "validity": _validity(certificate.valid_from, certificate.valid_until),
        "version": f"第 {certificate.version} 版",
        "number": certificate.identifier,
        "status": status.value,
        "headline": "暂停使用" if status is Status.SUSPENDED else "已失效",
        "explanation": "本证照" + STATUS_WORDS[status].zh + "，不得作为凭证使用。",
        "howToVerify": _HOW_TO_VERIFY.zh,
        "howToVerifyEn": _HOW_TO_VERIFY.en,
        "madeAt": now.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
    }


def _compile(data: str) -> bytes:
    with _one_at_a_time:
        pdf: bytes = _compiler().compile(input=_layout(), format="pdf", sys_inputs={"data": data})
    return pdf


@cache
def _compiler() -> Any:
    """One compiler for the process: reading the fonts takes longer than a page."""
    folder = Path(str(noto_cjk_sans_otc.FONT_PATH)).parent
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    return typst.Compiler(input=_layout(), font_paths=fonts)


@cache
def _layout() -> bytes:
    return files("haiyiban.certificates").joinpath("certificate.typ").read_bytes()


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _validity(start: date, end: date | None) -> str:
    return f"{_day(start)}起长期有效" if end is None else f"{_day(start)} 至 {_day(end)}"
