"""What the clerk should know of an application: its class at each school, and what rests on whose word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases.handlers import Finding
from haiyiban.cases.models import Case
from haiyiban.clock import SHANGHAI
from haiyiban.errors import Words
from services.school_places.class_table import COORDINATED
from services.school_places.classification import Classification
from services.school_places.facts import Facts, Unknown
from services.school_places.models import Application as ApplicationRow
from services.school_places.service import standings
from services.school_places.service.enrolments import Ground
from services.school_places.verified import OWN_WORDS, Application

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


def choices_of(form: Mapping[str, Any]) -> list[str]:
    """The schools of a form, even of one that is not well-formed."""
    choices = form.get("choices")
    return [choice for choice in choices if isinstance(choice, str)] if isinstance(choices, list) else []


def standing(application: Application, facts: Facts, ground: Ground) -> Iterator[Finding]:
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


def open_statements(application: Application, facts: Facts) -> Iterator[Finding]:
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


async def shared_home(
    session: AsyncSession, case: Case, application: Application, ground: Ground
) -> Sequence[Finding]:
    """Another family applies with the same home in the same enrolment (一户一生)."""
    home = stated_home(application)
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


def stated_home(application: Application) -> bytes | None:
    """The blind index of the home that the family names."""
    home = application.form.get("home")
    if isinstance(home, Mapping) and isinstance(home.get("id"), str):
        return standings.blind("home", home["id"])
    return None
