"""Telling the place that somebody moves to what goes along (关系转移接续)."""

from __future__ import annotations

from datetime import date

import msgspec

from haiyiban import db
from haiyiban.registers.client import current
from haiyiban.registers.identity import RegisterUnavailable
from haiyiban.registers.line import NoAnswer
from haiyiban.registers.sources import INSURANCE_TRANSFERS


class InsuranceLetter(msgspec.Struct, rename="camel", frozen=True):
    """What moves: paid months that no benefit used, months of benefit left, the money sent for them."""

    id: str
    id_number: str
    id_type: str
    from_: str = msgspec.field(name="from")
    to: str
    paid_months: int
    months_left: int
    amount_fen: int
    on: date


class _Receipt(msgspec.Struct):
    id: str


async def send_insurance_letter(letter: InsuranceLetter) -> None:
    """Send a letter until it is received; the platform takes each id once, so sending again is safe.

    Raises RegisterUnavailable: it may have arrived even so.
    """
    db.require_no_transaction()

    def read(content: bytes) -> None:
        if msgspec.json.decode(content, type=_Receipt).id != letter.id:
            raise msgspec.ValidationError("a receipt of another letter - at `$.id`")

    try:
        await current().lines["insurance_transfers"].call("/insurance-transfers", letter, read=read)
    except NoAnswer:
        raise RegisterUnavailable(INSURANCE_TRANSFERS) from None
