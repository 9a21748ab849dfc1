"""Words for correction notices (补正告知): what a matter's clerks often ask for, to pick and to edit.

One file for each matter in `schemas/corrections/<code>.json`, and `general.json` for every matter. A clerk's
own words count, these only begin them. Source: 行政许可法 art. 32 (everything is asked for at once).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from haiyiban import resources
from haiyiban.bilingual import Text
from haiyiban.forms import FormSchema
from haiyiban.matters import catalogue
from haiyiban.matters.catalogue import MatterUnknown
from haiyiban.matters.matter import Pointer, Slug

GENERAL = "general"


class Correction(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is often wrong: what to say, and which fields of the form it is about."""

    code: Slug
    text: Text
    pointers: tuple[Pointer, ...] = ()


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    corrections: Annotated[tuple[Correction, ...], Meta(min_length=1)]


class BrokenCorrections(Exception):
    """A file of correction notices that may not be published."""


def of_matter(code: str) -> tuple[Correction, ...]:
    """What a clerk of this matter may begin with: its own words first, then those for every matter."""
    known = published(resources.schemas() / "corrections")
    return known.get(code, ()) + known.get(GENERAL, ())


@cache
def published(folder: Path) -> dict[str, tuple[Correction, ...]]:
    """The words by matter. Raises BrokenCorrections."""
    found: dict[str, tuple[Correction, ...]] = {}
    for file in sorted(folder.glob("*.json")):
        try:
            read = msgspec.json.decode(file.read_bytes(), type=_File).corrections
        except msgspec.MsgspecError as error:
            raise BrokenCorrections(f"{file.name}: {error}") from None
        _require_fields(file.stem, read)
        found[file.stem] = read
    return found


def _require_fields(code: str, corrections: tuple[Correction, ...]) -> None:
    """A pointer that the form does not have would mark nothing. Another province's matters are not checked:
    where they are not offered, nobody corrects them."""
    try:
        form = None if code == GENERAL else FormSchema.load(catalogue().get(code).form)
    except MatterUnknown:
        return
    for each in corrections:
        for pointer in each.pointers:
            if form is None or not form.knows(pointer):
                raise BrokenCorrections(f"{code}.json: {each.code}: the form has no {pointer}")
