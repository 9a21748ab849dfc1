"""Allocation runs (派位): fixing the roll, drawing once, and annulling with a second person."""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, divisions
from haiyiban.cases.models import Case
from haiyiban.cases.states import State
from haiyiban.errors import Conflict, FieldError, NotAllowed, NotFound, Problem, Words
from haiyiban.identity.callers import StaffCaller
from haiyiban.ids import new_id
from services.school_places import draw, public_file, published_counts
from services.school_places.models import AllocationRun, Application, Enrolment
from services.school_places.public_file import Roll
from services.school_places.service import allocation, enrolments, roll, settling
from services.school_places.service.settling import RollChanged

REDRAW_NOTICE = timedelta(days=1)
"""After an annulment, how long before the next draw its new commitment must have been public."""
_PENDING = (State.SUBMITTED.value, State.CORRECTION_REQUESTED.value, State.SUSPENDED.value)


class RunMissing(NotFound):
    """No such run of this enrolment."""

    type = "school-places/run-not-found"
    title = Words("没有找到这次派位", "There is no such allocation run")


class RunExists(Conflict):
    """The enrolment has its one run; the members say where it stands."""

    type = "school-places/run-exists"
    title = Words(
        "本批次已有一次派位；只有作废并公布后才能重新派位",
        "This enrolment has its run; another needs a published annulment of the first",
    )


class EnrolmentStillOpen(Conflict):
    """Families may still apply."""

    type = "school-places/enrolment-still-open"
    title = Words("招生尚未截止，不能锁定名单", "The enrolment has not closed yet; the roll cannot be fixed")


class CasesPending(Conflict):
    """Cases without a clerk's word; the members count them by state."""

    type = "school-places/cases-pending"
    title = Words(
        "还有办件没有审核完，请先办结这些办件", "Some cases are not reviewed yet; please finish them first"
    )


class NothingToAllocate(Conflict):
    """Not one accepted case."""

    type = "school-places/nothing-to-allocate"
    title = Words("还没有已受理的申请，不能派位", "There is no accepted application to allocate")


class DrawTooEarly(Conflict):
    """The public event of the beacon has not happened yet; the member says when it has."""

    type = "school-places/draw-too-early"
    title = Words(
        "公共随机数尚未公布，不能抽签", "The public beacon has not happened yet; the draw must wait"
    )


class WrongRunState(Conflict):
    """The run is past this step, or not there yet; the members say where it stands."""

    type = "school-places/wrong-run-state"
    title = Words("这次派位当前不能这样操作", "The run does not allow this in its present state")


class InvalidBeacon(Problem):
    """The value of the public event is missing or unreadable."""

    type = "school-places/invalid-beacon"
    title = Words("请填写公布的随机数", "Please give the published value of the beacon")


class ReasonNeeded(Problem):
    """An annulment is published with its reason."""

    type = "school-places/reason-needed"
    title = Words("请写明作废的原因，原因会公布", "Please give the reason; it will be published")


async def commit(
    session: AsyncSession, enrolment_id: UUID, *, caller: StaffCaller, now: datetime
) -> AllocationRun:
    """Fix the roll: every accepted case, its choices and how each school ranks it. Only its hash is shown.

    Raises EnrolmentMissing, NotAllowed, RunExists, EnrolmentStillOpen, CasesPending, NothingToAllocate.
    """
    enrolment = await enrolments.lock(session, enrolment_id)
    require_officer_of(enrolment, caller)
    existing = await enrolments.live_run(session, enrolment.id)
    if existing is not None:
        raise RunExists(members={"state": existing.state, "runId": str(existing.id)})
    if now < enrolment.opens_at or (now <= enrolment.closes_at and not enrolment.closes_by_roll):
        raise EnrolmentStillOpen(members={"closesAt": enrolment.closes_at.isoformat()})
    pending = await _pending(session, enrolment)
    if pending and not enrolment.closes_by_roll:
        raise CasesPending(members={"pending": pending})
    run = AllocationRun(
        id=new_id(),
        enrolment_id=enrolment.id,
        state="committed",
        committed_at=now,
        committed_by=caller.staff_id,
        commitment=enrolment.commitment,
    )
    entries = await roll.fill(session, enrolment, run)
    if not entries:
        raise NothingToAllocate(members={"pending": pending})
    session.add(run)
    await session.flush()
    await roll.add(session, entries)
    await _record(session, run, "commit", reason=run.roll_hash)
    return run


async def draw_lots(
    session: AsyncSession,
    enrolment_id: UUID,
    run_id: UUID,
    *,
    beacon: str,
    caller: StaffCaller,
    now: datetime,
) -> AllocationRun:
    """Reveal the secret, draw the numbers, match the children: once, after the beacon.

    Raises EnrolmentMissing, RunMissing, NotAllowed, WrongRunState, DrawTooEarly, InvalidBeacon, NotTheSecret,
    RollChanged.
    """
    enrolment, run = await lock_run(session, enrolment_id, run_id, caller=caller)
    require_state(run, "committed")
    if now < enrolment.draw_after:
        raise DrawTooEarly(members={"drawAfter": enrolment.draw_after.isoformat()})
    if not beacon.strip() or len(beacon) > 500 or not beacon.isprintable():
        raise InvalidBeacon(
            errors=[
                FieldError("/beacon", Words("请填写公布的随机数，500 字以内", "Give up to 500 characters"))
            ]
        )
    draw.check_secret(enrolment.secret, run.commitment)
    if draw.roll_hash(run.roll) != run.roll_hash:
        raise RollChanged(members={"state": run.state})
    # Seconds of arithmetic for a province: other requests of this process go on meanwhile.
    file = await asyncio.to_thread(
        public_file.draw_and_match,
        msgspec.json.decode(run.roll, type=Roll),
        secret=enrolment.secret,
        beacon=beacon.strip(),
        campaign=enrolment.code,
    )
    run.beacon = file.beacon
    run.seed = file.seed
    run.public_file = public_file.to_bytes(file)
    run.state = "drawn"
    run.drawn_at = now
    run.drawn_by = caller.staff_id
    run.counts = msgspec.to_builtins(published_counts.of_draw(file, run.bands))
    ground = await enrolments.ground_of(session, enrolment)
    await settling.settle(session, run, allocation.drawn(file, ground, bands=run.bands))
    await _record(session, run, "draw", reason=file.seed)
    return run


async def annul(
    session: AsyncSession,
    enrolment_id: UUID,
    run_id: UUID,
    *,
    reason: str,
    caller: StaffCaller,
    now: datetime,
) -> AllocationRun:
    """Annul a run that was not published: one asks with a reason, somebody else confirms.

    Its secret may be known by now, so the enrolment commits to a new one. A published run stands: its
    children hold notices; what is wrong with one of them is corrected there.
    Raises EnrolmentMissing, RunMissing, NotAllowed, WrongRunState, ReasonNeeded.
    """
    enrolment, run = await lock_run(session, enrolment_id, run_id, caller=caller)
    require_state(run, "committed", "drawn")
    if run.annulment_asked_by in (None, caller.staff_id):
        if not reason.strip():
            raise ReasonNeeded(errors=[FieldError("/reason", ReasonNeeded.title)])
        run.annulment_asked_by = caller.staff_id
        run.annulment_reason = reason.strip()[:1000]
        await _record(session, run, "ask-annulment")
        return run
    run.state = "annulled"
    run.annulled_at = now
    run.annulled_by = caller.staff_id
    new_commitment(enrolment)
    if not enrolment.closes_by_roll:
        enrolment.draw_after = max(enrolment.draw_after, now + REDRAW_NOTICE)
    await _record(session, run, "annul")
    return run


def new_commitment(enrolment: Enrolment) -> None:
    """Choose a secret that nobody knows, and say its hash."""
    secret = secrets.token_hex(32)
    enrolment.secret = secret
    enrolment.commitment = draw.commitment(secret)


async def lock_run(
    session: AsyncSession, enrolment_id: UUID, run_id: UUID, *, caller: StaffCaller
) -> tuple[Enrolment, AllocationRun]:
    """A run that is about to change; of two officers at once the second waits and finds it changed.

    Raises EnrolmentMissing, NotAllowed, RunMissing.
    """
    enrolment = await enrolments.lock(session, enrolment_id)
    require_officer_of(enrolment, caller)
    return enrolment, await find_run(session, enrolment_id, run_id)


async def find_run(session: AsyncSession, enrolment_id: UUID, run_id: UUID) -> AllocationRun:
    """A run of an enrolment. Raises RunMissing."""
    run = await session.get(AllocationRun, run_id, populate_existing=True)
    if run is None or run.enrolment_id != enrolment_id:
        raise RunMissing
    return run


def require_officer_of(enrolment: Enrolment, caller: StaffCaller) -> None:
    """Raises NotAllowed for staff of another agency or of a division that does not hold the enrolment's."""
    if caller.agency != enrolment.agency or enrolment.division not in divisions.subtree(caller.division):
        raise NotAllowed


def require_state(run: AllocationRun, *states: str) -> None:
    """Raises WrongRunState."""
    if run.state not in states:
        raise WrongRunState(members={"state": run.state})


async def _pending(session: AsyncSession, enrolment: Enrolment) -> dict[str, int]:
    rows = await session.execute(
        select(Case.state, func.count())
        .join(Application, Application.case_id == Case.id)
        .where(Application.enrolment_id == enrolment.id, Case.state.in_(_PENDING))
        .group_by(Case.state)
    )
    return dict(rows.all())


async def _record(session: AsyncSession, run: AllocationRun, verb: str, *, reason: str | None = None) -> None:
    await audit.record(
        session, f"school-places.{verb}", object_kind="allocation-run", object_id=run.id, reason=reason
    )
