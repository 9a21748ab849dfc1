"""Devices that an account knows: on one of them a sign-in by SMS is the person's again."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.identity.models import Account, Device
from haiyiban.ids import new_id


async def recognise(session: AsyncSession, account: Account, token: str | None) -> Device | None:
    """The device of this account that holds the token, if any."""
    if token is None:
        return None
    found: Device | None = await session.scalar(
        select(Device).where(Device.token_hash == token_hash(token), Device.account_id == account.id)
    )
    return found


def meet(session: AsyncSession, account: Account, *, now: datetime) -> tuple[Device, str]:
    """A device seen for the first time, not trusted, and the token it shall keep."""
    token = new_token()
    device = Device(id=new_id(), account_id=account.id, token_hash=token_hash(token), created_at=now)
    session.add(device)
    return device, token


def new_token() -> str:
    """A secret of 256 bits, as text."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def token_hash(token: str) -> bytes:
    """What is stored of a token: a copy of the database signs nobody in."""
    return hashlib.sha256(token.encode()).digest()
