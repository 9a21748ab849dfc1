"""Whose document is this: the exit-entry register (出入境证件库), for people whom the population register
does not know, and for passports of those whom it does.

Source: docs/domain.md §1.2, §1.6.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated
from unicodedata import normalize

import msgspec
from msgspec import Meta

from haiyiban import db
from haiyiban.registers.client import current
from haiyiban.registers.identity import RegisterUnavailable
from haiyiban.registers.line import NoAnswer
from haiyiban.registers.records import Few, Instant, Text
from haiyiban.registers.sources import EXIT_ENTRY

DocumentNumber = Annotated[str, Meta(pattern=r"^[0-9A-Z]{5,18}\Z")]


class DocumentOf(msgspec.Struct, frozen=True, rename="camel"):
    """A document by its kind (GA/T 2000.156) and number."""

    id_type: Annotated[str, Meta(pattern=r"^[0-9]{3}\Z")]
    id_number: DocumentNumber


class Holder(msgspec.Struct, frozen=True, rename="camel"):
    """Whom a document belongs to."""

    name: Text
    """As the document writes it."""
    birth_date: date | None = None
    valid_until: date | None = None
    """The document's last day; None where it has none or the register does not know."""
    documents: Annotated[tuple[DocumentOf, ...], Few] = ()
    """The same person's further documents, as far as the register knows them to be one person's."""


class _Match(msgspec.Struct, rename="camel"):
    match: bool
    source: Text
    as_of: Instant


_read_match = msgspec.json.Decoder(_Match).decode
_read_holder = msgspec.json.Decoder(Holder).decode


async def confirm_document(name: str, id_number: str, *, id_type: str) -> Holder | None:
    """Who holds a document, if name and document belong together; None where they do not.

    Raises RegisterUnavailable.
    """
    db.require_no_transaction()
    question = {"name": normalize("NFC", name), "idType": id_type, "idNumber": id_number}
    try:
        return await current().lines["exit_entry"].call("/registers/exit-entry/match", question, read=_holder)
    except NoAnswer:
        raise RegisterUnavailable(EXIT_ENTRY) from None


def _holder(content: bytes) -> Holder | None:
    return _read_holder(content) if _read_match(content).match else None
