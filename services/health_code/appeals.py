"""Appealing a colour, and correcting it by hand: one clerk proposes, another confirms.

A correction names its end, its reason and its evidence, and keeps who did what. It sets aside the rules that
gave the colour and nothing else; the rules stay the base. Source: docs/domain.md §5 (12345 appeals);
个人信息保护法 art. 24 (a decision by machine may be refused, and must be explained).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, any_, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, divisions, notices
from haiyiban.clock import local_date
from haiyiban.errors import Conflict, FieldError, NotFound, Problem, Words
from haiyiban.identity.callers import StaffCaller
from haiyiban.ids import new_id
from services.health_code.models import Appeal, ManualChange, Status
from services.health_code.rules import Colour
from services.health_code.service import MANUAL, Answers, Held, changes_on, decide_for

LONGEST = timedelta(days=14)
"""How long a correction may hold: as long as an exposure counts. After that the facts speak anew, or a new
appeal does. Source: docs/domain.md §5."""
WAITING = ("open", "proposed")


class AppealMissing(NotFound):
    """No such appeal, or one of another division."""

    type = "health-code/appeal-not-found"
    title = Words("没有这项申诉", "There is no such appeal")


class AppealWaiting(Conflict):
    """One appeal at a time."""

    type = "health-code/appeal-waiting"
    title = Words(
        "您已有一项申诉在处理中，请等待结果",
        "An appeal of yours is being looked at; please wait for the answer",
    )


class NothingToAppeal(Problem):
    """The colour is neither red nor yellow."""

    type = "health-code/nothing-to-appeal"
    title = Words(
        "只有红码或黄码可以申诉；灰码请按提示申报或稍后刷新",
        "Only red and yellow can be appealed; grey: declare as the code says, or refresh later",
    )


class IncompleteWords(Problem):
    """A field is empty or out of range; `errors` name it and the way out."""

    type = "health-code/incomplete"
    title = Words("请补全或更正标出的内容", "Please complete or correct what is marked")


class AppealMoved(Conflict):
    """It was answered, or stands elsewhere, than this act needs."""

    type = "health-code/appeal-moved"
    title = Words("该申诉的状态已变，请刷新后再试", "This appeal stands elsewhere now; reload and try again")


class SecondPersonNeeded(Conflict):
    """Whoever proposed does not confirm."""

    type = "health-code/second-person-needed"
    title = Words("须由另一名工作人员确认", "Another member of staff has to confirm")


async def appeal(
    session: AsyncSession,
    person_id: UUID,
    answers: Answers,
    *,
    reason: str,
    evidence: str | None,
    division: str,
    now: datetime,
) -> Appeal:
    """Keep what somebody says against their colour. The colour is decided first: it may be green by now.

    Raises IncompleteWords, NothingToAppeal, AppealWaiting.
    """
    errors = _blank({"reason": reason})
    place = divisions.find(division)
    if place is None or not divisions.is_within(place.code, divisions.PROVINCE):
        words = Words("请填写您所在市县的区划代码", "give the division code of where you are")
        errors.append(FieldError("/division", words))
    if errors or place is None:
        raise IncompleteWords(errors=errors)
    held = await decide_for(session, person_id, answers, now=now)
    if held.status.colour not in {Colour.RED, Colour.YELLOW}:
        raise NothingToAppeal
    # Deciding has locked the person: two at once see each other here.
    if await session.scalar(
        select(Appeal.id).where(Appeal.person_id == person_id, Appeal.state.in_(WAITING))
    ):
        raise AppealWaiting
    made = Appeal(
        id=new_id(),
        person_id=person_id,
        division=place.code,
        colour=held.status.colour,
        state="open",
        at=now,
    )
    made.reason = reason.strip()
    made.evidence = evidence.strip() or None if evidence is not None else None
    session.add(made)
    await session.flush()
    await _record(session, made, "appeal", fields=["reason", "evidence"])
    return made


def of_staff(caller: StaffCaller) -> ColumnElement[bool]:
    """The appeals of a clerk's division and below."""
    codes = literal(sorted(divisions.subtree(caller.division)), ARRAY(Text))
    return Appeal.division == any_(codes)


async def propose(
    session: AsyncSession,
    appeal_id: UUID,
    caller: StaffCaller,
    *,
    colour: Colour,
    until: date,
    reason: str,
    evidence: str,
    now: datetime,
) -> tuple[Appeal, ManualChange]:
    """The first person proposes a colour and its last day. Nothing changes yet.

    Raises AppealMissing, AppealMoved, IncompleteWords.
    """
    today = local_date(now)
    errors = _blank({"reason": reason, "evidence": evidence})
    if not today <= until <= today + LONGEST:
        last = (today + LONGEST).isoformat()
        errors.append(
            FieldError("/until", Words(f"截止日期应在今天至 {last} 之间", f"from today until {last}"))
        )
    found = await _locked(session, appeal_id, caller, state="open")
    status = await session.get_one(Status, found.person_id)
    if colour == status.colour:
        words = Words(
            "与当前颜色相同；不需更正的，请驳回申诉", "the colour is this already; refuse the appeal"
        )
        errors.append(FieldError("/colour", words))
    if errors:
        raise IncompleteWords(errors=errors)
    before = (await changes_on(session, [found.person_id], today)).get(found.person_id)
    aside = {*status.reasons, *(before.aside if before else ())} - {MANUAL}
    change = ManualChange(
        id=new_id(),
        appeal_id=found.id,
        person_id=found.person_id,
        colour=colour,
        aside=sorted(aside),
        until=until,
        state="proposed",
        proposed_by=caller.staff_id,
        proposed_at=now,
    )
    change.reason, change.evidence = reason.strip(), evidence.strip()
    session.add(change)
    found.state = "proposed"
    await session.flush()
    await _record(session, found, "propose-change", fields=["colour", "until", "reason", "evidence"])
    return found, change


async def person_to_confirm(session: AsyncSession, appeal_id: UUID, caller: StaffCaller) -> UUID:
    """Whose registers to ask before a confirmation. Raises AppealMissing, AppealMoved, SecondPersonNeeded."""
    found = await session.scalar(select(Appeal).where(Appeal.id == appeal_id, of_staff(caller)))
    if found is None:
        raise AppealMissing
    await _proposed(session, found, caller)
    return found.person_id


async def confirm(
    session: AsyncSession, appeal_id: UUID, caller: StaffCaller, answers: Answers, *, now: datetime
) -> tuple[Appeal, ManualChange, Held]:
    """The second person confirms: from now on it holds, and the colour is decided anew at once.

    Raises AppealMissing, AppealMoved, SecondPersonNeeded, IncompleteWords where its last day is over.
    """
    found = await _locked(session, appeal_id, caller, state="proposed")
    change = await _proposed(session, found, caller)
    if change.until < local_date(now):
        words = Words("截止日期已过，请退回重新提出", "its last day is over; return it and propose anew")
        raise IncompleteWords(words)
    change.state, change.decided_by, change.decided_at = "confirmed", caller.staff_id, now
    found.state = "corrected"
    found.answered_by, found.answered_at, found.answer = caller.staff_id, now, change.reason
    await session.flush()
    await _record(session, found, "confirm-change", fields=["colour", "until"])
    held = await decide_for(session, found.person_id, answers, now=now)
    await notices.tell_person(
        session, found.person_id, "health-code.corrected", about=found.id, until=change.until.isoformat()
    )
    return found, change, held


async def give_back(
    session: AsyncSession, appeal_id: UUID, caller: StaffCaller, *, reason: str, now: datetime
) -> Appeal:
    """A proposal does not convince, or its own author takes it back: the appeal is open again.

    Raises AppealMissing, AppealMoved, IncompleteWords.
    """
    if errors := _blank({"reason": reason}):
        raise IncompleteWords(errors=errors)
    found = await _locked(session, appeal_id, caller, state="proposed")
    change = await proposal(session, found.id)
    assert change is not None, "an appeal in this state has its proposal"
    change.state, change.decided_by, change.decided_at = "returned", caller.staff_id, now
    found.state = "open"
    await _record(session, found, "return-change", fields=["state"], reason=reason.strip()[:200])
    return found


async def refuse(
    session: AsyncSession, appeal_id: UUID, caller: StaffCaller, *, reason: str, now: datetime
) -> Appeal:
    """The colour stays as the rules gave it; the person reads why.

    Raises AppealMissing, AppealMoved, IncompleteWords.
    """
    if errors := _blank({"reason": reason}):
        raise IncompleteWords(errors=errors)
    found = await _locked(session, appeal_id, caller, state="open")
    found.state = "refused"
    found.answered_by, found.answered_at, found.answer = caller.staff_id, now, reason.strip()
    await _record(session, found, "refuse-appeal", fields=["state"])
    await notices.tell_person(session, found.person_id, "health-code.appeal-refused", about=found.id)
    return found


async def proposal(session: AsyncSession, appeal_id: UUID) -> ManualChange | None:
    """What waits for the second person."""
    found: ManualChange | None = await session.scalar(
        select(ManualChange).where(ManualChange.appeal_id == appeal_id, ManualChange.state == "proposed")
    )
    return found


async def _proposed(session: AsyncSession, found: Appeal, caller: StaffCaller) -> ManualChange:
    change = await proposal(session, found.id)
    if change is None:
        raise AppealMoved(members={"state": found.state})
    if change.proposed_by == caller.staff_id:
        raise SecondPersonNeeded
    return change


async def _locked(session: AsyncSession, appeal_id: UUID, caller: StaffCaller, *, state: str) -> Appeal:
    found: Appeal | None = await session.scalar(
        select(Appeal).where(Appeal.id == appeal_id, of_staff(caller)).with_for_update()
    )
    if found is None:
        raise AppealMissing
    if found.state != state:
        raise AppealMoved(members={"state": found.state})
    return found


def _blank(texts: Mapping[str, str]) -> list[FieldError]:
    return [
        FieldError(f"/{name}", Words("请填写", "must not be empty"))
        for name, text in texts.items()
        if not text.strip()
    ]


async def _record(session: AsyncSession, row: Appeal, act: str, **more: Any) -> None:
    await audit.record(
        session,
        f"health-code.{act}",
        subject=row.person_id,
        object_kind="health-code-appeal",
        object_id=row.id,
        **more,
    )
