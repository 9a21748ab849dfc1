"""Handing in an application: what refuses it, what the clerk must know, and its entry in the enrolment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import residents
from haiyiban.cases.handlers import Finding
from haiyiban.cases.models import Case
from haiyiban.certificates import Certificate, Status
from haiyiban.clock import local_date
from haiyiban.errors import Conflict, FieldError, Words
from haiyiban.forms import get
from haiyiban.identity import persons
from services.school_places import rules
from services.school_places.afterwards_models import Waiting
from services.school_places.models import Application as ApplicationRow
from services.school_places.models import Enrolment, RollEntry
from services.school_places.service import advice, enrolments, standings
from services.school_places.service.afterwards import late_leave
from services.school_places.service.enrolments import Ground
from services.school_places.verified import Application, twin_birth


class RollFixed(Conflict):
    """The roll of the enrolment is fixed: who is not on it is placed by 统筹."""

    type = "school-places/roll-fixed"
    title = Words(
        "本批次派位名单已经锁定，不能再提交。请联系区教育局申请统筹安排。",
        "The roll of this draw is fixed and takes no more applications. Please ask the district education "
        "bureau for a coordinated place.",
    )


NOTICE = "admission-notice"


async def check(session: AsyncSession, case: Case, *, now: datetime) -> list[Finding]:
    """What refuses the application, all at once; where nothing does, what the clerk should know."""
    late = await late_leave.enrolment_for(session, case.id)
    enrolment = late or await _open_to(session, case, now=now)
    if enrolment is None:
        return [
            _refusal(
                FieldError("", Words("目前没有招生批次，请留意公告", "There is no enrolment at present"))
            )
        ]
    ground = await enrolments.ground_of(session, enrolment)
    application = standings.application_of(case, confirmed_at=None, at=case.submitted_at or now)
    errors = []
    if late is None:
        errors += rules.check_window(
            enrolment.opens_at, enrolment.closes_at, handed_in_at=case.submitted_at, now=now
        )
        if await enrolments.live_run(session, enrolment.id) is not None:
            errors.append(FieldError("", RollFixed.title))
    errors += await _people(session, case)
    errors += await _waits_elsewhere(session, case)
    errors += _rules(application, ground, now=now)
    refusals = [_refusal(error) for error in errors]
    if not ground.offers.keys() >= set(advice.choices_of(case.form)):
        return refusals
    facts = await standings.facts_for(session, application, year=enrolment.school_year)
    return [
        *refusals,
        *advice.standing(application, facts, ground),
        *advice.open_statements(application, facts),
        *await advice.shared_home(session, case, application, ground),
    ]


async def enter(session: AsyncSession, case: Case, *, now: datetime) -> str | None:
    """Note a case in its enrolment. Returns what the child may hold only once: the enrolment's code.

    Raises RollFixed where an officer fixed the roll since the check.
    """
    late = await late_leave.enrolment_for(session, case.id)
    enrolment = late or await _open_to(session, case, now=now)
    if enrolment is None:
        return None
    await enrolments.hold(session, enrolment.id)
    if late is None and await enrolments.live_run(session, enrolment.id) is not None:
        raise RollFixed
    application = standings.application_of(case, confirmed_at=None, at=now)
    values = {
        "enrolment_id": enrolment.id,
        "home": advice.stated_home(application),
        "guardians": sorted(standings.guardians_of(application)),
    }
    await session.execute(
        upsert(ApplicationRow)
        .values(case_id=case.id, **values)
        .on_conflict_do_update(index_elements=["case_id"], set_=values)
    )
    return enrolment.code


async def _open_to(session: AsyncSession, case: Case, *, now: datetime) -> Enrolment | None:
    """The enrolment that the choices belong to, or the second round that goes on from it."""
    enrolment = await enrolments.for_application(session, advice.choices_of(case.form), now=now)
    follower = enrolment
    while follower is not None:
        enrolment = follower
        follower = await session.scalar(select(Enrolment).where(Enrolment.follows_id == enrolment.id))
    return enrolment


async def _people(session: AsyncSession, case: Case) -> list[FieldError]:
    """The child and the guardian are those of the case, and the child has no place yet."""
    errors = []
    for pointer, person_id in (
        ("/child/idNumber", case.subject_id),
        ("/guardian/idNumber", case.applicant_id),
    ):
        number = get(dict(case.form), pointer)
        if person_id is None or not isinstance(number, str):
            continue
        person = await persons.get(session, person_id)
        if residents.normalise_id_number(number) != person.id_number:
            errors.append(
                FieldError(
                    pointer,
                    Words(
                        "一份申请只能为开始时选定的孩子、由本人提交；换人请撤回后重新申请",
                        "An application is for the child and by the person that it was opened for; "
                        "open another one instead",
                    ),
                )
            )
    if case.subject_id is not None and await _has_place(session, case):
        errors.append(
            FieldError(
                "/child/idNumber",
                Words(
                    "这名儿童已被小学录取，不能再次申请；如需转学，请联系学校",
                    "This child is already admitted to a school; for a transfer please ask that school",
                ),
            )
        )
    return errors


async def _waits_elsewhere(session: AsyncSession, case: Case) -> list[FieldError]:
    """A child on a waiting list might be offered a seat while it is on another roll, and hold two."""
    if case.subject_id is None:
        return []
    waits = (
        select(Waiting.id)
        .join(RollEntry, RollEntry.id == Waiting.entry_id)
        .join(Enrolment, Enrolment.id == Waiting.enrolment_id)
        .where(
            RollEntry.child_id == case.subject_id,
            Waiting.state.in_(["waiting", "offered"]),
            Enrolment.school_year >= rules.school_year(local_date(case.created_at)),
        )
    )
    if await session.scalar(waits.limit(1)) is None:
        return []
    return [
        FieldError(
            "/child/idNumber",
            Words(
                "这名孩子还在上一轮的候补名单上，请先在「录取结果」里退出候补（或答复候补学位）再申请",
                "This child is still on a waiting list of the round before; leave it, or answer the offer, "
                "under your placements first",
            ),
        )
    ]


async def _has_place(session: AsyncSession, case: Case) -> bool:
    in_force = select(Certificate.id).where(
        Certificate.holder_id == case.subject_id,
        Certificate.type == NOTICE,
        Certificate.status.in_([Status.VALID.value, Status.SUSPENDED.value]),
    )
    return await session.scalar(in_force.limit(1)) is not None


def _rules(application: Application, ground: Ground, *, now: datetime) -> Iterator[FieldError]:
    today = local_date(now)
    birth = _birth(get(dict(application.form), "/child/idNumber"), today=today)
    if birth is not None:
        yield from rules.check_age(
            birth, ground.enrolment.school_year, delay_approved=rules.no_delay_on_record(now)
        )
        twin = application.form.get("twinOf")
        if _birth(twin, today=today) is not None:
            yield from rules.check_twin(birth, twin_birth(application, str(twin), today=today))
    choices, category = advice.choices_of(application.form), application.form.get("category")
    if choices and category in ("public", "private"):
        kinds = {school: offer.school.kind for school, offer in ground.offers.items()}
        yield from rules.check_choices(choices, category, schools=kinds)  # type: ignore[arg-type]


def _birth(number: object, *, today: Any) -> Any:
    try:
        return residents.parse_identity_number(str(number), today=today).birth
    except residents.InvalidIdNumber:
        return None


def _refusal(error: FieldError) -> Finding:
    return Finding(code="refused", words=error.message, pointer=error.pointer, level="refuses")
