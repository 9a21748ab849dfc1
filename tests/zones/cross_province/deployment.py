"""One whole deployment as a process of its own: server, database, keys; clock and tasks driven by lines.

No worker runs beside it, so a test says when each task runs and what time it is; the tasks are the worker's.
Each line on standard input is a JSON command, each line on standard output its answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server
from sqlalchemy import select, text

from haiyiban import clock, context
from haiyiban.bilingual import Text
from haiyiban.cases.calendar import seed_calendar
from haiyiban.cases.tasks import lapse
from haiyiban.context import Context
from haiyiban.db import database
from haiyiban.identity import staff
from haiyiban.outbox import OutboxMessage
from haiyiban.runtime import ceremony
from haiyiban.runtime.app import create_app
from haiyiban.settings import Settings
from services.cross_province import commands, neighbours, ourselves, proofs
from services.cross_province.tasks import TASKS
from tests import builders

_TASKS = {task.name: task.run for task in TASKS} | {"cases.lapse": lapse}


async def party(name: str, uscc: str) -> Any:
    roots = [Path(os.environ["TLS_ROOT"]).read_text()]
    return msgspec.to_builtins(ourselves.own_party(Text(zh=name, en=name), uscc, tls_roots=roots))


async def sign(document: dict[str, Any]) -> Any:
    signed = msgspec.convert(document, commands.Signed)
    own = neighbours.PROVINCE
    return msgspec.to_builtins(commands.directory.sign(signed, own, neighbours.own_keys()[-1]))


async def accept(document: dict[str, Any]) -> str:
    async with database().transaction() as session:
        return (await neighbours.accept(session, document, now=clock.now())).division


async def shift(seconds: float) -> None:
    clock.shift(seconds)


async def now() -> str:
    return clock.now().isoformat()


async def run(*tasks: str) -> None:
    for task in tasks:
        await _TASKS[task](b"")


async def together(*tasks: str) -> None:
    await asyncio.gather(*(_TASKS[task](b"") for task in tasks))


async def while_held(query: str, *tasks: str) -> None:
    """Carry tasks out while another transaction holds the rows of a query."""
    async with database().transaction() as session:
        await session.execute(text(f"{query} FOR UPDATE"))
        await run(*tasks)


async def arrive(name: str, id_number: str, phone: str) -> str:
    return (await builders.arrive(name, id_number, phone)).access_token


async def enter(name: str, id_number: str, phone: str) -> str:
    """What a browser keeps of somebody's sign-in."""
    return (await builders.arrive(name, id_number, phone)).refresh_token


async def clerk(agency: str, division: str) -> list[str]:
    username, password = f"clerk-{secrets.token_hex(6)}", secrets.token_urlsafe(16)
    async with database().transaction() as session:
        await staff.create(
            session, username, password=password, roles=["clerk"], agency=agency, division=division
        )
    return [username, password]


async def rows(query: str) -> list[list[Any]]:
    async with database().reading() as session:
        return [[str(value) for value in row] for row in await session.execute(text(query))]


async def rows_changed(statement: str) -> None:
    async with database().transaction() as session:
        await session.execute(text(statement))


async def told() -> list[str]:
    """The templates of the notices that were promised, oldest first."""
    async with database().reading() as session:
        found = await session.scalars(
            select(OutboxMessage).where(OutboxMessage.topic == "notices.send").order_by(OutboxMessage.id)
        )
        return [message.payload["template"] for message in found]


async def suspended(division: str, on: bool) -> None:
    async with database().transaction() as session:
        row = await neighbours.get(session, division, lock=True)
        row.row.suspended_at = clock.now() if on else None


async def counted(division: str, sent: int) -> None:
    """A test has sent by hand, in our name."""
    async with database().transaction() as session:
        (await neighbours.get(session, division, lock=True)).row.sent = sent


async def proof(case_id: str) -> str:
    async with database().transaction() as session:
        return msgspec.json.encode(await proofs.export(session, UUID(case_id))).decode()


_COMMANDS = {
    one.__name__: one
    for one in (
        party,
        sign,
        accept,
        shift,
        now,
        run,
        together,
        while_held,
        arrive,
        enter,
        clerk,
        rows,
        rows_changed,
        told,
        suspended,
        counted,
        proof,
    )
}


async def main() -> None:
    settings = Settings.from_env()
    ceremony.play(settings, clock.now())
    server = Server(create_app(settings), port=settings.port, interface=Interfaces.ASGI, log_enabled=False)
    serving = asyncio.create_task(server.serve())
    async with database().transaction() as session:
        await seed_calendar(session)
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, "")

    threading.Thread(target=read, daemon=True).start()
    answers = os.fdopen(int(os.environ["ANSWERS"]), "w")
    while line := await lines.get():
        name, arguments = json.loads(line)
        context.enter(Context(request_id="test-command", actor_kind="system"))
        try:
            answer = {"ok": await _COMMANDS[name](*arguments)}
        except Exception as error:  # noqa: BLE001 - the test is told
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    server.stop()
    await serving


if __name__ == "__main__":
    asyncio.run(main())
