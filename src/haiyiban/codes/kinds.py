"""What codes can be about (码种): how a feature or a zone adds a kind of code.

A kind says what of its own may be shown and to whom, and what stands behind a code that is scanned. Signing,
drawing, binding to phones, verifying and recording are the same for all. Each folder declares its kinds in
its `zone` (`code_kinds`); the deployment's keys may sign those and no more.

Source: schemas/codes/README.md §2–3.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from haiyiban.batching import Batcher
from haiyiban.codes.claims import Body
from haiyiban.codes.disclosures import Disclosure
from haiyiban.codes.outcomes import Outcome
from haiyiban.db import database
from haiyiban.errors import Conflict, NotFound, Problem, Words

NAME_BYTES = 24
CAPSULE_LIFE = timedelta(hours=12)
CAPSULE_LIFE_MOST = timedelta(hours=72)


class KindNotOffered(Problem):
    """Codes of this kind cannot be shown here."""

    type = "codes/kind-not-offered"
    title = Words("这种亮证码暂未开通", "Codes of this kind are not offered yet")


class SubjectUnknown(NotFound):
    """There is no such thing of this person's to show; a kind gives it its own title."""

    type = "codes/subject-not-found"
    title = Words("没有找到要出示的内容", "There is no such thing of yours to show")


class NotToShowNow(Conflict):
    """As it stands it may not be shown; a kind gives it its own title. The member `state` says how it is."""

    type = "codes/not-to-show-now"
    title = Words("当前不能出示", "This cannot be shown as it stands")

    def __init__(self, state: str) -> None:
        super().__init__(members={"state": state})


class Wanted(NamedTuple):
    """What somebody wants to show: `subject_id` is an id of the kind's own, None where none was given."""

    person_id: UUID
    subject_id: UUID | None
    now: datetime


class Showable(NamedTuple):
    """What may be shown: the row that the cti names, whom it speaks of, and what strangers read in it."""

    ref: int
    """Row number of at most 40 bits, among the things of its kind."""
    holder_id: UUID
    body: Body
    until: datetime | None = None
    """Its last second, which no capsule outlives; None where it has no end."""


Found = Showable | Problem
"""What may be shown, or why it may not: NotFound where it is not this person's to show."""


class Standing(NamedTuple):
    """What stands behind a code now: `outcome` is valid where it holds, unavailable where none can tell."""

    outcome: Outcome
    holder_id: UUID | None = None
    discloses: Disclosure | None = None
    """What the answer shows where the code is accepted."""


class Checked(NamedTuple):
    """One verification by a terminal, as a kind may keep it: whose code, where, when, what came of it."""

    holder_id: UUID
    terminal_id: UUID
    place: str
    at: datetime
    outcome: Outcome
    body: Body
    """What the code itself says."""
    discloses: Disclosure | None
    """What the terminal was told of that moment; None of what was verified offline."""
    is_offline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeKind:
    """A kind of code. Its functions take and answer batches in order, for crowds show and scan at once."""

    number: int
    """Its claim: 1–15 are the kernel's, a zone's own from 16."""
    name: str
    """Its name on the wire."""
    find: Callable[[Sequence[Wanted]], Awaitable[Sequence[Found]]]
    """What may be shown of what is wanted."""
    find_again: Callable[[int, UUID, datetime], Awaitable[Found]]
    """The same by row number, person and instant, for a code that was shown before."""
    standing: Callable[[Sequence[int]], Awaitable[Sequence[Standing]]] | None
    """What stands behind row numbers. None for the certificate alone, whose standing is read in the statement
    that records the verification."""
    capsule_life: timedelta = CAPSULE_LIFE
    """How long a phone may show it without asking again."""
    face_within: timedelta | None = None
    """How fresh the face check of whoever shows it must be; None where the level alone decides."""
    checked: Callable[[AsyncConnection, Sequence[Checked]], Awaitable[None]] | None = None
    """Keeps what it needs of verifications by terminals. A repeated request and a repeated upload tell it of
    the same ones again, which must change nothing."""

    def __post_init__(self) -> None:
        if not timedelta() < self.capsule_life <= CAPSULE_LIFE_MOST:
            raise ValueError(f"a capsule of kind {self.name} lives 72 hours at most")


class _Installed(NamedTuple):
    kind: CodeKind
    finding: Batcher[Wanted, Found]
    standing: Batcher[int, Standing] | None
    checking: Batcher[Checked, None] | None


_by_number: Mapping[int, _Installed] = {}
_by_name: Mapping[str, _Installed] = {}


def install(kinds: Iterable[CodeKind]) -> None:
    """Make this process offer these kinds; done once at its start. Raises ValueError for two that clash."""
    global _by_number, _by_name
    installed = [
        _Installed(
            kind,
            Batcher(kind.find, in_flight=2),
            Batcher(kind.standing) if kind.standing else None,
            Batcher(_keeping(kind)) if kind.checked else None,
        )
        for kind in kinds
    ]
    by_number = {one.kind.number: one for one in installed}
    by_name = {one.kind.name: one for one in installed}
    if not len(by_number) == len(by_name) == len(installed):
        raise ValueError("two kinds of code have the same number or the same name")
    _by_number, _by_name = by_number, by_name


def named(name: str) -> CodeKind:
    """A kind by its name on the wire. Raises KindNotOffered."""
    if name not in _by_name:
        raise KindNotOffered
    return _by_name[name].kind


def numbered(number: int) -> CodeKind | None:
    """A kind by its claim, if it is offered here."""
    installed = _by_number.get(number)
    return installed.kind if installed else None


async def find(kind: CodeKind, wanted: Wanted) -> Showable:
    """What may be shown of a kind. Raises what the kind refuses it with."""
    return _fitting(await _by_number[kind.number].finding.ask(wanted))


async def find_again(kind: CodeKind, ref: int, person_id: UUID, *, now: datetime) -> Showable:
    """The same for a code that was shown before. Raises what the kind refuses it with."""
    return _fitting(await kind.find_again(ref, person_id, now))


async def standing(number: int, ref: int) -> Standing | None:
    """What stands behind a row; None of a kind that is read with the record, and of one not offered here."""
    installed = _by_number.get(number)
    return await installed.standing.ask(ref) if installed and installed.standing else None


async def checked(number: int, one: Checked) -> None:
    """Tell a kind of an online verification by a terminal, once it is recorded."""
    installed = _by_number.get(number)
    if installed is not None and installed.checking is not None:
        await installed.checking.ask(one)


async def checked_offline(connection: AsyncConnection, number: int, some: Sequence[Checked]) -> None:
    """The same of an uploaded batch, in the transaction of its upload."""
    kind = numbered(number)
    if kind is not None and kind.checked is not None:
        await kind.checked(connection, some)


def _keeping(kind: CodeKind) -> Callable[[Sequence[Checked]], Awaitable[Sequence[None]]]:
    async def keep(batch: Sequence[Checked]) -> Sequence[None]:
        assert kind.checked is not None
        async with database().autocommit.connect() as connection:
            await kind.checked(connection, batch)
        return [None] * len(batch)

    return keep


def name_in_code(masked: str) -> str:
    """A masked name as a code carries it: a long one gives up stars, never its ends.

    Codes of the longest names stay small enough for a cheap scanner so, and do not tell how long a name is.
    """
    if len(masked.encode()) <= NAME_BYTES:
        return masked
    first, last = masked[0], masked[-1]
    return first + "*" * (NAME_BYTES - len((first + last).encode())) + last


def _fitting(found: Found) -> Showable:
    if isinstance(found, Problem):
        raise found
    name = name_in_code(found.body.name)
    return found if name is found.body.name else found._replace(body=replace(found.body, name=name))
