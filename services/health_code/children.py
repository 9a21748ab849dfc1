"""Children's codes (子女代领): a parent shows the code of a child whom the registers know as theirs.

Families do not change by the hour, so a proof holds for a day, and a register that is away takes nobody's
code from them. At eighteen one shows one's own. Source: docs/domain.md §1.6 (亲属绑定), §5.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.clock import local_date
from haiyiban.codes.kinds import SubjectUnknown
from haiyiban.db import database
from haiyiban.delegations.family import Relative, Relatives, relatives_of
from haiyiban.errors import Words
from haiyiban.identity import persons
from haiyiban.residents import ADULT_YEARS, InvalidIdNumber, age_on, parse_identity_number
from services.health_code.models import Guardian

PROVED_FOR = timedelta(days=1)


class ChildMissing(SubjectUnknown):
    """No child whom the registers know as the caller's, or not since yesterday; the list asks them anew."""

    title = Words(
        "没有查到这名未成年子女，请打开家人健康码重新核对",
        "The registers know no such child of yours; open your family's codes to have it looked up again",
    )


@dataclass(frozen=True, slots=True)
class Family:
    """The children of a guardian."""

    children: Sequence[UUID]
    """By age, the eldest first."""
    is_complete: bool
    """False where a register could not be asked: who is not among them may still be theirs."""


def minors(relatives: Relatives, today: date) -> list[Relative]:
    """The children below eighteen, the eldest first; a number that cannot be read is nobody's."""
    births: list[tuple[date, Relative]] = []
    for child in relatives.of_kin("child"):
        try:
            birth = parse_identity_number(child.id_number, today=today).birth
        except InvalidIdNumber:
            continue
        if age_on(birth, today) < ADULT_YEARS:
            births.append((birth, child))
    return [child for _, child in sorted(births, key=lambda each: each[0])]


async def prove(guardian_id: UUID, *, now: datetime) -> Family:
    """Ask the registers for a guardian's children and keep what they say, in a transaction of its own."""
    async with database().reading() as look:
        guardian = await persons.get(look, guardian_id)
        id_number, id_type = guardian.id_number, guardian.id_type
    relatives = await relatives_of(id_number, id_type=id_type)
    today = local_date(now)
    async with database().transaction() as session:
        theirs = [
            (await persons.find_or_create(session, child.name, id_number=child.id_number)).id
            for child in minors(relatives, today)
        ]
        if not relatives.is_complete:
            theirs += await _known_before(session, guardian_id, theirs, today)
        await _keep(session, guardian_id, theirs, now=now)
    return Family(theirs, relatives.is_complete)


async def proved(pairs: Collection[tuple[UUID, UUID | None]]) -> set[tuple[UUID, UUID]]:
    """Of pairs of guardian and child those that the registers have lately known."""
    since = clock.now() - PROVED_FOR
    async with database().reading() as session:
        rows = await session.execute(
            select(Guardian.guardian_id, Guardian.person_id).where(
                Guardian.guardian_id.in_({guardian for guardian, _ in pairs}),
                Guardian.person_id.in_({child for _, child in pairs}),
                Guardian.proved_at > since,
            )
        )
        found = {(row.guardian_id, row.person_id) for row in rows}
    return found & set(pairs)


async def require(guardian_id: UUID, child_id: UUID, *, now: datetime) -> None:
    """That the registers know the child as the guardian's, asking them where that was not done today.

    Raises ChildMissing.
    """
    if await proved([(guardian_id, child_id)]):
        return
    family = await prove(guardian_id, now=now)
    if child_id not in family.children:
        raise ChildMissing


async def _known_before(
    session: AsyncSession, guardian_id: UUID, theirs: Sequence[UUID], today: date
) -> list[UUID]:
    """Further children whom the registers knew before and who are children still."""
    before = await session.scalars(
        select(Guardian.person_id).where(
            Guardian.guardian_id == guardian_id, Guardian.person_id.not_in(theirs)
        )
    )
    births = {
        child_id: persons.birth_of(person, today=today)
        for child_id, person in (await persons.of_ids(session, before.all())).items()
    }
    return sorted(child for child, birth in births.items() if birth and age_on(birth, today) < ADULT_YEARS)


async def _keep(session: AsyncSession, guardian_id: UUID, theirs: Sequence[UUID], *, now: datetime) -> None:
    await session.execute(
        delete(Guardian).where(Guardian.guardian_id == guardian_id, Guardian.person_id.not_in(theirs))
    )
    if theirs:
        rows = [{"person_id": child, "guardian_id": guardian_id, "proved_at": now} for child in theirs]
        await session.execute(
            upsert(Guardian)
            .values(rows)
            .on_conflict_do_update(index_elements=["person_id", "guardian_id"], set_={"proved_at": now})
        )
