"""Who may apply for a first-grade place, and what a list of choices may hold.

Pure rules: today, birth dates and what the registers say are passed in; the answer is a list of what is
wrong, field by field, so that a parent reads everything at once. Whether the child is the applicant's own
is the household register's to say, and is asked by the service.
Source: docs/domain.md §6.1 (公民同招, one private choice), §6.2 (Eligibility, one active application).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from haiyiban import residents
from haiyiban.clock import SHANGHAI
from haiyiban.errors import FieldError, Problem, Words
from services.school_places.facts import Fact, Known, Unknown

SCHOOL_AGE = 6
"""Years a child must have completed by 31 August. Source: 义务教育法 art. 11; docs/domain.md §6.1."""
SchoolKind = Literal["public", "private"]


class NotAdmissible(Problem):
    """The application breaks a rule of the enrolment; `errors` names every field."""

    status = 422
    type = "school-places/not-admissible"
    title = Words("学位申请不符合本次招生条件", "This application does not meet the enrolment rules")


class AlreadyApplied(Problem):
    """The child has an active application: one child, one application."""

    status = 409
    type = "school-places/already-applied"
    title = Words("该儿童已有一份学位申请在办理", "This child already has an active application")

    def __init__(self) -> None:
        super().__init__(
            Words(
                "一名儿童只能有一份申请。要改志愿，请先撤回原申请再重新提交。",
                "One child, one application. To change the choices, withdraw the first and submit again.",
            )
        )


class Cohort(NamedTuple):
    """The children of one school year: born after `born_after`, up to and including `born_until`."""

    born_after: date
    born_until: date


def school_year(today: date) -> int:
    """The year in which the children enrolling now start school: this one until 31 August, then the next."""
    return today.year if today <= date(today.year, 8, 31) else today.year + 1


def cohort(year: int) -> Cohort:
    """The normal cohort of a school year: six years old on 31 August, and not yet seven."""
    return Cohort(date(year - SCHOOL_AGE - 1, 8, 31), date(year - SCHOOL_AGE, 8, 31))


def check_window(
    opens_at: datetime, closes_at: datetime, *, handed_in_at: datetime | None, now: datetime
) -> list[FieldError]:
    """Applications count from the opening to the very second of the close, both included.

    A correction (`handed_in_at`: the first submission) may come later, for its own deadline is the notice's.
    """
    when = handed_in_at or now
    if when < opens_at:
        time = _local(opens_at)
        return [FieldError("", Words(f"招生将于 {time} 开始，请届时提交", f"The enrolment opens at {time}"))]
    if when > closes_at:
        time = _local(closes_at)
        return [
            FieldError(
                "",
                Words(
                    f"招生已于 {time} 截止，不能再提交。请联系区教育局申请统筹安排。",
                    f"The enrolment closed at {time}. Please ask the district education bureau for a "
                    "coordinated place.",
                ),
            )
        ]
    return []


def _local(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def no_delay_on_record(at: datetime) -> Known[bool]:
    """Approved delays (延缓入学) are on no register that we can ask; such a child applies at the bureau."""
    return Known(False, "延缓入学台账", at)


def check_age(birth: date, year: int, *, delay_approved: Fact[bool]) -> list[FieldError]:
    """Too young is refused; older than the cohort needs an approved 延缓入学 record.

    While the record cannot be read (`Unknown`) the child is not refused: the open fact stops the decision,
    never the application.
    """
    ages = cohort(year)
    if birth > ages.born_until:
        return [
            FieldError(
                "/child/idNumber",
                Words(
                    f"{year} 年入学的儿童须在 {ages.born_until} 或之前出生，请在满六周岁后的招生季申请",
                    f"For {year} a child must be born on or before {ages.born_until}; apply once it is six",
                ),
            )
        ]
    if birth > ages.born_after or isinstance(delay_approved, Unknown) or delay_approved.value:
        return []
    return [
        FieldError(
            "/child/idNumber",
            Words(
                f"在 {ages.born_after} 或之前出生的儿童须有经批准的延缓入学记录，请先到区教育局办理",
                f"A child born on or before {ages.born_after} needs an approved delay of schooling; "
                "ask the district education bureau",
            ),
        )
    ]


def check_choices(
    choices: Sequence[str], category: SchoolKind, *, schools: Mapping[str, SchoolKind]
) -> list[FieldError]:
    """A ranked list of one to five schools of the enrolment, all public or one private."""
    errors: list[FieldError] = []
    if not 1 <= len(choices) <= 5:
        errors.append(FieldError("/choices", Words("请选择 1 至 5 所学校", "Choose one to five schools")))
    if category == "private" and len(choices) > 1:
        errors.append(
            FieldError("/choices", Words("民办学校只能选择一所", "Only one private school can be chosen"))
        )
    for position, school in enumerate(choices):
        pointer = f"/choices/{position}"
        if school in choices[:position]:
            errors.append(
                FieldError(
                    pointer,
                    Words("同一所学校只能填一次，请改选其他学校", "Each school once; choose another one"),
                )
            )
        elif school not in schools:
            errors.append(
                FieldError(
                    pointer,
                    Words(
                        "这所学校不在本次招生范围，请从列表中选择",
                        "This school is not part of the enrolment; choose from the list",
                    ),
                )
            )
        elif schools[school] != category:
            errors.append(
                FieldError(
                    pointer,
                    Words(
                        "公办和民办只能选报一类，请改选同类学校",
                        "Public or private, not both; choose schools of one kind",
                    ),
                )
            )
    return errors


def same_birth(one: str, other: str, *, today: date) -> bool:
    """Whether two identity numbers are of children born together, across midnight at most."""
    births = [residents.parse_identity_number(number, today=today).birth for number in (one, other)]
    return abs(births[0] - births[1]) <= timedelta(days=1)


def check_twin(birth: date, twin_birth: Fact[date | None]) -> list[FieldError]:
    """A twin is another child of the same guardians, born the same day or across midnight.

    `Known(None)`: the household register knows no such child of this family.
    """
    if isinstance(twin_birth, Unknown):
        return []
    if twin_birth.value is not None and abs(twin_birth.value - birth) <= timedelta(days=1):
        return []
    return [
        FieldError(
            "/twinOf",
            Words(
                "没有查到同日出生的双胞胎登记，请核对证件号码，或留空此项",
                "No twin born on the same day is registered; check the number or leave this empty",
            ),
        )
    ]


def twin_groups(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Twins (and more) from the pairs that families named, each group and the list in order.

    One side naming the other is enough; whether they are twins was checked when each applied.
    """
    group_of: dict[str, set[str]] = {}
    for one, other in pairs:
        merged = group_of.get(one, {one}) | group_of.get(other, {other})
        group_of.update(dict.fromkeys(merged, merged))
    groups = {tuple(sorted(group)) for group in group_of.values() if len(group) > 1}
    return [list(group) for group in sorted(groups)]
