"""My account as a session may see it: what every page asks first, so all who ask at once are read at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.batching import Batcher
from haiyiban.errors import NotSignedIn
from haiyiban.identity.callers import Level
from haiyiban.identity.models import Account, Person, SignIn
from haiyiban.identity.wire import MePerson, MeRead
from haiyiban.masking import mask_id_number, mask_mobile, mask_name
from haiyiban.prepared import Prepared
from haiyiban.residents import IdType

# From the session and not from the token: a step-up may have moved it to another account.
_OF_SESSIONS = (
    select(
        SignIn.id,
        SignIn.level,
        SignIn.account_id,
        Account.phone_sealed,
        Account.wechat_index.is_not(None).label("has_wechat"),
        Account.person_id,
        Person.name_sealed,
        Person.id_number_sealed,
        Person.id_type,
    )
    .join(Account, Account.id == SignIn.account_id)
    .outerjoin(Person, Person.id == Account.person_id)
)
_prepared = Prepared(_OF_SESSIONS.where(SignIn.id == any_(bindparam("sessions", type_=ARRAY(Uuid())))))


async def read(session_id: UUID) -> MeRead:
    """Masked. Raises NotSignedIn for a session that is no more."""
    found = await _reading.ask(session_id)
    if found is None:
        raise NotSignedIn
    return found


async def read_within(session: AsyncSession, session_id: UUID) -> MeRead:
    """The same as a transaction that changes it sees it."""
    return _shown((await session.execute(_OF_SESSIONS.where(SignIn.id == session_id))).one())


async def _read(session_ids: Sequence[UUID]) -> list[MeRead | None]:
    rows = {row.id: row for row in await _prepared.rows(sessions=list(session_ids))}
    return [_shown(rows[one]) if one in rows else None for one in session_ids]


_reading: Batcher[UUID, MeRead | None] = Batcher(_read, in_flight=2)


def _shown(row: Any) -> MeRead:
    """Below L2 the person is not shown: the phone may have a new holder."""
    level = row.level or Level.L1
    person = None
    if row.person_id is not None and Level(level) >= Level.L2:
        person = MePerson(
            name=mask_name(Person.name.opened(row.name_sealed, row.person_id)),
            id_number=mask_id_number(Person.id_number.opened(row.id_number_sealed, row.person_id)),
            id_type=None if row.id_type == IdType.RESIDENT_ID_CARD else row.id_type,
        )
    phone = row.phone_sealed
    return MeRead(
        account_id=row.account_id,
        assurance=level,
        phone=mask_mobile(Account.phone.opened(phone, row.account_id)) if phone is not None else None,
        wechat=row.has_wechat,
        person=person,
    )
