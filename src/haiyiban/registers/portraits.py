"""The portrait of a person (人像): a resident's from the population register, a visitor's from exit-entry.

Fetched when a verifier may see it and never kept: what is not stored can neither leak nor grow old.
Source: docs/domain.md §13 (data minimisation); 个人信息保护法 art. 6, 19.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from haiyiban import db
from haiyiban.registers.client import Head, Query, current
from haiyiban.registers.identity import RegisterUnavailable
from haiyiban.registers.line import NoAnswer
from haiyiban.registers.records import Record
from haiyiban.registers.sources import EXIT_ENTRY, REGISTERS
from haiyiban.residents import IdType

MediaType = Literal["image/png", "image/jpeg"]
_BEGINS: dict[MediaType, bytes] = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


class Portrait(NamedTuple):
    """A picture and its media type."""

    media_type: MediaType
    image: bytes


class _Portrait(Record):
    id_number: str
    media_type: MediaType
    image: bytes


async def portrait_of(id_number: str, id_type: str = IdType.RESIDENT_ID_CARD) -> Portrait | None:
    """The portrait that the register of an identity document keeps; None where it has none.

    The caller audits it as a reading of `portrait`. Raises RegisterUnavailable.
    """
    db.require_no_transaction()
    is_resident = id_type == IdType.RESIDENT_ID_CARD
    register: Literal["population", "exit_entry"] = "population" if is_resident else "exit_entry"

    def read(content: bytes) -> Portrait | None:
        if not msgspec.json.decode(content, type=Head).found:
            return None
        found = msgspec.json.decode(content, type=_Portrait)
        if found.id_number != id_number:
            raise msgspec.ValidationError("about somebody else - at `$.idNumber`")
        # Browsers guess at what a picture is: nothing leaves here under a name that it does not begin with.
        if not found.image.startswith(_BEGINS[found.media_type]):
            raise msgspec.ValidationError("another kind of file - at `$.image`")
        return Portrait(found.media_type, found.image)

    path = f"/registers/{register.replace('_', '-')}/portrait"
    try:
        return await current().lines[register].call(path, Query(id_number, id_type), read=read)
    except NoAnswer:
        raise RegisterUnavailable(REGISTERS["population"].title if is_resident else EXIT_ENTRY) from None
