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
from haiyiban.errors import FieldError, NotSignedIn, Problem, TooMany, Words
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


class NewPasswordRequired(NotSignedIn):
    """All is right, and the password is one that an operator handed over: good for choosing one's own."""

    type = "identity/new-password-required"
    title = Words("这是初始密码，请设置自己的密码", "This password was handed to you; please choose your own")


class WeakPassword(Problem):
    """The new password is easily guessed."""

    type = "identity/weak-password"
    title = Words("新密码太容易被猜到，请换一个", "The new password is easily guessed; please choose another")

    def __init__(self, fault: Words) -> None:
        super().__init__(errors=[FieldError("/newPassword", fault)])


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
    told_to: UUID | None = None,
) -> Staff:
    """Create a staff member. `agency` as in a matter's `handledBy`; `otp_secret` in base32 (RFC 6238).

    `told_to`: the operator who hands password and secret over, and so knows them.
    """
    staff = Staff(
        id=new_id(),
        username=username,
        password_hash=await passwords.hash_of(password),
        roles=list(roles),
        agency=agency,
        division=division,
        password_told_to=told_to,
        otp_told_to=told_to,
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
    await end_sessions(session, staff_id, because="disabled")
    await audit.record(session, "identity.disable-staff", object_kind="staff", object_id=staff_id)


async def end_sessions(session: AsyncSession, staff_id: UUID, *, because: str) -> None:
    """Sign a staff member out everywhere."""
    living = await session.scalars(
        select(SignIn).where(SignIn.staff_id == staff_id, SignIn.ended_at.is_(None)).with_for_update()
    )
    await sessions.end(session, living.all(), because=because)


async def authenticate(
    session: AsyncSession, username: str, password: str, otp: str | None, *, new_password: str | None = None
) -> Staff:
    """The staff member who gave these credentials; `new_password` is theirs from now on.

    Raises TooManyFailures, WrongCredentials, OtpRequired, NewPasswordRequired, WeakPassword, OtpUsed.
    Failures are counted by name and address together: nobody can lock a clerk out from elsewhere. Guessing
    from many addresses is accepted as a cost that the one-time password and argon2id carry.
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
    # For whoever knows the password only: what is wrong with a new one tells nothing of the old.
    fault = passwords.fault_of(new_password, username, password) if staff and new_password else None
    new_hash = await passwords.hash_of(new_password) if staff and new_password and not fault else None
    # Looked at again: of a thousand guesses sent at once, those checked after the fifth are not answered.
    await _require_patience(session, index, address, now=now)
    if staff is None or staff.disabled_at is not None:
        raise _failed(session, index, address, now=now)
    step = None
    # The clerk's phone shows real time, wherever a test has moved ours.
    wall = clock.wall()
    if staff.otp_secret is not None:
        if not otp:
            raise OtpRequired
        step = _step_of(staff.otp_secret, otp.strip(), now=wall)
        if step is None:
            raise _failed(session, index, address, now=now)
    # Before the one-time password is used up: it is asked for once, however often the new one is refused.
    if fault is not None:
        raise WeakPassword(fault)
    if staff.password_told_to is not None and new_hash is None:
        raise NewPasswordRequired
    if step is not None:
        await _use_step(session, staff.id, step, now=wall)
    if new_hash is not None:
        await _choose(session, staff, new_hash)
    return staff


async def _choose(session: AsyncSession, staff: Staff, new_hash: str) -> None:
    """Take the new password; of two who choose at once one gets in: the other's old one is wrong by then."""
    chosen = await session.scalar(
        update(Staff)
        .where(Staff.id == staff.id, Staff.password_hash == staff.password_hash)
        .values(password_hash=new_hash, password_told_to=None)
        .returning(Staff.id)
    )
    if chosen is None:
        raise WrongCredentials
    await end_sessions(session, staff.id, because="password")
    await audit.record(session, "identity.choose-password", object_kind="staff", object_id=staff.id)


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
