"""What an account is signed in to with: adding and changing its phone and its WeChat user.

An account that nobody is bound to holds nothing, so having the phone in hand is enough. Once a person is
bound to it, only a fresh face changes how it is entered. What is bound to another person is never moved
here; a face check in the account it came with decides that (see binding).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.errors import Conflict, NotSignedIn, Words
from haiyiban.identity import sessions, sms_codes, wechat
from haiyiban.identity.accounts import phone_index
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import StepUpNeeded
from haiyiban.identity.models import Account, SignIn

FACE_IS_FRESH = timedelta(minutes=5)


class WechatOfAnother(Conflict):
    """The WeChat user signs in to the account of another person."""

    type = "identity/wechat-of-another"
    title = Words(
        "这个微信已绑定他人的账号，请先在那个账号里解除绑定",
        "This WeChat user belongs to another person's account; remove it there first",
    )


class LastWayIn(Conflict):
    """Without it nobody could sign in to the account."""

    type = "identity/last-way-in"
    title = Words(
        "请先绑定手机号码，再解除微信绑定，否则将无法登录",
        "Add a phone first: without WeChat you could not sign in any more",
    )


async def add_phone(session: AsyncSession, sign_in: SignIn, phone: str, *, code: str, now: datetime) -> Level:
    """The phone that was sent this code signs in to my account from now on. Returns the session's level.

    Where the phone already signs in to an account and mine is bound to nobody, the session joins that one:
    at L1, until a face check, when somebody is bound to it. Raises WrongCode, CodeExpired, StepUpNeeded.
    """
    await sms_codes.redeem(session, phone, code)
    index = phone_index(phone)
    account, other = await _locked(session, sign_in, Account.phone_index == index)
    if account.person_id is None and other is not None:
        await _join(session, sign_in, other)
        return Level.L1
    _require_own_face(sign_in, account, now=now)
    if account.phone_index != index:
        if other is not None:
            await _give_up_phone(session, other)
        await wechat.tell(session, account, "identity.phone-changed")
        account.phone, account.phone_index = phone, index
        await _record(session, account, "add-phone", field="phone")
    return Level(sign_in.level or Level.L1)


async def add_wechat(session: AsyncSession, sign_in: SignIn, user: bytes, *, now: datetime) -> None:
    """A WeChat user signs in to my account from now on. Raises StepUpNeeded, WechatOfAnother."""
    account, other = await _locked(session, sign_in, Account.wechat_index == user)
    _require_own_face(sign_in, account, now=now)
    if other is not None and other.person_id is not None:
        raise WechatOfAnother
    await wechat.give(session, account, user)


async def remove_wechat(session: AsyncSession, sign_in: SignIn, *, now: datetime) -> None:
    """No WeChat user signs in to my account any more; sessions from there end, this one stays.

    Raises StepUpNeeded, LastWayIn.
    """
    account, _ = await _locked(session, sign_in, Account.id == sign_in.account_id)
    _require_own_face(sign_in, account, now=now)
    if account.wechat_index is None:
        return
    if account.phone is None:
        raise LastWayIn
    account.wechat_index = None
    from_there = [
        other
        for other in await sessions.living(session, account.id)
        if other.wechat_index is not None and other.id != sign_in.id
    ]
    await sessions.end(session, from_there, because="WeChat removed")
    sign_in.wechat_index = None
    await _record(session, account, "unlink-wechat", field="wechat")


async def _locked(
    session: AsyncSession, sign_in: SignIn, is_other: ColumnElement[bool]
) -> tuple[Account, Account | None]:
    """My account and the other one, held in one order until the commit. Raises NotSignedIn."""
    rows = await session.scalars(
        select(Account)
        .where((Account.id == sign_in.account_id) | is_other)
        .order_by(Account.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = {row.id: row for row in rows}
    before = sign_in.account_id
    await session.refresh(sign_in, with_for_update=True)
    if sign_in.ended_at is not None or before is None or sign_in.account_id != before:
        raise NotSignedIn
    return found.pop(before), next(iter(found.values()), None)


def _require_own_face(sign_in: SignIn, account: Account, *, now: datetime) -> None:
    if account.person_id is None:
        return
    is_fresh = sign_in.face_at is not None and now - sign_in.face_at <= FACE_IS_FRESH
    if sign_in.level != Level.L3 or not is_fresh:
        raise StepUpNeeded(
            members={
                "needs": Level.L3.value,
                "has": sign_in.level or Level.L1.value,
                "faceWithinSeconds": int(FACE_IS_FRESH.total_seconds()),
            }
        )


async def _join(session: AsyncSession, sign_in: SignIn, other: Account) -> None:
    """This session is of the phone's account from now on; its WeChat user goes along at once where nobody
    is bound to that account, and with the face check where somebody is."""
    sign_in.account_id = other.id
    sign_in.level = Level.L1
    await session.flush()
    if other.person_id is None:
        await wechat.go_along(session, sign_in, other)
    await _record(session, other, "join-account", field="phone")


async def _give_up_phone(session: AsyncSession, other: Account) -> None:
    """The number is in another's hand, who showed it and a face: whoever it signed in at L1 is a stranger."""
    other.phone, other.phone_index = None, None
    await session.flush()
    strangers = [one for one in await sessions.living(session, other.id) if one.level == Level.L1]
    await sessions.end(session, strangers, because="phone issued again")
    await _record(session, other, "issue-phone-again", field="phone")


async def _record(session: AsyncSession, account: Account, verb: str, *, field: str) -> None:
    await audit.record(
        session,
        f"identity.{verb}",
        subject=account.person_id,
        object_kind="account",
        object_id=account.id,
        fields=[field],
    )
