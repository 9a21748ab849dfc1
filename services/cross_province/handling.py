"""What the handling place (办理地) does with what comes: opens the ordinary case, takes its corrections.

Registers are asked before the transaction. The clock begins with the clerk's acceptance, and everything after
that is the ordinary desk's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import db
from haiyiban.cases import drafting, opening, submission, withdrawal
from haiyiban.cases.access import Seen
from haiyiban.cases.handlers import Answers, Applicant, Finding
from haiyiban.cases.models import Case
from haiyiban.cases.states import IllegalMove
from haiyiban.cases.states import State as CaseState
from haiyiban.delegations import Actor
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.forms import merge_patch
from haiyiban.identity import persons
from haiyiban.ids import new_id
from haiyiban.masking import mask_id_number
from haiyiban.matters import catalogue
from haiyiban.matters.catalogue import MatterUnknown
from haiyiban.matters.matter import Matter
from haiyiban.matters.prefill import Prefilled
from haiyiban.residents import IdType, InvalidIdNumber, parse_identity_number
from services.cross_province import cases, joint, neighbours, offers
from services.cross_province.messages import CrossItem, CrossMessage, Type
from services.cross_province.models import CrossCase
from services.cross_province.rules import State
from services.cross_province.sending import send

NOTE = "cross-province"
"""The note in the ordinary case that says where it came from."""


class CannotOpen(Problem):
    """The application cannot be opened here; the errors say why, and go back to the receiving place."""

    type = "cross-province/cannot-open"
    title = Words("无法受理转递来的申请", "The application that was sent cannot be opened")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found out before the transaction: the matter and the registers' answers; or what is wrong."""

    matter: Matter | None = None
    applicant: Applicant | None = None
    answers: Answers | None = None
    filled: Prefilled | None = None
    wrong: tuple[FieldError, ...] = ()


async def prepare(message: CrossMessage, *, now: datetime) -> Prepared:
    """Everything that is asked about a forwarded application, before any transaction."""
    db.require_no_transaction()
    try:
        matter, applicant = _matter(message), _applicant(message, now)
    except CannotOpen as refused:
        return Prepared(wrong=refused.errors)
    answers = await opening.ask_registers(matter, applicant, None)
    filled = opening.prefill(matter, applicant, None, answers, now=now)
    sent: dict[str, Any] = message.form or {}
    # Of a field that our registers know, they are the better source; they are silent about most of another
    # province's people, and there the receiving place's word counts (docs/domain.md §9).
    form: Any = merge_patch(sent, filled.form)
    return Prepared(matter, applicant, answers, replace(filled, form=form))


async def forwarded(
    session: AsyncSession, message: CrossMessage, neighbour: str, prepared: Prepared, *, now: datetime
) -> str:
    """Open and submit the ordinary case, or send it back with every reason at once. The outcome."""
    cross = await _row(session, message, neighbour, prepared.applicant, now=now)
    if cross.case_id is not None:
        return "already-open"
    errors = list(prepared.wrong)
    if not errors:
        try:
            # Undone as a whole where the form does not pass: nothing half opened is left.
            async with session.begin_nested():
                await _open(session, cross, message, prepared, now=now)
        except Problem as refused:
            errors = list(refused.errors) or [FieldError("", refused.detail or refused.title)]
    if errors:
        await cases.move(session, cross, State.RETURNED, by=cases.here(), now=now)
        await send(session, cross, Type.RETURNED, now=now, items=_items(errors), step=State.RETURNED)
        return "returned"
    await cases.move(session, cross, State.REACHED, by=cases.here(), now=now)
    await send(session, cross, Type.RECEIPT, now=now, step=State.REACHED)
    agreed = (await neighbours.get(session, neighbour)).agreement.joint_of(cross.matter)
    if agreed is not None:
        case = await session.get_one(Case, cross.case_id)
        await joint.ask(session, cross, case, agreed, now=now)
    return "opened"


async def corrected(session: AsyncSession, message: CrossMessage, cross: CrossCase, *, now: datetime) -> str:
    """The corrected form, handed in for the applicant; or sent back with what is still wrong."""
    assert cross.case_id is not None, "a correction is of an open case"
    case = await session.get_one(Case, cross.case_id)
    if case.state != CaseState.CORRECTION_REQUESTED:
        return "not-awaited"
    actor = Actor(case.applicant_id)
    form = _without(message.form or {}, case.locked)
    notes = [one for one in case.findings if one["code"].startswith((NOTE, joint.NOTE))]
    try:
        async with session.begin_nested():
            await drafting.patch(
                session, case.id, actor=actor, form=form, disputes={}, choice=None, seen=Seen(), now=now
            )
            await submission.submit(session, case.id, actor=actor, seen=Seen(), now=now)
            case.findings = [*case.findings, *notes]
    except Problem as refused:
        errors = list(refused.errors) or [FieldError("", refused.detail or refused.title)]
        await send(session, cross, Type.RETURNED, now=now, items=_items(errors), step="correction")
        return "returned"
    await cases.move(session, cross, State.REACHED, by=cross.neighbour, now=now)
    await send(session, cross, Type.RECEIPT, now=now, step=State.REACHED)
    return "corrected"


async def withdrawn(session: AsyncSession, cross: CrossCase, *, now: datetime) -> str:
    """The applicant takes it back, at the place where it was handed in; a decision that was faster stands."""
    case = await session.get_one(Case, cross.case_id)
    try:
        async with session.begin_nested():
            await withdrawal.withdraw(session, case.id, actor=Actor(case.applicant_id), seen=Seen(), now=now)
    except IllegalMove:
        return "too-late"
    return "done"


async def _row(
    session: AsyncSession,
    message: CrossMessage,
    neighbour: str,
    applicant: Applicant | None,
    *,
    now: datetime,
) -> CrossCase:
    """The case between the places; a second application under the same trace id goes on with the first."""
    cross = await cases.locked(session, message.trace_id)
    if cross is not None:
        return cross
    person = None
    if applicant is not None:
        person = await persons.find_or_create(session, applicant.name, id_number=applicant.id_number)
    try:
        title = catalogue().get(message.matter)
        matter_name = {"zh": title.name.zh, "en": title.name.en}
        agency = title.handled_by.agency
    except MatterUnknown:
        matter_name, agency = {"zh": message.matter, "en": message.matter}, ""
    cross = CrossCase(
        id=message.trace_id,
        neighbour=neighbour,
        side="handling",
        mode=message.mode,
        matter=message.matter,
        matter_version=message.matter_version,
        matter_name=matter_name,
        agency=agency,
        task_code=message.task_code,
        person_id=person.id if person else None,
        state=State.TAKEN_IN,
        remote_number=message.case_no_local,
        created_at=now,
        updated_at=now,
    )
    cross.form = message.form or {}
    cross.express = message.express_no
    cross.agent = msgspec.to_builtins(message.agent) if message.agent else None
    session.add(cross)
    await session.flush()
    return cross


async def _open(
    session: AsyncSession, cross: CrossCase, message: CrossMessage, prepared: Prepared, *, now: datetime
) -> None:
    matter, applicant = prepared.matter, prepared.applicant
    assert matter is not None, "prepared without faults"
    assert applicant is not None, "prepared without faults"
    assert prepared.filled is not None, "prepared without faults"
    assert cross.person_id is not None, "prepared without faults"
    person = await persons.get(session, cross.person_id)
    if person.name != applicant.name:
        words = Words("姓名与本地登记的证件号码不符", "The name is not that of this number as known here")
        raise CannotOpen(errors=[FieldError("/applicant/name", words)])
    case = await opening.open_case(
        session,
        matter,
        applicant=replace(applicant, id=person.id),
        chosen=None,
        filled=prepared.filled,
        answers=prepared.answers or {},
        actor=Actor(person.id),
        now=now,
    )
    await submission.submit(session, case.id, actor=Actor(person.id), seen=Seen(), now=now)
    cross.case_id = case.id
    cross.number = case.number
    case.findings = [*case.findings, _came_from(cross, message).document()]


def _came_from(cross: CrossCase, message: CrossMessage) -> Finding:
    """What the clerk sees: who took it in, how they know who applies, and what papers they saw."""
    who, agent = message.applicant, message.agent
    place = f"{cross.neighbour}（{cross.remote_number}）"
    how = Words("本人刷脸", "by face")
    if who is not None and who.proof == "counter":
        how = Words("窗口核验身份", "at a counter")
    elif agent is not None:
        how = Words(
            f"代办人{agent.name}（{mask_id_number(agent.id_number)}）刷脸，委托至{agent.until}",
            f"through {agent.name} ({mask_id_number(agent.id_number)}), who acts until {agent.until}",
        )
    return Finding(
        code=NOTE,
        words=Words(
            f"跨省通办：{place}收件，{how.zh}；收件地对形式和身份负责，办理地对实质负责",
            f"Cross-province: taken in by {place}, identity proven {how.en}; that place answers for form and "
            "identity, this one for substance",
        ),
        detail={
            "neighbour": cross.neighbour,
            "mode": cross.mode,
            "agent": None
            if agent is None
            else {
                "name": agent.name,
                "idNumber": mask_id_number(agent.id_number),
                "basis": agent.basis,
                "until": agent.until.isoformat(),
            },
            "materials": [
                {"name": one.name, "form": one.form, "sha256": one.sha256} for one in message.materials
            ],
        },
    )


def _matter(message: CrossMessage) -> Matter:
    try:
        matter = catalogue().get(message.matter)
    except MatterUnknown:
        raise CannotOpen(errors=[FieldError("/matter", MatterUnknown.title)]) from None
    if not offers.is_offered(matter):
        raise CannotOpen(errors=[FieldError("/matter", offers.NotOffered.title)])
    if matter.version != message.matter_version:
        words = Words("事项已更新，请按新版本重新填写", "The matter has a new version; fill in the new form")
        raise CannotOpen(errors=[FieldError("/matterVersion", words)])
    return matter


def _applicant(message: CrossMessage, now: datetime) -> Applicant:
    who = message.applicant
    if who is None or who.id_type != IdType.RESIDENT_ID_CARD:
        words = Words("跨省通办目前只受理居民身份证", "Only resident identity cards are taken so far")
        raise CannotOpen(errors=[FieldError("/applicant/idType", words)])
    try:
        number = parse_identity_number(who.id_number, today=now.date()).number
    except InvalidIdNumber as error:
        raise CannotOpen(errors=[FieldError("/applicant/idNumber", error.words)]) from None
    return Applicant(new_id(), who.name, number, who.phone)


def _without(form: dict[str, Any], locked: list[str]) -> dict[str, Any]:
    """A form without the fields that our registers answer for."""
    kept = dict(form)
    for at in locked:
        parts = at.strip("/").split("/")
        inner: Any = kept
        for part in parts[:-1]:
            if not isinstance(inner, dict) or part not in inner:
                break
            inner[part] = dict(inner[part]) if isinstance(inner[part], dict) else inner[part]
            inner = inner[part]
        else:
            if isinstance(inner, dict):
                inner.pop(parts[-1], None)
    return kept


def _items(errors: list[FieldError]) -> tuple[CrossItem, ...]:
    return tuple(CrossItem(pointer=one.pointer, message=one.message.zh) for one in errors)
