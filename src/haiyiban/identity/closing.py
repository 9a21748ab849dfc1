"""Closing an account (注销): nobody signs in to it any more, and what only signing in needed goes.

The account's row stays, empty and bound to nobody: the audit names it. The phone signs in to a new one.
Source: 个人信息保护法 art. 47; docs/your-data.md.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.identity import revocations, sessions
from haiyiban.identity.callers import Level
from haiyiban.identity.models import (
    Account,
    Claim,
    Device,
    FaceCheck,
    Person,
    RealNameTry,
    RefreshToken,
    SignIn,
    WechatTicket,
)


async def hold(session: AsyncSession, account_id: UUID, person_id: UUID) -> Account:
    """The account, held until the commit; the person first, as whoever binds them does (binding.lock)."""
    await session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    return await session.get_one(Account, account_id, with_for_update=True, populate_existing=True)


async def close(session: AsyncSession, account: Account, *, now: datetime) -> None:
    """Sign everybody out of a held account and take phone, WeChat user and person from it."""
    person_id = account.person_id
    await sessions.end(session, await sessions.living(session, account.id), because="account closed")
    # Whatever slipped past the list of living sessions: the account itself is refused from now on.
    await revocations.revoke(session, account.id)
    mine = select(SignIn.id).where(SignIn.account_id == account.id)
    await session.execute(delete(RefreshToken).where(RefreshToken.session_id.in_(mine)))
    await session.execute(delete(Claim).where(Claim.session_id.in_(mine)))
    await session.execute(
        delete(FaceCheck).where((FaceCheck.account_id == account.id) | (FaceCheck.person_id == person_id))
    )
    await session.execute(delete(RealNameTry).where(RealNameTry.account_id == account.id))
    # The row says until the capsules' end that its phone was signed out.
    await session.execute(
        update(SignIn)
        .where(SignIn.account_id == account.id)
        .values(device_id=None, wechat_index=None, face_at=None, label="")
    )
    await session.execute(
        update(SignIn)
        .where(SignIn.account_id == account.id, SignIn.ended_at.is_(None))
        .values(ended_at=now, ended_because="account closed")
    )
    await session.execute(delete(Device).where(Device.account_id == account.id))
    if account.wechat_index is not None:
        await session.execute(delete(WechatTicket).where(WechatTicket.wechat_index == account.wechat_index))
    account.phone, account.phone_index, account.wechat_index = None, None, None
    if person_id is not None:
        await audit.retire(session, person_id, now=now)
    account.person_id, account.level = None, Level.L1
    await session.flush()
    await audit.record(
        session,
        "me.delete",
        subject=person_id,
        object_kind="account",
        object_id=account.id,
        fields=["phone", "wechat", "sessions", "devices", "face-checks"],
        reason="个人信息保护法 art. 47",
    )
