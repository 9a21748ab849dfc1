"""Texts that people agree to (同意书、承诺书), published by version: what was agreed can be shown for ever.

A text is one file in `schemas/texts/<slug>.v<version>.json` and is never changed; a correction is the next
version. Who agrees gives the hash of what they read, and it is kept with their consent.
Source: docs/domain.md §13 (consent record: text version hash); 个人信息保护法 art. 14.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
import rfc8785
from msgspec import Meta

from haiyiban import resources
from haiyiban.errors import FieldError, NotFound, Problem, Words

Slug = Annotated[str, Meta(pattern="^[a-z][a-z0-9-]*$", max_length=60)]


class Both(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same words in both languages."""

    zh: Annotated[str, Meta(min_length=1)]
    en: Annotated[str, Meta(min_length=1)]

    @property
    def words(self) -> Words:
        return Words(self.zh, self.en)


class AgreedText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One published version of a text."""

    slug: Slug
    version: Annotated[int, Meta(ge=1)]
    title: Both
    body: Both

    @property
    def name(self) -> str:
        """Slug and version, as a consent keeps them."""
        return f"{self.slug}.v{self.version}"

    @property
    def hash(self) -> str:
        """SHA-256 of the RFC 8785 form of the text, in hex: both languages are agreed to as one."""
        return hashlib.sha256(rfc8785.dumps(msgspec.to_builtins(self))).hexdigest()


class TextUnknown(NotFound):
    """No such text is published."""

    type = "matters/text-unknown"
    title = Words("没有这份文本", "There is no such text")


class TextOutdated(Problem):
    """What was agreed to is not the text in force: it must be read and agreed to again."""

    type = "matters/text-outdated"
    title = Words(
        "同意书或承诺书已更新，请重新阅读并确认", "The text has changed; please read it and agree again"
    )


class BrokenText(Exception):
    """A text file that may not be published."""


def current(slug: str) -> AgreedText:
    """The newest version. Raises TextUnknown."""
    found = published(resources.schemas() / "texts").get(slug)
    if found is None:
        raise TextUnknown
    return found


def agreed(slug: str, hash_: str, *, at: str) -> AgreedText:
    """The text whose hash somebody gives as what they agree to. `at`: the pointer of the request.

    Raises TextOutdated for any other text than the one in force.
    """
    text = current(slug)
    if hash_.lower() != text.hash:
        raise TextOutdated(errors=[FieldError(at, TextOutdated.title)], members={"text": text.name})
    return text


@cache
def published(folder: Path) -> dict[str, AgreedText]:
    """The newest version of each text of a folder. Raises BrokenText."""
    newest: dict[str, AgreedText] = {}
    for file in sorted(folder.glob("*.json")):
        try:
            text = msgspec.json.decode(file.read_bytes(), type=AgreedText)
        except msgspec.MsgspecError as error:
            raise BrokenText(f"{file.name}: {error}") from None
        if file.name != f"{text.name}.json":
            raise BrokenText(f"{file.name}: the file is named {text.name}.json")
        if text.slug not in newest or newest[text.slug].version < text.version:
            newest[text.slug] = text
    return newest
