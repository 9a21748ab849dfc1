"""Asking the registers: one client in each process, one line to each register."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import Literal, TypeVar

import httpx
import msgspec

from haiyiban import clock, db
from haiyiban.credit_codes import CREDIT_CODE
from haiyiban.errors import Words
from haiyiban.metrics import Gauge, Rows
from haiyiban.registers.answers import Question, RegisterAnswer
from haiyiban.registers.line import ANSWER_SECONDS, Line, NoAnswer, Refused
from haiyiban.registers.records import Instant, Record, Text, members_of
from haiyiban.registers.sources import REGISTERS, RegisterName
from haiyiban.residents import IdType
from haiyiban.settings import Settings

K = TypeVar("K", bound=Hashable)

_RESIDENTS = frozenset({IdType.RESIDENT_ID_CARD, IdType.RESIDENCE_PERMIT})
"""Whose numbers of 18 digits every register can be asked by."""

CROWD = 50
"""People in one call: an answer stays far below what a line takes, and within its two seconds."""
CROWDS_AT_ONCE = 2
"""Such calls at once to one register: people who wait for a page have the rest of the line."""

LineName = (
    RegisterName | Literal["exit_entry", "carrier", "bank", "insurance_transfers", "face", "sms", "wechat"]
)


class Query(msgspec.Struct, rename="camel", omit_defaults=True):
    """The one question: always in the body, for addresses end up in logs."""

    id_number: str
    id_type: str = IdType.RESIDENT_ID_CARD


class Queries(msgspec.Struct):
    """The one question about many people."""

    questions: list[Query]


class About(msgspec.Struct, rename="camel"):
    """Whom one answer of many is about: without it nobody would notice that two were swapped."""

    id_number: str


class Answers(msgspec.Struct):
    """What a register says of each, in the order of the questions; read one by one."""

    answers: list[msgspec.Raw]


class Head(msgspec.Struct, rename="camel"):
    """What every register says before it says anything about the person."""

    found: bool
    source: Text
    as_of: Instant


@cache
def _authorities() -> ssl.SSLContext:
    """Whom a line with TLS trusts; read once, for reading them takes longer than ten calls."""
    return httpx.create_ssl_context(trust_env=False)


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
            verify=_authorities(),
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
        self._crowds = {name: asyncio.Semaphore(CROWDS_AT_ONCE) for name in REGISTERS}
        self._one_by_one: set[RegisterName] = set()
        """Those that answer about one person at a time."""
        # WeChat must not be sent the key of the registers.
        self._wechat = httpx.AsyncClient(
            base_url=wechat_url, timeout=ANSWER_SECONDS, trust_env=False, verify=_authorities()
        )
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
            return _unknown(register)
        return _answer(register, head, record)

    async def ask_many(self, questions: Mapping[K, Question]) -> dict[K, RegisterAnswer]:
        """The answers to several questions, asked all at once, under the caller's own keys."""
        db.require_no_transaction()
        answers = await asyncio.gather(*(self.ask(*question) for question in questions.values()))
        return dict(zip(questions, answers, strict=True))

    async def ask_crowd(self, questions: Mapping[K, Question]) -> dict[K, RegisterAnswer]:
        """The answers to the questions of a crowd, many in one call of a register: for runs through all.

        A register that knows no such call is asked about one person after another, a few at once. What it
        says of one person that cannot be read leaves that one `unknown` and nobody else.
        """
        db.require_no_transaction()
        by_register: dict[RegisterName, list[K]] = {}
        for key, question in questions.items():
            by_register.setdefault(question.register, []).append(key)
        parts = [
            {key: questions[key] for key in keys[start : start + CROWD]}
            for keys in by_register.values()
            for start in range(0, len(keys), CROWD)
        ]
        answers: dict[K, RegisterAnswer] = {}
        for found in await asyncio.gather(*(self._ask_part(part) for part in parts)):
            answers |= found
        return answers

    async def _ask_part(self, part: Mapping[K, Question]) -> dict[K, RegisterAnswer]:
        register = next(iter(part.values())).register
        kept = {key: one for key, one in part.items() if _keeps(register, one.id_type)}
        rest = {key: await self.ask(*one) for key, one in part.items() if key not in kept}
        if not kept:
            return rest
        async with self._crowds[register]:
            if register not in self._one_by_one:
                try:
                    found = await self.lines[register].call(
                        f"/registers/{register.replace('_', '-')}/queries",
                        Queries([Query(one.id_number, one.id_type) for one in kept.values()]),
                        read=_answers_about(register, kept),
                    )
                except Refused:
                    # It is well and knows no such question: ask it as everybody does.
                    self._one_by_one.add(register)
                except NoAnswer:
                    return rest | dict.fromkeys(kept, _unknown(register))
                else:
                    return rest | found
            return rest | {key: await self.ask(*one) for key, one in kept.items()}

    async def aclose(self) -> None:
        """Hang up."""
        await self._http.aclose()
        await self._wechat.aclose()


def _answer(register: RegisterName, head: Head, record: Record | None) -> RegisterAnswer:
    if record is None:
        return RegisterAnswer(register=register, state="absent", source=head.source, at=head.as_of)
    return RegisterAnswer(
        register=register, state="known", source=head.source, at=head.as_of, data=members_of(record)
    )


def _unknown(register: RegisterName) -> RegisterAnswer:
    source = REGISTERS[register].title.zh
    return RegisterAnswer(register=register, state="unknown", source=source, at=clock.now())


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


def _answers_about(
    register: RegisterName, asked: Mapping[K, Question]
) -> Callable[[bytes], dict[K, RegisterAnswer]]:
    kind = REGISTERS[register].record

    def read(content: bytes) -> dict[K, RegisterAnswer]:
        answers = msgspec.json.decode(content, type=Answers).answers
        if len(answers) != len(asked):
            raise msgspec.ValidationError("as many answers as questions - at `$.answers`")
        found = {}
        for (key, question), raw in zip(asked.items(), answers, strict=True):
            try:
                if msgspec.json.decode(raw, type=About).id_number != question.id_number:
                    raise msgspec.ValidationError("about somebody else")
                head, record = _answer_about(question.id_number, kind)(bytes(raw))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                found[key] = _unknown(register)
            else:
                found[key] = _answer(register, head, record)
        return found

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


def open_circuits() -> Rows:
    """Of each line, 1 while it is not asked because it failed again and again; nothing before any is used."""
    lines = _client.lines if _client is not None else {}
    return [(name, 0 if line.circuit.is_closed else 1) for name, line in lines.items()]


OPEN_CIRCUITS = Gauge(
    name="haiyiban_registers_open_circuits",
    what=Words(
        "因连续失败而暂停询问的外部系统（1 为暂停）", "Outside systems that are not asked, 1 while so"
    ),
    labels=("register",),
    read=open_circuits,
)


async def close() -> None:
    """Hang up at the end of the process; whoever asks afterwards begins with fresh lines."""
    global _client, _loop
    client, loop = _client, _loop
    _client = _loop = None
    if client is not None and loop is asyncio.get_running_loop():
        await client.aclose()
