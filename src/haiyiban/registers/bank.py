"""The bank that pays out: payment files to it, status reports and statements back (ISO 20022).

What the documents say is for whoever pays to know; here they are bytes. A file is safe to send again, for
the bank carries out each message id once.
"""

from __future__ import annotations

import msgspec

from haiyiban import db
from haiyiban.registers.client import current
from haiyiban.registers.identity import RegisterUnavailable
from haiyiban.registers.line import NoAnswer
from haiyiban.registers.sources import BANK


class _Message(msgspec.Struct, rename="camel"):
    message_id: str


async def send_payments(file: bytes) -> bytes:
    """Hand a pain.001 to the bank; its pain.002. Raises RegisterUnavailable: it may have arrived even so."""
    db.require_no_transaction()
    try:
        return await current().lines["bank"].send("/bank/payments", file, "application/xml", read=bytes)
    except NoAnswer:
        raise RegisterUnavailable(BANK) from None


async def payment_report(message_id: str) -> bytes:
    """The bank's pain.002 on a message. Raises RegisterUnavailable."""
    return await _ask("/bank/status", message_id)


async def bank_statement(message_id: str) -> bytes:
    """The bank's camt.053 of what moved for a message. Raises RegisterUnavailable."""
    return await _ask("/bank/statement", message_id)


async def _ask(path: str, message_id: str) -> bytes:
    db.require_no_transaction()
    try:
        return await current().lines["bank"].call(path, _Message(message_id), read=bytes)
    except NoAnswer:
        raise RegisterUnavailable(BANK) from None
