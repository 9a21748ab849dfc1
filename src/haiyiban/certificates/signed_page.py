"""What every signed document has in common: drawn by a layout from data alone, the proof of its record in the
audit's log, and the signature.

What is shown is handed over as JSON, so no text can act as markup. Nothing is written to a disk. The font has
the rare characters of names (䶮 㛃 𠅤).
"""

from __future__ import annotations

import asyncio
import base64
import importlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import noto_cjk_sans_otc
import typst

from haiyiban.certificates.turns import in_turn
from haiyiban.errors import Words

if TYPE_CHECKING:
    from haiyiban.audit.proving import Sealed
    from haiyiban.certificates.signing import Signed

PROOF_NAME: Final = "audit.tlog-proof"
"""Of the attachment, which `haiyiban audit check` finds by it."""


async def draw(layout: bytes, shown: Mapping[str, Any]) -> bytes:
    """The pages as PDF. `layout`: a Typst document that reads `shown` from `sys.inputs.data`."""
    data = msgspec.json.encode(shown).decode()
    return await asyncio.get_running_loop().run_in_executor(in_turn, lambda: _compile(layout, data))


async def sign(pdf: bytes, *, reason: str, now: datetime) -> Signed:
    """Signed by this deployment. No transaction may be open: a time-stamping authority is asked.

    Raises DocumentsNotSigned.
    """
    # pyHanko costs every start half a second and 30 MB, and most processes never make a document.
    signing = await asyncio.get_running_loop().run_in_executor(
        in_turn, importlib.import_module, "haiyiban.certificates.signing"
    )
    signed: Signed = await signing.sign(pdf, reason=reason, now=now)
    return signed


def audit_words(sealed: Sealed | None, act: Words) -> dict[str, Any]:
    """What the page says of the audit's log, and the proof to put into the file. `act`: what was recorded,
    such as 签发 and "issue"; `sealed` is None in the minute before its record is sealed."""
    if sealed is None:
        return {
            "words": f"{act.zh}记录在一分钟内封存；之后重新下载，文件即附有证明。",
            "wordsEn": f"The record of {act.en} is sealed in a minute; download again then for its proof.",
        }
    number, size = sealed.number, sealed.checkpoint.size
    return {
        "words": f"{act.zh}记录为日志第 {number} 号（共 {size} 条），证明附于文件。",
        "wordsEn": f"The {act.en} is record {number} of {size} in the sealed log; its proof is attached.",
        "root": base64.b64encode(sealed.checkpoint.root).decode(),
        "proof": sealed.proof,
        "name": PROOF_NAME,
    }


def _compile(layout: bytes, data: str) -> bytes:
    pdf: bytes = _compiler().compile(input=layout, format="pdf", sys_inputs={"data": data})
    return pdf


@cache
def _compiler() -> Any:
    """One compiler for the process: reading the fonts takes longer than a page."""
    folder = Path(str(noto_cjk_sans_otc.FONT_PATH)).parent
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    return typst.Compiler(input=b"", font_paths=fonts)
