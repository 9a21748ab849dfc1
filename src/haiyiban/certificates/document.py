"""The printable document of a certificate: one A4 page in Chinese, drawn from data alone.

The layout is certificate.typ. The printed code is on the page as a picture for scanners and in the file's
keywords as text, so that a program needs no scanner.

Source: docs/domain.md §4.2 (only a valid certificate is shown without a red banner); docs/documents.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from haiyiban.certificates import signed_page
from haiyiban.certificates.models import Certificate
from haiyiban.certificates.rules import STATUS_WORDS, Status
from haiyiban.certificates.types import type_of
from haiyiban.clock import SHANGHAI
from haiyiban.errors import Words

if TYPE_CHECKING:
    from haiyiban.audit.proving import Sealed
    from haiyiban.certificates.signing import Signed

_HOW_TO_VERIFY: Final = Words(
    "如何核验：扫描本页二维码，即可知道证照现在是否有效。收到的是电子文件的，还可以用 PDF 阅读器或命令 "
    "haiyiban certificate verify 核对电子签名。打印件和截图本身不能证明证照仍然有效。",
    "To verify, scan the code on this page: it tells how the certificate stands now. The file's signature is "
    "checked by a PDF reader or by haiyiban certificate verify. A print or picture by itself proves nothing.",
)
_ISSUE: Final = Words("签发", "issue")


@dataclass(frozen=True, slots=True)
class PrintedCode:
    """The code on the page: its text, and its picture with the quiet zone around it."""

    text: str
    svg: str


async def make(
    certificate: Certificate, *, status: Status, code: PrintedCode, sealed: Sealed | None, now: datetime
) -> Signed:
    """The document, signed. `sealed`: the proof that its issue is in the audit's log, where it is there
    already. Raises DocumentsNotSigned."""
    page = await render(certificate, status=status, code=code, sealed=sealed, now=now)
    return await signed_page.sign(page, reason=type_of(certificate).name.zh, now=now)


async def render(
    certificate: Certificate,
    *,
    status: Status,
    code: PrintedCode,
    now: datetime,
    sealed: Sealed | None = None,
) -> bytes:
    """The page as PDF, with a red banner where the certificate is not valid."""
    shown = contents(certificate, status=status, code=code, now=now)
    audit = signed_page.audit_words(sealed, _ISSUE)
    return await signed_page.draw(_layout(), shown | {"audit": audit})


def contents(certificate: Certificate, *, status: Status, code: PrintedCode, now: datetime) -> dict[str, Any]:
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
        "code": {"text": code.text, "svg": code.svg},
        "howToVerify": _HOW_TO_VERIFY.zh,
        "howToVerifyEn": _HOW_TO_VERIFY.en,
        "madeAt": now.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
    }


@cache
def _layout() -> bytes:
    return files("haiyiban.certificates").joinpath("certificate.typ").read_bytes()


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _validity(start: date, end: date | None) -> str:
    return f"{_day(start)}起长期有效" if end is None else f"{_day(start)} 至 {_day(end)}"
