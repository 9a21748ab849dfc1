"""WeChat users and the accounts they sign in to: one user, one account, and the other way round.

A WeChat user is known as well as a phone is: the same one comes back, and says nothing about the person. So
the rules of phones hold here too: levels come back on devices that are known, and a face decides the rest.
Source: docs/domain.md §1.6.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, outbox
from haiyiban.context import current
from haiyiban.crypto import vault
from haiyiban.identity.callers import Level
from haiyiban.identity.models import Account, SignIn
from haiyiban.ids import new_id


def index_of(openid: str) -> bytes:
    """The blind index of a WeChat user."""
    return vault().blind("identity.wechat", openid)


async def find_or_create(session: AsyncSession, user: bytes) -> Account:
    """The account of a WeChat user; a new one, of nobody, where there is none. Locked until the commit."""
    created = await session.scalar(
        upsert(Account)
        .values(
            id=new_id(),
            wechat_index=user,
            level=Level.L1,
            language=current().language,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["wechat_index"])
        .returning(Account.id)
    )
    if created is not None:
        await audit.record(session, "identity.create-account", object_kind="account", object_id=created)
    account = await holder(session, user)
    if account is None:
        # Closed while we waited for its row: this WeChat user is free.
        return await find_or_create(session, user)
    account.language = current().language
    return account


async def holder(session: AsyncSession, user: bytes) -> Account | None:
    """The account that a WeChat user signs in to, locked."""
    found: Account | None = await session.scalar(
        select(Account).where(Account.wechat_index == user).with_for_update()
    )
    return found


async def take_over(session: AsyncSession, account: Account, other: Account) -> None:
    """Another account of the same person, which no phone signs in to, gives its WeChat user to this one."""
    if other.phone is None and account.wechat_index is None and other.wechat_index is not None:
        user, other.wechat_index = other.wechat_index, None
        await session.flush()
        account.wechat_index = user


async def go_along(session: AsyncSession, sign_in: SignIn, account: Account) -> None:
    """The WeChat user of a session comes to the account that the session is now of."""
    if sign_in.wechat_index is not None:
        await give(session, account, sign_in.wechat_index)


async def give(session: AsyncSession, account: Account, user: bytes) -> None:
    """From now on this WeChat user signs in to this account, whose phone is told; another one no longer."""
    if account.wechat_index == user:
        return
    before = await holder(session, user)
    if before is not None:
        before.wechat_index = None
        await session.flush()
    account.wechat_index = user
    await session.flush()
    await audit.record(
        session,
        "identity.link-wechat",
        subject=account.person_id,
        object_kind="account",
        object_id=account.id,
        fields=["wechat"],
    )
    await tell(session, account, "identity.wechat-linked")


async def tell(session: AsyncSession, account: Account, template: str) -> None:
    """A text to the account's phone, where it has one."""
    if account.phone is not None:
        await outbox.post(
            session,
            "notices.send",
            payload={
                "phone": account.phone,
                "template": template,
                "values": {},
                "language": account.language,
            },
        )
