"""A parent agrees by their living face on the adult child's device: who has no phone is not left out.

The vendor compares with the photo of the parent's own identity card, server to server; no image comes here.
Source: docs/domain.md §1.6.
"""

from __future__ import annotations

import math
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import registers
from haiyiban.clock import local_date
from haiyiban.db import database
from haiyiban.delegations import access, making, rules
from haiyiban.delegations.access import Actor, DelegationMissing
from haiyiban.delegations.models import Delegation, DelegationFaceCheck
from haiyiban.delegations.rules import State
from haiyiban.errors import Conflict, Problem, TooMany, Words
from haiyiban.identity import persons
from haiyiban.identity.models import Person
from haiyiban.identity.rules import FACE_CHECK_LIFE
from haiyiban.ids import new_id


class GiverFaceMismatch(Problem):
    """The face is not the giver's; the failure is counted."""

    type = "delegations/face-mismatch"
    title = Words(
        "刷脸核验未通过，请委托人本人在光线充足处重试", "The face check failed; the giver may try again"
    )
    commits = True


class GiverFaceCheckOver(Conflict):
    """This check is settled or too old."""

    type = "delegations/face-check-over"
    title = Words("本次刷脸核验已结束，请重新发起", "This face check is over; please begin a new one")


class GiverFacesLocked(TooMany):
    """Five failures on one taker's device within 24 hours lock for 24 hours."""

    type = "delegations/face-checks-locked"
    title = Words(
        "刷脸核验失败次数过多，请 24 小时后再试，或到政务服务大厅办理",
        "Too many failed face checks; try again after 24 hours, or go to a service hall",
    )


async def begin(
    session: AsyncSession, delegation_id: UUID, actor: Actor, *, now: datetime
) -> tuple[UUID, str]:
    """Begin a check of the giver's face: its id, and the vendor's page.

    Raises DelegationMissing, GiverFaceCheckOver, DelegationEnded, DelegationExpired, GiverFacesLocked,
    RegisterUnavailable.
    """
    check_id = new_id()
    async with database().reading() as look:
        delegation = await _awaiting(look, delegation_id, actor, now=now)
        await _require_unlocked(look, actor.id, now=now)
        giver = await persons.get(look, delegation.giver_id)
    face = await registers.begin_face_check(
        str(check_id), name=giver.name, id_number=giver.id_number, id_type=giver.id_type
    )
    session.add(
        DelegationFaceCheck(
            id=check_id,
            delegation_id=delegation_id,
            taker_id=actor.id,
            vendor_session=face.session_id,
            created_at=now,
        )
    )
    await session.flush()
    await making.record(session, delegation, "begin-face-check", fields=["name", "idNumber"])
    return check_id, face.vendor_url


async def finish(
    session: AsyncSession, delegation_id: UUID, check_id: UUID, *, token: str, actor: Actor, now: datetime
) -> Delegation:
    """Redeem what the vendor's page gave; passed, the giver has agreed.

    Raises DelegationMissing, GiverFaceCheckOver, GiverFaceMismatch, GiverFacesLocked, FaceCheckExpired,
    RegisterUnavailable and NotInForce's kinds.
    """
    async with database().reading() as look:
        await _awaiting(look, delegation_id, actor, now=now)
        vendor_session = (await _open(look, delegation_id, check_id, now=now)).vendor_session
        await _require_unlocked(look, actor.id, now=now)
    passed = await registers.redeem_face_token(vendor_session, token)
    # Failures on one device are counted one after the other, however many are sent at once.
    await session.execute(select(Person.id).where(Person.id == actor.id).with_for_update())
    delegation = await _awaiting(session, delegation_id, actor, now=now, locked=True)
    check = await _open(session, delegation_id, check_id, now=now)
    await _require_unlocked(session, actor.id, now=now)
    check.settled_at = now
    check.passed = passed
    if not passed:
        await making.record(session, delegation, "fail-face-check")
        raise GiverFaceMismatch
    delegation.giver_agreed_at = now
    await making.record(session, delegation, "agree")
    return delegation


async def _awaiting(
    session: AsyncSession, delegation_id: UUID, actor: Actor, *, now: datetime, locked: bool = False
) -> Delegation:
    find = access.own_for_change if locked else access.own
    delegation = await find(session, delegation_id, actor)
    if delegation.taker_id != actor.id:
        raise DelegationMissing
    state = access.state_on(delegation, local_date(now))
    if state is not State.AWAITS_GIVER:
        rules.require_handling(state)
        raise GiverFaceCheckOver
    return delegation


async def _open(
    session: AsyncSession, delegation_id: UUID, check_id: UUID, *, now: datetime
) -> DelegationFaceCheck:
    check = await session.get(DelegationFaceCheck, check_id, populate_existing=True)
    if check is None or check.delegation_id != delegation_id:
        raise DelegationMissing
    if check.settled_at is not None or now - check.created_at > FACE_CHECK_LIFE:
        raise GiverFaceCheckOver
    return check


async def _require_unlocked(session: AsyncSession, taker_id: UUID, *, now: datetime) -> None:
    failures = await session.scalars(
        select(DelegationFaceCheck.settled_at).where(
            DelegationFaceCheck.taker_id == taker_id,
            DelegationFaceCheck.passed.is_(False),
            DelegationFaceCheck.settled_at > now - 2 * rules.FACE_LOCK,
        )
    )
    until = rules.face_locked([at for at in failures if at is not None], now=now)
    if until is not None:
        raise GiverFacesLocked(math.ceil((until - now).total_seconds()))
