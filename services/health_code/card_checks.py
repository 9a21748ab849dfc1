"""Checking somebody by their identity card (读证核验): for who carries no phone, the terminal reads the card.

Name and number must belong together, so a number alone tells nothing. The colour is decided as for the
person's own code, and the check is kept and shown to them like any other. Source: docs/domain.md §5 (check
record, method 身份证).
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, registers
from haiyiban.clock import local_date
from haiyiban.codes.claims import Colour as Shade
from haiyiban.codes.claims import HealthBody
from haiyiban.codes.kinds import Checked
from haiyiban.codes.outcomes import Outcome
from haiyiban.db import database
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.identity import persons
from haiyiban.identity.callers import TerminalCaller
from haiyiban.masking import mask_name
from haiyiban.residents import InvalidIdNumber, parse_identity_number
from services.health_code import checks, service
from services.health_code.models import Status
from services.health_code.windows import window


class UnreadableCard(Problem):
    """What was read cannot be a card's number."""

    type = "health-code/unreadable-card"
    title = Words(
        "没有读对证件，请重新放置身份证再读一次",
        "The card was not read well; place it again and read once more",
    )


class Carried(NamedTuple):
    """Who carries the card, as the terminal is told: the name masked, the code as it is kept now."""

    name: str
    status: Status
    negative_within_hours: int | None


async def check(
    session: AsyncSession, name: str, id_number: str, *, terminal: TerminalCaller, place: str, now: datetime
) -> Carried | None:
    """Whose card it is and their colour; None where name and number do not belong together.

    Raises UnreadableCard, RegisterUnavailable.
    """
    try:
        number = parse_identity_number(id_number, today=local_date(now)).number
    except InvalidIdNumber:
        raise UnreadableCard(errors=[FieldError("/idNumber", UnreadableCard.title)]) from None
    person_id = await _known(name, number)
    if person_id is None:
        if not await registers.confirm_identity(name, number):
            return None
        async with database().transaction() as fresh:
            person_id = (await persons.find_or_create(fresh, name, id_number=number)).id
    answers = await service.ask(person_id)
    held = await service.decide_for(session, person_id, answers, now=now)
    hours = window(held.status.negative_at, now=now)
    masked = mask_name(held.person.name)
    body = HealthBody(masked, Shade[held.status.colour.upper()], held.status.golden, hours)
    seen = Checked(person_id, terminal.id, place, now, Outcome.VALID, body, None, is_offline=False)
    await checks.keep(await session.connection(), [seen])
    await audit.record(
        session,
        "health-code.check-card",
        subject=person_id,
        object_kind="person",
        object_id=person_id,
        fields=["colour"],
        reason=place,
    )
    return Carried(masked, held.status, hours)


async def _known(name: str, number: str) -> UUID | None:
    """Somebody whom we know by this number under this very name."""
    async with database().reading() as look:
        person = await persons.by_id_number(look, number)
        return person.id if person is not None and person.name == name else None
