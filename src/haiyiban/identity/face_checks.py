"""Face checks (实人核验) through the vendor's page, redeemed server to server. No image ever comes here."""

from __future__ import annotations

import math
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, registers
from haiyiban.db import database
from haiyiban.errors import Conflict, NotFound, Problem, TooMany, Words
from haiyiban.identity import binding, persons, rules
from haiyiban.identity.callers import Level
from haiyiban.identity.models import FaceCheck, SignIn
from haiyiban.ids import new_id


class RealNameFirst(Conflict):
    """There is nobody yet whose face it could be."""

    type = "identity/real-name-first"
    title = Words("请先完成实名认证，再刷脸核验", "Give your real name first, then pass a face check")


class FaceMismatch(Problem):
    """The vendor says that the face is not the person's; the failure is counted."""

    type = "identity/face-mismatch"
    title = Words(
        "刷脸核验未通过，请在光线充足处由本人重试", "The face check failed; try again yourself in good light"
    )
    commits = True


class FaceCheckOver(Conflict):
    """This check has failed, is too old, or a newer one was begun."""

    type = "identity/face-check-over"
    title = Words("本次刷脸核验已结束，请重新发起", "This face check is over; please begin a new one")


class FaceChecksLocked(TooMany):
    """Five failures within 24 hours lock face checks for 24 hours. Source: docs/domain.md §1.6."""

    type = "identity/face-checks-locked"
    title = Words(
        "刷脸核验失败次数过多，请 24 小时后再试，或到政务服务大厅办理",
        "Too many failed face checks; try again after 24 hours, or go to a service hall",
    )


async def begin(session: AsyncSession, session_id: UUID) -> tuple[UUID, str]:
    """Begin a face check. Its id, and the vendor's page to send the person to.

    Raises RealNameFirst, FaceChecksLocked, RegisterUnavailable.
    """
    check_id = new_id()
    async with database().reading() as look:
        sign_in = await look.get_one(SignIn, session_id)
        await _require_unlocked(look, sign_in.account_id, now=clock.now())
        person_id = await binding.target(look, sign_in)
        if person_id is None:
            raise RealNameFirst
        person = await persons.get(look, person_id)
    face = await registers.begin_face_check(
        str(check_id), name=person.name, id_number=person.id_number, id_type=person.id_type
    )
    sign_in = await session.get_one(SignIn, session_id)
    if await binding.target(session, sign_in) != person_id:
        # Another name was given meanwhile, and the vendor looks for this one's face.
        raise RealNameFirst
    session.add(
        FaceCheck(
            id=check_id,
            session_id=sign_in.id,
            account_id=sign_in.account_id,
            person_id=person_id,
            vendor_session=face.session_id,
            created_at=clock.now(),
        )
    )
    await audit.record(
        session,
        "identity.begin-face-check",
        subject=person_id,
        object_kind="face_check",
        object_id=check_id,
        fields=["name", "idNumber"],
    )
    return check_id, face.vendor_url


async def finish(session: AsyncSession, check_id: UUID, token: str, *, session_id: UUID) -> Level:
    """Redeem what the vendor's page gave the person. L3, or a Problem.

    Raises NotFound, FaceCheckOver, FaceMismatch, FaceChecksLocked, RegisterUnavailable.
    """
    async with database().reading() as look:
        check = await _own(look, check_id, session_id)
        if check.passed:
            return Level.L3
        await _require_open(look, check, now=clock.now())
        await _require_unlocked(look, check.account_id, now=clock.now())
    passed = await registers.redeem_face_token(check.vendor_session, token)
    now = clock.now()
    sign_in = await session.get_one(SignIn, session_id)
    # Failures of one account are counted one after the other, however many are sent at once.
    await binding.lock(session, sign_in, check.person_id)
    check = await _own(session, check_id, session_id)
    if check.passed:
        return Level.L3
    await _require_open(session, check, now=now)
    await _require_unlocked(session, check.account_id, now=now)
    check.settled_at = now
    check.passed = passed
    await audit.record(
        session,
        "identity.finish-face-check",
        subject=check.person_id,
        object_kind="face_check",
        object_id=check_id,
        outcome="done" if passed else "face-mismatch",
    )
    if not passed:
        raise FaceMismatch
    return await binding.settle(session, sign_in, check.person_id, now=now)


async def _own(session: AsyncSession, check_id: UUID, session_id: UUID) -> FaceCheck:
    check = await session.get(FaceCheck, check_id)
    if check is None or check.session_id != session_id:
        raise NotFound
    return check


async def _require_open(session: AsyncSession, check: FaceCheck, *, now: datetime) -> None:
    newest = await session.scalar(
        select(func.max(FaceCheck.created_at)).where(FaceCheck.session_id == check.session_id)
    )
    if (
        check.settled_at is not None
        or now - check.created_at > rules.FACE_CHECK_LIFE
        or (newest is not None and newest > check.created_at)
    ):
        raise FaceCheckOver


async def _require_unlocked(session: AsyncSession, account_id: UUID | None, *, now: datetime) -> None:
    failures = await session.scalars(
        select(FaceCheck.settled_at)
        .where(
            FaceCheck.account_id == account_id,
            FaceCheck.passed.is_(False),
            FaceCheck.settled_at > now - 2 * rules.DAY,
        )
        .order_by(FaceCheck.settled_at)
    )
    until = rules.face_locked_until([at for at in failures if at is not None])
    if until is not None and until > now:
        raise FaceChecksLocked(math.ceil((until - now).total_seconds()))
