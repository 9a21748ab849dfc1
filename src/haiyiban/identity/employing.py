"""Who works here and what they may do (用户与角色): kept by operators, and never by one of them alone.

Rights are given by two operators: the first asks, another gives the same answer. Taking rights away, a
suspension, a lost password and a lost second factor are one operator's, for they cannot wait; but whoever
was told the one is not told the other, for with both they could sign in as somebody else. Nobody changes
themselves.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple
from uuid import UUID

import pyotp
from sqlalchemy import ARRAY, ColumnElement, Text, any_, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, divisions
from haiyiban.db import violated
from haiyiban.errors import Conflict, FieldError, NotAllowed, NotFound, Problem, Words
from haiyiban.identity import passwords, staff
from haiyiban.identity.callers import StaffCaller
from haiyiban.identity.models import Staff

ROLES = ("clerk", "officer", "operator", "village-agent")
FIRST_PASSWORD_BYTES = 12


class StaffMissing(NotFound):
    """No such member of staff, or outside one's own division."""

    type = "identity/staff-not-found"
    title = Words("没有找到这个账号", "There is no such account")


class OwnAccount(NotAllowed):
    """Nobody changes what they themselves may do."""

    type = "identity/own-account"
    title = Words("不能修改自己的账号，请由另一位管理员办理", "Nobody changes their own account")


class UsernameTaken(Conflict):
    """The name is somebody's already."""

    type = "identity/username-taken"
    title = Words("用户名已被使用，请换一个", "The name is taken; please choose another")


class ChangeDiffers(Conflict):
    """Another change waits for its second person; the members say which."""

    type = "identity/change-differs"
    title = Words(
        "已有另一项变更等待第二人确认，请核对后按原样确认，或先撤回",
        "Another change waits for a second person; confirm it as it is, or take it back",
    )


class ToldTheOther(NotAllowed):
    """The operator knows the other half of what this person signs in with."""

    type = "identity/told-the-other"
    title = Words(
        "密码和动态口令不能由同一位管理员重置，请由另一位办理",
        "Password and second factor are not renewed by the same operator; please ask another",
    )


class InvalidStaff(Problem):
    """Roles, division or name are none."""

    type = "identity/invalid-staff"
    title = Words("账号信息不对", "This does not make an account")


class Rights(NamedTuple):
    """What somebody may do, and where."""

    roles: tuple[str, ...]
    agency: str
    division: str

    @classmethod
    def of(cls, member: Staff) -> Rights:
        return cls(tuple(sorted(member.roles)), member.agency, member.division)

    def only_takes_from(self, before: Rights) -> bool:
        """Whether nobody gains by it."""
        return self[1:] == before[1:] and set(self.roles) <= set(before.roles)


class Secrets(NamedTuple):
    """What is told once, to be handed over, and kept nowhere in the clear."""

    password: str | None
    otp_uri: str | None


def within_reach(caller: StaffCaller) -> ColumnElement[bool]:
    """Staff of the operator's division and below, of whatever agency."""
    codes = literal(sorted(divisions.subtree(caller.division)), ARRAY(Text))
    return Staff.division == any_(codes)


async def hire(
    session: AsyncSession, username: str, wanted: Rights, *, caller: StaffCaller
) -> tuple[Staff, Secrets]:
    """An account that may do nothing until a second operator gives it its rights.

    Raises InvalidStaff, NotAllowed, UsernameTaken.
    """
    _require_sense(wanted, caller)
    password, otp = secrets.token_urlsafe(FIRST_PASSWORD_BYTES), pyotp.random_base32()
    try:
        member = await staff.create(
            session,
            username,
            password=password,
            roles=[],
            agency=wanted.agency,
            division=wanted.division,
            otp_secret=otp,
            told_to=caller.staff_id,
        )
    except IntegrityError as error:
        if violated(error) == "uq_identity_staff_username":
            raise UsernameTaken from None
        raise
    await _ask(session, member, wanted, caller=caller)
    return member, Secrets(password, _uri(username, otp))


async def change(session: AsyncSession, staff_id: UUID, wanted: Rights, *, caller: StaffCaller) -> Staff:
    """Ask for other rights, or give as the second person what the first has asked for.

    Raises StaffMissing, OwnAccount, InvalidStaff, NotAllowed, ChangeDiffers.
    """
    member = await _other(session, staff_id, caller)
    _require_sense(wanted, caller)
    if wanted.only_takes_from(Rights.of(member)):
        await _give(session, member, wanted)
    elif member.change is None or member.change_by == caller.staff_id:
        await _ask(session, member, wanted, caller=caller)
    elif _asked(member) != wanted:
        raise ChangeDiffers(members={"change": member.change})
    else:
        await _give(session, member, wanted)
    return member


async def take_back(session: AsyncSession, staff_id: UUID, *, caller: StaffCaller) -> Staff:
    """Let a change that waits for its second person fall. Raises StaffMissing, OwnAccount."""
    member = await _other(session, staff_id, caller)
    member.change, member.change_by = None, None
    await audit.record(session, "identity.drop-change", object_kind="staff", object_id=member.id)
    return member


async def suspend(session: AsyncSession, staff_id: UUID, *, reason: str, caller: StaffCaller) -> Staff:
    """Let them in no more from now on; living sessions end. Raises StaffMissing, OwnAccount."""
    member = await _other(session, staff_id, caller)
    if member.disabled_at is None:
        await staff.disable(session, member.id)
        await audit.record(
            session, "identity.suspend-staff", object_kind="staff", object_id=member.id, reason=reason
        )
    return member


async def reinstate(session: AsyncSession, staff_id: UUID, *, caller: StaffCaller) -> Staff:
    """Let them in again. Raises StaffMissing, OwnAccount."""
    member = await _other(session, staff_id, caller)
    member.disabled_at = None
    await audit.record(session, "identity.reinstate-staff", object_kind="staff", object_id=member.id)
    return member


async def renew_second_factor(
    session: AsyncSession, staff_id: UUID, *, caller: StaffCaller
) -> tuple[Staff, Secrets]:
    """Another secret for their one-time passwords; the old one and living sessions end.

    Raises StaffMissing, OwnAccount, ToldTheOther.
    """
    member = await _other(session, staff_id, caller)
    if member.password_told_to == caller.staff_id:
        raise ToldTheOther
    member.otp_secret = pyotp.random_base32()
    member.otp_last_step = None
    member.otp_told_to = caller.staff_id
    await staff.end_sessions(session, member.id, because="second-factor")
    await audit.record(session, "identity.renew-second-factor", object_kind="staff", object_id=member.id)
    return member, Secrets(None, _uri(member.username, member.otp_secret))


async def renew_password(
    session: AsyncSession, staff_id: UUID, *, caller: StaffCaller
) -> tuple[Staff, Secrets]:
    """A first password again, where theirs is lost; the old one and living sessions end.

    Raises StaffMissing, OwnAccount, ToldTheOther.
    """
    password = secrets.token_urlsafe(FIRST_PASSWORD_BYTES)
    # Before the row is locked, for it takes long.
    password_hash = await passwords.hash_of(password)
    member = await _other(session, staff_id, caller)
    if member.otp_told_to == caller.staff_id:
        raise ToldTheOther
    member.password_hash, member.password_told_to = password_hash, caller.staff_id
    await staff.end_sessions(session, member.id, because="password")
    await audit.record(session, "identity.renew-password", object_kind="staff", object_id=member.id)
    return member, Secrets(password, None)


async def _other(session: AsyncSession, staff_id: UUID, caller: StaffCaller) -> Staff:
    if staff_id == caller.staff_id:
        raise OwnAccount
    member = await session.scalar(
        select(Staff).where(Staff.id == staff_id, within_reach(caller)).with_for_update()
    )
    if member is None:
        raise StaffMissing
    return member


def _require_sense(wanted: Rights, caller: StaffCaller) -> None:
    errors = [
        FieldError(f"/roles/{place}", Words("没有这个角色", "There is no such role"))
        for place, role in enumerate(wanted.roles)
        if role not in ROLES
    ]
    if divisions.find(wanted.division) is None:
        errors.append(FieldError("/division", Words("没有这个区划", "There is no such division")))
    if errors:
        raise InvalidStaff(errors=errors)
    if wanted.division not in divisions.subtree(caller.division):
        raise NotAllowed


def _asked(member: Staff) -> Rights | None:
    if member.change is None:
        return None
    return Rights(tuple(member.change["roles"]), member.change["agency"], member.change["division"])


async def _ask(session: AsyncSession, member: Staff, wanted: Rights, *, caller: StaffCaller) -> None:
    member.change = {"roles": list(wanted.roles), "agency": wanted.agency, "division": wanted.division}
    member.change_by = caller.staff_id
    await _record(session, "identity.ask-rights", member, wanted)


async def _give(session: AsyncSession, member: Staff, wanted: Rights) -> None:
    member.roles, member.agency, member.division = list(wanted.roles), wanted.agency, wanted.division
    member.change, member.change_by = None, None
    # A token says what its bearer may do: with other rights, they sign in anew.
    await staff.end_sessions(session, member.id, because="rights")
    await _record(session, "identity.give-rights", member, wanted)


async def _record(session: AsyncSession, action: str, member: Staff, rights: Rights) -> None:
    await audit.record(
        session,
        action,
        object_kind="staff",
        object_id=member.id,
        reason=f"{' '.join(rights.roles) or '-'} @ {rights.agency} {rights.division}",
    )


def _uri(username: str, secret: str) -> str:
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name="海易办")
