"""Looking for viruses before a file is kept: every file is shown to clamd where one is set up.

The one pattern that every scanner knows (EICAR) is refused by ourselves too, so that a deployment can try the
way out without a virus. Source: clamd(8), INSTREAM; eicar.org.
"""

from __future__ import annotations

import asyncio
import struct

from haiyiban.errors import FieldError, Problem, Unavailable, Words
from haiyiban.settings import Settings

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
ANSWER_SECONDS = 20.0
_CHUNK = 1 << 16


class InfectedFile(Problem):
    """A scanner knows it as harmful."""

    type = "cases/infected-file"
    title = Words(
        "这个文件没有通过安全检查，请换一个文件或重新拍照",
        "This file did not pass the security check; choose another, or take the picture again",
    )

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/content", self.title)])


class ScannerAway(Unavailable):
    """The scanner does not answer, and nothing is kept unseen."""

    type = "cases/scanner-unavailable"
    title = Words("文件安全检查暂时不可用，请稍后再传", "Files cannot be checked just now; hand it in later")


async def require_clean(content: bytes) -> None:
    """Raises InfectedFile, ScannerAway."""
    if EICAR in content:
        raise InfectedFile
    scanner = Settings.from_env().scanner
    if not scanner:
        return
    host, _, port = scanner.rpartition(":")
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await _ask(host, int(port), content)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        raise ScannerAway from None
    if answer.endswith(b" FOUND"):
        raise InfectedFile
    if not answer.endswith(b" OK"):
        raise ScannerAway


async def _ask(host: str, port: int, content: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"zINSTREAM\0")
        for at in range(0, len(content), _CHUNK):
            part = content[at : at + _CHUNK]
            writer.write(struct.pack("!I", len(part)) + part)
            await writer.drain()
        writer.write(struct.pack("!I", 0))
        await writer.drain()
        return (await reader.readuntil(b"\0")).rstrip(b"\0")
    finally:
        writer.close()
