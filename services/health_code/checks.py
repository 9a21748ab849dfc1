"""Check records (核验记录): where and when terminals (健康易通、电子哨兵) checked somebody's health code.

The same person at the same terminal within 60 seconds counts once, whichever came online and whichever from a
queue. Source: docs/domain.md §5 (check record).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from haiyiban.clock import local_date
from haiyiban.codes.claims import HealthBody
from haiyiban.codes.kinds import Checked
from haiyiban.codes.outcomes import Outcome
from haiyiban.errors import Words
from haiyiban.terms import Ending, Term
from haiyiban.verifiers.models import Terminal, Verifier
from services.health_code.models import Check
from services.health_code.standards import standards

ONCE_WITHIN = timedelta(seconds=60)
_THERE = (Outcome.VALID, Outcome.DENIED)
"""A good code, and one whose colour has changed since: both show that their holder stood there. Another
refusal may be of a photograph; it stands in the access log alone."""


class Place(NamedTuple):
    """A check as its person reads it: the record, the terminal's name, the verifier's names."""

    check: Check
    terminal: str
    verifier_zh: str
    verifier_en: str


def once_each(checks: Iterable[Checked]) -> list[Checked]:
    """The earliest of those of one person at one terminal within 60 seconds. In the order of their keys, so
    that no two inserts wait for each other. Pure."""
    kept: dict[tuple[UUID, UUID], list[Checked]] = {}
    for one in sorted(checks, key=lambda each: each.at):
        own = kept.setdefault((one.holder_id, one.terminal_id), [])
        if one.outcome in _THERE and not (own and one.at - own[-1].at <= ONCE_WITHIN):
            own.append(one)
    return [one for key in sorted(kept) for one in kept[key]]


def minute(at: datetime) -> int:
    """The minute of an instant: two records of it are within 60 seconds, so the key holds one of them."""
    return int(at.timestamp()) // 60


def colour_of(one: Checked) -> str:
    """What the terminal showed: told by the server where it was online, read from the code where not."""
    if one.discloses is not None and one.discloses.subject is not None:
        return str(one.discloses.subject["colour"])
    assert isinstance(one.body, HealthBody)
    return one.body.colour.name.lower()


async def keep(connection: AsyncConnection, checks: Sequence[Checked]) -> None:
    """Keep them in one statement that looks at a few rows of each person and no others."""
    new = once_each(checks)
    if new:
        columns = zip(
            *(
                (
                    one.holder_id,
                    minute(one.at),
                    one.terminal_id,
                    one.at,
                    one.place,
                    colour_of(one),
                    str(one.outcome),
                    one.is_offline,
                )
                for one in new
            ),
            strict=True,
        )
        await connection.exec_driver_sql(_KEEP, tuple(list(column) for column in columns))


_KEEP = """
INSERT INTO health_code_check (person_id, minute, terminal_id, at, place, colour, outcome, is_offline)
SELECT * FROM unnest(
  $1::uuid[], $2::bigint[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::bool[]
) AS given (person_id, minute, terminal_id, at, place, colour, outcome, is_offline)
WHERE NOT EXISTS (
  SELECT FROM health_code_check AS kept
  WHERE kept.person_id = given.person_id AND kept.terminal_id = given.terminal_id
    AND kept.minute BETWEEN given.minute - 1 AND given.minute + 1
    AND kept.at BETWEEN given.at - interval '60 seconds' AND given.at + interval '60 seconds'
)
ON CONFLICT DO NOTHING
"""


async def of_person(
    session: AsyncSession, person_id: UUID, *, before: tuple[int, UUID] | None, limit: int, now: datetime
) -> list[Place]:
    """Where somebody's code was checked in the days that are kept, the latest first."""
    query = (
        select(Check, Terminal.name, Verifier.name_zh, Verifier.name_en)
        .join(Terminal, Terminal.id == Check.terminal_id)
        .join(Verifier, Verifier.id == Terminal.verifier_id)
        .where(Check.person_id == person_id, Check.at >= kept_since(now))
        .order_by(Check.minute.desc(), Check.terminal_id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(Check.minute, Check.terminal_id) < before)
    return [Place(*row) for row in await session.execute(query)]


def kept_since(now: datetime) -> datetime:
    """The instant from which on records are kept, by the figure in force that day."""
    return now - _kept_for(local_date(now))


def _kept_for(day: date) -> timedelta:
    return timedelta(days=standards().check_records_on(day).days)


TERM = Term(
    data_class="health-code.checks",
    what=Words("健康码核验记录", "Records of where a health code was checked"),
    tables=(Check,),
    kept=Words("核验后若干天，按当日有效的标准（目前为 14 天）", "days by the dated standard, now 14 days"),
    why=Words(
        "只为追溯密接而记录，过期即无目的（个人信息保护法 第19条；天数为示例配置）",
        "Kept to trace contacts alone, and without a purpose after that (PIPL, art. 19; the days are an "
        "example's)",
    ),
    ending=Ending(table=Check, since=Check.at, after=_kept_for, every=timedelta(hours=1)),
)
