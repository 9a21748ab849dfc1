"""多地联办: two places decide by agreement. The handling place approves only once the receiving place has
agreed to the step that the agreement gives it.

Which matters, and which step of them, is in the agreement that both signed (directory.py).
Source: docs/domain.md §9 (places share and decide jointly by agreement).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases.handlers import CannotApprove, Finding
from haiyiban.cases.models import Case
from haiyiban.errors import FieldError, Words
from haiyiban.identity.callers import StaffCaller
from services.cross_province.cases import NotNow
from services.cross_province.directory import Joint
from services.cross_province.messages import CrossMessage, Type
from services.cross_province.models import CrossCase
from services.cross_province.rules import FINAL, HOPS
from services.cross_province.sending import send

ASKED: Final = "joint-asked"
AGREED: Final = "joint-agreed"
OBJECTED: Final = "joint-objected"
NOTE: Final = "joint-"
"""How the notes of it in the ordinary case begin."""

AWAITED = Words(
    "本件由两地联办，须先等收件地作出决定", "Two places decide this; the receiving place has yet to decide"
)
OBJECTION = Words(
    "收件地不同意，不能批准；请核实后不予批准或与收件地协商",
    "The receiving place objects, so this cannot be approved; deny it, or settle it with that place",
)
AGREEMENT = Words("收件地已同意", "The receiving place has agreed")


async def ask(session: AsyncSession, cross: CrossCase, case: Case, joint: Joint, *, now: datetime) -> None:
    """At the handling place: the receiving place is asked for its decision."""
    cross.joint = {"askedAt": now.isoformat(), "step": {"zh": joint.step.zh, "en": joint.step.en}}
    _note(case, "joint-awaited", AWAITED, "unknown")
    await send(session, cross, Type.PROGRESS, now=now, step=ASKED, opinion=joint.step.zh)


def asked(cross: CrossCase, message: CrossMessage, *, now: datetime) -> str:
    """At the receiving place: a clerk here has to decide, within the working day of a hop."""
    if cross.joint is not None:
        return "already-asked"
    cross.joint = {"askedAt": message.at.isoformat(), "step": {"zh": message.opinion, "en": message.opinion}}
    cross.hop_since = now
    return "done"


async def decide(
    session: AsyncSession,
    cross: CrossCase,
    *,
    agrees: bool,
    opinion: str,
    caller: StaffCaller,
    now: datetime,
) -> None:
    """At the receiving place: its part of the decision, once. Raises NotNow."""
    if cross.joint is None or "agrees" in cross.joint or cross.state in FINAL or cross.outcome is not None:
        raise NotNow(members={"state": cross.state})
    cross.joint = cross.joint | {"agrees": agrees, "at": now.isoformat(), "by": str(caller.staff_id)}
    cross.hop_since = cross.updated_at if cross.state in HOPS else None
    await send(session, cross, Type.PROGRESS, now=now, step=AGREED if agrees else OBJECTED, opinion=opinion)


async def decided(session: AsyncSession, cross: CrossCase, message: CrossMessage) -> str:
    """At the handling place: the receiving place's decision has come."""
    if cross.joint is None or "agrees" in cross.joint:
        return "not-asked"
    agrees = message.step == AGREED
    cross.joint = cross.joint | {"agrees": agrees, "at": message.at.isoformat()}
    cross.news = {"opinion": message.opinion, "items": []}
    case = await session.get_one(Case, cross.case_id, with_for_update=True)
    if agrees:
        _note(case, "joint-agreed", AGREEMENT, "info")
    else:
        _note(case, "joint-objected", OBJECTION, "warns")
    return "done"


async def require_agreed(session: AsyncSession, case: Case) -> None:
    """Before a clerk's approval of any case. Raises CannotApprove while the other place has not agreed."""
    cross = await session.scalar(select(CrossCase).where(CrossCase.case_id == case.id))
    if cross is None or cross.joint is None:
        return
    if "agrees" not in cross.joint:
        raise CannotApprove(errors=[FieldError("", AWAITED)])
    if not cross.joint["agrees"]:
        raise CannotApprove(errors=[FieldError("", OBJECTION)])


def _note(case: Case, code: str, words: Words, level: Any) -> None:
    """What the clerk sees of it in the ordinary case."""
    others = [one for one in case.findings if not one["code"].startswith(NOTE)]
    case.findings = [*others, Finding(code=code, words=words, level=level).document()]
