"""Who may act for whom, until when and how often: pure rules.

Source: docs/domain.md §1.6 (guardians, step-up), §13 (consent); 民法典 art. 17, 18, 23, 161–173 (adults,
guardians, agency and its end).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from haiyiban.errors import Conflict, FieldError, NotAllowed, Problem, TooMany, Words
from haiyiban.residents import ADULT_YEARS, age_on, birthday

FACE_LIFE: Final = timedelta(minutes=5)
"""How old the face may be with which somebody gives or takes a delegation. Source: docs/domain.md §1.6."""
OFFER_LIFE: Final = timedelta(days=7)
"""An offer that the other side has not agreed to by then is over. [design]"""
LONGEST_DAYS: Final = 366
"""Consent is renewed at least once a year. [design]"""
MOST_OPEN: Final = 20
"""So many delegations one giver may have open, so that offers cannot be used to pester. [design]"""
MOST_A_DAY: Final = 50
"""So many may one giver make in 24 hours, for each sends a message to somebody. [design]"""
MOST_ROLES: Final = 200
"""So many people one enterprise may have acting for it. [design]"""
FACE_FAILURES_MOST: Final = 5
FACE_LOCK: Final = timedelta(hours=24)
"""Five failures in 24 hours lock for 24 hours. Source: docs/domain.md §1.6."""


class Basis(StrEnum):
    """What a delegation rests on."""

    AGREEMENT = "agreement"
    """The giver's face and the taker's acceptance."""
    ADULT_CHILD = "adult_child"
    """An adult child for a parent: the registers show the parent, whose face agrees on the child's device."""
    GUARDIAN = "guardian"
    """A parent for a minor: the registers show the child."""
    PAPER = "paper"
    """A village agent, by a paper that the giver signed before a witness."""
    REPRESENTATIVE = "legal_representative"
    """The legal representative of an enterprise, for as long as the register says so."""
    ENTERPRISE = "enterprise"
    """Somebody of an enterprise, appointed by its legal representative."""


class Role(StrEnum):
    """What somebody is to the enterprise that they act for."""

    REPRESENTATIVE = "legal_representative"
    FINANCE = "finance"
    CLERK = "clerk"


class Notify(StrEnum):
    """Whom the giver wants told."""

    GIVER = "giver"
    TAKER = "taker"
    BOTH = "both"


class State(StrEnum):
    """Where a delegation stands; only `active` opens cases."""

    AWAITS_TAKER = "awaits_taker"
    AWAITS_GIVER = "awaits_giver"
    ACTIVE = "active"
    USED_UP = "used_up"
    """No more cases are opened; those that are open go on."""
    EXPIRED = "expired"
    ENDED = "ended"


class InvalidDelegation(Problem):
    """What is asked for cannot be delegated so; every fault is listed."""

    type = "delegations/invalid-delegation"
    title = Words("委托内容需要修改", "Some of this delegation needs your attention")


class ToOneself(Problem):
    """Giver and taker are the same person."""

    type = "delegations/to-oneself"
    title = Words("不能委托自己代办，请直接办理", "You cannot delegate to yourself; simply apply")


class AdultsOnly(Problem):
    """Only adults give and take; for minors their parents act, by register."""

    type = "delegations/adults-only"
    title = Words(
        "委托人和代办人都须年满 18 周岁；未成年人由父母以监护人身份办理",
        "Both sides must be 18 or older; for minors their parents act as guardians",
    )


class GrownUp(Problem):
    """The child is an adult and gives a delegation of their own."""

    type = "delegations/grown-up"
    title = Words(
        "孩子已年满 18 周岁，请由孩子本人办理委托", "Your child is an adult; ask them to make the delegation"
    )


class TooManyOpen(Problem):
    """The giver has as many open delegations as one may."""

    type = "delegations/too-many-open"
    title = Words(
        "有效的委托已达上限，请先解除不用的委托", "Too many open delegations; end some of them first"
    )


class NotInForce(NotAllowed):
    """There is no leave to act at the moment."""

    type = "delegations/not-in-force"
    title = Words("委托没有生效，不能代办", "This delegation is not in force")


class DelegationEnded(NotInForce):
    """One side has ended it, or what it rested on is no longer so."""

    type = "delegations/delegation-ended"
    title = Words(
        "委托已解除，不能再代办；已提交的申请由本人继续办理",
        "This delegation was ended; what was handed in stays with the person it is for",
    )


class DelegationExpired(NotInForce):
    """Its last day is over, or nobody agreed in time."""

    type = "delegations/delegation-expired"
    title = Words("委托已过期，请由本人重新委托", "This delegation has expired; ask for a new one")


class DelegationNotAgreed(NotInForce):
    """One side has not agreed yet."""

    type = "delegations/delegation-not-agreed"
    title = Words("委托还没有经双方确认", "One side has not agreed to this delegation yet")


class DelegationUsedUp(Conflict):
    """As many cases were opened as the giver allowed."""

    type = "delegations/delegation-used-up"
    title = Words("委托的次数已用完，请由本人重新委托", "This delegation is used up; ask for a new one")


class MatterNotDelegated(Problem):
    """The delegation is about other matters."""

    type = "delegations/matter-not-delegated"
    title = Words("委托的事项中没有这一项", "This matter is not one of those delegated")


class TooManyToday(TooMany):
    """The giver has made so many today that it looks like pestering."""

    type = "delegations/too-many-today"
    title = Words("今天发起的委托太多，请明天再试", "Too many delegations today; try again tomorrow")


def state_of(
    *,
    ended: bool,
    until: date,
    made_on: date,
    giver_agreed: bool,
    taker_agreed: bool,
    times: int | None,
    used: int,
    today: date,
) -> State:
    """Where a delegation stands today."""
    agreed = giver_agreed and taker_agreed
    if ended:
        return State.ENDED
    if today > until or (not agreed and today > made_on + OFFER_LIFE):
        return State.EXPIRED
    if not giver_agreed:
        return State.AWAITS_GIVER
    if not taker_agreed:
        return State.AWAITS_TAKER
    if times is not None and used >= times:
        return State.USED_UP
    return State.ACTIVE


def require_opening(state: State, matter: str, matters: Collection[str] | None) -> None:
    """That a case for a matter may be opened; `matters` None: whichever it is.

    Raises NotInForce's kinds, DelegationUsedUp, MatterNotDelegated.
    """
    require_handling(state)
    if matters is not None and matter not in matters:
        raise MatterNotDelegated(errors=[FieldError("/matter", MatterNotDelegated.title)])
    if state is State.USED_UP:
        raise DelegationUsedUp


def require_handling(state: State) -> None:
    """That a case which is open may be gone on with. Raises NotInForce's kinds."""
    if state is State.ENDED:
        raise DelegationEnded
    if state is State.EXPIRED:
        raise DelegationExpired
    if state in {State.AWAITS_GIVER, State.AWAITS_TAKER}:
        raise DelegationNotAgreed


def faults(
    *, matters: Collection[str], offered: Collection[str], until: date, today: date
) -> list[FieldError]:
    """What is wrong with the bounds that are asked for. `offered`: the matters that can be delegated."""
    errors = []
    for index, code in enumerate(matters):
        if code not in offered:
            words = Words(
                "没有这个事项，或不能由他人代办", "No such matter, or nobody may act for another in it"
            )
            errors.append(FieldError(f"/matters/{index}", words))
    if until < today:
        errors.append(FieldError("/until", Words("截止日期已过", "This day is over")))
    elif until > today + timedelta(days=LONGEST_DAYS):
        words = Words("委托最长一年，到期可以再办", "A delegation lasts a year at most; it can be renewed")
        errors.append(FieldError("/until", words))
    return errors


def is_adult(birth: date, *, today: date) -> bool:
    """Source: 民法典 art. 17, 18."""
    return age_on(birth, today) >= ADULT_YEARS


def last_day_as_minor(birth: date) -> date:
    """The day before the eighteenth birthday."""
    return birthday(birth, ADULT_YEARS) - timedelta(days=1)


def face_locked(failures: Collection[datetime], *, now: datetime) -> datetime | None:
    """Until when giver's faces are not checked on this taker's device; None where they are."""
    recent = sorted(at for at in failures if now - at < 2 * FACE_LOCK)
    if len(recent) < FACE_FAILURES_MOST or recent[-1] - recent[-FACE_FAILURES_MOST] > FACE_LOCK:
        return None
    until = recent[-1] + FACE_LOCK
    return until if until > now else None
