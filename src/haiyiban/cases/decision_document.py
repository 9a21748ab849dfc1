"""The written decision on a case (决定书), as its applicant downloads it: what was decided, why, what to do
against it, and the proof that the decision is in the audit's log. The layout is decision.typ.

Source: 行政许可法 art. 32, 38 (docs/domain.md §3.6); docs/documents.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.audit import proving
from haiyiban.cases import decision_words
from haiyiban.cases.models import Case, CaseEvent
from haiyiban.cases.states import By, State, Verb
from haiyiban.cases.timeline import events_of
from haiyiban.certificates import Certificate, signed_page
from haiyiban.clock import SHANGHAI, local_date
from haiyiban.credit_codes import CREDIT_CODE
from haiyiban.errors import Conflict, Words
from haiyiban.identity import persons
from haiyiban.masking import mask_id_number
from haiyiban.matters import catalogue
from haiyiban.matters.matter import Item, Matter

if TYPE_CHECKING:
    from haiyiban.audit.proving import Sealed
    from haiyiban.certificates.signing import Signed
    from haiyiban.identity.models import Person

UNDONE: Final = "-undone"
"""What an undo adds to the verb in the timeline."""


class NotDecided(Conflict):
    """Nobody has decided this case yet."""

    type = "cases/not-decided"
    title = Words("这个办件还没有作出决定，作出后即可下载决定书", "This case has not been decided yet")


@dataclass(frozen=True, slots=True)
class Decision:
    """The last decision on a case, with what its document says."""

    case: Case
    event: CaseEvent
    verb: Verb
    is_undone: bool
    """Taken back within its minute: it never counted."""
    instead_of: date | None
    """The day of an earlier decision that this one took the place of, as after an appeal."""
    applicant: Person
    subject: Person | None
    """Whom it is about, where that is somebody else."""
    certificate: str | None
    """The number of the certificate that it issued."""
    sealed: Sealed | None
    """The proof that it is in the audit's log; None in the minute before."""

    @property
    def matter(self) -> Matter:
        """In the version under which it was applied for."""
        return catalogue().version(self.case.matter, self.case.matter_version)

    @property
    def item(self) -> Item:
        """The implementation list of the agency that decided: after a transfer that of the matter's first."""
        own = self.matter
        if own.handled_by.agency == self.case.agency:
            return own.item
        others = catalogue().of_agency(self.case.agency)
        return (others[0] if others else own).item


async def of_case(session: AsyncSession, case: Case) -> Decision:
    """The decision that was taken last, undone ones included. Raises NotDecided."""
    steps = await events_of(session, case)
    decisions = [each for each in steps if each.verb.removesuffix(UNDONE) in decision_words.FORMS]
    if not decisions:
        raise NotDecided
    last, verb = decisions[-1], Verb(decisions[-1].verb.removesuffix(UNDONE))
    earlier = [each for each in decisions[:-1] if not each.verb.endswith(UNDONE)]
    issued = last.detail.get("certificate")
    certificate = await session.get(Certificate, UUID(issued)) if issued else None
    about = case.subject_id or case.applicant_id
    return Decision(
        case=case,
        event=last,
        verb=verb,
        is_undone=last.verb.endswith(UNDONE),
        instead_of=local_date(earlier[-1].at) if earlier else None,
        applicant=await persons.get(session, case.applicant_id),
        subject=await persons.get(session, about) if about != case.applicant_id else None,
        certificate=certificate.identifier if certificate else None,
        sealed=await proving.of_act(
            session, (f"cases.{verb}",), subject=about, object_kind="case", object_id=case.id
        ),
    )


async def make(decision: Decision, *, now: datetime) -> Signed:
    """The document, signed. No transaction may be open. Raises DocumentsNotSigned."""
    pages = await render(decision, now=now)
    return await signed_page.sign(pages, reason=contents(decision, now=now)["title"], now=now)


async def render(decision: Decision, *, now: datetime) -> bytes:
    """The pages as PDF, with a red banner where the decision was undone."""
    audit = signed_page.audit_words(decision.sealed, Words("决定", "decision"))
    return await signed_page.draw(_layout(), contents(decision, now=now) | {"audit": audit})


def contents(decision: Decision, *, now: datetime) -> dict[str, Any]:
    """What the document says, as the layout takes it."""
    item, case = decision.item, decision.case
    form, matter = decision_words.form_of(decision.verb, item), decision.matter.name.words
    is_deemed = decision.verb is Verb.APPROVE and decision.event.by_kind == By.SYSTEM
    statement = decision_words.deemed(matter) if is_deemed else decision_words.statement(form, item, matter)
    remedy = decision_words.remedy(item, division=case.division)
    shown: dict[str, Any] = {
        "title": form.title.zh,
        "titleEn": form.title.en,
        "number": case.number,
        "rows": [{"title": row.zh, "titleEn": row.en, "text": text} for row, text in _rows(decision)],
        "statement": statement.zh,
        "statementEn": statement.en,
        "reasons": [{"zh": decision.event.note, "en": ""}] if decision.event.note else [],
        "findings": [{"zh": each.zh, "en": each.en} for each in _against(decision)],
        "remedy": remedy.zh,
        "remedyEn": remedy.en,
        "agency": item.dept_name,
        "decidedOn": _day(local_date(decision.event.at)),
        "howToVerify": decision_words.HOW_TO_VERIFY.zh,
        "howToVerifyEn": decision_words.HOW_TO_VERIFY.en,
        "madeAt": now.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
    }
    if decision.is_undone:
        stands = decision_words.STANDING[State(case.state)]
        shown["banner"] = {
            "headline": "决定已撤回",
            "explanation": f"作出决定的工作人员已将其撤回，不再有效。办件现状：{stands.zh}。",
            "explanationEn": f"This decision was taken back and does not count. The case is {stands.en}.",
        }
    return shown


def _rows(decision: Decision) -> Iterator[tuple[Words, str]]:
    case, applicant = decision.case, decision.applicant
    is_enterprise = applicant.id_type == CREDIT_CODE
    number = applicant.id_number if is_enterprise else mask_id_number(applicant.id_number)
    yield Words("申请人", "Applicant"), f"{applicant.name}　{number}"
    if decision.subject is not None:
        yield Words("办理对象", "About"), decision.subject.name
    yield Words("事项", "Matter"), decision.matter.name.zh
    yield Words("办件编号", "Number of the case"), case.number or ""
    if case.submitted_at is not None:
        yield Words("提交日期", "Handed in on"), _day(local_date(case.submitted_at))
    if case.accepted_on is not None:
        yield Words("受理日期", "Accepted on"), _day(case.accepted_on)
    yield Words("决定日期", "Decided on"), _day(local_date(decision.event.at))
    if decision.instead_of is not None:
        yield Words("代替此前决定", "In the place of the decision of"), _day(decision.instead_of)
    if decision.certificate is not None:
        yield Words("发给证照", "Certificate given"), decision.certificate


def _against(decision: Decision) -> Iterator[Words]:
    """What the checks had found that may speak against an application that was not approved."""
    if decision.verb is not Verb.APPROVE:
        for finding in decision.case.findings:
            if finding["level"] in {"refuses", "warns"}:
                yield Words(*finding["words"])


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


@cache
def _layout() -> bytes:
    return files("haiyiban.cases").joinpath("decision.typ").read_bytes()
