"""Which account a person is bound to, and how a face moves the binding.

A name and a number can be known to others, and a phone can be issued again. So they bind a person only
where nobody stands in the way; everything else is decided by a live face. Cases and certificates belong
to the person and go along by themselves. Source: docs/domain.md §1.6; docs/decisions/.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, outbox
from haiyiban.errors import Conflict, NotSignedIn, Words
from haiyiban.identity import sessions, wechat
from haiyiban.identity.callers import Level
from haiyiban.identity.models import Account, Claim, Device, Person, SignIn
from haiyiban.ids import new_id


class AlreadyConfirmed(Conflict):
    """The account is confirmed to be somebody else's."""

    type = "identity/already-confirmed"
    title = Words(
        "本账号已完成他人实名认证，不能改为另一人",
        "This account is confirmed as another person's and cannot become somebody else's",
    )


async def confirm(session: AsyncSession, sign_in: SignIn, person: Person, *, now: datetime) -> Level:
    """The population register has confirmed that name and number are this person's.

    L2 where account and person are both free; otherwise a claim that waits for a face check, with nothing
    shown and nothing moved. Returns the session's level. Raises AlreadyConfirmed.
    """
    account, others = await lock(session, sign_in, person.id)
    level = Level(sign_in.level or Level.L1)
    if account.person_id == person.id and level >= Level.L2:
        return level
    if level >= Level.L2:
        raise AlreadyConfirmed
    if account.person_id is None and not others:
        account.person_id = person.id
        account.level = Level.L2
        return await _raise(session, sign_in, account, Level.L2, now=now)
    await session.execute(
        upsert(Claim)
        .values(session_id=sign_in.id, person_id=person.id, created_at=now)
        .on_conflict_do_update(
            index_elements=["session_id"], set_={"person_id": person.id, "created_at": now}
        )
    )
    await audit.record(
        session, "identity.claim-person", subject=person.id, object_kind="session", object_id=sign_in.id
    )
    return level


async def lock(session: AsyncSession, sign_in: SignIn, person_id: UUID) -> tuple[Account, Sequence[Account]]:
    """The session's account and the others bound to the person, all of them held until the commit.

    Always in one order, so that two who claim each other's person wait and do not block each other. Raises
    NotSignedIn where the session ended or moved meanwhile.
    """
    await session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    account_id = sign_in.account_id
    wanted = (Account.id == account_id) | (Account.person_id == person_id)
    if sign_in.wechat_index is not None:
        wanted |= Account.wechat_index == sign_in.wechat_index
    rows = await session.scalars(
        select(Account)
        .where(wanted)
        .order_by(Account.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = {row.id: row for row in rows}
    await session.refresh(sign_in, with_for_update=True)
    if sign_in.ended_at is not None or account_id is None or sign_in.account_id != account_id:
        raise NotSignedIn
    account = found.pop(account_id)
    return account, [other for other in found.values() if other.person_id == person_id]


async def target(session: AsyncSession, sign_in: SignIn) -> UUID | None:
    """Whose face this session must show: the claimed person's, else the account's. None: nobody's yet."""
    claimed = await session.scalar(select(Claim.person_id).where(Claim.session_id == sign_in.id))
    if claimed is not None:
        return claimed
    account = await session.get_one(Account, sign_in.account_id)
    return account.person_id


async def settle(session: AsyncSession, sign_in: SignIn, person_id: UUID, *, now: datetime) -> Level:
    """The living face is this person's: the person is bound to what this session signed in with, at L3.

    A phone or WeChat user that belonged to another person gets a new account; the other person keeps theirs,
    without it. Whoever else was bound to the person is signed out and told, with one exception: a session
    from WeChat joins the account that the person's phone signs in to, and both ways in stay open.
    """
    account, others = await lock(session, sign_in, person_id)
    if account.person_id not in {None, person_id}:
        account = await _issue_again(session, account, sign_in, now=now)
    home = next((other for other in others if other.phone is not None and account.phone is None), None)
    if home is not None:
        sign_in.account_id = home.id
        account = home
    for other in others:
        if other is not home:
            await wechat.take_over(session, account, other)
            await _unbind(session, other)
    await session.flush()
    await wechat.go_along(session, sign_in, account)
    account.person_id = person_id
    account.level = Level.L3
    sign_in.face_at = now
    await session.execute(delete(Claim).where(Claim.session_id == sign_in.id))
    return await _raise(session, sign_in, account, Level.L3, now=now)


async def _raise(
    session: AsyncSession, sign_in: SignIn, account: Account, level: Level, *, now: datetime
) -> Level:
    """The session reaches a level, and its device is known from now on."""
    sign_in.level = level
    assert account.person_id is not None, "whoever is known has a person"
    await audit.enrol(session, account.person_id)
    await session.execute(
        update(Device).where(Device.id == sign_in.device_id).values(account_id=account.id, trusted_at=now)
    )
    await audit.record(
        session,
        "identity.raise-level",
        subject=account.person_id,
        object_kind="session",
        object_id=sign_in.id,
        reason=level.value,
    )
    return level


async def _unbind(session: AsyncSession, account: Account) -> None:
    """The person was confirmed elsewhere: this account is nobody's, signed out everywhere, and told."""
    await sessions.end(session, await sessions.living(session, account.id), because="person moved")
    await session.execute(update(Device).where(Device.account_id == account.id).values(trusted_at=None))
    await audit.record(
        session,
        "identity.unbind-person",
        subject=account.person_id,
        object_kind="account",
        object_id=account.id,
    )
    account.person_id = None
    account.level = Level.L1
    if account.phone is not None:
        await outbox.post(
            session,
            "notices.send",
            payload={
                "phone": account.phone,
                "template": "identity.person-moved",
                "values": {},
                "language": account.language,
            },
        )


async def _issue_again(session: AsyncSession, old: Account, sign_in: SignIn, *, now: datetime) -> Account:
    """What this session signed in with has a new holder: it and the session leave the old account.

    A phone number that was issued again (号码二次放号), or a WeChat user on a device that was passed on.
    """
    account = Account(id=new_id(), level=Level.L1, language=old.language, created_at=now)
    if sign_in.wechat_index is None:
        account.phone, account.phone_index = old.phone, old.phone_index
        old.phone, old.phone_index = None, None
    await session.flush()
    session.add(account)
    await session.flush()
    sign_in.account_id = account.id
    strangers = [
        other
        for other in await sessions.living(session, old.id)
        if other.level == Level.L1
        and other.id != sign_in.id
        and (other.wechat_index is None) == (sign_in.wechat_index is None)
    ]
    await sessions.end(session, strangers, because="phone issued again")
    await audit.record(
        session,
        "identity.issue-phone-again",
        subject=old.person_id,
        object_kind="account",
        object_id=old.id,
        fields=["phone" if sign_in.wechat_index is None else "wechat"],
    )
    return account
