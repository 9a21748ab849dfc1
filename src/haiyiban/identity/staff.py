"""Staff: created by an operator, signed in by password and one-time password."""

from __future__ import annotations

import hmac
import math
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.context import current
from haiyiban.crypto import vault
from haiyiban.db import database
from haiyiban.errors import NotSignedIn, TooMany, Words
from haiyiban.identity import passwords, rules, sessions
from haiyiban.identity.models import SignIn, Staff, StaffFailure
from haiyiban.ids import new_id

OTP_STEP_SECONDS = 30


class WrongCredentials(NotSignedIn):
    """Unknown name, wrong password, wrong one-time password or disabled: the same answer for each."""

    type = "identity/wrong-credentials"
    title = Words(
        "用户名、密码或动态口令不对", "The username, the password or the one-time password is wrong"
    )
    commits = True


class OtpRequired(NotSignedIn):
    """The password is right and the account also asks for a one-time password."""

    type = "identity/otp-required"
    title = Words("请输入动态口令", "Please give the one-time password as well")


class OtpUsed(NotSignedIn):
    """The one-time password is right and was used before; each is good for one sign-in."""

    type = "identity/otp-used"
    title = Words(
        "该动态口令已使用过，请等下一个口令", "This one-time password was used; please wait for the next one"
    )

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__()
        self.headers["Retry-After"] = str(retry_after_seconds)


class TooManyFailures(TooMany):
    """This address gave wrong credentials for this name too often."""

    type = "identity/too-many-failures"
    title = Words("输错次数过多，请稍后再试", "Too many wrong tries; please try again later")


async def create(
    session: AsyncSession,
    username: str,
    *,
    password: str,
    roles: Sequence[str],
    agency: str,
    division: str,
    otp_secret: str | None = None,
) -> Staff:
    """Create a staff member. `agency` as in a matter's `handledBy`; `otp_secret` in base32 (RFC 6238)."""
    staff = Staff(
        id=new_id(),
        username=username,
        password_hash=await passwords.hash_of(password),
        roles=list(roles),
        agency=agency,
        division=division,
        created_at=clock.now(),
    )
    staff.otp_secret = otp_secret
    session.add(staff)
    await session.flush()
    await audit.record(session, "identity.create-staff", object_kind="staff", object_id=staff.id)
    return staff


async def disable(session: AsyncSession, staff_id: UUID) -> None:
    """Let a staff member in no more; living sessions end."""
    staff = await session.get_one(Staff, staff_id, with_for_update=True)
    staff.disabled_at = clock.now()
    living = await session.scalars(
        select(SignIn).where(SignIn.staff_id == staff_id, SignIn.ended_at.is_(None)).with_for_update()
    )
    await sessions.end(session, living.all(), because="disabled")
    await audit.record(session, "identity.disable-staff", object_kind="staff", object_id=staff_id)


async def authenticate(session: AsyncSession, username: str, password: str, otp: str | None) -> Staff:
    """The staff member who gave these credentials.

    Raises TooManyFailures, WrongCredentials, OtpRequired, OtpUsed. Failures are counted by name and address
    together: nobody can lock a clerk out from elsewhere. Guessing from many addresses is accepted as a cost
    that the one-time password and argon2id carry.
    """
    now = clock.now()
    index = vault().blind("identity.username", username)
    address = current().address or ""
    async with database().reading() as look:
        await _require_patience(look, index, address, now=now)
        staff = await look.scalar(select(Staff).where(Staff.username == username))
    # The password is checked without a transaction, for it takes long.
    if not await passwords.matches(password, staff.password_hash if staff else None):
        staff = None
    # Looked at again: of a thousand guesses sent at once, those checked after the fifth are not answered.
    await _require_patience(session, index, address, now=now)
    if staff is None or staff.disabled_at is not None:
        raise _failed(session, index, address, now=now)
    if staff.otp_secret is not None:
        if not otp:
            raise OtpRequired
        # The clerk's phone shows real time, wherever a test has moved ours.
        wall = clock.wall()
        step = _step_of(staff.otp_secret, otp.strip(), now=wall)
        if step is None:
            raise _failed(session, index, address, now=now)
        await _use_step(session, staff.id, step, now=wall)
    return staff


async def _require_patience(session: AsyncSession, index: bytes, address: str, *, now: datetime) -> None:
    failures = await session.scalars(
        select(StaffFailure.at)
        .where(
            StaffFailure.username_index == index,
            StaffFailure.address == address,
            StaffFailure.at > now - rules.STAFF_PAUSE,
        )
        .order_by(StaffFailure.at)
    )
    wait = rules.staff_wait(failures.all(), now=now)
    if wait is not None:
        raise TooManyFailures(math.ceil(wait.total_seconds()))


def _failed(session: AsyncSession, index: bytes, address: str, *, now: datetime) -> WrongCredentials:
    session.add(StaffFailure(id=new_id(), username_index=index, address=address, at=now))
    return WrongCredentials()


def _step_of(secret: str, otp: str, *, now: datetime) -> int | None:
    """The 30-second step that a one-time password belongs to; clocks may differ by one step."""
    generator = pyotp.TOTP(secret, interval=OTP_STEP_SECONDS)
    newest = int(now.timestamp()) // OTP_STEP_SECONDS
    for step in (newest, newest - 1, newest + 1):
        if hmac.compare_digest(generator.generate_otp(step).encode(), otp.encode()):
            return step
    return None


async def _use_step(session: AsyncSession, staff_id: UUID, step: int, *, now: datetime) -> None:
    """Use a one-time password up: of two who give it at once, one is let in. Raises OtpUsed."""
    used = await session.scalar(
        update(Staff)
        .where(Staff.id == staff_id, Staff.otp_last_step.is_(None) | (Staff.otp_last_step < step))
        .values(otp_last_step=step)
        .returning(Staff.id)
    )
    if used is None:
        raise OtpUsed(OTP_STEP_SECONDS - int(now.timestamp()) % OTP_STEP_SECONDS)
