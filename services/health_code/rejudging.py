"""Judging people anew by what the registers said of them earlier the same day: after a change of the rules
nobody is asked twice in a day.

Nothing new is learned here, so neither the colour's age nor the time of asking moves, and no register is
read. Whoever has no facts of today, or none that the new rules ask for, is left to whoever asks.
Source: docs/domain.md §5; docs/health-code.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.clock import local_date
from haiyiban.codes.claims import Kind
from haiyiban.codes.withdrawn import withdraw
from haiyiban.crypto import vault
from haiyiban.db import among, database
from haiyiban.identity.models import Person
from haiyiban.sealed import place
from services.health_code.facts import Declared, with_declared
from services.health_code.models import ManualChange, Status
from services.health_code.rules import Colour, Correction, Decision, RuleTable, decide
from services.health_code.service import MANUAL, changes_on, declared_since
from services.health_code.standards import Standard, basis, rules_on, standards


class Kept(NamedTuple):
    """Somebody's colour as it is kept, and the facts it was judged by."""

    person_id: UUID
    colour: str
    reasons: Sequence[str]
    rules: str
    asked_at: datetime
    facts_sealed: bytes | None


class Judged(NamedTuple):
    """What somebody's colour is by the rules in force."""

    kept: Kept
    colour: str
    reasons: Sequence[str]

    @property
    def is_other(self) -> bool:
        """Whether the colour is another, and not only its reasons."""
        return self.colour != self.kept.colour


class _Held(msgspec.Struct):
    """The registers' facts, and the mark of the figures under which they were made."""

    under: str
    asked: dict[str, bool | int | str | None]


async def next_kept(after: UUID | None, limit: int) -> list[Kept]:
    """The next people in the order of their ids."""
    rows = await database().fetch(_NEXT, after or UUID(int=0), limit)
    return [Kept._make(row) for row in rows]


async def judge(
    session: AsyncSession, people: Sequence[Kept], *, now: datetime
) -> tuple[list[Judged], set[UUID]]:
    """Those whose colour, reasons or rules become others, and those whom the registers must be asked about.

    Read `people` before: then whoever is decided meanwhile is seen in `keep`.
    """
    day = local_date(now)
    today = _Today(now, standards().on(day), rules_on(day), basis(day))
    held = {one.person_id: facts for one in people if (facts := _facts(one, day)) is not None}
    since = now - timedelta(days=today.standard.declaration_days)
    declared = await declared_since(session, list(held), since=since)
    changes = await changes_on(session, list(held), day)
    others: list[Judged] = []
    to_ask: set[UUID] = set()
    by_facts: dict[bytes, Decision | None] = {}
    for one in people:
        facts, change = held.get(one.person_id), changes.get(one.person_id)
        said = declared.get(one.person_id, ())
        if facts is None:
            decision = None
        elif change is not None or said:
            decision = _decision(facts, said, change, today)
        else:
            # As of most people: the same facts give the same colour, and are judged once.
            if facts not in by_facts:
                by_facts[facts] = _decision(facts, said, change, today)
            decision = by_facts[facts]
        if decision is None or decision.unanswered:
            to_ask.add(one.person_id)
            continue
        reasons = [rule.id for rule in decision.by]
        if change is not None and change.colour == decision.colour:
            reasons.append(MANUAL)
        if (one.colour, list(one.reasons), one.rules) != (decision.colour, reasons, today.table.id):
            others.append(Judged(one, decision.colour, reasons))
    return others, to_ask


async def keep(session: AsyncSession, judged: Sequence[Judged], *, now: datetime) -> int:
    """Keep what was judged, and withdraw and record each colour that became another; returns how many did.

    Whoever was asked about since they were read is passed over: they were judged by newer facts.
    """
    if not judged:
        return 0
    rules = rules_on(local_date(now)).id
    kept = await session.scalars(
        _KEEP,
        {
            "people": [one.kept.person_id for one in judged],
            "asked": [one.kept.asked_at for one in judged],
            "colours": [str(one.colour) for one in judged],
            "reasons": [" ".join(one.reasons) for one in judged],
            "rules": rules,
        },
    )
    done = set(kept)
    others = [one.kept.person_id for one in judged if one.is_other and one.kept.person_id in done]
    await audit.record_each(
        session, "health-code.decide", others, object_kind="person", fields=["colour"], reason=rules
    )
    if others:
        refs = await session.scalars(select(Person.ref).where(among(Person.id, others)))
        # In this transaction: the colours and the deny-list change together or not at all.
        await withdraw(session, Kind.HEALTH, list(refs), now=now)
    return len(others)


def _facts(one: Kept, day: date) -> bytes | None:
    """The held facts of a day, still as JSON; most people share theirs with many."""
    if one.facts_sealed is None or local_date(one.asked_at) != day:
        return None
    return vault().open(
        one.facts_sealed, where=place(Status.__tablename__, Status.facts_sealed.key, one.person_id)
    )


class _Today(NamedTuple):
    """By what is judged."""

    now: datetime
    standard: Standard
    table: RuleTable
    under: str


def _decision(
    facts: bytes, said: Sequence[Declared], change: ManualChange | None, today: _Today
) -> Decision | None:
    """None where other figures or areas are in force by now, by which the same answers may be other facts."""
    held = msgspec.json.decode(facts, type=_Held)
    if held.under != today.under:
        return None
    return decide(
        today.table,
        with_declared(held.asked, said, standard=today.standard, now=today.now),
        correction=Correction(Colour(change.colour), frozenset(change.aside)) if change else None,
    )


_NEXT = """
SELECT person_id, colour, reasons, rules, asked_at, facts_sealed
FROM health_code_status WHERE person_id > $1 ORDER BY person_id LIMIT $2
"""
_KEEP = text("""
UPDATE health_code_status AS status
SET colour = new.colour, reasons = string_to_array(new.reasons, ' '), rules = :rules
FROM unnest(
  CAST(:people AS uuid[]), CAST(:asked AS timestamptz[]), CAST(:colours AS text[]), CAST(:reasons AS text[])
) AS new (person_id, asked_at, colour, reasons)
WHERE status.person_id = new.person_id AND status.asked_at = new.asked_at
RETURNING status.person_id
""")
