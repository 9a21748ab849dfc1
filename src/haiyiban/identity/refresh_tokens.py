"""Refresh tokens: each is good once, and its successor is derived from it.

Derived, so that the same token can be answered with the same successor for ten seconds while only hashes
are stored. A later repeat means that two hold the token, and the whole session ends.
"""

from __future__ import annotations

import base64
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.crypto import vault
from haiyiban.errors import NotSignedIn, Words
from haiyiban.identity import rules
from haiyiban.identity.devices import new_token, token_hash
from haiyiban.identity.models import RefreshToken, SignIn
from haiyiban.ids import new_id


class InvalidRefreshToken(NotSignedIn):
    """The refresh token is unknown, or its session has ended."""

    type = "identity/invalid-refresh-token"
    title = Words("登录已失效，请重新登录", "Your sign-in has ended; please sign in again")


class RefreshTokenReplayed(InvalidRefreshToken):
    """The refresh token was used before; whoever used it, the session is ended."""

    commits = True

    def __init__(self) -> None:
        super().__init__(
            Words(
                "为保护您的账号，本次登录已退出，请重新登录",
                "This sign-in was ended to protect your account; please sign in again",
            )
        )


def first(session: AsyncSession, sign_in: SignIn, *, now: datetime) -> str:
    """The first refresh token of a session."""
    token = new_token()
    _add(session, sign_in, token, now=now)
    return token


async def exchange(session: AsyncSession, token: str, *, now: datetime) -> tuple[RefreshToken, rules.Refresh]:
    """The presented token's row and what becomes of it. Raises InvalidRefreshToken."""
    row = await session.scalar(
        select(RefreshToken).where(RefreshToken.token_hash == token_hash(token)).with_for_update()
    )
    if row is None:
        raise InvalidRefreshToken
    return row, rules.refresh_of(row.used_at, now=now)


def rotate(session: AsyncSession, sign_in: SignIn, row: RefreshToken, token: str, *, now: datetime) -> str:
    """Use up a token; its successor."""
    row.used_at = now
    successor = successor_of(token)
    _add(session, sign_in, successor, now=now)
    return successor


def successor_of(token: str) -> str:
    """The token that follows a token: nobody without our key can derive it."""
    digest = vault().blind("identity.refresh-successor", token)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _add(session: AsyncSession, sign_in: SignIn, token: str, *, now: datetime) -> None:
    session.add(
        RefreshToken(id=new_id(), session_id=sign_in.id, token_hash=token_hash(token), created_at=now)
    )
