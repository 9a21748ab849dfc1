"""Handing in an application: what refuses it, what the clerk must know, and its entry in the enrolment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import residents
from haiyiban.cases.handlers import Finding
from haiyiban.cases.models import Case
from haiyiban.certificates import Certificate, Status
from haiyiban.clock import SHANGHAI, local_date
from haiyiban.errors import Conflict, FieldError, Words
from haiyiban.forms import get
from haiyiban.identity import persons
from services.school_places import rules
from services.school_places.class_table import COORDINATED
from services.school_places.classification import Classification
from services.school_places.facts import Facts, Unknown
from services.school_places.models import Application as ApplicationRow
from services.school_places.service import enrolments, standings
from services.school_places.service.enrolments import Ground
from services.school_places.verified import OWN_WORDS, Application, twin_birth


class RollFixed(Conflict):
    """The roll of the enrolment is fixed: who is not on it is placed by 统筹."""

    type = "school-places/roll-fixed"
    title = Words(
        "本批次派位名单已经锁定，不能再提交。请联系区教育局申请统筹安排。",
        "The roll of this draw is fixed and takes no more applications. Please ask the district education "
        "bureau for a coordinated place.",
    )


NOTICE = "admission-notice"
_FACTS = {
    "hukou": Words("户口", "household registration"),
    "home": Words("住房", "home"),
    "home_uses": Words("住房学位使用情况", "use of the home"),
    "residence_permit": Words("居住证", "residence permit"),
    "social_insurance_months": Words("社保", "social insurance"),
    "siblings_at": Words("兄弟姐妹就读情况", "siblings at the school"),
    "privileged": Words("优待对象", "privileged group"),
}
_STATEMENTS = (("hukou", "/hukou"), ("home", "/home"), ("residence_permit", "/residencePermit"))


async def check(session: AsyncSession, case: Case, *, now: datetime) -> list[Finding]:
    """What refuses the application, all at once; where nothing does, what the clerk should know."""
    enrolment = await enrolments.for_application(session, choices_of(case.form), now=now)
    if enrolment is None:
        return [
            _refusal(
                FieldError("", Words("目前没有招生批次，请留意公告", "There is no enrolment at present"))
            )
        ]
    ground = await enrolments.ground_of(session, enrolment)
    application = standings.application_of(case, confirmed_at=None, at=case.submitted_at or now)
    errors = rules.check_window(
        enrolment.opens_at, enrolment.closes_at, handed_in_at=case.submitted_at, now=now
    )
    if await enrolments.live_run(session, enrolment.id) is not None:
        errors.append(FieldError("", RollFixed.title))
    errors += await _people(session, case)
    errors += _rules(application, ground, now=now)
    refusals = [_refusal(error) for error in errors]
    if not ground.offers.keys() >= set(choices_of(case.form)):
        return refusals
    facts = await standings.facts_for(session, application, year=enrolment.school_year)
    return [
        *refusals,
        *_standing(application, facts, ground),
        *_open_statements(application, facts),
        *await _shared_home(session, case, application, ground),
    ]


async def enter(session: AsyncSession, case: Case, *, now: datetime) -> str | None:
    """Note a case in its enrolment. Returns what the child may hold only once: the enrolment's code.

    Raises RollFixed where an officer fixed the roll since the check.
    """
    enrolment = await enrolments.for_application(session, choices_of(case.form), now=now)
    if enrolment is None:
        return None
    await enrolments.hold(session, enrolment.id)
    if await enrolments.live_run(session, enrolment.id) is not None:
        raise RollFixed
    application = standings.application_of(case, confirmed_at=None, at=now)
    values = {
        "enrolment_id": enrolment.id,
        "home": _stated_home(application),
        "guardians": sorted(standings.guardians_of(application)),
    }
    await session.execute(
        upsert(ApplicationRow)
        .values(case_id=case.id, **values)
        .on_conflict_do_update(index_elements=["case_id"], set_=values)
    )
    return enrolment.code


def choices_of(form: Mapping[str, Any]) -> list[str]:
    """The schools of a form, even of one that is not well-formed."""
    choices = form.get("choices")
    return [choice for choice in choices if isinstance(choice, str)] if isinstance(choices, list) else []


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
    choices, category = choices_of(application.form), application.form.get("category")
    if choices and category in ("public", "private"):
        kinds = {school: offer.school.kind for school, offer in ground.offers.items()}
        yield from rules.check_choices(choices, category, schools=kinds)  # type: ignore[arg-type]


def _birth(number: object, *, today: Any) -> Any:
    try:
        return residents.parse_identity_number(str(number), today=today).birth
    except residents.InvalidIdNumber:
        return None


def _standing(application: Application, facts: Facts, ground: Ground) -> Iterator[Finding]:
    """For each choice the class and what made it so."""
    for position, school in enumerate(choices_of(application.form)):
        offer = ground.offers[school]
        result = standings.judge(facts, ground, offer, at=application.at)
        yield Finding(
            code="classification-open" if result.needs_review else "classification",
            words=_words(Words(offer.school.name, offer.school.name_en), result),
            pointer=f"/choices/{position}",
            level="unknown" if result.needs_review else "info",
            detail={
                "atBest": result.at_best,
                "atWorst": result.at_worst,
                "outside": None if result.priority is None else result.priority.outside,
                "subclass": None if result.priority is None else result.priority.subclass,
                "open": list(result.open),
            },
        )


def _words(school: Words, result: Classification) -> Words:
    if result.priority is None:
        names = [_FACTS[name] for name in result.open]
        zh = (
            f"待核实：{'、'.join(name.zh for name in names)}"
            f"（最好第{result.at_best}类，最差第{result.at_worst}类）"
        )
        en = (
            f"not verified yet: {', '.join(name.en for name in names)}; "
            f"class {result.at_best} at best, {result.at_worst} at worst"
        )
    elif result.priority.rank > COORDINATED:
        zh, en = "民办学校，统一抽签", "a private school: all are drawn alike"
    else:
        place = ("片区外", "outside") if result.priority.outside else ("片区内", "inside")
        zh = f"{place[0]}第{result.priority.rank}类"
        en = f"class {result.priority.rank} {place[1]} the catchment"
    reasons = [
        (
            f"{fact.value.zh}（{fact.source}，{fact.at.astimezone(SHANGHAI):%Y-%m-%d}），{fact.effect.zh}",
            f"{fact.value.en} ({fact.source}, {fact.at.astimezone(SHANGHAI):%Y-%m-%d}): {fact.effect.en}",
        )
        for fact in result.evidence
    ]
    return Words(
        f"{school.zh}：" + "；".join([zh, *(reason[0] for reason in reasons)]),
        f"{school.en}: " + "; ".join([en, *(reason[1] for reason in reasons)]),
    )


def _open_statements(application: Application, facts: Facts) -> Iterator[Finding]:
    """What rests on the family's word alone: by accepting the case the clerk confirms it."""
    for name, pointer in _STATEMENTS:
        fact = getattr(facts, name)
        if isinstance(fact, Unknown) and fact.source == OWN_WORDS:
            title = _FACTS[name]
            yield Finding(
                code="own-statement",
                words=Words(
                    f"{title.zh}由家长自行填写，没有登记印证。受理即表示您已核对属实；不属实请要求补正。",
                    f"The {title.en} rests on the family's word alone. Accepting the case confirms it; "
                    "if it is not so, ask for a correction.",
                ),
                pointer=pointer,
                level="unknown",
            )
    if application.is_unknown("birth/subject") and application.is_unknown("household/subject"):
        yield Finding(
            code="guardianship-open",
            words=Words(
                "监护关系待核实：出生和户籍登记都没有答复", "Guardianship is open: neither register answered"
            ),
            pointer="/guardian/relation",
            level="unknown",
        )


async def _shared_home(
    session: AsyncSession, case: Case, application: Application, ground: Ground
) -> Sequence[Finding]:
    """Another family applies with the same home in the same enrolment (一户一生)."""
    home = _stated_home(application)
    if home is None:
        return ()
    others = await session.scalars(
        select(ApplicationRow.guardians)
        .join(Case, Case.id == ApplicationRow.case_id)
        .where(
            ApplicationRow.enrolment_id == ground.enrolment.id,
            ApplicationRow.home == home,
            ApplicationRow.case_id != case.id,
            Case.claim.is_not(None),
        )
    )
    own = standings.guardians_of(application)
    if all(own.intersection(guardians) for guardians in others):
        return ()
    return (
        Finding(
            code="home-named-twice",
            words=Words(
                "另一家庭在本批次也以同一住房申请，请按一户一生核实",
                "Another family applies with the same home in this enrolment; please check",
            ),
            pointer="/home",
            level="warns",
        ),
    )


def _stated_home(application: Application) -> bytes | None:
    home = application.form.get("home")
    if isinstance(home, Mapping) and isinstance(home.get("id"), str):
        return standings.blind("home", home["id"])
    return None


def _refusal(error: FieldError) -> Finding:
    return Finding(code="refused", words=error.message, pointer=error.pointer, level="refuses")
