"""What time does to cases: corrections lapse, suspensions end, open facts are asked again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.cases import opening, verbs
from haiyiban.cases.handlers import Applicant
from haiyiban.cases.models import Case
from haiyiban.cases.notices import tell
from haiyiban.cases.states import By, State, Verb, next_state
from haiyiban.cases.timeline import add_event, remember
from haiyiban.db import database
from haiyiban.forms import MISSING, get, put
from haiyiban.identity import persons
from haiyiban.matters import catalogue

_AT_ONCE = 200
"""Cases of one round; the rest follow in the next."""
DELIVERED_AFTER = timedelta(days=7)
"""A decided case that no clerk has closed closes by itself."""


async def lapse(_: bytes) -> None:
    """Close cases whose correction did not come in time."""
    for case_id in await _due(
        (Case.state == State.CORRECTION_REQUESTED) & (Case.correction_due_at < clock.now())
    ):
        async with database().transaction() as session:
            case = await _locked(session, case_id, State.CORRECTION_REQUESTED)
            if case is not None:
                before = remember(case)
                case.outcome = "lapsed"
                case.claim = None
                await _move(session, case, Verb.LAPSE, before)
                await tell(session, case, Verb.LAPSE)


async def resume(_: bytes) -> None:
    """Let the clock run again where a suspension's end date has come."""
    today = clock.today()
    for case_id in await _due((Case.state == State.SUSPENDED) & (Case.resume_on <= today)):
        async with database().transaction() as session:
            case = await _locked(session, case_id, State.SUSPENDED)
            if case is not None:
                before = remember(case)
                await verbs.end_suspension(session, case, today=today)
                await _move(session, case, Verb.RESUME, before)
                await tell(session, case, Verb.RESUME)


async def close(_: bytes) -> None:
    """Close decided cases that were delivered."""
    decided = Case.state.in_([State.APPROVED.value, State.DENIED.value])
    for case_id in await _due(decided & (Case.updated_at < clock.now() - DELIVERED_AFTER)):
        async with database().transaction() as session:
            case = await _locked(session, case_id, State.APPROVED, State.DENIED)
            if case is not None:
                await _move(session, case, Verb.CLOSE, remember(case))


async def ask_again(_: bytes) -> None:
    """Ask the registers for facts that could not be asked before (待核实); fill in what they say now.

    What the applicant has written meanwhile stays; the register's answer then only tells the clerk.
    """
    for case_id in await _due(Case.has_open_facts & Case.state.not_in(["closed", "withdrawn", "refused"])):
        await _ask_again(case_id)


async def _ask_again(case_id: UUID) -> None:
    async with database().reading() as session:
        case = await session.get(Case, case_id)
        if case is None or not case.has_open_facts:
            return
        matter = catalogue().version(case.matter, case.matter_version)
        person = await persons.get(session, case.applicant_id)
        applicant = Applicant(person.id, person.name, person.id_number, None)
        child = await persons.get(session, case.subject_id) if case.subject_id != person.id else None  # type: ignore[arg-type]
    chosen = None
    if matter.subject == "child":
        number = child.id_number if child else None
        if number is None:
            return
        try:
            chosen = await opening.choose_subject(matter, applicant, number, today=clock.today())
        except opening.NotYourChild:
            await _note_stranger(case_id)
            return
    answers = await opening.ask_registers(matter, applicant, chosen)
    filled = opening.prefill(matter, applicant, chosen, answers, now=clock.now())
    async with database().transaction() as session:
        locked = await session.get(Case, case_id, with_for_update=True)
        if locked is None or not locked.has_open_facts:
            return
        form = locked.form
        origins = dict(locked.prefill)
        for at, origin in opening.origins(filled).items():
            if origin["state"] == "known" and origins.get(at, {}).get("state") == "unknown":
                origins[at] = origin
                if get(form, at) is MISSING:
                    form = put(form, at, get(filled.form, at))  # type: ignore[arg-type]
                    if at in filled.locked:
                        locked.locked = [*locked.locked, at]
        # A register that answered and holds nothing has answered.
        for at, origin in list(origins.items()):
            if origin["state"] == "unknown" and at not in filled.unknown and at not in filled.origins:
                del origins[at]
        locked.form = form
        locked.prefill = origins
        locked.has_open_facts = any(origin["state"] == "unknown" for origin in origins.values())
        locked.version += 1
        locked.updated_at = clock.now()
        for answer in answers.values():
            if answer.state == "known":
                await audit.record(
                    session,
                    "registers.read",
                    subject=locked.subject_id,
                    object_kind="case",
                    object_id=locked.id,
                    fields=answer.fields,
                    reason=f"{locked.matter}: {answer.register}",
                )


async def _note_stranger(case_id: UUID) -> None:
    async with database().transaction() as session:
        case = await session.get(Case, case_id, with_for_update=True)
        if case is not None and case.has_open_facts:
            case.has_open_facts = False
            case.findings = [
                *case.findings,
                {
                    "code": "not-your-child",
                    "level": "warns",
                    "pointer": "/child",
                    "words": list(opening.NotYourChild.title),
                    "detail": {},
                },
            ]


async def _due(condition: ColumnElement[bool]) -> list[UUID]:
    async with database().reading() as session:
        return list(await session.scalars(select(Case.id).where(condition).limit(_AT_ONCE)))


async def _locked(session: AsyncSession, case_id: UUID, *states: State) -> Case | None:
    """The case, if it still is in one of the states and nobody else is at it."""
    case = await session.get(Case, case_id, with_for_update={"skip_locked": True})
    return case if case is not None and State(case.state) in states else None


async def _move(session: AsyncSession, case: Case, verb: Verb, before: dict[str, object]) -> None:
    now = clock.now()
    case.state = next_state(State(case.state), verb, by=By.SYSTEM)
    case.version += 1
    case.updated_at = now
    await add_event(session, case, verb, by=By.SYSTEM, by_id=None, now=now, before=before)
    await audit.record(
        session, f"cases.{verb}", subject=case.subject_id, object_kind="case", object_id=case.id
    )
