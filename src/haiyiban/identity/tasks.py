"""Forgetting what sign-in no longer needs."""

from __future__ import annotations

from sqlalchemy import delete

from haiyiban import clock
from haiyiban.db import database
from haiyiban.identity import rules
from haiyiban.identity.models import RealNameTry, RefreshToken, SmsCode, StaffFailure, WechatTicket
from haiyiban.identity.revocations import Revocation
from haiyiban.zone import Task


async def forget(_: bytes) -> None:
    """Delete codes, counted tries and used tokens once no limit or check looks at them any more.

    A refresh token that was used longer ago than a session lives is unknown from then on: presented again it
    is refused, but no longer ends its session.
    """
    now = clock.now()
    async with database().transaction() as session:
        await session.execute(delete(SmsCode).where(SmsCode.created_at < now - 2 * rules.DAY))
        await session.execute(delete(WechatTicket).where(WechatTicket.created_at < now - rules.DAY))
        await session.execute(delete(StaffFailure).where(StaffFailure.at < now - 2 * rules.DAY))
        await session.execute(delete(RealNameTry).where(RealNameTry.at < now - 2 * rules.DAY))
        await session.execute(delete(RefreshToken).where(RefreshToken.used_at < now - rules.RESIDENT_SESSION))
        await session.execute(delete(Revocation).where(Revocation.expires_at < now))


FORGET = Task(name="identity.forget", run=forget, schedule="17 3 * * *")
