"""Asking the registers: one client in each process, one line to each register."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping
from typing import Literal, TypeVar

import httpx
import msgspec

from haiyiban import clock, db
from haiyiban.credit_codes import CREDIT_CODE
from haiyiban.registers.answers import Question, RegisterAnswer
from haiyiban.registers.line import ANSWER_SECONDS, Line, NoAnswer
from haiyiban.registers.records import Instant, Record, Text, members_of
from haiyiban.registers.sources import REGISTERS, RegisterName
from haiyiban.residents import IdType
from haiyiban.settings import Settings

K = TypeVar("K", bound=Hashable)

_RESIDENTS = frozenset({IdType.RESIDENT_ID_CARD, IdType.RESIDENCE_PERMIT})
"""Whose numbers of 18 digits every register can be asked by."""

LineName = (
    RegisterName | Literal["exit_entry", "carrier", "bank", "insurance_transfers", "face", "sms", "wechat"]
)


class Query(msgspec.Struct, rename="camel", omit_defaults=True):
    """The one question: always in the body, for addresses end up in logs."""

    id_number: str
    id_type: str = IdType.RESIDENT_ID_CARD


class Head(msgspec.Struct, rename="camel"):
    """What every register says before it says anything about the person."""

    found: bool
    source: Text
    as_of: Instant


class RegisterClient:
    """The lines of one process to everything outside that vouches for people. Bound to one event loop."""

    def __init__(self, url: str, *, key: str, wechat_url: str = "") -> None:
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"X-Api-Key": key, "Content-Type": "application/json", "Accept-Encoding": "identity"},
            timeout=ANSWER_SECONDS,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=40),
            # A proxy named in the environment must never get to see identity numbers.
            trust_env=False,
        )
        names: tuple[LineName, ...] = (
            *REGISTERS,
            "exit_entry",
            "carrier",
            "bank",
            "insurance_transfers",
            "face",
            "sms",
        )
        # WeChat must not be sent the key of the registers.
        self._wechat = httpx.AsyncClient(base_url=wechat_url, timeout=ANSWER_SECONDS, trust_env=False)
        self.lines = {name: Line(name, self._http) for name in names} | {
            "wechat": Line("wechat", self._wechat)
        }

    async def ask(
        self, register: RegisterName, id_number: str, id_type: str = IdType.RESIDENT_ID_CARD
    ) -> RegisterAnswer:
        """What a register knows about a person; `unknown` when it cannot be asked, never an error.

        About a visitor's document a register of residents is not asked: it keeps no such people, so `absent`;
        nor is one of people about an enterprise, and the other way round.
        Raises RuntimeError inside an open transaction: a slow register would hold its locks and connection.
        """
        db.require_no_transaction()
        title, kind, *_ = REGISTERS[register]
        if not _keeps(register, id_type):
            return RegisterAnswer(register=register, state="absent", source=title.zh, at=clock.now())
        path = f"/registers/{register.replace('_', '-')}/query"
        try:
            head, record = await self.lines[register].call(
                path, Query(id_number, id_type), read=_answer_about(id_number, kind)
            )
        except NoAnswer:
            return RegisterAnswer(register=register, state="unknown", source=title.zh, at=clock.now())
        if record is None:
            return RegisterAnswer(register=register, state="absent", source=head.source, at=head.as_of)
        return RegisterAnswer(
            register=register, state="known", source=head.source, at=head.as_of, data=members_of(record)
        )

    async def ask_many(self, questions: Mapping[K, Question]) -> dict[K, RegisterAnswer]:
        """The answers to several questions, asked all at once, under the caller's own keys."""
        db.require_no_transaction()
        answers = await asyncio.gather(*(self.ask(*question) for question in questions.values()))
        return dict(zip(questions, answers, strict=True))

    async def aclose(self) -> None:
        """Hang up."""
        await self._http.aclose()
        await self._wechat.aclose()


def _keeps(register: RegisterName, id_type: str) -> bool:
    """Whether a register can have anything under such a document."""
    known = REGISTERS[register]
    if known.is_of_enterprises or id_type == CREDIT_CODE:
        return known.is_of_enterprises and id_type == CREDIT_CODE
    return known.is_asked_by_any_document or id_type in _RESIDENTS


def _answer_about(id_number: str, kind: type[Record]) -> Callable[[bytes], tuple[Head, Record | None]]:
    def read(content: bytes) -> tuple[Head, Record | None]:
        head = msgspec.json.decode(content, type=Head)
        if not head.found:
            return head, None
        record = msgspec.json.decode(content, type=kind)
        if not record.is_about(id_number):
            raise msgspec.ValidationError("about somebody else - at `$.idNumber`")
        return head, record

    return read


_client: RegisterClient | None = None
_loop: asyncio.AbstractEventLoop | None = None


def install(client: RegisterClient) -> None:
    """Make this process ask through a client; call it in the event loop that will use it."""
    global _client, _loop
    _client, _loop = client, asyncio.get_running_loop()


def current() -> RegisterClient:
    """The client of this process, made from its settings when it is first needed."""
    if _client is None or _loop is not asyncio.get_running_loop():
        settings = Settings.from_env()
        install(
            RegisterClient(settings.registers_url, key=settings.registers_key, wechat_url=settings.wechat_url)
        )
    assert _client is not None
    return _client


async def close() -> None:
    """Hang up at the end of the process; whoever asks afterwards begins with fresh lines."""
    global _client, _loop
    client, loop = _client, _loop
    _client = _loop = None
    if client is not None and loop is asyncio.get_running_loop():
        await client.aclose()
