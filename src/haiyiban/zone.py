"""The plug-in contract: what a folder says of itself so that the kernel can run it.

A zone in `services/<name>` and a feature in `haiyiban/<name>` are alike: each declares one `zone` in its
`__init__`. Discovery walks the folders; no list of them exists anywhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from click import Command
    from litestar import Controller
    from sqlalchemy.ext.asyncio import AsyncSession

    from haiyiban.errors import Words
    from haiyiban.loads import Load
    from haiyiban.metrics import Metric
    from haiyiban.tallies import Tally
    from haiyiban.terms import Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Background work. It may run twice without harm: a repeat finds nothing left to do."""

    name: str
    """`<feature>.<verb>`, such as `notices.send`."""
    run: Callable[[bytes], Awaitable[None]]
    """Given the payload of the job; empty for a periodic one."""
    schedule: str | None = None
    """A cron expression (a sixth field is seconds). A periodic task does and repairs: what should have
    happened and did not is found and done."""


class SealedObject(NamedTuple):
    """Something sealed that lies outside the database, and what its ciphertext is bound to."""

    name: str
    """In `haiyiban.objects`."""
    where: str


class InTheWay(NamedTuple):
    """What must be over before somebody can close their account (注销)."""

    what: Words
    way_out: Words
    link: str
    """The page of the phone where it is ended."""


class Kept(NamedTuple):
    """What stays after somebody closed their account."""

    what: Words
    until: Words
    why: Words
    """With the rule that has us keep it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A service zone (专区), or a kernel feature shaped like one."""

    name: str
    title: Words
    controllers: tuple[type[Controller], ...] = ()
    pages: tuple[type[Controller], ...] = ()
    """Pages for people, at their own addresses: no base path, and not in the contract."""
    handlers: Mapping[str, Any] = field(default_factory=dict)
    """Matter code → `MatterHandler`, only for matters that need code."""
    before_approval: Callable[[Any, Any], Awaitable[None]] | None = None
    """Given the session and a case of any matter before a clerk's approval; raises CannotApprove. For what
    binds matters that are data alone, such as an agreement between places."""
    tasks: tuple[Task, ...] = ()
    code_kinds: tuple[Any, ...] = ()
    """The kinds of code that this folder adds, each a `CodeKind`."""
    tallies: tuple[Tally, ...] = ()
    """What the hall counts of this folder."""
    metrics: tuple[Metric, ...] = ()
    """What it tells Prometheus; its names begin with `haiyiban_<feature>_` (docs/metrics.md)."""
    terms: tuple[Term, ...] = ()
    """How long its data are kept: each table of people has one class (docs/retention.md)."""
    seed: Callable[[], Awaitable[None]] | None = None
    """Writes the demo data of this folder; running it again changes nothing."""
    scale: tuple[Load, ...] = ()
    """What it adds to a made-up province (`haiyiban seed --scale`), in the order of what stands on what."""
    commands: tuple[Command, ...] = ()
    """What this folder adds to `haiyiban` on the command line; a name belongs to one folder."""
    objects: Callable[[], AsyncIterator[SealedObject]] | None = None
    """What it keeps sealed outside the database, so that it is sealed anew with a new key."""
    kept: Callable[[], Awaitable[Mapping[str, int]]] | None = None
    """How many rows it keeps of people, by kind; only for a folder whose data ends with its service."""
    delete_kept: Callable[[Callable[[Mapping[str, int]], object]], Awaitable[Mapping[str, int]]] | None = None
    """Deletes all of that, telling after each batch how much is gone; stopped in between, a further run goes
    on. What was deleted is answered."""
    about: Callable[[AsyncSession, UUID], Awaitable[Mapping[str, Any]]] | None = None
    """Given a person's id: all that this folder keeps of the person, by kind, as JSON with camelCase names
    and opened. For nobody but the person. Source: 个人信息保护法 art. 45."""
    about_words: Mapping[str, Words] = field(default_factory=dict)
    """What the names in `about` mean, for the page that people read."""
    in_the_way: Callable[[AsyncSession, UUID], Awaitable[Sequence[InTheWay]]] | None = None
    """Given a person's id: what must be over before they can close their account."""
    forget: Callable[[AsyncSession, UUID], Awaitable[Sequence[Kept]]] | None = None
    """Given the id of a person who closes their account: deletes what has no purpose any more, and says what
    stays. A second time it finds nothing left to do. Source: 个人信息保护法 art. 47."""
