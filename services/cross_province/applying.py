"""The receiving place (收件地): an application for another province's matter is taken in and sent on.

Online the applicant's own face proves who applies; at a counter the clerk looks (收受分离). Either way the
receiving place answers for form and identity. Source: docs/domain.md §9; 国办发〔2020〕35号.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
import rfc8785
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases.numbers import next_number
from haiyiban.clock import local_date
from haiyiban.db import violated
from haiyiban.delegations import Delegation, using
from haiyiban.errors import Conflict, FieldError, Problem, Words
from haiyiban.forms import merge_patch, put
from haiyiban.identity import accounts, persons
from haiyiban.identity.models import Person
from haiyiban.ids import new_id
from haiyiban.residents import IdType
from services.cross_province import acting, cases, neighbours, offers
from services.cross_province.cases import NotNow
from services.cross_province.messages import CrossApplicant, CrossMaterial, Type
from services.cross_province.models import CrossCase, Step
from services.cross_province.neighbours import NeighbourAway
from services.cross_province.offers import OfferedMatter
from services.cross_province.rules import State
from services.cross_province.sending import send


class InvalidApplication(Problem):
    """Fields that keep the application from being sent; every one is listed."""

    type = "cross-province/invalid-application"
    title = Words("有内容需要修改", "Some fields need your attention")


class OnlyAtACounter(Problem):
    """The matter needs somebody to look at who applies: a counter anywhere does (异地代收代办)."""

    type = "cross-province/only-at-a-counter"
    title = Words(
        "该事项需要到窗口核验身份，可到就近的跨省通办窗口办理",
        "For this matter somebody must check who applies; any cross-province counter near you does",
    )


class AlreadySent(Conflict):
    """There is an open application for this matter of this place; the first one stands."""

    type = "cross-province/already-applied"
    title = Words("已有一份同一事项的跨省申请在办", "There is an open application for this matter already")


class OutdatedForm(Conflict):
    """The handling place has a newer version of the matter; the member `version` says which."""

    type = "cross-province/matter-outdated"
    title = Words("事项已更新，请按新版本填写", "The matter has a new version; please fill in the new form")


class CardNeeded(Problem):
    """Only people with a resident identity card are known to every province."""

    type = "cross-province/identity-card-needed"
    title = Words(
        "跨省通办目前只受理居民身份证申请人", "Cross-province service is for resident identity cards so far"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What is applied for: a matter of a province, with its filled form."""

    division: str
    matter: str
    version: int
    form: dict[str, Any]
    mode: Literal[1, 2, 3] = 1
    taken_by: UUID | None = None
    """The clerk at a counter."""
    phone: str | None = None
    materials: tuple[CrossMaterial, ...] = ()
    """Paper that a clerk saw, beside the form."""
    delegation: Delegation | None = None
    """Under which somebody applies for another."""


async def apply(
    session: AsyncSession, application: Application, person_id: UUID, *, now: datetime
) -> CrossCase:
    """Take an application in and promise to send it.

    Raises NoSuchNeighbour, NeighbourAway, NotOffered, OutdatedForm, OnlyAtACounter, CardNeeded,
    InvalidApplication, AlreadySent, NotInForce's kinds, DelegationUsedUp.
    """
    known = await neighbours.get(session, application.division)
    if not known.is_open(now):
        raise NeighbourAway
    matter = offers.offered(known.row, application.matter)
    if matter.version != application.version:
        raise OutdatedForm(members={"version": matter.version})
    joint = known.agreement.joint_of(matter.code) is not None
    mode = 3 if joint and application.mode == 1 else application.mode
    if application.mode not in matter.modes:
        raise OnlyAtACounter
    person = await persons.get(session, person_id)
    if person.id_type != IdType.RESIDENT_ID_CARD:
        raise CardNeeded
    phone = application.phone
    if phone is None:
        account = await accounts.of_person(session, person_id)
        phone = account.phone if account else None
    agent = None
    if application.delegation is not None:
        phone = phone or application.delegation.contact
        agent = await acting.agent_of(session, application.delegation)
    form = _with_identity(matter, application.form, person, phone)
    if errors := offers.errors_in(matter, form):
        raise InvalidApplication(
            errors=[FieldError(f"/form{error.pointer}", error.message) for error in errors]
        )
    if application.delegation is not None:
        await using.count(session, application.delegation.id, matter.code, now=now)
    case = await _open(session, application, matter, person, form, mode=mode, now=now)
    case.agent = msgspec.to_builtins(agent) if agent else None
    await send(
        session,
        case,
        Type.FORWARD,
        now=now,
        applicant=CrossApplicant(
            name=person.name,
            id_type=person.id_type,
            id_number=person.id_number,
            phone=phone,
            proof="counter" if application.taken_by else "agent" if agent else "face",
        ),
        agent=agent,
        form=form,
        materials=(_form_as_material(form), *application.materials),
        step=State.TAKEN_IN,
    )
    await cases.tell(session, case, "taken-in")
    return case


async def correct(session: AsyncSession, case: CrossCase, form: dict[str, Any], *, now: datetime) -> None:
    """Send the corrected form; `form` is merged into what was sent before.

    Raises NotNow, InvalidApplication, NoSuchNeighbour, NeighbourAway.
    """
    if case.state != State.CORRECTION_REQUESTED:
        raise NotNow(members={"state": case.state})
    known = await neighbours.get(session, case.neighbour)
    if not known.is_open(now):
        raise NeighbourAway
    assert case.person_id is not None, "whoever applied here is known"
    person = await persons.get(session, case.person_id)
    whole: Any = merge_patch(case.form, form)
    matter = next((one for one in offers.offers_of(known.row) if one.code == case.matter), None)
    if matter is not None and matter.version == case.matter_version:
        whole = _with_identity(matter, whole, person, None)
        if errors := offers.errors_in(matter, whole):
            raise InvalidApplication(
                errors=[FieldError(f"/form{error.pointer}", error.message) for error in errors]
            )
    case.form = whole
    await cases.move(session, case, State.FORWARDED, by=cases.here(), now=now)
    await send(
        session,
        case,
        Type.CORRECTION,
        now=now,
        form=whole,
        materials=(_form_as_material(whole),),
        step="corrected",
    )


async def announce(session: AsyncSession, case: CrossCase, express: str, *, now: datetime) -> None:
    """Originals are on their way: tell the handling place under which number."""
    case.express = express
    await send(session, case, Type.INTAKE, now=now, express_no=express, step="originals-sent")
    await cases.record(session, case, "send-originals")


WITHDRAWAL = "withdrawal_requested"


async def withdraw(session: AsyncSession, case: CrossCase, *, now: datetime) -> None:
    """Ask the handling place to take the application off, once. It ends there and comes back as the result
    `withdrawn`; where the decision was faster, the decision stands. Raises NotNow."""
    asked = any(step.state == WITHDRAWAL for step in await cases.steps(session, case))
    if asked or case.outcome is not None or case.state == State.RETURNED:
        raise NotNow(members={"state": case.state})
    session.add(Step(id=new_id(), case_id=case.id, at=now, state=WITHDRAWAL, by_division=cases.here()))
    await send(session, case, Type.RETURNED, now=now, step=WITHDRAWAL)
    await cases.record(session, case, "request-withdrawal")


async def hand_over(session: AsyncSession, case: CrossCase, *, now: datetime) -> None:
    """送达: the applicant has the result; the handling place is told. A second time changes nothing."""
    if case.state != State.RESULT_RETURNED:
        return
    await cases.move(session, case, State.DELIVERED, by=cases.here(), now=now)
    await send(session, case, Type.RECEIPT, now=now, step=State.DELIVERED)


async def _open(
    session: AsyncSession,
    application: Application,
    matter: OfferedMatter,
    person: Person,
    form: dict[str, Any],
    *,
    mode: int,
    now: datetime,
) -> CrossCase:
    case = CrossCase(
        id=new_id(),
        neighbour=application.division,
        side="receiving",
        mode=mode,
        matter=matter.code,
        matter_version=matter.version,
        matter_name={"zh": matter.name.zh, "en": matter.name.en},
        agency=matter.agency,
        task_code=matter.task_code,
        person_id=person.id,
        state=State.TAKEN_IN,
        # A number of our own: the handling place counts its cases by its own item code.
        number=await next_number(session, f"KS{cases.here()}", day=local_date(now)),
        taken_by=application.taken_by,
        delegation_id=application.delegation.id if application.delegation else None,
        created_at=now,
        updated_at=now,
    )
    case.form = form
    session.add(case)
    try:
        await session.flush()
    except IntegrityError as error:
        if violated(error) == "uq_cross_province_case_open":
            raise AlreadySent from error
        raise
    await cases.move(session, case, State.TAKEN_IN, by=cases.here(), now=now)
    return case


def _with_identity(
    matter: OfferedMatter, form: dict[str, Any], person: Person, phone: str | None
) -> dict[str, Any]:
    """The form with who applies as we proved it: the handling place's population register knows nobody of
    another province."""
    known = {
        ("population", "/name"): person.name,
        ("population", "/idNumber"): person.id_number,
    }
    for rule in matter.prefill:
        value = known.get((rule.register, rule.path))
        if rule.register == "account" and rule.path == "/phone":
            value = phone
        if value is not None:
            form = put(form, rule.pointer, value)
    return form


def _form_as_material(form: dict[str, Any]) -> CrossMaterial:
    """The filled form itself, by the hash of its canonical JSON (RFC 8785)."""
    digest = hashlib.sha256(rfc8785.dumps(form)).hexdigest()
    return CrossMaterial(code="form", name="申请表", form="electronic", sha256=digest)
