"""Whether what was handed in is a picture or a PDF that can be kept, and what of it is kept. Pure.

Pictures are written anew: what is shown is kept, where and with what phone it was taken is not, nor anything
that hides behind a picture. Source: OWASP ASVS 5.0, chapter 5 (file handling).
"""

from __future__ import annotations

import io
from typing import NamedTuple

import pypdfium2
from PIL import Image, ImageOps, UnidentifiedImageError

from haiyiban.errors import FieldError, Problem, Words

PIXELS_MOST = 50_000_000
PAGES_MOST = 100
SIDE_MOST = 4096
"""Pixels of a side that are kept: enough to read small print on a page."""
_KINDS = {"JPEG": "image/jpeg", "PNG": "image/png"}


class UnreadableFile(Problem):
    """It is neither a JPEG, a PNG nor a PDF that opens without a password."""

    type = "cases/unreadable-file"
    title = Words(
        "读不出这个文件；请上传 JPG、PNG 图片或没有密码的 PDF",
        "This file cannot be read; hand in a JPG or PNG picture, or a PDF without a password",
    )

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/content", self.title)])


class Content(NamedTuple):
    """What is kept of a file."""

    media_type: str
    content: bytes


def kept_of(content: bytes) -> Content:
    """What is kept of a file. Raises UnreadableFile."""
    return _pdf(content) if content.startswith(b"%PDF-") else _picture(content)


def _picture(content: bytes) -> Content:
    try:
        with Image.open(io.BytesIO(content), formats=tuple(_KINDS)) as image:
            kind = str(image.format)
            if image.width * image.height > PIXELS_MOST:
                raise UnreadableFile
            shown = ImageOps.exif_transpose(image)
            shown.thumbnail((SIDE_MOST, SIDE_MOST))
            if kind == "JPEG" and shown.mode not in {"RGB", "L"}:
                shown = shown.convert("RGB")
            written = io.BytesIO()
            fresh = Image.new(shown.mode, shown.size)
            fresh.paste(shown)
            fresh.save(written, kind, quality=88, optimize=kind == "PNG")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError, SyntaxError):
        raise UnreadableFile from None
    return Content(_KINDS[kind], written.getvalue())


def _pdf(content: bytes) -> Content:
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError:
        raise UnreadableFile from None
    try:
        if not 0 < len(document) <= PAGES_MOST:
            raise UnreadableFile
    finally:
        document.close()
    return Content("application/pdf", content)
