"""Accounts: found by phone, told by phone."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.context import current
from haiyiban.crypto import vault
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.models import Account
from haiyiban.ids import new_id
from haiyiban.residents import InvalidMobile, normalise_mobile


class InvalidPhone(Problem):
    """The phone number cannot be a mainland mobile's."""

    type = "identity/invalid-phone"
    title = Words("手机号码不对", "The phone number cannot be right")


def parse_phone(raw: str) -> str:
    """The eleven digits of a mobile number. Raises InvalidPhone."""
    try:
        return normalise_mobile(raw)
    except InvalidMobile as error:
        raise InvalidPhone(errors=[FieldError("/phone", error.words)]) from None


def phone_index(phone: str) -> bytes:
    """The blind index of a phone."""
    return vault().blind("identity.phone", phone)


async def find_or_create(session: AsyncSession, phone: str) -> Account:
    """The account of a phone; a new one, bound to nobody, where there is none. Locked until the commit."""
    fresh = Account(id=new_id())
    fresh.phone = phone
    created = await session.scalar(
        upsert(Account)
        .values(
            id=fresh.id,
            phone_sealed=fresh.phone_sealed,
            phone_index=phone_index(phone),
            level=Level.L1,
            language=current().language,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["phone_index"])
        .returning(Account.id)
    )
    if created is not None:
        await audit.record(session, "identity.create-account", object_kind="account", object_id=created)
    account = await session.scalar(
        select(Account).where(Account.phone_index == phone_index(phone)).with_for_update()
    )
    if account is None:
        # Closed while we waited for its row, or another proved to have the phone: it is free.
        return await find_or_create(session, phone)
    account.language = current().language
    return account


async def of_person(session: AsyncSession, person_id: UUID) -> Account | None:
    """The account that a person is bound to, if any."""
    found: Account | None = await session.scalar(select(Account).where(Account.person_id == person_id))
    return found


async def of_persons(session: AsyncSession, person_ids: Iterable[UUID]) -> dict[UUID, Account]:
    """The accounts of those persons who have one; one query for all."""
    found = await session.scalars(select(Account).where(Account.person_id.in_(set(person_ids))))
    return {account.person_id: account for account in found if account.person_id is not None}
