"""SMS gateway, and the inbox of every phone."""

import re
from datetime import UTC
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from haiyiban_sandbox.access import needs_key
from haiyiban_sandbox.clock import Clock
from haiyiban_sandbox.faults import answer_badly
from haiyiban_sandbox.identity import parse_phone
from haiyiban_sandbox.people import Text
from haiyiban_sandbox.problems import Malformed
from haiyiban_sandbox.store import Store
from haiyiban_sandbox.wire import Asked, Wire, read

CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
SHOWN = 100


class SmsCreate(Wire):
    """One message. Sending the same `messageId` again delivers nothing new."""

    phone: str
    text: str
    message_id: Text

    def __post_init__(self) -> None:
        self.phone = parse_phone(self.phone)


@post("/sms", status_code=200, guards=[needs_key], before_request=answer_badly, opt={"register": "sms"})
async def send(
    request: Asked, store: NamedDependency[Store], clock: NamedDependency[Clock]
) -> dict[str, str]:
    """Deliver a message to a phone's inbox."""
    message = await read(request, SmsCreate)
    at = clock.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    store.execute(
        "INSERT INTO sms (message_id, phone, text, at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (message_id) DO NOTHING",
        message.message_id,
        message.phone,
        message.text,
        at,
    )
    return {"messageId": message.message_id}


@get("/sms")
async def inbox(phone: FromQuery[str], store: NamedDependency[Store]) -> list[dict[str, Any]]:
    """The latest 100 messages of a phone, newest first, with the sign-in code if the text holds one."""
    try:
        number = parse_phone(phone)
    except ValueError as error:
        raise Malformed(str(error)) from error
    rows = store.rows("SELECT at, text FROM sms WHERE phone = ? ORDER BY number DESC LIMIT ?", number, SHOWN)
    return [_shown(at, text) for at, text in rows]


def _shown(at: str, text: str) -> dict[str, Any]:
    code = CODE.search(text)
    return {"at": at, "text": text} | ({"code": code.group()} if code else {})
