"""Words for people as data files write them: always in both languages."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from haiyiban.errors import Words

Sentence = Annotated[str, Meta(min_length=1, max_length=500)]


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """Words for people, in both languages."""

    zh: Sentence
    en: Sentence

    @property
    def words(self) -> Words:
        return Words(self.zh, self.en)
