"""How a case looks: to its applicant, with register values masked, and to the clerk who decides it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, context
from haiyiban.cases.calendar import calendar_from
from haiyiban.cases.certificate_views import (
    DeskGivenCertificate,
    GivenCertificate,
    given,
    given_at_desk,
)
from haiyiban.cases.drafting import schema_of
from haiyiban.cases.material_views import MaterialState, material_states
from haiyiban.cases.models import Case, CaseEvent
from haiyiban.cases.states import By, State, Verb, verbs_in
from haiyiban.cases.summaries import CaseSummary, matter_of, remaining_days, summary_members
from haiyiban.cases.timeline import events_of
from haiyiban.credit_codes import CREDIT_CODE
from haiyiban.delegations import Basis, Delegation
from haiyiban.delegations import views as delegation_views
from haiyiban.forms import leaves, overlapping
from haiyiban.identity import persons
from haiyiban.masking import mask_name
from haiyiban.matters.prefill import ACCOUNT
from haiyiban.wire import Output


class TimelineEntry(Output, kw_only=True):
    """One step of a case."""

    at: datetime
    event: str
    by: str
    """applicant, agent (who acts for the applicant under a delegation), clerk, system or publication."""
    note: str | None = None
    items: list[dict[str, str]] | None = None
    """What is to be corrected: pointer and message."""


class PrefillSource(Output, kw_only=True, omit_defaults=False):
    """Where a prefilled value comes from. State `known`; `unknown` where the register could not be asked
    (待核实); `differs` where the applicant says otherwise than the source."""

    source: str | None
    at: datetime | None
    state: str


class CommitmentRead(Output):
    """A text that was accepted: name with version, hash, when."""

    text: str
    hash: str
    at: datetime


class Acting(Output, kw_only=True, omit_defaults=False):
    """Who acts for whom, masked; `basis` as in a delegation. A parent who applies for a child in their own
    name is its guardian by register."""

    basis: str
    by: str
    for_whom: str
    delegation: UUID | None


class RatingRead(Output, kw_only=True, omit_defaults=False):
    """A rating as it is kept (好差评); 5 is best."""

    score: int
    reasons: list[str]
    comment: str


class CaseRead(CaseSummary, kw_only=True, omit_defaults=False):
    """A case as its applicant sees it."""

    form: dict[str, Any]
    locked: list[str]
    prefill: dict[str, PrefillSource]
    disputes: dict[str, str]
    open_facts: list[str]
    """Pointers that a register could not fill; the platform asks again, the applicant may go on."""
    certificates: dict[str, GivenCertificate]
    """The certificates that are chosen in the form, by pointer of their field."""
    materials: list[MaterialState]
    timeline: list[TimelineEntry]
    due_provisional: bool
    remaining_days: int | None
    """Working days until its promised day, 0 on it, negative once it is over; null while no clock runs."""
    statutory_due_on: date | None
    correction_due_at: datetime | None
    verbs: list[str]
    """What the reader may do now."""
    commitment: CommitmentRead | None
    """What was accepted in the place of materials (告知承诺)."""
    acting: Acting | None
    """Where somebody acts for another: who, for whom, by what right."""
    choices_for: dict[str, list[dict[str, str]]] | UnsetType = UNSET
    """Until a subject is chosen: pointer → possible values."""


class DeskCaseRead(CaseRead, kw_only=True, omit_defaults=False):
    """A case as its clerk sees it: values in full, with what the checks found."""

    agency: str
    division: str
    certificates: dict[str, DeskGivenCertificate]  # type: ignore[assignment]
    findings: list[dict[str, Any]]
    extension_awaits_second_person: bool


async def read(session: AsyncSession, case: Case, *, reader: UUID) -> CaseRead:
    """The view of whoever handles it: the applicant, or who acts for them. A register's value stays covered
    until the applicant has written their own: to dispute it is not enough to read it. What the applicant
    signs in with is covered to another person."""
    disputed = overlapping(case.disputes or {}, case.prefill)
    covered = [at for at in disputed if case.prefill[at]["state"] == "known"]
    if reader != case.applicant_id and not await _is_enterprise(session, case):
        covered += [at for at, origin in case.prefill.items() if _is_of_account(origin)]
    form = schema_of(case).mask(case.form, [*case.locked, *covered])
    members = await _members(session, case, form=form, by=By.APPLICANT)
    return CaseRead(**members, certificates=await given(session, case))


async def record_look(session: AsyncSession, case: Case) -> None:
    """Somebody is shown what is another person's."""
    await audit.record(
        session,
        "cases.read",
        subject=case.subject_id,
        object_kind="case",
        object_id=case.id,
        fields=sorted(at for at, _ in leaves(case.form)),
        reason=case.matter,
    )


async def desk_read(session: AsyncSession, case: Case) -> DeskCaseRead:
    """The clerk's view."""
    language = context.current().language
    findings = [
        {
            "code": finding["code"],
            "level": finding["level"],
            "pointer": finding["pointer"],
            "message": finding["words"][1 if language.startswith("en") else 0],
            "detail": finding["detail"],
        }
        for finding in case.findings
    ]
    return DeskCaseRead(
        **await _members(session, case, form=case.form, by=By.CLERK),
        certificates=await given_at_desk(session, case),
        agency=case.agency,
        division=case.division,
        findings=findings,
        extension_awaits_second_person=(case.extension_asked_by is not None and case.state == State.ACCEPTED),
    )


async def _members(session: AsyncSession, case: Case, *, form: dict[str, Any], by: By) -> dict[str, Any]:
    today = clock.today()
    return summary_members(case) | {
        "form": form,
        "locked": case.locked,
        "prefill": {at: msgspec.convert(origin, PrefillSource) for at, origin in case.prefill.items()},
        "disputes": case.disputes or {},
        "open_facts": [at for at, origin in case.prefill.items() if origin["state"] == "unknown"],
        "materials": await material_states(session, case),
        "timeline": [_entry(case, event) for event in await events_of(session, case)],
        "due_provisional": case.due_provisional,
        "remaining_days": remaining_days(case, await calendar_from(session, today), today=today),
        "statutory_due_on": case.statutory_due_on,
        "correction_due_at": case.correction_due_at,
        "verbs": [verb.value for verb in _verbs(case, by)],
        "acting": await _acting(session, case),
        "commitment": _commitment(case),
        "choices_for": {"/child": case.choices} if case.choices else UNSET,
    }


def _verbs(case: Case, by: By) -> list[Verb]:
    verbs = verbs_in(State(case.state), by=by)
    if by is By.CLERK and matter_of(case).decided_by == "publication":
        return [verb for verb in verbs if verb not in {Verb.APPROVE, Verb.DENY}]
    return verbs


def _is_of_account(origin: dict[str, Any]) -> bool:
    return (origin["source"], origin["state"]) == (ACCOUNT, "known")


async def _is_enterprise(session: AsyncSession, case: Case) -> bool:
    """Whose form holds the phone of the one who acts, and of nobody else."""
    return (await persons.get(session, case.applicant_id)).id_type == CREDIT_CODE


def _commitment(case: Case) -> CommitmentRead | None:
    kept = case.commitment
    if kept is None:
        return None
    return CommitmentRead(text=kept["text"], hash=kept["hash"], at=datetime.fromisoformat(kept["at"]))


async def _acting(session: AsyncSession, case: Case) -> Acting | None:
    if case.delegation_id is not None:
        delegation = await session.get_one(Delegation, case.delegation_id)
        sides = await delegation_views.sides(session, delegation)
        return Acting(basis=delegation.basis, by=sides.taker, for_whom=sides.giver, delegation=delegation.id)
    if case.subject_id in {None, case.applicant_id}:
        return None
    parent = await persons.get(session, case.applicant_id)
    child = await persons.get(session, case.subject_id)
    return Acting(
        basis=Basis.GUARDIAN, by=mask_name(parent.name), for_whom=mask_name(child.name), delegation=None
    )


def _entry(case: Case, event: CaseEvent) -> TimelineEntry:
    by_another = event.by_kind == By.APPLICANT and event.by_id not in {None, case.applicant_id}
    return TimelineEntry(
        at=event.at,
        event=event.verb,
        by="agent" if by_another else event.by_kind,
        note=event.note,
        items=event.items,
    )
