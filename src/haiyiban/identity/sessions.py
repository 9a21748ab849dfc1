"""Sessions: opened by a sign-in, kept by refreshing, ended by their owner or by what befalls the account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.db import database
from haiyiban.errors import NotFound
from haiyiban.identity import devices, refresh_tokens, revocations, rules
from haiyiban.identity.callers import Level, ResidentCaller, StaffCaller
from haiyiban.identity.models import Account, SignIn, Staff
from haiyiban.identity.refresh_tokens import InvalidRefreshToken, RefreshTokenReplayed
from haiyiban.identity.tokens import access_tokens
from haiyiban.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a sign-in or a refresh hands out."""

    owner_id: UUID
    access_token: str
    refresh_token: str
    expires_at: datetime
    """When the session ends unless it is refreshed."""
    device_token: str | None = None


async def open_resident(
    session: AsyncSession,
    account: Account,
    *,
    device_token: str | None,
    label: str,
    wechat_index: bytes | None = None,
) -> Grant:
    """Sign an account in. On a device that it does not know, at L1."""
    now = clock.now()
    device = await devices.recognise(session, account, device_token)
    if device is None:
        device, device_token = devices.meet(session, account, now=now)
    await session.flush()
    level = rules.level_at_sign_in(Level(account.level), device_is_trusted=device.trusted_at is not None)
    sign_in = SignIn(
        id=new_id(),
        account_id=account.id,
        device_id=device.id,
        level=level,
        wechat_index=wechat_index,
        label=label,
        created_at=now,
        last_used_at=now,
        expires_at=now + rules.RESIDENT_SESSION,
    )
    grant = await _open(session, sign_in, _resident(sign_in, account), now=now)
    return Grant(
        owner_id=grant.owner_id,
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        expires_at=grant.expires_at,
        device_token=device_token,
    )


async def open_staff(session: AsyncSession, staff: Staff, *, label: str) -> Grant:
    """Sign a staff member in for one working day."""
    now = clock.now()
    sign_in = SignIn(
        id=new_id(),
        staff_id=staff.id,
        label=label,
        created_at=now,
        last_used_at=now,
        expires_at=now + rules.STAFF_SESSION,
    )
    return await _open(session, sign_in, _staff(sign_in, staff), now=now)


async def refresh(session: AsyncSession, token: str) -> Grant:
    """New tokens for a refresh token. Raises InvalidRefreshToken, RefreshTokenReplayed (the session ends)."""
    now = clock.now()
    row, fate = await refresh_tokens.exchange(session, token, now=now)
    sign_in = await session.get_one(SignIn, row.session_id)
    caller = await _caller(session, sign_in, now=now)
    if caller is None:
        raise InvalidRefreshToken
    if fate is rules.Refresh.END:
        await end(session, [sign_in], because="refresh token used twice")
        raise RefreshTokenReplayed
    if fate is rules.Refresh.ROTATE:
        successor = refresh_tokens.rotate(session, sign_in, row, token, now=now)
        sign_in.last_used_at = now
        if sign_in.account_id is not None:
            sign_in.expires_at = now + rules.RESIDENT_SESSION
    else:
        successor = refresh_tokens.successor_of(token)
    return Grant(
        owner_id=caller.id,
        access_token=access_tokens().issue(caller, now=now),
        refresh_token=successor,
        expires_at=sign_in.expires_at,
    )


async def caller_now(session_id: UUID) -> ResidentCaller | None:
    """A resident's session as it stands now; None when it has ended. Opens a short look of its own."""
    async with database().reading() as session:
        sign_in = await session.get(SignIn, session_id)
        if sign_in is None or sign_in.account_id is None:
            return None
        caller = await _caller(session, sign_in, now=clock.now())
    return caller if isinstance(caller, ResidentCaller) else None


async def own(session: AsyncSession, session_id: UUID) -> Sequence[SignIn]:
    """The living sessions of whoever holds this session, newest first."""
    holder = await session.get_one(SignIn, session_id)
    rows = await session.scalars(
        select(SignIn)
        .where(
            SignIn.account_id == holder.account_id
            if holder.account_id is not None
            else SignIn.staff_id == holder.staff_id,
            SignIn.ended_at.is_(None),
            SignIn.expires_at > clock.now(),
        )
        .order_by(SignIn.id.desc())
        .limit(100)
    )
    return rows.all()


async def end_own(session: AsyncSession, session_id: UUID, *, of: UUID) -> None:
    """End a session of whoever holds the session `of`. Raises NotFound."""
    holder = await session.get_one(SignIn, of)
    sign_in = await session.get(SignIn, session_id, with_for_update=True)
    if sign_in is None or sign_in.account_id != holder.account_id or sign_in.staff_id != holder.staff_id:
        raise NotFound
    if sign_in.ended_at is None:
        await end(session, [sign_in], because="signed out")


async def end(session: AsyncSession, sign_ins: Iterable[SignIn], *, because: str) -> None:
    """End sessions: their access tokens are refused by every process within two seconds."""
    now = clock.now()
    for sign_in in sign_ins:
        sign_in.ended_at = now
        sign_in.ended_because = because
        await revocations.revoke(session, sign_in.id)
        await audit.record(
            session,
            "identity.end-session",
            object_kind="session",
            object_id=sign_in.id,
            reason=because,
        )


async def living(session: AsyncSession, account_id: UUID) -> Sequence[SignIn]:
    """The sessions of an account that have not ended, locked."""
    rows = await session.scalars(
        select(SignIn)
        .where(SignIn.account_id == account_id, SignIn.ended_at.is_(None))
        .order_by(SignIn.id)
        .with_for_update()
    )
    return rows.all()


async def _open(
    session: AsyncSession, sign_in: SignIn, caller: ResidentCaller | StaffCaller, *, now: datetime
) -> Grant:
    session.add(sign_in)
    await session.flush()
    token = refresh_tokens.first(session, sign_in, now=now)
    await audit.record(
        session,
        "identity.sign-in",
        subject=caller.person_id if isinstance(caller, ResidentCaller) else None,
        object_kind="session",
        object_id=sign_in.id,
    )
    return Grant(
        owner_id=caller.id,
        access_token=access_tokens().issue(caller, now=now),
        refresh_token=token,
        expires_at=sign_in.expires_at,
    )


async def _caller(
    session: AsyncSession, sign_in: SignIn, *, now: datetime
) -> ResidentCaller | StaffCaller | None:
    """Whom a session speaks for now; None when it has ended or its staff member is disabled."""
    if sign_in.ended_at is not None or sign_in.expires_at <= now:
        return None
    if sign_in.account_id is not None:
        return _resident(sign_in, await session.get_one(Account, sign_in.account_id))
    staff = await session.get_one(Staff, sign_in.staff_id)
    return None if staff.disabled_at is not None else _staff(sign_in, staff)


def _resident(sign_in: SignIn, account: Account) -> ResidentCaller:
    level = Level(sign_in.level or Level.L1)
    return ResidentCaller(
        account_id=account.id,
        session_id=sign_in.id,
        level=level,
        # Below L2 the phone may be in a stranger's hand, who must not meet the person behind the account.
        person_id=account.person_id if level >= Level.L2 else None,
        face_at=sign_in.face_at if level >= Level.L3 else None,
    )


def _staff(sign_in: SignIn, staff: Staff) -> StaffCaller:
    return StaffCaller(
        staff_id=staff.id,
        session_id=sign_in.id,
        roles=frozenset(staff.roles),
        agency=staff.agency,
        division=staff.division,
    )
