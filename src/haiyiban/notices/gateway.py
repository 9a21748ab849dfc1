"""The SMS gateway (短信网关)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from haiyiban import db, registers
from haiyiban.registers.line import NoAnswer, Refused


class NotSent(Exception):
    """The gateway did not take the message now; it is tried again."""


class NeverSent(Exception):
    """The gateway refuses this message for good, such as for a number that does not exist."""


async def send(phone: str, text: str, *, message_id: UUID) -> None:
    """Hand a message to the gateway, which delivers one `message_id` once. Raises NotSent, NeverSent."""
    db.require_no_transaction()
    body = {"phone": phone, "text": text, "messageId": str(message_id)}
    try:
        await registers.current().lines["sms"].call("/sms", body, read=_read)
    except Refused as refusal:
        raise NeverSent(str(refusal)) from None
    except NoAnswer as reason:
        raise NotSent(str(reason)) from None


class _Taken(msgspec.Struct, rename="camel"):
    message_id: str


def _read(content: bytes) -> Any:
    return msgspec.json.decode(content, type=_Taken)
