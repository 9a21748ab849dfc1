"""The fleet of terminals (核验终端): registered, suspended and retired by the operator; and their reports.

A terminal belongs to a verifier and stands at a place. Registering one gives a one-time code; the terminal
turns it into a key and a secret of its own (terminal_enrolment.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, not_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.crypto import vault
from haiyiban.errors import Conflict, FieldError, NotFound, Problem, Words
from haiyiban.identity import revocations
from haiyiban.ids import new_id
from haiyiban.verifiers.models import Terminal, TerminalCode, TerminalKey, Verifier, VerifierClient
from haiyiban.verifiers.one_time_codes import new_code, read_code
from haiyiban.verifiers.service import VerifierMissing

CLOCK_TOLERANCE = timedelta(seconds=5)
"""As much as codes allow for; beyond it a terminal refuses good codes and accepts old ones."""
LISTS_OLD = timedelta(hours=24)
SILENT_AFTER = timedelta(minutes=15)
"""Not heard for so long, an active terminal counts as silent: it reports every few minutes."""


class TerminalMissing(NotFound):
    """No such terminal, or it is another verifier's."""

    type = "verifiers/terminal-not-found"
    title = Words("没有找到这个终端", "There is no such terminal")


class TerminalNotInThatState(Conflict):
    """The terminal is suspended already, not suspended, or retired."""

    type = "verifiers/terminal-not-in-that-state"
    title = Words("终端的状态已经变了，请刷新后再看", "The terminal's status has changed; please reload")


class NotThatVerifiersPurpose(Problem):
    """The verifier is not accredited for what its terminal should verify for."""

    type = "verifiers/not-that-verifiers-purpose"
    title = Words("该核验方没有这个用途的权限", "The verifier is not accredited for this purpose")

    def __init__(self) -> None:
        words = Words("请从该核验方的用途中选择", "choose one of the verifier's own purposes")
        super().__init__(errors=[FieldError("/purpose", words)])


class OneTimeCode(NamedTuple):
    """What the operator reads out to whoever sets the terminal up; shown once."""

    code: str
    expires_at: datetime


class Report(NamedTuple):
    """What a terminal says of itself; its clock and its software's version where it told them."""

    list_issued_at: datetime | None
    queue_length: int
    clock: datetime | None
    software_version: str | None = None


async def register(
    session: AsyncSession, verifier_id: UUID, *, name: str, place: str, purpose: str | None, now: datetime
) -> Terminal:
    """A new terminal of a verifier, to be enrolled with a one-time code. Without a purpose it verifies for
    the verifier's first. Raises VerifierMissing, NotThatVerifiersPurpose."""
    verifier = await session.get(Verifier, verifier_id)
    if verifier is None:
        raise VerifierMissing
    wanted = purpose or next(iter(verifier.purposes), None)
    if wanted not in verifier.purposes:
        raise NotThatVerifiersPurpose
    terminal = Terminal(
        id=new_id(),
        verifier_id=verifier_id,
        name=name,
        place=place,
        purpose=wanted,
        status="registered",
        next_sequence=1,
        created_at=now,
    )
    session.add(terminal)
    await session.flush()
    await _record(session, "verifiers.register-terminal", terminal)
    return terminal


async def give_code(
    session: AsyncSession, terminal_id: UUID, *, life: timedelta, now: datetime
) -> OneTimeCode:
    """A one-time code to enrol a terminal with, or to enrol it anew; the codes before it are void.

    Raises TerminalMissing, TerminalNotInThatState.
    """
    terminal = await locked(session, terminal_id)
    if terminal.status == "retired":
        raise TerminalNotInThatState(members={"state": terminal.status})
    await session.execute(delete(TerminalCode).where(TerminalCode.terminal_id == terminal_id))
    code = OneTimeCode(new_code(), now + life)
    session.add(
        TerminalCode(
            id=new_id(),
            terminal_id=terminal_id,
            code_index=code_index(code.code),
            expires_at=code.expires_at,
            created_at=now,
        )
    )
    await session.flush()
    await _record(session, "verifiers.give-terminal-code", terminal)
    return code


def code_index(typed: str) -> bytes | None:
    """What a one-time code is found by; None where it cannot be one."""
    code = read_code(typed)
    return None if code is None else vault().blind("verifiers.terminal-code", code)


async def suspend(session: AsyncSession, terminal_id: UUID, *, reason: str, now: datetime) -> Terminal:
    """Refuse a terminal everywhere within two seconds, as when it is stolen.

    Raises TerminalMissing, TerminalNotInThatState.
    """
    terminal = await locked(session, terminal_id)
    if terminal.status not in {"registered", "active"}:
        raise TerminalNotInThatState(members={"state": terminal.status})
    terminal.status = "suspended"
    terminal.suspended_at = now
    terminal.suspension_reason = reason
    key = await living_key(session, terminal_id)
    if key is not None:
        await revocations.revoke(session, key.id)
    await _record(session, "verifiers.suspend-terminal", terminal)
    return terminal


async def reinstate(session: AsyncSession, terminal_id: UUID) -> Terminal:
    """Let a suspended terminal verify again. Raises TerminalMissing, TerminalNotInThatState."""
    terminal = await locked(session, terminal_id)
    if terminal.status != "suspended":
        raise TerminalNotInThatState(members={"state": terminal.status})
    key = await living_key(session, terminal_id)
    terminal.status = "registered" if key is None else "active"
    terminal.suspended_at = None
    terminal.suspension_reason = None
    if key is not None:
        await revocations.restore(session, key.id)
    await _record(session, "verifiers.reinstate-terminal", terminal)
    return terminal


async def retire(session: AsyncSession, terminal_id: UUID, *, now: datetime) -> Terminal:
    """Take a terminal out of service for good. Raises TerminalMissing, TerminalNotInThatState."""
    terminal = await locked(session, terminal_id)
    if terminal.status == "retired":
        raise TerminalNotInThatState(members={"state": terminal.status})
    terminal.status = "retired"
    terminal.suspended_at = None
    terminal.suspension_reason = None
    await session.execute(delete(TerminalCode).where(TerminalCode.terminal_id == terminal_id))
    await retire_key(session, terminal_id, now=now)
    await _record(session, "verifiers.retire-terminal", terminal)
    return terminal


def is_silent(terminal: Terminal, *, now: datetime) -> bool:
    """Whether it should report and does not. One that is suspended, retired or not yet enrolled need not."""
    heard = terminal.last_seen_at
    return terminal.status == "active" and (heard is None or heard < now - SILENT_AFTER)


async def fleet(
    session: AsyncSession,
    *,
    verifier_id: UUID | None,
    silent: bool | None,
    after: UUID | None,
    limit: int,
    now: datetime,
) -> Sequence[tuple[Terminal, Verifier]]:
    """Terminals with their verifiers, newest first; of one verifier where it is named, and the silent or the
    others alone where that is asked."""
    query = (
        select(Terminal, Verifier)
        .join(Verifier, Verifier.id == Terminal.verifier_id)
        .order_by(Terminal.id.desc())
        .limit(limit)
    )
    if verifier_id is not None:
        query = query.where(Terminal.verifier_id == verifier_id)
    if silent is not None:
        quiet = (Terminal.status == "active") & func.coalesce(
            Terminal.last_seen_at < now - SILENT_AFTER, true()
        )
        query = query.where(quiet if silent else not_(quiet))
    if after is not None:
        query = query.where(Terminal.id < after)
    return [(row[0], row[1]) for row in await session.execute(query)]


async def hear(session: AsyncSession, terminal_id: UUID, report: Report, *, now: datetime) -> int | None:
    """Keep what a terminal reports; the seconds that its clock is ahead of ours, None where it told none."""
    skew = None if report.clock is None else round((report.clock - now).total_seconds())
    await session.execute(
        update(Terminal)
        .where(Terminal.id == terminal_id)
        .values(
            last_seen_at=now,
            list_issued_at=report.list_issued_at,
            queue_length=report.queue_length,
            skew_seconds=skew,
            software_version=func.coalesce(report.software_version, Terminal.software_version),
        )
    )
    return skew


def advice(report: Report, skew_seconds: int | None, *, now: datetime) -> list[Words]:
    """What whoever looks after the terminal should do now. Pure."""
    words = []
    if skew_seconds is not None and abs(skew_seconds) > CLOCK_TOLERANCE.total_seconds():
        zh, en = ("快", "fast") if skew_seconds > 0 else ("慢", "slow")
        words.append(
            Words(
                f"终端时钟{zh}了 {abs(skew_seconds)} 秒，会误判亮证码，请先校准时间再核验。",
                f"The clock is {abs(skew_seconds)} s {en} and codes will be misjudged: set it right first.",
            )
        )
    if report.list_issued_at is None or now - report.list_issued_at > LISTS_OLD:
        words.append(
            Words(
                "离线名单已超过 24 小时，请立即更新，否则离线时不能核验。",
                "The lists are over 24 hours old: fetch them now, or nothing can be verified offline.",
            )
        )
    return words


async def living_key(session: AsyncSession, terminal_id: UUID) -> TerminalKey | None:
    """The key that a terminal signs with now."""
    found: TerminalKey | None = await session.scalar(
        select(TerminalKey).where(TerminalKey.terminal_id == terminal_id, TerminalKey.retired_at.is_(None))
    )
    return found


async def retire_key(session: AsyncSession, terminal_id: UUID, *, now: datetime) -> None:
    """End a terminal's key with the secrets and tokens that go with it."""
    key = await living_key(session, terminal_id)
    if key is None:
        return
    key.retired_at = now
    await session.flush()
    await session.execute(
        update(VerifierClient).where(VerifierClient.key_id == key.id).values(retired_at=now)
    )
    await revocations.revoke(session, key.id)


async def locked(session: AsyncSession, terminal_id: UUID) -> Terminal:
    """A terminal that nobody else changes meanwhile. Raises TerminalMissing."""
    terminal: Terminal | None = await session.scalar(
        select(Terminal)
        .where(Terminal.id == terminal_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if terminal is None:
        raise TerminalMissing
    return terminal


async def _record(session: AsyncSession, action: str, terminal: Terminal) -> None:
    await audit.record(session, action, object_kind="terminal", object_id=terminal.id)
