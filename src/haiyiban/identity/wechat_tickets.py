"""One-time tickets: from the WeChat shell, which knows the login code, to the page inside it.

The login code must not stand in an address, where histories and logs keep it; a ticket may, behind the `#`,
for it is good once and for a minute, and says nothing of the user. Source: web/mp/README.md.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.errors import FieldError, Problem, Words
from haiyiban.identity.models import WechatTicket

LIFE = timedelta(seconds=60)
_BYTES = 32


class TicketRefused(Problem):
    """No such ticket, used before, or over: which of them is nobody's business."""

    type = "identity/ticket-refused"
    title = Words(
        "登录已失效，请退出小程序后重新进入，或用短信验证码登录",
        "This sign-in is over; open the mini program again, or use an SMS code",
    )

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/ticket", self.title)])


async def issue(session: AsyncSession, user: bytes, *, now: datetime) -> str:
    """A ticket of this WeChat user."""
    ticket = secrets.token_urlsafe(_BYTES)
    session.add(WechatTicket(ticket_hash=_hash(ticket), wechat_index=user, created_at=now))
    await session.flush()
    return ticket


async def redeem(session: AsyncSession, ticket: str, *, now: datetime) -> bytes:
    """Use the ticket up; the WeChat user it is of. Of two at once one gets it. Raises TicketRefused."""
    user: bytes | None = await session.scalar(
        update(WechatTicket)
        .where(
            WechatTicket.ticket_hash == _hash(ticket),
            WechatTicket.used_at.is_(None),
            WechatTicket.created_at > now - LIFE,
        )
        .values(used_at=now)
        .returning(WechatTicket.wechat_index)
    )
    if user is None:
        raise TicketRefused
    return user


def _hash(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()
